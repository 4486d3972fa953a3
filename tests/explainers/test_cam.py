"""Each method against its definition, written the plain slow way."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from scipy.ndimage import zoom
from small_networks import LABELS, classifier_of, convolutional, random_patches

from xaiaudio import AudioClassifier, XaiAudioError, explain, load_model
from xaiaudio.explainers import cam
from xaiaudio.explainers.cam import find_layer

NETWORKS = [((24, 16), (1, 1)), ((7, 31), (1, 1)), ((13, 10), (2, 1)), ((9, 9), (2, 2))]


def features_and_gradients(classifier, patch, target, name="last"):
    """Feature maps (h, w, c), their gradients of the target's logit, and that logit."""
    network = classifier.logits_network
    halves = keras.Model(network.inputs[0], [network.get_layer(name).output, network.outputs[0]])
    with tf.GradientTape() as tape:
        features, logits = halves(patch[None, ..., None], training=False)
        tape.watch(features)
        # Go on from the features by hand, so that the tape sees them as the source.
        x = features
        for layer in network.layers[network.layers.index(network.get_layer(name)) + 1 :]:
            x = layer(x, training=False)
        score = x[0, target]
    np.testing.assert_allclose(x, logits, atol=1e-5)
    gradients = tape.gradient(score, features)
    return features[0].numpy(), gradients[0].numpy(), float(score)


def relu(x):
    return np.maximum(x, 0)


def gradcam(classifier, patch, target):
    features, gradients, _ = features_and_gradients(classifier, patch, target)
    return sum(gradients[..., k].mean() * features[..., k] for k in range(features.shape[-1]))


def gradcam_plus_plus(classifier, patch, target):
    """Return equation (19) and (9) of the paper for Y = exp(S), whole."""
    features, gradients, score = features_and_gradients(classifier, patch, target)
    total = np.zeros(features.shape[:2])
    for k in range(features.shape[-1]):
        a, g = features[..., k].astype(float), gradients[..., k].astype(float)
        first, second, third = (np.exp(score) * g**power for power in (1, 2, 3))
        below = 2 * second + a.sum() * third
        alpha = np.divide(second, below, out=np.zeros_like(second), where=second != 0)
        # tf-keras-vis lets the weights of a map sum to 1, as the authors' code does.
        alpha = alpha / alpha.sum() if alpha.sum() else alpha
        total += (alpha * relu(first)).sum() * a
    return total / np.exp(score)


def layercam(classifier, patch, target):
    features, gradients, _ = features_and_gradients(classifier, patch, target)
    return (relu(gradients) * features).sum(axis=-1)


def scorecam(classifier, patch, target, channels=None):
    features, _, _ = features_and_gradients(classifier, patch, target)
    chosen = np.argsort(-features.std(axis=(0, 1)), kind="stable")[:channels]
    total = np.zeros(features.shape[:2])
    for k in chosen:
        factors = np.divide(patch.shape, features.shape[:2])
        large = zoom(features[..., k], factors, order=1, mode="nearest")
        mask = (large - large.min()) / (large.max() - large.min() + 1e-7)
        total += classifier.scores((patch * mask)[None])[0, target] * features[..., k]
    return total


DEFINITIONS = {
    "gradcam": gradcam,
    "gradcam++": gradcam_plus_plus,
    "layercam": layercam,
    "scorecam": scorecam,
}


@pytest.mark.parametrize("method", DEFINITIONS)
@pytest.mark.parametrize("shape, strides", NETWORKS)
def test_equals_its_definition(method, shape, strides):
    classifier = classifier_of(convolutional(shape, strides))
    patches = random_patches(4, shape)
    targets = [0, 1, 2, 1]
    result = explain(classifier, patches, targets, method, upsample="nearest")
    for patch, target, raw in zip(patches, targets, result.raw, strict=True):
        expected = relu(DEFINITIONS[method](classifier, patch, target))
        # Grad-CAM++ divides by a difference: in single precision it has fewer good digits.
        digits = 1e-3 if method == "gradcam++" else 1e-5
        np.testing.assert_allclose(raw, expected, atol=digits * expected.max())
    assert result.raw.max() > 1e-3


