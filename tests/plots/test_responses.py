"""Figures of sounds with controls draw what was found."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots
from xaiaudio.explainers.counterfactual import counterfactuals, together
from xaiaudio.synthesis.recipes import clock


def loud(waves):
    peaks = np.abs(waves).max(axis=1)
    return np.stack([peaks > 0.5, peaks <= 0.5], axis=1)


def model():
    return xa.AudioClassifier.from_function(loud, ["loud", "soft"], 16_000, seconds=5)


@pytest.mark.slow
def test_responses():
    found = counterfactuals(model(), clock(), controls=["rate", "level"], grid=9)
    figure = plots.responses(found)
    for name in ("rate", "level"):
        np.testing.assert_array_equal(figure.data[name], found.curves[name].values)
        np.testing.assert_array_equal(
            figure.data[f"{name}, now"], found.curves[name].probabilities[:, 1]
        )
    shown = [ax for ax in figure.axes if ax.axison]
    assert [ax.get_title() for ax in shown] == ["no flip", "→ loud"]
    dashed = [line for line in shown[1].lines if line.get_linestyle() == "--"]
    assert dashed[0].get_xdata()[0] == found.changes["level"].values[0]
    assert len(shown[1].patches) == (found.curves["level"].answers == 0).sum()


@pytest.mark.slow
def test_answers_of_two():
    found = together(model(), clock(), ("rate", "level"), grid=5)
    figure = plots.answers_of_two(found)
    np.testing.assert_array_equal(figure.data["probability"], found.probabilities[..., 1])
    ax = figure.axes[0]
    assert ax.get_xlabel() == "rate (/s)" and ax.get_ylabel() == "level (dB)"


@pytest.mark.slow
def test_the_class_asked_for_is_drawn_also_where_nothing_flips():
    found = counterfactuals(model(), clock(), "loud", controls=["rate", "level"], grid=9)
    figure = plots.responses(found)
    for name, curve in found.curves.items():
        np.testing.assert_array_equal(figure.data[f"{name}, other"], curve.probabilities[:, 0])
