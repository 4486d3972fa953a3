"""Whatever a network ends in: its own scores come out, or a refusal."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.explainers.gradients import gradient
from xaiaudio.frontend import LogMel

layers = keras.layers
FRONTEND = LogMel(frames=24, bands=16)
PATCHES = np.random.default_rng(0).normal(-1, 1.5, (5, 24, 16)).astype("float32")


def body(classes=3, seed=0):
    """A network up to its logits, sharp enough that another softmax is far off."""
    keras.utils.set_random_seed(seed)
    patch = layers.Input((24, 16, 1))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu")(patch))
    return patch, layers.Dense(classes, kernel_initializer="he_normal", name="last")(4 * pooled)


def door(network, labels="abc", **options):
    return xa.AudioClassifier.from_keras(network, list(labels), FRONTEND, **options)


def own(network):
    return np.asarray(network(PATCHES[..., None]), "float32")


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def sigmoid(logits):
    return 1 / (1 + np.exp(-logits))


class Own(keras.layers.Layer):
    def call(self, inputs):
        return keras.ops.softmax(inputs)


class OwnDense(keras.layers.Dense):
    pass


def as_float(tensor):
    return layers.Activation("linear", dtype="float32")(tensor)


RECOGNISED = {
    "ops.softmax": keras.ops.softmax,
    "activations.softmax": keras.activations.softmax,
    "ops.log_softmax": keras.ops.log_softmax,
    "activation log_softmax": layers.Activation("log_softmax"),
    "rescaled by one": lambda z: layers.Rescaling(1.0)(layers.Softmax()(z)),
    "cast": lambda z: as_float(keras.ops.cast(keras.ops.softmax(z), "float32")),
    "dropout": lambda z: layers.Dropout(0.5)(layers.Softmax()(z)),
    "dense of a layer": lambda z: layers.Dense(3, activation=layers.Softmax())(z),
    "einsum": lambda z: layers.EinsumDense("ab,bc->ac", 3, activation="softmax")(z),
    "nested": keras.Sequential([layers.Input((3,)), layers.Dense(3), layers.Softmax()]),
}


@pytest.mark.slow
@pytest.mark.parametrize("end", RECOGNISED.values(), ids=RECOGNISED)
def test_softmaxes_that_the_graph_shows(end):
    patch, logits = body()
    network = keras.Model(patch, end(logits))
    expected = own(network)
    if expected.max() <= 0:
        expected = np.exp(expected)
    classifier = door(network)
    np.testing.assert_allclose(classifier.scores(PATCHES), expected, atol=1e-6)
    np.testing.assert_allclose(softmax(classifier.logits(PATCHES)), expected, atol=1e-6)
    # Logits, not their logarithm: rows of log-probabilities have a fixed sum of exponentials.
    assert np.ptp(np.exp(classifier.logits(PATCHES)).sum(axis=1)) > 1e-3


@pytest.mark.slow
@pytest.mark.parametrize(
    "end", [keras.ops.sigmoid, keras.activations.sigmoid, layers.Activation("sigmoid")]
)
def test_sigmoids_that_the_graph_shows(end):
    patch, logits = body()
    network = keras.Model(patch, end(logits))
    classifier = door(network)
    np.testing.assert_allclose(classifier.scores(PATCHES), own(network), atol=1e-6)
    np.testing.assert_allclose(classifier.logits(PATCHES), own(keras.Model(patch, logits)))


def two_heads(kind):
    patch, logits = body()
    other = layers.Dense(3)(logits)
    average = layers.Average()([layers.Activation(kind)(logits), layers.Activation(kind)(other)])
    return keras.Model(patch, average, name="two")


def hidden(end):
    patch, logits = body()
    return keras.Model(patch, end(logits), name="hidden")


HIDDEN = {
    "average": lambda: two_heads("softmax"),
    "average of sigmoids": lambda: two_heads("sigmoid"),
    "lambda": lambda: hidden(layers.Lambda(lambda z: tf.nn.softmax(z))),
    "own layer": lambda: hidden(Own()),
    "own dense": lambda: hidden(OwnDense(3, activation="softmax")),
    "spectral": lambda: hidden(layers.SpectralNormalization(layers.Dense(3, "softmax"))),
    "some sigmoids": lambda: hidden(lambda z: keras.ops.sigmoid(layers.Dense(9)(z))[:, 2:5]),
    "recurrent": lambda: hidden(lambda z: layers.GRU(3, "sigmoid")(layers.Reshape((1, 3))(z))),
    # A linear layer, but one that adds up probabilities of finer classes.
    "grouped": lambda: hidden(lambda z: grouping()(layers.Softmax()(layers.Dense(6)(z)))),
}


def grouping():
    groups = keras.initializers.Constant(np.repeat(np.eye(3), 2, axis=0))
    return layers.Dense(3, use_bias=False, kernel_initializer=groups)


@pytest.mark.slow
@pytest.mark.parametrize("make", HIDDEN.values(), ids=HIDDEN)
def test_probabilities_that_the_graph_hides_are_refused_or_taken(make):
    network = make()
    with pytest.raises(XaiAudioError, match='outputs="probabilities"'):
        door(network)
    classifier = door(network, outputs="probabilities")
    expected = own(network)
    np.testing.assert_allclose(classifier.scores(PATCHES), expected, atol=1e-6)
    back = softmax if np.allclose(expected.sum(axis=1), 1, atol=1e-3) else sigmoid
    np.testing.assert_allclose(back(classifier.logits(PATCHES)), expected, atol=1e-5)
    maps = xa.explain(classifier, PATCHES, method="saliency").maps
    assert np.abs(maps).max() > 0


@pytest.mark.slow
def test_a_saved_model_in_a_layer(tmp_path):
    patch, logits = body()
    inner = keras.Model(patch, layers.Softmax()(logits))
    inner.export(tmp_path / "saved", verbose=False)
    served = keras.layers.TFSMLayer(tmp_path / "saved", call_endpoint="serve")
    first = layers.Input((24, 16, 1))
    network = keras.Model(first, served(first), name="served")
    with pytest.raises(XaiAudioError, match='outputs="probabilities"'):
        door(network)
    scores = door(network, outputs="probabilities").scores(PATCHES)
    np.testing.assert_allclose(scores, own(inner), atol=1e-6)


@pytest.mark.slow
def test_logits_are_taken_by_what_the_network_answers():
    patch, logits = body()
    other = layers.Dense(3)(logits)
    for end in (layers.Add()([logits, other]), logits + other, layers.BatchNormalization()(logits)):
        network = keras.Model(patch, end)
        np.testing.assert_array_equal(door(network).logits(PATCHES), own(network))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("end", "words"),
    [
        (lambda z: layers.Rescaling(100.0)(layers.Softmax()(z)), "rows all sum to 100"),
        (lambda z: 3 * keras.ops.softmax(z), "rows all sum to 3"),
        (lambda z: keras.ops.log(keras.ops.softmax(z)), "logarithms of probabilities"),
        (layers.Lambda(lambda z: tf.nn.log_softmax(z)), "logarithms of probabilities"),
        (keras.ops.log_sigmoid, "ends in log_sigmoid"),
        (layers.Activation("log_sigmoid"), "ends in log_sigmoid"),
    ],
)
def test_what_is_neither_logits_nor_probabilities_is_asked_about(end, words):
    patch, logits = body()
    network = keras.Model(patch, end(logits))
    with pytest.raises(XaiAudioError, match=words):
        door(network)
    taken = door(network, outputs="logits").logits(PATCHES)
    np.testing.assert_allclose(taken, own(network), rtol=1e-5, atol=1e-6)


def test_answers_that_are_not_finite_say_nothing_of_the_others():
    def end(z):  # not a number for the loudest trial patch, probabilities for the others
        return keras.ops.where(z[:, :1] > 3, np.nan, keras.ops.softmax(z))

    patch = layers.Input((24, 16, 1))
    loud = layers.GlobalMaxPooling2D()(patch)
    logits = layers.Dense(3, kernel_initializer="ones", bias_initializer="ones")(loud)
    with pytest.raises(XaiAudioError, match="look like probabilities"):
        door(keras.Model(patch, end(logits)))


@pytest.mark.slow
def test_whole_numbers_and_memories_between_batches_are_refused():
    patch, logits = body()
    network = keras.Model(patch, keras.ops.cast(10 * keras.ops.softmax(logits), "int32"))
    with pytest.raises(XaiAudioError, match="whole numbers"):
        door(network)
    start = layers.Input((24, 16), batch_size=2)
    with pytest.raises(XaiAudioError, match="stateful=False"):
        door(
            keras.Model(start, layers.Dense(3)(layers.GRU(4, stateful=True, name="memory")(start)))
        )


@pytest.mark.slow
@pytest.mark.parametrize("name", ["my net", "Vögel", "<b>", "net(2)", "_x"])
def test_a_network_may_be_called_anything(name):
    network = keras.Model(*body(), name=name)
    classifier = door(network)
    assert classifier.name == name
    np.testing.assert_array_equal(classifier.logits(PATCHES), own(network))
    assert np.abs(xa.explain(classifier, PATCHES, method="saliency").maps).max() > 0


def test_a_layer_that_tensorflow_cannot_run_is_named():
    patch, logits = body()
    with pytest.raises(XaiAudioError, match="a layer that is called 'my layer'"):
        door(keras.Model(patch, layers.Dense(3, name="my layer")(logits)))


@pytest.mark.slow
@pytest.mark.parametrize("labels", [{"a", "b", "c"}, {"a": 0, "b": 2, "c": 1}, None, 3])
def test_labels_without_an_order_are_refused(labels):
    with pytest.raises(XaiAudioError, match="give a list of names, in the order"):
        xa.AudioClassifier.from_keras(keras.Model(*body()), labels, FRONTEND)


@pytest.mark.slow
def test_a_network_of_zeros_that_ends_in_a_plain_layer_has_logits():
    patch, logits = body()
    network = keras.Model(patch, layers.Dense(3, kernel_initializer="zeros")(logits))
    np.testing.assert_array_equal(door(network).logits(PATCHES), np.zeros((5, 3)))


@pytest.mark.slow
def test_what_the_user_says_and_the_network_shows_must_agree():
    patch, logits = body()
    ends_in_softmax = keras.Model(patch, layers.Softmax()(logits))
    plain = keras.Model(patch, logits)
    assert door(ends_in_softmax, outputs="probabilities").outputs is None
    for network, options, words in [
        (ends_in_softmax, {"outputs": "logits"}, "ends in softmax"),
        (ends_in_softmax, {"activation": "sigmoid"}, "ends in softmax"),
        (plain, {"outputs": "probabilities"}, "no probabilities"),
        (plain, {"outputs": "scores"}, "one of logits, probabilities"),
        (plain, {"activation": "relu"}, "one of softmax, sigmoid"),
    ]:
        with pytest.raises(XaiAudioError, match=words):
            door(network, **options)
    relu = keras.Model(patch, layers.ReLU()(logits))
    np.testing.assert_array_equal(door(relu, outputs="logits").logits(PATCHES), own(relu))


@pytest.mark.slow
def test_one_output_is_never_softmaxed():
    patch, logit = body(classes=1)
    network = keras.Model(patch, logit)
    for options in ({}, {"activation": "sigmoid"}):
        classifier = door(network, "a", **options)
        np.testing.assert_allclose(classifier.scores(PATCHES), sigmoid(own(network)), atol=1e-6)
    occlusion = xa.explain(classifier, PATCHES, method="occlusion", mask=0.5, stride=0.5)
    assert np.abs(occlusion.maps).max() > 0
    with pytest.raises(XaiAudioError, match='activation="sigmoid"'):
        door(network, "a", activation="softmax")


@pytest.mark.slow
def test_multi_label_logits():
    patch, logits = body()
    classifier = door(keras.Model(patch, logits), activation="sigmoid")
    expected = own(keras.Model(patch, logits))
    np.testing.assert_allclose(classifier.scores(PATCHES), sigmoid(expected), atol=1e-6)
    np.testing.assert_allclose(classifier.logits(PATCHES), expected, atol=1e-6)


@pytest.mark.slow
def test_a_quantised_last_layer():
    patch, logits = body()
    dense = layers.Dense(3, activation="softmax")
    network = keras.Model(patch, dense(logits))
    dense.quantize("int8")
    expected = own(network)
    classifier = door(network)
    np.testing.assert_allclose(classifier.scores(PATCHES), expected, atol=1e-6)
    np.testing.assert_allclose(softmax(classifier.logits(PATCHES)), expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float64"])
def test_dtype_policies(policy):
    patch = layers.Input((24, 16, 1))
    tensor = layers.Conv2D(4, 3, activation="relu", dtype=policy)(patch)
    tensor = layers.GlobalAveragePooling2D(dtype=policy)(tensor)
    network = keras.Model(patch, layers.Dense(3, activation="softmax", dtype=policy)(tensor))
    classifier = door(network)
    assert classifier.scores(PATCHES).dtype == np.float32
    tolerance = {"float64": 1e-6, "mixed_float16": 2e-3, "mixed_bfloat16": 2e-2}[policy]
    np.testing.assert_allclose(classifier.scores(PATCHES), own(network), atol=tolerance)


@pytest.mark.slow
def test_gradients_of_probabilities_are_refused():
    patch, logits = body()
    network = keras.Model(patch, keras.ops.softmax(logits))
    with pytest.raises(XaiAudioError, match="softmax"):
        gradient(network, PATCHES[..., None], [0] * 5)
    assert gradient(keras.Model(patch, logits), PATCHES[..., None], [0] * 5).shape[0] == 5


@pytest.mark.slow
def test_the_advice_for_two_inputs_works():
    first, second, third = layers.Input((24, 16, 1)), layers.Input((5,)), layers.Input((2, 3))
    joined = [layers.Flatten()(first), second, layers.Flatten()(third)]
    end = layers.Dense(3, activation="softmax")(layers.Concatenate()(joined))
    model = keras.Model([first, second, third], end)
    with pytest.raises(XaiAudioError, match="3 inputs") as caught:
        door(model)
    advice = str(caught.value).split("to zeros by ")[1].rstrip(".")
    *statements, result = advice.split("; ")
    names = {"keras": keras, "model": model}
    exec("\n".join(statements), names)
    classifier = door(eval(result, names))
    expected = model([PATCHES[..., None], np.zeros((5, 5)), np.zeros((5, 2, 3))])
    np.testing.assert_allclose(classifier.scores(PATCHES), expected, atol=1e-6)


def test_a_functional_model_with_a_call_of_its_own():
    class Mine(keras.Model):
        def call(self, inputs):
            return 2 * super().call(inputs)

    patch, logits = body()
    with pytest.raises(XaiAudioError, match="subclassed"):
        door(Mine(patch, logits))
