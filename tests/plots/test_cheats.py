"""Figures of attacks and cheats show what they say, and say what they show."""

import numpy as np
import pytest

from xaiaudio import LogMel, plots

FRONTEND = LogMel.vggish()
RANDOM = np.random.default_rng(0)
PATCH = RANDOM.normal(size=FRONTEND.patch_shape)


def drawn(ax):
    (image,) = ax.get_images()
    return np.asarray(image.get_array()).T


@pytest.mark.slow
@pytest.mark.parametrize("methods", [0, 1, 3, 4])
def test_cause_draws_before_after_the_change_and_each_map(methods):
    changed = PATCH + RANDOM.normal(size=PATCH.shape)
    maps = {f"method {n}": (n + 1) * RANDOM.normal(size=PATCH.shape) for n in range(methods)}
    figure = plots.cause(PATCH, changed, maps, FRONTEND)
    shown = [ax for ax in figure.axes if ax.get_images() and ax.get_title()]
    assert [ax.get_title() for ax in shown] == ["before", "after", "change", *maps]
    for ax, cells in zip(shown, (PATCH, changed, changed - PATCH), strict=False):
        np.testing.assert_allclose(drawn(ax), cells)
    assert shown[0].get_images()[0].get_clim() == shown[1].get_images()[0].get_clim()
    low, high = shown[2].get_images()[0].get_clim()
    assert low == -high
    np.testing.assert_allclose(figure.data["change"], changed - PATCH)
    for ax, (name, cells) in zip(shown[3:], maps.items(), strict=True):
        np.testing.assert_allclose(drawn(ax), cells / np.abs(cells).max(), rtol=1e-5)
        np.testing.assert_allclose(drawn(ax), figure.data[name])


@pytest.mark.slow
def test_networks_stand_beside_each_other_and_methods_below():
    maps = {
        method: {network: RANDOM.normal(size=PATCH.shape) for network in ("cheat", "honest")}
        for method in ("gradcam", "lrp", "lime")
    }
    figure = plots.networks(PATCH, maps, FRONTEND, band=(6295, 6807))
    shown = figure.axes[:8]
    assert [ax.get_title() for ax in shown[:2]] == ["cheat", "honest"]
    for row, method in enumerate(maps, 1):
        for column, network in enumerate(maps[method]):
            cells = maps[method][network]
            expected = cells / np.abs(cells).max()
            np.testing.assert_allclose(drawn(shown[2 * row + column]), expected, rtol=1e-5)
            np.testing.assert_allclose(figure.data[method][column], expected, rtol=1e-5)
        assert shown[2 * row].get_ylabel().startswith(method)
    # The lines lie on the borders of the bands that hear the tone.
    edges = FRONTEND.band_edges()
    for ax in shown:
        for line, hertz in zip(ax.get_lines(), (6295, 6807), strict=True):
            assert np.interp(line.get_ydata()[0], np.arange(len(edges)), edges) == pytest.approx(
                hertz
            )