def test_the_negative_part_is_cut_and_there_is_one(small, patches):
    plain = np.stack([gradcam(small, patch, 0) for patch in patches])
    assert (plain < -1e-3).any()
    assert (explain(small, patches, "cat", "gradcam").raw >= 0).all()


def test_maps_keep_their_scale(small, patches):
    """Twice the logit is twice the map: nothing is normalised."""
    double = classifier_of(convolutional((24, 16)))
    head = double.logits_network.layers[-1]
    head.set_weights([2 * weight for weight in head.get_weights()])
    for method in ("gradcam", "layercam"):
        once = explain(small, patches, 0, method).maps
        np.testing.assert_allclose(explain(double, patches, 0, method).maps, 2 * once, rtol=1e-4)


@pytest.mark.parametrize("method", DEFINITIONS)
def test_chunks_do_not_matter(small, method, monkeypatch):
    patches = random_patches(7, (24, 16))
    whole = explain(small, patches, method=method).raw
    monkeypatch.setattr(cam, "CHUNK", 3)
    monkeypatch.setattr(cam, "MASKED", 12)
    np.testing.assert_allclose(explain(small, patches, method=method).raw, whole, atol=1e-6)


def test_gradcam_plus_plus_survives_large_logits(patches):
    sure = classifier_of(convolutional((24, 16)))
    head = sure.logits_network.layers[-1]
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + 500])
    plain = explain(classifier_of(convolutional((24, 16))), patches, 1, "gradcam++").raw
    np.testing.assert_allclose(explain(sure, patches, 1, "gradcam++").raw, plain, rtol=1e-4)


def test_faster_scorecam_takes_the_channels_that_vary_most(small, patches):
    found = explain(small, patches, "dog", "scorecam", channels=2).raw
    for patch, raw in zip(patches, found, strict=True):
        np.testing.assert_allclose(raw, relu(scorecam(small, patch, 1, 2)), atol=1e-5)
    with pytest.raises(XaiAudioError, match="has only 6"):
        explain(small, patches, "dog", "scorecam", channels=7)
    with pytest.raises(XaiAudioError, match="channels is 0"):
        explain(small, patches, "dog", "scorecam", channels=0)


def test_scorecam_is_quiet(small, patches, capfd):
    explain(small, patches, "dog", "scorecam")
    assert capfd.readouterr().out == ""


def test_layer_option(small, patches):
    assert explain(small, patches, 0, layer="first").raw.shape == (3, 24, 16)
    assert explain(small, patches, 0, layer="pool").raw.shape == (3, 12, 8)
    named, default = (explain(small, patches, 0, layer=name).raw for name in ("last", None))
    np.testing.assert_array_equal(named, default)


def flat_network(*middle, inputs=(12, 8, 1)):
    x = start = keras.Input(inputs)
    for layer in middle:
        x = layer(x)
    return keras.Model(start, layers.Dense(3, activation="softmax")(x))


def yamnet_like():
    """A strided convolution, then depthwise and pointwise ones, each with its own activation."""
    steps = [layers.Conv2D(4, 3, 2, padding="same", name="layer1")]
    for number in (2, 3):
        steps += [
            layers.DepthwiseConv2D(3, padding="same", use_bias=False, name=f"depth{number}"),
            layers.BatchNormalization(name=f"depth{number}_norm"),
            layers.ReLU(6.0, name=f"depth{number}_relu"),
            layers.Conv2D(6, 1, use_bias=False, name=f"point{number}"),
            layers.BatchNormalization(name=f"point{number}_norm"),
            layers.ReLU(6.0, name=f"point{number}_relu"),
        ]
    return flat_network(*steps, layers.GlobalAveragePooling2D())


def test_default_layer():
    assert find_layer(convolutional((24, 16))).name == "last"
    assert find_layer(yamnet_like()).name == "point3_relu"
    assert find_layer(yamnet_like(), "point3").name == "point3"
    twice = keras.Input((12, 8, 1))
    x = layers.Conv2D(3, 3, padding="same", name="branching")(twice)
    x = layers.Add()([x, layers.ReLU()(x)])
    x = layers.GlobalMaxPooling2D()(x)
    assert find_layer(keras.Model(twice, layers.Dense(3)(x))).name == "branching"


