"""Adam in one operation against Keras's own, and against its definition."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.models.training import adam

RATES = (0.1, 0.05, 0.05, 0.0, 0.2)


def gradients():
    rng = np.random.default_rng(0)
    return [[rng.normal(0, 1, (3, 2)), rng.normal(0, 1e-3, 4)] for _ in RATES]


def updated(optimizer):
    """Return two variables after some updates, each with a rate of its own, compiled."""
    variables = [keras.Variable(np.ones((3, 2), np.float32)), keras.Variable(np.ones(4, "float32"))]
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step(rate, *found):
        optimizer.learning_rate.assign(rate)
        optimizer.apply(list(found), variables)

    for rate, found in zip(RATES, gradients(), strict=True):
        step(tf.constant(rate), *(tf.constant(one, tf.float32) for one in found))
    return [variable.numpy() for variable in [*variables, *optimizer.variables]]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["Adam", "AdamW"])
def test_it_is_kerass_with_all_that_is_kept(name):
    mine = updated(getattr(adam, name)(0.1))
    theirs = updated(getattr(keras.optimizers, name)(0.1))
    for one, other in zip(mine, theirs, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=1e-7)


def test_the_definition_with_decay():
    value, mean, square = np.ones((3, 2)), np.zeros((3, 2)), np.zeros((3, 2))
    for number, (rate, (found, _)) in enumerate(zip(RATES, gradients(), strict=True), 1):
        value = value * (1 - 0.01 * rate)
        mean, square = 0.9 * mean + 0.1 * found, 0.999 * square + 0.001 * found**2
        length = rate * np.sqrt(1 - 0.999**number) / (1 - 0.9**number)
        value = value - length * mean / (np.sqrt(square) + 1e-7)
    got = updated(adam.AdamW(0.1, weight_decay=0.01))[0]
    np.testing.assert_allclose(got, value, rtol=1e-5)


def test_rows_that_were_looked_up_twice_are_summed_first():
    tables = [keras.Variable(np.ones((5, 2), np.float32)) for _ in range(2)]
    for table, kind in zip(tables, (adam.Adam, keras.optimizers.Adam), strict=True):
        optimizer = kind(0.1)
        optimizer.build([table])
        for rows in ([0, 3, 3], [1]):
            with tf.GradientTape() as tape:
                cost = tf.reduce_sum(tf.gather(table.value, rows) ** 2)
            (found,) = tape.gradient(cost, [table.value])
            assert isinstance(found, tf.IndexedSlices)
            optimizer.apply([found if kind is adam.Adam else tf.convert_to_tensor(found)], [table])
    np.testing.assert_allclose(tables[0].numpy(), tables[1].numpy(), rtol=1e-5)


def test_adam_is_that_of_its_paper():
    rng = np.random.default_rng(0)
    values = {shape: rng.normal(size=shape) for shape in ((3, 2), (4,))}
    variables = [keras.Variable(value, dtype="float32") for value in values.values()]
    optimizer = adam.Adam(0.1)
    optimizer.build(variables)

    @tf.function(autograph=False)
    def step(rate, *slopes):
        optimizer.learning_rate.assign(rate)
        optimizer.apply(slopes, variables)

    held = [[value, 0.0, 0.0] for value in values.values()]
    for number in range(1, 5):
        rate, slopes = 0.1 / number, [rng.normal(size=shape) for shape in values]
        step(tf.constant(rate, tf.float32), *(tf.constant(one, tf.float32) for one in slopes))
        for one, slope in zip(held, slopes, strict=True):
            one[1] = 0.9 * one[1] + 0.1 * slope
            one[2] = 0.999 * one[2] + 0.001 * slope**2
            mean, square = one[1] / (1 - 0.9**number), one[2] / (1 - 0.999**number)
            one[0] = one[0] - rate * mean / (np.sqrt(square) + 1e-7)
    for variable, (value, _, _) in zip(variables, held, strict=True):
        assert np.allclose(variable.numpy(), value, atol=1e-5)
