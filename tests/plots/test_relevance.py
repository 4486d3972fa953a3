import keras
import numpy as np
import pytest

from xaiaudio import XaiAudioError, plots
from xaiaudio.explainers.lrp import relevance


@pytest.fixture(scope="module")
def found():
    keras.utils.set_random_seed(1)
    start = keras.Input((6,))
    x = keras.layers.Dense(5, activation="relu", bias_initializer="normal", name="low")(start)
    network = keras.Model(start, keras.layers.Dense(3, bias_initializer="normal", name="top")(x))
    inputs = np.random.default_rng(0).normal(size=(4, 6))
    return {
        rule: relevance(network, inputs, [0, 1, 2, 0], rule, report=True) for rule in ("0", "z+")
    }


def texts(ax):
    return [text.get_text() for text in ax.texts]


def test_neurons_write_what_they_draw():
    figure = plots.neurons(
        [[2.0, 1.0], [4.0]],
        [[[1.0], [2.0]]],
        [[-1.5, 5.5], [4.0]],
        [[[-1.5], [5.5]]],
        names=[["a", "b"], ["c"]],
    )
    forward, back = figure.axes
    assert sorted(texts(forward)) == sorted(["1", "2", "2", "1", "4", "a", "b", "c"])
    assert texts(back).count("\N{MINUS SIGN}1.5") == 2 and texts(back).count("5.5") == 2
    widths = [line.get_linewidth() for line in back.lines[:2]]
    assert widths[0] < widths[1]
    np.testing.assert_array_equal(figure.data["relevance"], [-1.5, 5.5, 4])
    with pytest.raises(XaiAudioError, match="one array per pair"):
        plots.neurons([[2.0], [4.0]], [[[1.0, 2.0]]], [[2.0], [4.0]], [[[1.0]]])


def test_rules_and_their_sums():
    figure = plots.rule_shares({"0": [-2, 4], "z+": [0, 3]}, 2, names=["one", "two"])
    (ax,) = figure.axes
    np.testing.assert_array_equal(figure.data["sums"], [2, 3])
    assert [patch.get_width() for patch in ax.patches] == [-2, 0, 4, 3]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "z+"]
    np.testing.assert_array_equal(ax.lines[0].get_xdata(), [2, 3])


def test_a_plan_has_one_colour_per_rule():
    layers = [("patch", (9, 8, 1), ""), ("conv", (9, 8, 4), "flat"), ("top", (3,), "epsilon")]
    figure = plots.layer_plan({"small": layers, "other": layers[:2]})
    first, second = figure.axes
    assert "9\N{MULTIPLICATION SIGN}8\N{MULTIPLICATION SIGN}4" in texts(first)
    colours = [patch.get_facecolor() for patch in first.patches]
    assert len(set(colours)) == 3
    assert [patch.get_facecolor() for patch in second.patches] == colours[:2]
    assert figure.data["small"]["rules"] == ["", "flat", "epsilon"]


@pytest.mark.slow
def test_the_flow_is_what_the_report_says(found):
    figure = plots.relevance_flow(found)
    assert figure.data["layers"] == ["top", "low", "input"]
    for name, result in found.items():
        low, top = result.layers
        left = [1.0, (low.arrived / result.logits).mean(), (low.passed / result.logits).mean()]
        np.testing.assert_allclose(figure.data[name]["left"], left, rtol=1e-4)
        bias = [(layer.bias / result.logits).mean() for layer in (top, low)]
        np.testing.assert_allclose(figure.data[name]["bias"], [*bias, 0], rtol=1e-4)
    bare = next(iter(found.values()))
    with pytest.raises(XaiAudioError, match="report=True"):
        plots.relevance_flow({"0": type(bare)(bare.inputs, bare.logits)})
    many = plots.relevance_flow({str(number): bare for number in range(6)})
    assert set(many.data) == {"layers", *"012345"}


@pytest.mark.parametrize(("largest", "scale"), [(2.0, "linear"), (120.0, "symlog")])
def test_conservation_shows_every_patch(largest, scale):
    sums = {"as it is": {"a": [0.5, -1.0, largest], "b": [1, 1, 1]}, "bare": {"a": [1.0] * 3}}
    figure = plots.conservation(sums)
    first, second = figure.axes
    assert first.get_xscale() == scale
    np.testing.assert_array_equal(first.lines[0].get_xdata(), [-1, 0.5, largest])
    np.testing.assert_array_equal(figure.data["as it is"]["a"], [-1, 0.5, largest])
    assert [label.get_text() for label in second.get_yticklabels()] == ["a"]
    low, high = first.get_xlim()
    assert low < -1 and high > largest
