"""Layers without a matrix of their own: pooling, padding, normalisation, branches, activations."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from lrp_networks import chain, inputs_for, randomise

from xaiaudio import XaiAudioError
from xaiaudio.explainers import lrp

pytestmark = pytest.mark.usefixtures("eager")


def cells_of(window, strides, size, padding):
    """Return the cells (first, last-plus-one) that each position of a window covers on one axis."""
    if padding == "valid":
        return [(i, i + window) for i in range(0, size - window + 1, strides)]
    count = -(-size // strides)
    before = max((count - 1) * strides + window - size, 0) // 2
    starts = [i * strides - before for i in range(count)]
    return [(max(start, 0), min(start + window, size)) for start in starts]


@pytest.mark.parametrize("pooling", ["winner", "proportional"])
@pytest.mark.parametrize(
    "shape, window, strides, padding",
    [((6, 8), (2, 2), (2, 2), "valid"), ((7, 5), (2, 3), (2, 2), "same"), ((5, 6), 3, 1, "same")],
)
def test_max_pooling(pooling, shape, window, strides, padding):
    layer = layers.MaxPooling2D(window, strides, padding, name="pool")
    network = chain((*shape, 2), layer, layers.Flatten(), head=False)
    inputs = inputs_for(network, 1, positive=True)
    # Two cells that are equally high: the first one wins.
    inputs[0, 2, 2:4] = 9
    rows, columns = (
        cells_of(*each, padding) for each in zip(layer.pool_size, layer.strides, shape, strict=True)
    )
    classes = network.output_shape[-1]
    found = lrp.relevance(
        network, np.repeat(inputs, classes, axis=0), np.arange(classes), "0", pooling=pooling
    )
    x = inputs[0].astype(float)
    number = 0
    for top, bottom in rows:
        for left, right in columns:
            for channel in range(2):
                part = x[top:bottom, left:right, channel]
                expected = np.zeros((*shape, 2))
                if pooling == "winner":
                    row, column = np.unravel_index(part.argmax(), part.shape)
                    expected[top + row, left + column, channel] = part.max()
                else:
                    expected[top:bottom, left:right, channel] = part / part.sum() * part.max()
                np.testing.assert_allclose(found.inputs[number], expected, atol=1e-5)
                number += 1
    assert number == classes


@pytest.mark.parametrize("pooling", ["winner", "proportional"])
def test_pooling_over_time_is_pooling_over_one_axis(pooling):
    flat = chain((11, 3), layers.MaxPooling1D(3, 2, "same"), layers.Flatten(), head=False)
    deep = chain(
        (11, 1, 3), layers.MaxPooling2D((3, 1), (2, 1), "same"), layers.Flatten(), head=False
    )
    inputs, targets = inputs_for(flat), [0, 5, 9, 17]
    one = lrp.relevance(flat, inputs, targets, "0", pooling=pooling).inputs
    two = lrp.relevance(deep, inputs[:, :, None], targets, "0", pooling=pooling).inputs
    np.testing.assert_array_equal(one, two[:, :, 0])


@pytest.mark.parametrize("kind", [layers.GlobalMaxPooling1D, layers.GlobalMaxPooling2D])
def test_global_max_pooling(kind):
    shape = (7, 3) if kind is layers.GlobalMaxPooling1D else (4, 5, 3)
    network = chain(shape, kind(), head=False)
    inputs, targets = inputs_for(network, positive=True), np.array([0, 1, 2, 1])
    winner = lrp.relevance(network, inputs, targets, "0").inputs
    shared = lrp.relevance(network, inputs, targets, "0", pooling="proportional").inputs
    for x, target, one, all_of_them in zip(inputs, targets, winner, shared, strict=True):
        channel = x.reshape(-1, 3)[:, target]
        expected = np.zeros((len(channel), 3))
        expected[channel.argmax(), target] = channel.max()
        np.testing.assert_allclose(one.reshape(-1, 3), expected, atol=1e-6)
        expected[:, target] = channel / channel.sum() * channel.max()
        np.testing.assert_allclose(all_of_them.reshape(-1, 3), expected, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["epsilon", "z+", "flat", "w2", "box", "gamma"])
def test_padding_layers_are_padding(rule):
    """The zeros of a padding layer are nobody's input: they get nothing."""
    inside = chain((6, 5, 2), layers.Conv2D(3, 3, padding="same", name="conv"))
    outside = chain(
        (6, 5, 2), layers.ZeroPadding2D(1), layers.Dropout(0.5), layers.Conv2D(3, 3, name="conv")
    )
    inputs, targets = inputs_for(inside), [0, 1, 2, 0]
    randomise(inside)
    outside.set_weights(inside.get_weights())
    one, two = (
        lrp.relevance(network, inputs, targets, {"conv": rule}, low=-4, high=5).inputs
        for network in (inside, outside)
    )
    np.testing.assert_allclose(one, two, atol=1e-5 * np.abs(one).max())


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["0", "gamma", "z+", "alpha-beta", "flat", "w2", "box"])
@pytest.mark.parametrize(
    "layer",
    [
        lambda **options: layers.Conv2D(4, 3, padding="same", name="it", **options),
        lambda **options: layers.DepthwiseConv2D(3, depth_multiplier=2, name="it", **options),
        lambda **options: layers.SeparableConv2D(4, 3, name="it", **options),
        lambda **options: layers.Dense(4, name="it", **options),
    ],
)
def test_normalisation_is_folded(layer, rule):
    """As if the layer had had other weights from the start."""
    network = randomise(
        chain((5, 6, 2), layer(), layers.BatchNormalization(scale=False), layers.ReLU())
    )
    plain = chain((5, 6, 2), layer(activation="relu"))
    norm = next(x for x in network.layers if isinstance(x, layers.BatchNormalization))
    beta, mean, variance = norm.get_weights()
    factor = 1 / np.sqrt(variance + norm.epsilon)
    *kernels, bias = network.get_layer("it").get_weights()
    kernels[-1] = kernels[-1] * factor.reshape(
        (2, 2) if isinstance(network.get_layer("it"), layers.DepthwiseConv2D) else -1
    )
    plain.get_layer("it").set_weights([*kernels, (bias - mean) * factor + beta])
    plain.get_layer("logits").set_weights(network.get_layer("logits").get_weights())
    inputs, targets = inputs_for(network), [0, 1, 2, 0]
    np.testing.assert_allclose(network(inputs), plain(inputs), atol=1e-4)
    one, two = (
        lrp.relevance(each, inputs, targets, {"it": rule, "logits": "epsilon"}).inputs
        for each in (network, plain)
    )
    np.testing.assert_allclose(one, two, atol=1e-4 * np.abs(two).max())


