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
from xaiaudio.models.graph import graph_of

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


def looked_at(network, name=None):
    """Return the name of the one feature map that is looked at."""
    (node,) = cam.find_maps(graph_of(network), name)
    return node.name


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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_negative_part_is_cut_and_there_is_one(small, patches):
    plain = np.stack([gradcam(small, patch, 0) for patch in patches])
    assert (plain < -1e-3).any()
    assert (explain(small, patches, "cat", "gradcam").raw >= 0).all()


@pytest.mark.slow
def test_maps_keep_their_scale(small, patches):
    """Twice the logit is twice the map: nothing is normalised."""
    double = classifier_of(convolutional((24, 16)))
    head = double.logits_network.layers[-1]
    head.set_weights([2 * weight for weight in head.get_weights()])
    for method in ("gradcam", "layercam"):
        once = explain(small, patches, 0, method).maps
        np.testing.assert_allclose(explain(double, patches, 0, method).maps, 2 * once, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("method", DEFINITIONS)
def test_chunks_do_not_matter(small, method, monkeypatch):
    patches = random_patches(7, (24, 16))
    whole = explain(small, patches, method=method).raw
    monkeypatch.setattr(cam, "CHUNK", 3)
    np.testing.assert_allclose(explain(small, patches, method=method).raw, whole, atol=1e-6)


@pytest.mark.slow
def test_gradcam_plus_plus_survives_large_logits(patches):
    sure = classifier_of(convolutional((24, 16)))
    head = sure.logits_network.layers[-1]
    kernel, bias = head.get_weights()
    head.set_weights([kernel, bias + 500])
    plain = explain(classifier_of(convolutional((24, 16))), patches, 1, "gradcam++").raw
    np.testing.assert_allclose(explain(sure, patches, 1, "gradcam++").raw, plain, rtol=1e-4)


@pytest.mark.slow
def test_faster_scorecam_takes_the_channels_that_vary_most(small, patches):
    found = explain(small, patches, "dog", "scorecam", channels=2).raw
    for patch, raw in zip(patches, found, strict=True):
        np.testing.assert_allclose(raw, relu(scorecam(small, patch, 1, 2)), atol=1e-5)
    with pytest.raises(XaiAudioError, match="has only 6"):
        explain(small, patches, "dog", "scorecam", channels=7)
    with pytest.raises(XaiAudioError, match="channels is 0"):
        explain(small, patches, "dog", "scorecam", channels=0)


@pytest.mark.slow
def test_scorecam_is_quiet(small, patches, capfd):
    explain(small, patches, "dog", "scorecam")
    assert capfd.readouterr().out == ""


@pytest.mark.slow
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


@pytest.mark.slow
def test_default_layer():
    assert looked_at(convolutional((24, 16))) == "last"
    assert looked_at(yamnet_like()) == "point3_relu"
    assert looked_at(yamnet_like(), "point3") == "point3"
    twice = keras.Input((12, 8, 1))
    x = layers.Conv2D(3, 3, padding="same", name="branching")(twice)
    x = layers.Add(name="sum")([x, layers.ReLU()(x)])
    x = layers.GlobalMaxPooling2D()(x)
    assert looked_at(keras.Model(twice, layers.Dense(3)(x))) == "sum"


def grown(network):
    """Return the same layers with the same weights as a Sequential model, added one by one."""
    model = keras.Sequential([keras.Input(network.inputs[0].shape[1:])])
    for layer in network.layers[1:]:
        model.add(type(layer).from_config(layer.get_config()))
    model.set_weights(network.get_weights())
    return model


@pytest.mark.slow
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
    x = layers.GlobalAveragePooling2D()(layers.Multiply(name="gated")([x, gate]))
    assert looked_at(keras.Model(start, layers.Dense(3)(x))) == "gated"
    whole = layers.Flatten()(layers.Conv2D(3, (12, 8))(start))
    with pytest.raises(XaiAudioError, match="one value for the whole patch.*occlusion"):
        looked_at(keras.Model(start, layers.Dense(3)(whole)))


@pytest.mark.slow
def test_yamnet_like_network():
    classifier = classifier_of(yamnet_like())
    patches = random_patches(2, (12, 8))
    for method in DEFINITIONS:
        assert explain(classifier, patches, method=method).raw.shape == (2, 6, 4)


@pytest.mark.slow
def test_network_without_a_channel_axis():
    network = flat_network(
        layers.Reshape((12, 8, 1)),
        layers.Conv2D(4, 3, activation="relu"),
        layers.Flatten(),
        inputs=(12, 8),
    )
    classifier = AudioClassifier.from_keras(network, LABELS, classifier_of(yamnet_like()).frontend)
    patches = random_patches(2, (12, 8))
    for method in DEFINITIONS:
        assert explain(classifier, patches, method=method).maps.shape == (2, 12, 8)


@pytest.mark.slow
@pytest.mark.parametrize("method", DEFINITIONS)
def test_networks_it_cannot_treat(method):
    patches = random_patches(1, (12, 8))
    plain = classifier_of(flat_network(layers.Flatten(), layers.Dense(4)))
    with pytest.raises(XaiAudioError, match="has no convolution"):
        explain(plain, patches, method=method)
    small = classifier_of(yamnet_like())
    with pytest.raises(XaiAudioError, match="no layer 'conv9'.*layer1, depth2.*point3_relu"):
        explain(small, patches, method=method, layer="conv9")
    with pytest.raises(XaiAudioError, match="batch, h, w, channels"):
        explain(small, patches, method=method, layer=small.logits_network.layers[-1].name)


@pytest.mark.slow
@pytest.mark.parametrize("method", DEFINITIONS)
def test_a_convolution_along_time_is_one_over_all_bands(method):
    """The same weights as a 2-D convolution as high as the patch: the same maps over time."""
    tail = [layers.MaxPooling1D(2), layers.Dropout(0.3), layers.Flatten()]
    conv = layers.Conv1D(4, 3, activation="relu", name="conv")
    one = flat_network(layers.Reshape((12, 8)), conv, *tail)
    wide = layers.Conv2D(4, (3, 8), activation="relu")
    two = flat_network(wide, layers.MaxPooling2D((2, 1)), layers.Flatten())
    two.set_weights([w[..., None, :] if w.shape == (3, 8, 4) else w for w in one.get_weights()])
    patches = random_patches(2, (12, 8))
    first, second = (explain(classifier_of(net), patches, 1, method) for net in (one, two))
    assert first.raw.shape == (2, 10, 1) and np.ptp(first.maps, axis=1).max() > 0
    np.testing.assert_allclose(first.raw, second.raw, rtol=1e-4, atol=1e-6)
    assert np.ptp(first.maps, axis=2).max() < 1e-6 * first.maps.max()


@pytest.mark.slow
def test_a_convolution_along_frequency_gives_maps_over_bands():
    network = flat_network(
        layers.Permute((2, 1, 3)),
        layers.Reshape((8, 12)),
        layers.Conv1D(4, 3, activation="relu"),
        layers.GlobalMaxPooling1D(),
    )
    found = explain(classifier_of(network), random_patches(2, (12, 8)), 1, "gradcam")
    assert found.raw.shape == (2, 1, 6) and np.ptp(found.maps, axis=1).max() == 0


@pytest.mark.slow
def test_behind_a_memory_there_is_no_map_of_a_convolution_along_time():
    network = flat_network(
        layers.Reshape((12, 8)), layers.Conv1D(4, 3, name="heard"), layers.LSTM(3)
    )
    assert cam.view_of(network, None).name == "heard"
    two = flat_network(
        layers.Reshape((12, 8)),
        layers.Conv1D(4, 3, name="heard"),
        layers.LSTM(3, return_sequences=True),
        layers.GlobalMaxPooling1D(),
    )
    assert cam.view_of(two, None).name == "heard"


def test_nested_network():
    inner = keras.Sequential([layers.Conv2D(4, 3), layers.ReLU()], name="inner")
    network = flat_network(inner, layers.GlobalMaxPooling2D())
    with pytest.raises(XaiAudioError, match="'inner'"):
        looked_at(network)


def test_a_network_for_patches_of_any_size_is_refused_with_advice():
    start = keras.Input((None, None, 1))
    x = keras.layers.Conv2D(2, 3, activation="relu")(start)
    x = keras.layers.GlobalAveragePooling2D()(x)
    network = keras.Model(start, keras.layers.Dense(3)(x))
    with pytest.raises(XaiAudioError, match="any size.*one size of patch"):
        looked_at(network)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gradcam", "gradcam++", "layercam", "scorecam"])
def test_equals_tf_keras_vis(small, patches, method):
    """On a plain network with a softmax, ours is the library's map, not normalised."""
    from tf_keras_vis import gradcam, gradcam_plus_plus, layercam, scorecam
    from tf_keras_vis.utils.scores import CategoricalScore

    theirs = {
        "gradcam": gradcam.Gradcam,
        "gradcam++": gradcam_plus_plus.GradcamPlusPlus,
        "layercam": layercam.Layercam,
        "scorecam": scorecam.Scorecam,
    }[method](small.logits_network, clone=False)
    wanted = np.asarray(
        theirs(
            CategoricalScore([0, 1, 2]),
            patches[..., None],
            penultimate_layer="last",
            seek_penultimate_conv_layer=False,
            expand_cam=False,
            normalize_cam=False,
        )
    )
    found = explain(small, patches, [0, 1, 2], method).raw
    if method == "gradcam++":
        # The library's score has the factor exp(S), see the method.
        wanted = wanted / np.exp(small.logits(patches)[[0, 1, 2], [0, 1, 2]])[:, None, None]
    np.testing.assert_allclose(found, wanted, atol=1e-4 * wanted.max())


def body(x, *behind, padding="same"):
    """A convolution and what stands behind it, pooled over the whole patch."""
    for layer in (layers.Conv2D(4, 3, padding=padding, name="conv"), *behind):
        x = layer(x)
    return x


def headed(inputs, x):
    keras.utils.set_random_seed(7)
    return classifier_of(keras.Model(inputs, layers.Dense(3, activation="softmax")(x)))


def by_gradient(classifier, maps, patch, target):
    """Grad-CAM of the target for a map that a second network gives, from a third behind it."""
    features = maps(patch[None, ..., None]).numpy()[0]
    dense = classifier.logits_network.layers[-1]
    kernel = dense.get_weights()[0]
    # Behind a global average, the mean gradient of a map is the weight over the cells.
    return relu(features @ kernel[:, target] / features[..., 0].size)


@pytest.mark.slow
@pytest.mark.parametrize(
    "behind",
    [
        [layers.GroupNormalization(2), layers.ReLU()],
        [layers.LayerNormalization(), layers.ReLU()],
        [layers.PReLU(alpha_initializer="random_normal")],
        [layers.GroupNormalization(2), keras.ops.relu],
        [layers.Dropout(0.5), layers.ReLU()],
        [layers.Activation("gelu")],
        [lambda x: layers.ReLU()(layers.Add()([x, layers.Conv2D(4, 1)(x)]))],
        [lambda x: layers.Concatenate()([x, layers.Conv2D(2, 1, activation="relu")(x)])],
    ],
)
def test_it_looks_at_the_finished_map_that_the_head_reads(behind):
    keras.utils.set_random_seed(7)
    start = keras.Input((12, 8, 1))
    x = body(start, *behind)
    classifier = headed(start, layers.GlobalAveragePooling2D()(x))
    patches = random_patches(2, (12, 8))
    found = explain(classifier, patches, [0, 2], "gradcam").raw
    maps = keras.Model(start, x)
    for raw, patch, target in zip(found, patches, (0, 2), strict=True):
        expected = by_gradient(classifier, maps, patch, target)
        np.testing.assert_allclose(raw, expected, atol=1e-5 * max(expected.max(), 1e-3))


def two_branches(strides=(1, 1)):
    keras.utils.set_random_seed(3)
    start = keras.Input((12, 8, 1))
    branches = [
        layers.Conv2D(
            3, 3, step, padding="same", activation="relu", name=f"branch{np.max(step)}{number}"
        )(start)
        for number, step in enumerate(strides)
    ]
    pooled = layers.Concatenate()([layers.GlobalAveragePooling2D()(x) for x in branches])
    return headed(start, pooled), keras.Model(start, branches)


@pytest.mark.slow
def test_two_branches_of_one_size_are_taken_together():
    classifier, branches = two_branches()
    joined = keras.Model(branches.input, layers.Concatenate()(branches.outputs))
    patch = random_patches(1, (12, 8))
    for target in range(3):
        raw = explain(classifier, patch, [target], "gradcam").raw[0]
        expected = by_gradient(classifier, joined, patch[0], target)
        np.testing.assert_allclose(raw, expected, atol=1e-6)
    assert explain(classifier, patch, [0], "scorecam").raw.shape == (1, 12, 8)


SLOW = [
    pytest.param(name, marks=pytest.mark.slow) for name in ("gradcam++", "layercam", "scorecam")
]


@pytest.mark.parametrize("method", ["gradcam", *SLOW])
@pytest.mark.parametrize(
    "strides", [(1, 2), ((1, 2), (4, 1)), pytest.param((4, 1, 2), marks=pytest.mark.slow)]
)
def test_branches_of_different_sizes_are_those_of_a_network_that_joins_them(method, strides):
    """Its head reads the mean of each channel, which repeating cells does not change."""
    classifier, branches = two_branches(strides)
    grown = [
        layers.UpSampling2D(step)(x) for step, x in zip(strides, branches.outputs, strict=True)
    ]
    pooled = layers.GlobalAveragePooling2D()(layers.Concatenate()(grown))
    joined = headed(branches.input, pooled)
    patches = random_patches(2, (12, 8))
    np.testing.assert_allclose(joined.logits(patches), classifier.logits(patches), atol=1e-6)
    for target in range(3):
        found, expected = (
            explain(model, patches, [target, 0], method).raw for model in (classifier, joined)
        )
        assert found.shape == (2, 12, 8) and expected.max() > 0
        np.testing.assert_allclose(found, expected, atol=1e-6 * expected.max() + 1e-7)


@pytest.mark.slow
def test_one_of_several_branches_can_be_named():
    classifier, _ = two_branches((1, 2))
    patch = random_patches(1, (12, 8))
    assert explain(classifier, patch, [0], "gradcam", layer="branch21").raw.shape == (1, 6, 4)


@pytest.mark.slow
def test_branches_whose_sizes_do_not_divide_each_other_ask_for_a_layer():
    classifier, _ = two_branches((3, 1, 2))
    patch = random_patches(1, (12, 8))
    with pytest.raises(XaiAudioError, match="do not divide.*'branch30'.*with layer="):
        explain(classifier, patch, [0], "gradcam")


def hot(row, column, shape=(24, 16)):
    patch = np.zeros((1, *shape), "float32")
    patch[0, row, column] = 5.0
    return patch


def detector(*first, inputs=(24, 16, 1)):
    """A network whose feature map is what it hears."""
    x = start = keras.Input(inputs)
    for layer in first:
        x = layer(x)
    one = layers.Conv2D(1, 1, kernel_initializer="ones", activation="relu", name="map")
    x = layers.GlobalAveragePooling2D()(one(x))
    return classifier_of(keras.Model(start, layers.Dense(3, kernel_initializer="ones")(x)))


def turned(x):
    return keras.ops.transpose(x, (0, 2, 1, 3))


@pytest.mark.slow
@pytest.mark.parametrize("method", DEFINITIONS)
@pytest.mark.parametrize(
    "first",
    [
        [layers.Permute((2, 1, 3))],
        [turned],
        [layers.Permute((2, 1, 3)), layers.Rescaling(2.0), layers.BatchNormalization()],
        [layers.Permute((2, 1, 3)), layers.Conv2D(2, 1, kernel_initializer="ones"), turned],
        [layers.Reshape((24, 16)), layers.Permute((2, 1)), layers.Reshape((16, 24, 1))],
    ],
)
def test_the_peak_is_where_the_sound_is_whichever_axis_comes_first(method, first):
    found = explain(detector(*first), hot(22, 2), 0, method).maps[0]
    assert found.shape == (24, 16)
    assert np.unravel_index(found.argmax(), found.shape) == (22, 2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "first",
    [
        [layers.Reshape((32, 12, 1))],
        [lambda x: keras.ops.flip(x, axis=1)],
        [layers.Lambda(lambda x: tf.reverse(x, [1]))],
        [lambda x: keras.ops.take(x, list(range(23, -1, -1)), axis=1)],
        [layers.Cropping2D(((12, 0), (0, 0)))],
        [lambda x: x[:, 12:]],
        [lambda x: layers.Concatenate(axis=1)([x[:, 12:], x[:, :12]])],
        [lambda x: layers.Concatenate()([x[:, :, :8], x[:, :, 8:]])],
    ],
)
def test_cells_whose_place_is_lost_are_refused(first):
    with pytest.raises(XaiAudioError, match="'map' lie in the patch cannot be followed"):
        explain(detector(*first), hot(22, 2), 0, "gradcam")


@pytest.mark.slow
@pytest.mark.parametrize(
    "first",
    [
        [layers.Cropping2D(((1, 1), (1, 0)))],
        [lambda x: x[:, :22]],
        [lambda x: keras.ops.einsum("btfc->bftc", x)],
        [layers.Lambda(lambda x: tf.maximum(x, 0.0))],
    ],
)
def test_cells_that_stay_in_their_order_have_their_place(first):
    found = explain(detector(*first), hot(20, 3), 0, "gradcam").maps[0]
    peak = np.unravel_index(found.argmax(), found.shape)
    assert np.abs(np.subtract(peak, (20, 3))).max() <= 2


@pytest.mark.slow
def test_operations_go_by_their_names():
    start = keras.Input((12, 8, 1))
    x = keras.ops.relu(body(start))
    classifier = headed(start, layers.GlobalAveragePooling2D()(x))
    patches = random_patches(1, (12, 8))
    found = explain(classifier, patches, 0, "gradcam")
    name = next(node.name for node in graph_of(classifier.network).nodes if not node.is_layer)
    named = explain(classifier, patches, 0, "gradcam", layer=name)
    np.testing.assert_array_equal(named.raw, found.raw)


@pytest.mark.slow
@pytest.mark.parametrize("method", DEFINITIONS)
@pytest.mark.parametrize("first", ["cast", "argmax"])
def test_what_has_no_gradient_in_front_of_the_convolution_does_not_matter(method, first):
    def rounded(x):
        return keras.ops.cast(keras.ops.cast(x, "int32"), "float32")

    def best(x):
        return keras.ops.one_hot(keras.ops.argmax(x, axis=-1), 1)

    classifier = detector(best if first == "argmax" else rounded)
    assert np.isfinite(explain(classifier, hot(3, 4), 0, method).maps).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", DEFINITIONS)
@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
def test_networks_of_another_precision_give_float32_maps_like_their_own(method, policy):
    patches = random_patches(2, (12, 8))
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        keras.utils.set_random_seed(1)
        other = classifier_of(yamnet_like())
    finally:
        keras.config.set_dtype_policy(before)
    keras.utils.set_random_seed(1)
    single = classifier_of(yamnet_like())
    other.network.set_weights(single.network.get_weights())
    found, expected = (explain(each, patches, [0, 1], method) for each in (other, single))
    assert found.maps.dtype == found.raw.dtype == np.float32
    loose = 1e-4 if policy == "float64" else 0.1
    np.testing.assert_allclose(found.raw, expected.raw, atol=loose * expected.raw.max())


@pytest.mark.slow
def test_scorecam_of_sigmoids_weighs_by_the_probability_of_the_class():
    keras.utils.set_random_seed(2)
    start = keras.Input((12, 8, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="last")(start)
    x = layers.GlobalAveragePooling2D()(x)
    for classes in (3, 1):
        network = keras.Model(start, layers.Dense(classes, activation="sigmoid")(x))
        classifier = classifier_of(network, LABELS[:classes])
        patches = random_patches(2, (12, 8))
        found = explain(classifier, patches, classes - 1, "scorecam").raw
        for patch, raw in zip(patches, found, strict=True):
            expected = relu(scorecam(classifier, patch, classes - 1))
            np.testing.assert_allclose(raw, expected, atol=1e-5 * expected.max())


@pytest.mark.slow
def test_five_networks_in_a_row_are_not_called_one_that_is_traced_again(caplog):
    patches = random_patches(1, (12, 8))
    for _ in range(6):
        explain(classifier_of(yamnet_like()), patches, 0, "scorecam")
    assert "retracing" not in caplog.text
