"""The training run against its definition, step by step."""

import keras
import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.models import patch_table, transfer
from xaiaudio.models.training.checkpoint import Checkpoint
from xaiaudio.models.training.loop import Options, _Run, fit


@pytest.mark.slow
@pytest.mark.parametrize(
    ("accuracies", "losses", "best"),
    [
        ([0.5, 0.8, 0.8, 0.6], [1.0, 0.9, 0.8, 0.1], 3),
        ([0.5, 0.8, 0.8, 0.6], [1.0, 0.8, 0.8, 0.1], 2),
        ([0.9, 0.8, 0.8, 0.6], [9.0, 0.9, 0.8, 0.1], 1),
        ([0.5, 0.8, 0.8, 0.9], [1.0, 0.9, 0.8, 9.0], 4),
    ],
)
def test_the_best_validation_is_kept(clips, backbone, monkeypatch, accuracies, losses, best):
    told, seen = iter(zip(losses, accuracies, strict=True)), []

    def scripted(run):
        loss, accuracy = next(told)
        run.history["validation_loss"].append(loss)
        run.history["validation_accuracy"].append(accuracy)
        seen.append((len(run.history["loss"]), run.network.get_weights()))

    monkeypatch.setattr(_Run, "_validate", scripted)
    # Two validations in each of the two epochs: the best may lie in the middle of one.
    table = patch_table(clips, backbone.frontend.with_overlap(0.75))
    size = len(table.patches) // 3
    quick = {"batch_size": size, "learning_rate": 0.01, "progress": False}
    model = transfer(backbone, table, table, epochs=2, validate_every=2, **quick)
    assert len(seen) == 4
    iteration, kept = seen[best - 1]
    assert model.history["best_iteration"] == iteration
    assert model.history["best_epoch"] == (best + 1) // 2
    assert model.history["last"] == {"loss": losses[-1], "accuracy": accuracies[-1]}
    for now, then in zip(model.network.get_weights(), kept, strict=True):
        np.testing.assert_array_equal(now, then)


@pytest.mark.slow
def test_an_iteration_is_one_step_of_adam_on_the_mean_cross_entropy():
    random = np.random.default_rng(0)
    x, y = random.normal(size=(8, 5)).astype(np.float32), random.integers(0, 3, 8)
    features = keras.layers.Input((5,))
    keras.utils.set_random_seed(0)
    network = keras.Model(features, keras.layers.Dense(3, use_bias=False)(features))
    w = network.get_weights()[0].astype(float)
    m = v = np.zeros_like(w)
    losses = []
    for step in (1, 2, 3):
        p = np.exp(x @ w)
        p /= p.sum(axis=1, keepdims=True)
        losses.append(-np.log(p[np.arange(8), y]).mean())
        gradient = x.T @ (p - np.eye(3)[y]) / 8
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        rate = 0.1 * (0.5 if step == 3 else 1)  # halved after two epochs of one iteration
        w = w - rate * (m / (1 - 0.9**step)) / (np.sqrt(v / (1 - 0.999**step)) + 1e-7)
    options = Options(epochs=3, batch_size=8, learning_rate=0.1, halve_every=2)
    history = fit(network, (x, y), options=options)
    np.testing.assert_allclose(history["loss"], losses, rtol=1e-4)
    np.testing.assert_allclose(network.get_weights()[0], w, rtol=1e-3)


def linear(seed=0, bias=False):
    features = keras.layers.Input((5,))
    keras.utils.set_random_seed(seed)
    return keras.Model(features, keras.layers.Dense(3, use_bias=bias)(features))


def data(n=23):
    random = np.random.default_rng(1)
    return random.normal(size=(n, 5)).astype(np.float32), random.integers(0, 3, n)


@pytest.mark.slow
def test_each_epoch_goes_once_through_an_order_of_its_own():
    seen = []
    network, (inputs, classes) = linear(), data()
    run = _Run(
        network, (inputs, classes), None, Options(epochs=3, batch_size=5), Checkpoint(None, {})
    )
    real = run.step
    run.step = lambda some, wanted: (seen.append((some, wanted)), real(some, wanted))[1]
    history = run.go(False)
    assert len(seen) == len(history["loss"]) == 12  # three are left over each time
    assert history["epoch_iteration"] == [4, 8, 12]
    orders = []
    for epoch in range(3):
        order = np.random.default_rng([0, epoch]).permutation(23)[:20]
        given = np.concatenate([some for some, _ in seen[4 * epoch : 4 * epoch + 4]])
        wanted = np.concatenate([one for _, one in seen[4 * epoch : 4 * epoch + 4]])
        np.testing.assert_array_equal(given, inputs[order])
        np.testing.assert_array_equal(wanted, np.eye(3)[classes[order]])
        orders.append(order.tolist())
    assert orders[0] != orders[1] != orders[2]


@pytest.mark.slow
def test_a_batch_larger_than_all_is_all():
    history = fit(linear(), data(7), options=Options(epochs=2, batch_size=100))
    assert history["epoch_iteration"] == [1, 2]
    assert (history["best_epoch"], history["best"], history["last"]) == (2, None, None)


@pytest.mark.slow
def test_what_was_done_before_a_stop_is_not_done_again(tmp_path, monkeypatch):
    options = Options(epochs=4, batch_size=8, learning_rate=0.05, validate_every=2)
    whole = linear()
    told = fit(whole, data(), data(9), options)
    real, network = _Run._epoch, linear()

    def stopped(run, epoch, tell):
        if epoch == 2:
            raise KeyboardInterrupt
        real(run, epoch, tell)

    monkeypatch.setattr(_Run, "_epoch", stopped)
    with pytest.raises(KeyboardInterrupt):
        fit(network, data(), data(9), options, Checkpoint(tmp_path, {}))
    done = []
    monkeypatch.setattr(_Run, "_epoch", lambda run, k, tell: (done.append(k), real(run, k, tell)))
    again = linear(seed=5)  # what it begins with is in the file
    history = fit(again, data(), data(9), options, Checkpoint(tmp_path, {}))
    assert done == [2, 3]
    np.testing.assert_allclose(again.get_weights()[0], whole.get_weights()[0], rtol=1e-5)
    for name in ("loss", "validation_loss", "validation_accuracy"):
        np.testing.assert_allclose(history[name], told[name], rtol=1e-5)
    assert history["validation_iteration"] == told["validation_iteration"]


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": True}, {"batch_size": 0}, {"halve_every": 1.0}, {"validate_every": -1}]
    + [{"seed": -1}, {"seed": 1.5}, {"learning_rate": 0}, {"learning_rate": 1.1}]
    + [{"learning_rate": float("nan")}, {"learning_rate": "fast"}],
)
def test_options_that_make_no_sense(wrong):
    with pytest.raises(XaiAudioError, match=f"{next(iter(wrong))} is "):
        Options(**wrong)


@pytest.mark.slow
def test_a_loss_that_is_no_number_is_told_with_its_iteration():
    inputs, classes = data()
    inputs[:] = np.inf
    with pytest.raises(XaiAudioError, match="The loss is nan after 0 iterations: take a smaller"):
        fit(linear(), (inputs, classes))
