"""The networks of Listen to Interpret, number by number."""

import numpy as np
import pytest
from small_interpreters import maps_of, small

from xaiaudio.explainers.trained import networks


@pytest.mark.slow
def test_activations_by_hand():
    made, maps = small(), maps_of()
    layer = {one.name: one.get_weights() for one in made.psi.layers}
    columns = []
    for number, (one, scale, times) in enumerate(zip(maps, (2.0, 1.0), (2, 4), strict=True)):
        kernel, bias = layer[f"read{number}"]
        rows = [[] for _ in range(2)]
        for n in range(2):
            for step in one[n]:
                read = np.maximum((step / scale).reshape(-1) @ kernel + bias, 0)
                rows[n] += list(read.reshape(times, networks.WIDTH))
        rows = np.array(rows)
        places = [round(t * (rows.shape[1] - 1) / 15) for t in range(16)]
        columns.append(rows[:, places])
    joined = np.concatenate(columns, axis=2)
    kernel, bias = layer["joint"]
    padded = np.pad(joined, ((0, 0), (1, 1), (0, 0)))
    joint = np.stack(
        [
            np.maximum(sum(padded[:, t + k] @ kernel[k] for k in range(3)) + bias, 0)
            for t in range(16)
        ],
        axis=1,
    )
    kernel, bias = layer["activations"]
    expected = np.maximum(joint @ kernel + bias, 0)
    np.testing.assert_allclose(made(maps)[0], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_attention_and_the_answer_by_hand():
    made = small()
    active, pooled, logits = (np.asarray(one) for one in made(maps_of()))
    (v,), (u,), (s,), (head,) = (
        made.theta.get_layer(name).get_weights() for name in ("tanh", "relu", "score", "classes")
    )
    for n in range(2):
        scores = [(s[:, 0] * np.tanh(h @ v) * np.maximum(h @ u, 0)).sum() for h in active[n]]
        shares = np.exp(scores) / np.exp(scores).sum()
        z = sum(share * h for share, h in zip(shares, active[n], strict=True))
        np.testing.assert_allclose(pooled[n], z, rtol=1e-4)
        np.testing.assert_allclose(logits[n], z @ head, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_pooling_by_the_maximum():
    active, pooled, _ = (np.asarray(one) for one in small("max")(maps_of()))
    np.testing.assert_allclose(pooled, active.max(axis=1), rtol=1e-5)


@pytest.mark.slow
def test_the_seed_decides_all_weights():
    one, again, other = (
        networks.build([(4, 2, 3)], [1.0], 8, 5, 2, seed=seed).psi.get_weights()
        for seed in (0, 0, 1)
    )
    for first, second, third in zip(one, again, other, strict=True):
        np.testing.assert_array_equal(first, second)
        assert first.ndim == 1 or not np.array_equal(first, third)


def test_all_that_is_trained_is_there_once():
    made = small()
    names = [variable.path for variable in made.variables]
    assert len(names) == len(set(names)) and len(names) == 4 * 2 + 4  # kernels with biases; theta
    assert all(variable.trainable for variable in made.variables)


@pytest.mark.slow
def test_activations_are_never_negative_and_shares_of_time_sum_to_1():
    made = small()
    active, pooled, logits = (np.asarray(one) for one in made(maps_of(3)))
    assert active.shape == (3, 16, 6) and logits.shape == (3, 3) and active.min() >= 0
    assert (pooled <= active.max(axis=1) + 1e-5).all() and (pooled >= active.min(axis=1)).all()


@pytest.mark.slow
def test_a_scale_divides_the_maps():
    maps = maps_of()
    doubled = networks.build([(8, 3, 2), (5, 2, 4)], [4.0, 2.0], 16, 6, 3, seed=3)
    found = doubled([2 * one for one in maps])
    for one, other in zip(found, small()(maps), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-5)
