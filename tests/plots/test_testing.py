"""The figures of trust show the shares they were given."""

import numpy as np
import pytest

from xaiaudio import LogMel, plots
from xaiaudio.plots.render import render
from xaiaudio.publishing.record import summarise

LABELS = ("Rain", "Rooster", "Chainsaw")


@pytest.mark.slow
def test_intervals_span_from_low_to_high():
    recall = np.array([[0.2, 0.5, 0.7], [0.0, 0.0, 0.3], [np.nan] * 3])
    figure = plots.intervals(LABELS, {"recall": recall}, reference=("people", 0.957))
    bars = figure.axes[0].containers[0].lines[2][0].get_segments()
    np.testing.assert_allclose([segment[:, 0] for segment in bars[:2]], [[20, 70], [0, 30]])
    assert figure.data["reference"] == 0.957
    assert summarise(figure.data)["recall"]["not_finite"] == 3
    assert render(figure)


@pytest.mark.slow
def test_calibration_of_an_honest_network_has_no_error():
    rng = np.random.default_rng(0)
    confidence = rng.uniform(0.1, 1, 20_000)
    figure = plots.calibration(confidence, rng.random(20_000) < confidence)
    assert figure.data["error"] < 0.02
    assert figure.data["count"].sum() == 20_000
    assert np.isnan(figure.data["right"][0])
    assert render(figure)


def test_calibration_error_by_hand():
    # Two patches at 0.9, one right: 0.4 off. One at 1.0, right: nothing off.
    figure = plots.calibration([0.9, 0.9, 0.2], [True, False, False], bins=5)
    assert figure.data["error"] == pytest.approx((2 * 0.4 + 0.2) / 3)


@pytest.mark.slow
def test_patch_scores_marks_the_winners():
    scores = np.array([[0.9, 0.1, 0.0], [0.2, 0.7, 0.1]])
    frontend = LogMel.vggish(overlap=0.75)
    figure = plots.patch_scores(scores, LABELS, frontend, true="Rooster")
    seconds, winners = figure.axes[0].lines[0].get_data()
    assert list(winners) == [0, 1]
    assert seconds[1] - seconds[0] == pytest.approx(0.24)
    names = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    assert names == ["Rain", "Rooster (true)", "Chainsaw"]
    assert render(figure)