def grown(network):
    """Return the same layers with the same weights as a Sequential model, added one by one."""
    model = keras.Sequential([keras.Input(network.inputs[0].shape[1:])])
    for layer in network.layers[1:]:
        model.add(type(layer).from_config(layer.get_config()))
    model.set_weights(network.get_weights())
    return model


@pytest.mark.parametrize("method", DEFINITIONS)
def test_a_sequential_model_gives_the_same_maps_however_it_came_about(method, tmp_path):
    """Keras calls its layers once more whenever one is added, and when a file is read."""
    network = yamnet_like()
    patches = random_patches(2, (12, 8))
    plain = classifier_of(network)
    expected = explain(plain, patches, "dog", method).raw
    assert expected.max() > 1e-6
    sequential = grown(network)
    sequential.save(tmp_path / "grown.keras")
    read = load_model(tmp_path / "grown.keras", labels=LABELS, frontend=plain.frontend)
    for classifier in (classifier_of(sequential), read):
        found = explain(classifier, patches, "dog", method).raw
        np.testing.assert_allclose(found, expected, atol=1e-5 * expected.max())


def test_a_convolution_that_knows_no_place_is_passed_over():
    start = keras.Input((12, 8, 1))
    x = layers.Conv2D(3, 3, activation="relu", name="wide")(start)
    gate = layers.GlobalAveragePooling2D(keepdims=True)(x)
    gate = layers.Conv2D(3, 1, activation="sigmoid", name="gate")(gate)
    x = layers.GlobalAveragePooling2D()(layers.Multiply()([x, gate]))
    assert find_layer(keras.Model(start, layers.Dense(3)(x))).name == "wide"
    whole = layers.Flatten()(layers.Conv2D(3, (12, 8))(start))
    with pytest.raises(XaiAudioError, match="one value for the whole patch.*occlusion"):
        find_layer(keras.Model(start, layers.Dense(3)(whole)))


def test_yamnet_like_network():
    classifier = classifier_of(yamnet_like())
    patches = random_patches(2, (12, 8))
    for method in DEFINITIONS:
        assert explain(classifier, patches, method=method).raw.shape == (2, 6, 4)


def test_network_without_a_channel_axis():
    network = flat_network(
        layers.Reshape((12, 8, 1)),
        layers.Conv2D(4, 3, activation="relu"),
        layers.Flatten(),
        inputs=(12, 8),
    )
    classifier = AudioClassifier.from_keras(network, LABELS, classifier_of(yamnet_like()).frontend)
    patches = random_patches(2, (12, 8))
    for method in ("gradcam", "gradcam++", "layercam"):
        assert explain(classifier, patches, method=method).maps.shape == (2, 12, 8)
    with pytest.raises(XaiAudioError, match="Reshape"):
        explain(classifier, patches, method="scorecam")


@pytest.mark.parametrize("method", DEFINITIONS)
def test_networks_it_cannot_treat(method):
    patches = random_patches(1, (12, 8))
    plain = classifier_of(flat_network(layers.Flatten(), layers.Dense(4)))
    with pytest.raises(XaiAudioError, match="no 2-D convolution"):
        explain(plain, patches, method=method)
    along_time = flat_network(layers.Reshape((12, 8)), layers.Conv1D(4, 3), layers.Flatten())
    with pytest.raises(XaiAudioError, match="no 2-D convolution"):
        explain(classifier_of(along_time), patches, method=method)
    small = classifier_of(yamnet_like())
    with pytest.raises(XaiAudioError, match="no layer 'conv9'.*layer1, depth2.*point3_relu"):
        explain(small, patches, method=method, layer="conv9")
    with pytest.raises(XaiAudioError, match="batch, h, w, channels"):
        explain(small, patches, method=method, layer=small.logits_network.layers[-1].name)


def test_nested_network():
    inner = keras.Sequential([layers.Conv2D(4, 3), layers.ReLU()], name="inner")
    network = flat_network(inner, layers.GlobalMaxPooling2D())
    with pytest.raises(XaiAudioError, match="'inner'"):
        find_layer(network)


def test_a_network_for_patches_of_any_size_is_refused_with_advice():
    start = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(2, 3, activation="relu")(start)
    x = keras.layers.GlobalAveragePooling2D()(x)
    network = keras.Model(start, keras.layers.Dense(3)(x))
    with pytest.raises(XaiAudioError, match="any size.*one size of patch"):
        find_layer(network)