@pytest.mark.slow
@pytest.mark.parametrize("composite", lrp.COMPOSITES)
def test_normalisation_that_stands_alone(composite):
    """In front of the convolution, behind an activation, and where a branch leaves: not folded."""
    x = start = keras.Input((6, 5, 2))
    x = layers.BatchNormalization(name="before")(x)
    x = layers.Conv2D(4, 3, padding="same", activation="relu", name="one")(x)
    x = layers.BatchNormalization(name="behind")(x)
    x = layers.Conv2D(4, 3, padding="same", name="two")(x)
    y = layers.ReLU(name="relu")(layers.BatchNormalization(name="branch")(x))
    x = layers.Add(name="add")([layers.ReLU(name="other")(x), y])
    x = layers.GlobalAveragePooling2D(name="pool")(x)
    network = randomise(keras.Model(start, layers.Dense(3, name="logits")(x)), bias=False)
    inputs, targets = inputs_for(network), [0, 1, 2, 0]
    # Bounds that no input reaches: at its bound, an input of the box rule contributes nothing.
    found = lrp.relevance(network, inputs, targets, composite, low=-5, high=5, report=True)
    rules = {layer.name: layer.rule for layer in found.layers}
    assert rules["behind"] == rules["branch"] == "epsilon"
    # In front of all weights it is among the first layers, if the composite speaks of those.
    assert rules["before"] == ("epsilon" if composite == "epsilon-plus" else rules["one"])
    total = found.inputs.sum(axis=(1, 2, 3))
    np.testing.assert_allclose(total, found.logits, rtol=0.01, atol=1e-3)
    zero = lrp.relevance(network, inputs, targets, "0").inputs
    with tf.GradientTape() as tape:
        x = tf.constant(inputs)
        tape.watch(x)
        score = tf.reduce_sum(network(x) * tf.one_hot(targets, 3))
    expected = inputs * tape.gradient(score, x).numpy()
    np.testing.assert_allclose(zero, expected, atol=1e-4 * np.abs(expected).max())


