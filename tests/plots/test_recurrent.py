"""Figures of relevance over time."""

import numpy as np
import pytest

from xaiaudio import LogMel, XaiAudioError, plots

FRONTEND = LogMel(frames=20, bands=12)


def patches(seed=0):
    return np.random.default_rng(seed).normal(size=(2, 20, 12))


@pytest.mark.slow
def test_sums_and_maps_are_shares_of_their_largest_value():
    maps = {"relevance": patches(1), "gradient": -3 * patches(2)}
    figure = plots.in_time(patches(), maps, FRONTEND, titles=["dog", "cat"])
    for n in range(2):
        whole = maps["relevance"][n]
        np.testing.assert_allclose(figure.data["map"][n], whole / np.abs(whole).max())
        for name, values in maps.items():
            sums = values[n].sum(axis=1)
            np.testing.assert_allclose(figure.data[name][n], sums / np.abs(sums).max())
    assert [ax.get_title() for ax in figure.axes[:2]] == ["dog", "cat"]


@pytest.mark.slow
def test_a_sum_stands_above_its_frame():
    values = np.zeros((1, 20, 12))
    values[0, 5] = 1
    figure = plots.in_time(patches()[:1], {"relevance": values}, FRONTEND)
    image, line = figure.axes[1].images[0], figure.axes[2].lines[0]
    left, right, *_ = image.get_extent()
    place = left + (right - left) * 5.5 / 20
    assert line.get_xdata()[line.get_ydata().argmax()] == pytest.approx(place)


@pytest.mark.slow
def test_true_events_are_outlined_and_kept():
    events = np.zeros((2, 20, 12), bool)
    events[0, 4:9, 2:5] = True
    figure = plots.in_time(patches(), {"relevance": patches(1)}, FRONTEND, outlines=events)
    np.testing.assert_array_equal(figure.data["outlines"], events)
    assert [len(ax.collections) for ax in figure.axes[:4]] == [1, 0, 1, 0]


def test_maps_of_another_shape_are_refused():
    with pytest.raises(XaiAudioError, match="relevance have the shape"):
        plots.in_time(patches(), {"relevance": np.ones((2, 20, 11))}, FRONTEND)


def test_curves_are_means_inside_their_intervals():
    values = np.random.default_rng(3).normal(2, 1, size=(400, 3))
    figure = plots.mean_curves([0, 1, 5], {"falls": values})
    low, mean, high = figure.data["falls"]
    np.testing.assert_allclose(mean, values.mean(axis=0))
    error = 1.96 * values.std(axis=0) / 20
    np.testing.assert_allclose(mean - low, error, rtol=0.2)
    np.testing.assert_allclose(high - mean, error, rtol=0.2)
    again = plots.mean_curves([0, 1, 5], {"falls": values})
    np.testing.assert_array_equal(again.data["falls"], figure.data["falls"])
