"""The overview shows the highest score of each column, and the events."""

import numpy as np
import pytest

from xaiaudio import plots
from xaiaudio.datasets.timed import Event as TimedEvent
from xaiaudio.errors import XaiAudioError
from xaiaudio.timelines import Timeline, events


def line(count, classes=3, hop=0.5):
    rng = np.random.default_rng(0)
    starts, labels = np.arange(count) * hop, [f"class {k}" for k in range(classes)]
    scores = rng.dirichlet([0.2] * classes, count)
    return Timeline(starts, starts + 2 * hop, scores, labels, peaks=rng.random(count))


@pytest.mark.slow
@pytest.mark.parametrize("count", [1, 30, 2_500])
def test_columns(count):
    one = line(count)
    found = events(one, gap=0)
    figure = plots.overview(one, found, marked=found[:2])
    edges, scores = figure.data["edges"], figure.data["scores"]
    assert len(scores) <= 1000 and len(edges) == len(scores) + 1
    assert (edges[0], edges[-1]) == (one.edges[0], one.edges[-1])
    for column in range(len(scores)):
        inside = (one.edges[:-1] >= edges[column]) & (one.edges[:-1] < edges[column + 1])
        np.testing.assert_array_equal(scores[column], one.scores[inside].max(axis=0))
        assert figure.data["envelope"][column] == one.peaks[inside].max()
    np.testing.assert_allclose(figure.data["found"][:, 1], [event.start for event in found])
    figure._repr_png_()


@pytest.mark.slow
def test_classes_with_most_events_are_shown():
    one = line(200, classes=20)
    found = events(one, gap=0)
    shown = list(plots.overview(one, found, most=5).data["classes"])
    counts = {label: sum(event.label == label for event in found) for label in one.labels}
    assert len(shown) == 5 and shown == [label for label in one.labels if label in shown]
    assert min(counts[label] for label in shown) >= max(
        count for label, count in counts.items() if label not in shown
    )


@pytest.mark.slow
def test_the_truth_beside_what_was_found():
    one = line(200)
    truth = [TimedEvent("class 1", 3.0, 5.0), TimedEvent("class 0", 70.0, 72.0)]
    figure = plots.overview(one, events(one), truth=truth)
    np.testing.assert_array_equal(figure.data["truth"], [[1, 3, 5], [0, 70, 72]])
    labels = [text.get_text() for text in figure.axes[2].get_xticklabels()]
    assert "0:20" in labels and figure.axes[2].get_xlabel() == "time (min:s)"


def test_nothing_to_draw():
    with pytest.raises(XaiAudioError, match="no patches"):
        plots.overview(Timeline([], [], np.zeros((0, 1)), ["a"]))