def test_box_bounds_go_through_what_lies_in_front():
    """A normalisation that turns the sign around turns the bounds around."""
    network = randomise(
        chain((4, 3, 1), layers.BatchNormalization(name="norm"), layers.Conv2D(2, 2, name="conv"))
    )
    network.get_layer("norm").set_weights([np.array([value]) for value in (-2.0, 0.5, 0.25, 0.999)])
    plain = chain((4, 3, 1), layers.Conv2D(2, 2, name="conv"))
    plain.set_weights([*network.get_layer("conv").get_weights(), *network.layers[-1].get_weights()])
    inputs, targets = inputs_for(network), [0, 1, 2, 0]
    rules = {"conv": "box", "logits": "epsilon", "norm": "epsilon"}
    found = lrp.relevance(network, inputs, targets, {**rules, "norm": "flat"}, low=-5, high=3)
    factor = -2 / np.sqrt(0.999 + 1e-3)
    shifted = inputs * factor - 0.25 * factor + 0.5
    bounds = sorted(bound * factor - 0.25 * factor + 0.5 for bound in (-5, 3))
    rules.pop("norm")
    expected = lrp.relevance(plain, shifted, targets, rules, low=bounds[0], high=bounds[1])
    np.testing.assert_allclose(found.inputs, expected.inputs, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("sign", [1, -1])
def test_a_normalisation_of_the_input_keeps_the_relevance_of_cells_at_a_bound(sign):
    """Silence is the lower bound of a log-mel patch: its relevance must not vanish."""
    norm = layers.BatchNormalization(center=False, name="norm")
    network = randomise(chain((4, 3, 1), norm, layers.Conv2D(2, 2, use_bias=False)), bias=False)
    norm.set_weights([np.array([sign * 1.5]), np.zeros(1), np.array([0.7])])
    inputs = inputs_for(network, 2).clip(-0.5, 0.5)
    assert (inputs == -0.5).any() and (inputs == 0.5).any()
    found = lrp.relevance(network, inputs, [0, 1], "epsilon-gamma-box", low=-0.5, high=0.5)
    np.testing.assert_allclose(found.inputs.sum(axis=(1, 2, 3)), found.logits, rtol=1e-3)


def test_sums_and_branches():
    start = keras.Input((5,))
    a = layers.Dense(4, name="a")(start)
    x = layers.Add(name="sum")([a, a])
    x = layers.Concatenate(name="join")([x, a])
    network = randomise(keras.Model(start, layers.Dense(3, name="logits")(x)))
    inputs = inputs_for(network, 2)
    found = lrp.relevance(network, inputs, [0, 1], "0").inputs
    kernel, bias = network.get_layer("a").get_weights()
    top, _ = network.get_layer("logits").get_weights()
    # Both inputs of the sum are one tensor, which gets both shares.
    both = kernel @ (2 * top[:4] + top[4:])
    np.testing.assert_allclose(found[0], inputs[0] * both[:, 0], rtol=1e-3, atol=1e-5)
    np.testing.assert_allclose(found[1], inputs[1] * both[:, 1], rtol=1e-3, atol=1e-5)
    assert np.abs(bias).max() > 0


def test_values_that_only_move():
    moving = [
        layers.Reshape((6, 4, 1)),
        layers.Permute((2, 1, 3)),
        layers.Cropping2D(((1, 0), (2, 1))),
        layers.GaussianNoise(0.1),
        layers.Identity(),
        layers.LeakyReLU(0.1),
    ]
    network = randomise(chain((24,), *moving))
    inputs = inputs_for(network, 3)
    found = lrp.relevance(network, inputs, [0, 1, 2], "0").inputs
    kernel, _ = network.get_layer("logits").get_weights()
    places = np.arange(24).reshape(6, 4).T[1:, 2:-1].ravel()
    for x, row, target in zip(inputs, found, (0, 1, 2), strict=True):
        expected = np.zeros(24)
        seen = x[places]
        expected[places] = np.where(seen > 0, seen, 0.1 * seen) * kernel[:, target]
        np.testing.assert_allclose(row, expected, rtol=1e-4, atol=1e-6)


class Augment(layers.Layer):
    """The identity in use, as SpecAugment is."""

    def call(self, x, training=False):
        return x * keras.random.uniform(keras.ops.shape(x)) if training else x


def affine_layers():
    norm = layers.Normalization(axis=-1, mean=[0.5, -1.0], variance=[2.0, 0.3])
    return {
        "Normalization": [norm],
        "Rescaling": [layers.Rescaling(-0.5, offset=0.7)],
        "constants": [lambda x: 2.0 * (x - 0.3) / 4.0 + 1.0],
        "negative": [lambda x: -x, lambda x: 0.4 - x],
    }


def input_times_gradient(network, inputs, targets):
    with tf.GradientTape() as tape:
        x = tf.constant(inputs)
        tape.watch(x)
        score = tf.reduce_sum(network(x) * tf.one_hot(targets, 3))
    return inputs * tape.gradient(score, x).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("name", affine_layers())
@pytest.mark.parametrize("where", ["before", "behind"])
def test_layers_that_scale_and_shift(name, where):
    """Rule 0 is input times gradient; with epsilon, what is missing stayed with the shifts."""
    conv = layers.Conv2D(4, 3, activation="relu", name="conv")
    middle = affine_layers()[name]
    if where == "behind" and name == "Normalization":
        middle = [layers.Normalization(axis=-1, mean=[0.5, -1, 0, 1], variance=[2, 0.3, 1, 1])]
    network = randomise(
        chain((5, 4, 2), *([*middle, conv] if where == "before" else [conv, *middle]))
    )
    inputs, targets = inputs_for(network), [0, 1, 2, 0]
    found = lrp.relevance(network, inputs, targets, "0").inputs
    expected = input_times_gradient(network, inputs, targets)
    np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())
    report = lrp.relevance(network, inputs, targets, "epsilon", report=True)
    total = report.inputs.sum(axis=(1, 2, 3)) + sum(layer.bias for layer in report.layers)
    np.testing.assert_allclose(total, report.logits, rtol=5e-3, atol=5e-3)
    if where == "before":
        # The first layers are treated by the flat rule, which hands on what it is given here.
        plain = lrp.relevance(network, inputs, targets, report=True)
        ahead = [layer for layer in plain.layers if layer.name not in ("conv", "flatten", "logits")]
        assert ahead and not any(np.any(layer.bias) for layer in ahead)
        # A factor alone takes no rule: what it scales takes all.
        assert {layer.rule for layer in ahead if layer.kind != "Multiply"} == {"flat"}


@pytest.mark.parametrize(
    "layer",
    [
        lambda: Augment(),
        lambda: layers.Identity(),
        lambda: layers.Activation("linear", dtype="float32"),
        lambda: layers.RandomTranslation(0.1, 0.1),
        lambda: layers.GaussianNoise(1.0),
        lambda: layers.ActivityRegularization(0.1),
    ],
)
def test_layers_that_are_the_identity_in_use_change_nothing(layer):
    def build(*middle):
        return randomise(chain((5, 4, 2), *middle, layers.Conv2D(4, 3, name="conv"), layers.ReLU()))

    plain, augmented = build(), build(layer())
    inputs, targets = inputs_for(plain), [0, 1, 2, 0]
    one, two = (lrp.relevance(each, inputs, targets).inputs for each in (plain, augmented))
    np.testing.assert_array_equal(one, two)


def test_sums_and_differences_that_are_no_layers():
    start = keras.Input((5,))
    a, b = (layers.Dense(4, name=name)(start) for name in "ab")
    plain = keras.Model(start, layers.Dense(3, name="logits")(layers.Add()([a, b])))
    operation = keras.Model(start, plain.get_layer("logits")(a + b))
    randomise(plain)
    inputs, targets = inputs_for(plain, 3), [0, 1, 2]
    one, two = (
        lrp.relevance(each, inputs, targets, "epsilon").inputs for each in (plain, operation)
    )
    np.testing.assert_array_equal(one, two)
    difference = keras.Model(start, plain.get_layer("logits")(keras.ops.relu(a) - b))
    average = keras.Model(start, plain.get_layer("logits")(layers.Average()([a, b])))
    for network in (difference, average):
        found = lrp.relevance(network, inputs, targets, "0").inputs
        expected = input_times_gradient(network, inputs, targets)
        np.testing.assert_allclose(found, expected, atol=2e-4 * np.abs(expected).max())


def test_moving_and_averaging_operations():
    start = keras.Input((6, 4, 1))
    x = keras.ops.transpose(layers.Conv2D(3, 3, name="conv")(start), (0, 2, 1, 3))
    x = keras.ops.mean(keras.ops.relu(x), axis=(1, 2))
    network = randomise(keras.Model(start, layers.Dense(3, name="logits")(x)))
    x = layers.GlobalAveragePooling2D()(layers.ReLU()(network.get_layer("conv")(start)))
    plain = keras.Model(start, network.get_layer("logits")(x))
    inputs, targets = inputs_for(network, 3), [0, 1, 2]
    one, two = (lrp.relevance(each, inputs, targets).inputs for each in (network, plain))
    np.testing.assert_allclose(one, two, rtol=1e-4, atol=1e-6)


class Own(layers.Layer):
    def call(self, x):
        return x[:, ::-1] * 2


class Mine(layers.Conv2D):
    pass


@pytest.mark.parametrize(
    "bad, message",
    [
        (lambda: keras.Sequential([layers.Conv2D(4, 3)], name="inner"), "'inner'.*flat"),
        (lambda: layers.Conv2DTranspose(2, 3, name="odd"), "'odd' \\(Conv2DTranspose\\)"),
        (lambda: Own(name="odd"), "'odd' \\(Own\\)"),
        (lambda: Mine(2, 3, name="odd"), "'odd' \\(Mine\\)"),
        (lambda: layers.Conv2D(2, 3, activation="sigmoid", name="odd"), "'odd' ends in sigmoid"),
        (lambda: layers.Conv2D(2, 3, activation=abs, name="odd"), "'odd' ends in abs"),
        (lambda: layers.Activation("softplus", name="odd"), "'odd' is softplus"),
        (lambda: layers.ReLU(threshold=1.0, name="odd"), "'odd' has a threshold"),
        (lambda: layers.Lambda(abs, name="odd"), "'odd' \\(Lambda\\)"),
    ],
)
def test_layers_it_cannot_treat_are_named(bad, message):
    network = chain((8, 7, 2), bad())
    with pytest.raises(XaiAudioError, match=message):
        lrp.relevance(network, inputs_for(network, 1), [0])


def test_operations_that_are_no_layers_are_named():
    start = keras.Input((5,))
    x = layers.Dense(3, name="dense")(start)
    network = keras.Model(start, keras.ops.exp(x))
    with pytest.raises(XaiAudioError, match="'exp"):
        lrp.relevance(network, inputs_for(network, 1), [0])
    network = keras.Model(start, x / (x + 1.0))
    with pytest.raises(XaiAudioError, match="divide.*divides by what the network computes"):
        lrp.relevance(network, inputs_for(network, 1), [0])
    x = layers.Dense(4, name="one")(start)
    y = layers.Reshape((1, 4))(x)
    wide = layers.Add(name="broad")([layers.Reshape((4, 1))(x), y])
    network = keras.Model(start, layers.Flatten()(wide))
    with pytest.raises(XaiAudioError, match="'broad' adds tensors of different shapes"):
        lrp.relevance(network, inputs_for(network, 1), [0])
