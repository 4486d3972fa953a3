"""Figures: they hold the numbers they show, on axes and scales that can be compared."""

import dataclasses

import numpy as np
import pytest
from random_explanations import FRONTEND, explanation

from xaiaudio import XaiAudioError, plots
from xaiaudio.explainers.explanation import Explanation
from xaiaudio.frontend import LogMel
from xaiaudio.plots import canvas


def images(figure):
    return [image for ax in figure.axes for image in ax.images]


def texts(figure):
    return [ax.get_title() for ax in figure.axes]


@pytest.mark.slow
def test_plot_shows_raw_maps_on_one_scale_around_zero():
    maps = explanation(3, scale=0.01)
    figure = plots.plot(maps)
    largest = np.abs(maps.maps).max()
    shown = [image for image in images(figure) if image.get_cmap().name == canvas.SIGNED]
    assert len(shown) == 3
    for image in shown:
        assert image.get_clim() == pytest.approx((-largest, largest))
    np.testing.assert_array_equal(figure.data["maps"], maps.maps)
    assert figure.data["limit"] == pytest.approx(largest)


@pytest.mark.slow
def test_plot_normalises_all_maps_by_one_number():
    maps = explanation(3, scale=0.01)
    shown = plots.plot(maps, normalise=True).data["maps"]
    np.testing.assert_allclose(shown, maps.maps / np.abs(maps.maps).max(), rtol=1e-5)


@pytest.mark.slow
def test_plot_draws_no_more_patches_than_asked():
    assert len(plots.plot(explanation(5), max_patches=2).data["maps"]) == 2


@pytest.mark.slow
def test_a_map_of_zeros_is_drawn_white():
    nothing = dataclasses.replace(explanation(1), maps=np.zeros((1, 96, 64), "float32"))
    figure = plots.plot(nothing, normalise=True)
    assert figure.data["limit"] == 1.0
    assert figure._repr_png_()


@pytest.mark.slow
def test_comparison_has_a_row_per_method_and_a_column_per_patch():
    first, second = explanation(3), explanation(3, seed=1, method="lime", scale=100)
    figure = plots.comparison([first, second])
    panels = [ax for ax in figure.axes if ax.images]
    assert len(panels) == 3 * 3
    signed = [image for image in images(figure) if image.get_cmap().name == canvas.SIGNED]
    assert {image.get_clim() for image in signed} == {(-1.0, 1.0)}
    assert np.abs(figure.data["lime"]).max() == pytest.approx(1)
    chance = first.scores[0, first.targets[0]]
    assert f"Rain\n{chance:.0%}" in texts(figure)


@pytest.mark.slow
def test_comparison_in_the_methods_own_units_has_a_scale_per_method():
    first, second = explanation(2), explanation(2, seed=1, method="lime", scale=100)
    figure = plots.comparison([first, second], normalise=False)
    signed = [image for image in images(figure) if image.get_cmap().name == canvas.SIGNED]
    limits = [image.get_clim()[1] for image in signed]
    assert limits[0] == limits[1] == pytest.approx(np.abs(first.maps).max())
    assert limits[2] == limits[3] == pytest.approx(np.abs(second.maps).max())


def test_comparison_refuses_explanations_of_different_patches():
    with pytest.raises(XaiAudioError, match="same patches"):
        plots.comparison([explanation(2), explanation(3)])


def test_class_comparison_puts_the_classes_of_one_patch_side_by_side():
    by_class = {"Rain": explanation(2), "Rooster": explanation(2, seed=5)}
    figure = plots.class_comparison([by_class], patch=1, classes=["Rooster", "Rain"])
    shown = figure.data["gradcam"]
    together = np.stack([by_class["Rooster"].maps[1], by_class["Rain"].maps[1]])
    np.testing.assert_allclose(shown, together / np.abs(together).max(), rtol=1e-5)


@pytest.mark.slow
def test_the_axes_of_a_patch_are_in_the_sounds_own_seconds():
    patches = FRONTEND(np.random.default_rng(0).normal(size=40_000), overlap=0.5)[2:4]
    made = dataclasses.replace(explanation(len(patches)), starts=patches.starts)
    figure = plots.plot(made)
    for number, image in enumerate(images(figure)[:2]):
        times = patches.times(number)
        assert image.get_extent()[:2] == pytest.approx((times[0], times[-1]))


@pytest.mark.slow
def test_results_of_one_method_are_told_apart():
    one, other = explanation(2), explanation(2, scale=3.0)
    figure = plots.comparison([one, other])
    np.testing.assert_array_equal(
        figure.data[f"{one.method} 2"], other.maps / np.abs(other.maps).max()
    )
    narrow = plots.strip([one[0], other[0]])
    assert texts(narrow)[1:3] == [one.method, f"{one.method} 2"]
    assert len(narrow.data["largest"]) == 2
    for names in (["a", "a"], ["a"]):
        for draw, results in ((plots.comparison, [one, other]), (plots.strip, [one[0], other[0]])):
            with pytest.raises(XaiAudioError, match="give each its own"):
                draw(results, names=names)


def _explained(maps):
    maps = np.asarray(maps, np.float32)
    n = len(maps)
    return Explanation(
        maps=maps,
        raw=maps,
        patches=np.random.default_rng(0).normal(size=maps.shape).astype(np.float32),
        targets=np.zeros(n, int),
        scores=np.ones((n, 1), np.float32),
        labels=("Rain",),
        method="occlusion",
        options={},
        upsample="nearest",
        frontend=LogMel.vggish(),
    )


def _two_maps():
    maps = np.zeros((2, 96, 64))
    maps[0, 10, 20], maps[1, 30, 40] = 1e-5, -4.0
    return _explained(maps)


@pytest.mark.slow
def test_each_map_gets_its_own_scale_and_says_so():
    figure = plots.comparison([_two_maps()], each=True)
    shown = figure.data["occlusion"]
    assert np.allclose([shown[0, 10, 20], shown[1, 30, 40]], [1, -1])
    assert np.allclose(figure.data["largest"], [[1e-5, 4]])
    # The first two panels are the spectrograms.
    corners = [[text.get_text() for text in ax.texts] for ax in figure.axes[:4]]
    assert corners == [[], [], ["1 = 1e-05"], ["1 = 4"]]


@pytest.mark.slow
def test_without_each_the_patches_share_a_scale():
    shown = plots.comparison([_two_maps()]).data["occlusion"]
    assert np.isclose(shown[0, 10, 20], 1e-5 / 4)


@pytest.mark.slow
def test_outlines_surround_the_events_in_the_spectrograms_only():
    region = np.zeros((2, 96, 64), bool)
    region[0, 10:20, 5:9] = True
    result = _two_maps()
    bare = plots.comparison([result])
    figure = plots.comparison([result], outlines=region)
    assert figure.data["outlines"].sum() == 40
    segments = [
        sum(len(lines.get_segments()) for lines in ax.collections) for ax in figure.axes[:4]
    ]
    assert segments == [2 * 10 + 2 * 4, 0, 0, 0]
    assert not any(ax.collections for ax in bare.axes[:4])


@pytest.mark.slow
@pytest.mark.parametrize(
    "draw", [plots.plot, lambda result, **how: plots.comparison([result], **how)]
)
def test_maps_without_sign_have_a_scale_from_zero_and_the_colours_of_magnitudes(draw):
    result = _explained(np.abs(_two_maps().maps))
    signed, sizes = draw(result, normalise=True), draw(result, normalise=True, magnitude=True)
    # Two spectrograms, then two maps.
    found = [figure.axes[3].images[0] for figure in (signed, sizes)]
    assert [image.get_clim() for image in found] == [(-1, 1), (0, 1)]
    assert found[0].get_cmap().name == "RdBu_r"
    assert found[1].get_cmap().name == sizes.axes[0].images[0].get_cmap().name == "magma"
    name = "maps" if "maps" in sizes.data else "occlusion"
    assert np.array_equal(signed.data[name], sizes.data[name])


def _of(output, largest):
    """The same maps with what the network was asked for, scaled."""
    made = _two_maps()
    return dataclasses.replace(made, maps=made.maps * largest / 4, options={"output": output})


UNITS = [("logits", "logit"), ("scores", "probability")]


@pytest.mark.slow
@pytest.mark.parametrize("output, unit", UNITS)
def test_figures_name_the_unit_of_a_map(output, unit):
    result = _of(output, 3.5)
    wanted = f"against  ←  effect on the {unit}  →  for"
    maps = {"occlusion": np.ones((98, 64)), "other": np.ones((98, 64))}
    figures = [
        plots.plot(result),
        plots.comparison([result, _two_maps()], names=["a", "b"], normalise=False),
        plots.class_comparison([{"Rain": result}], normalise=False),
        plots.clip_maps(
            np.zeros(16_000), maps, result.frontend, normalise=False, units={"occlusion": unit}
        ),
    ]
    for figure in figures:
        assert wanted in [ax.get_xlabel() for ax in figure.axes]
    figures = [plots.plot(result, normalise=True), plots.comparison([result])]
    for figure in figures:
        assert not any(unit in ax.get_xlabel() for ax in figure.axes)


@pytest.mark.slow
@pytest.mark.parametrize("output, unit", UNITS)
def test_a_corner_names_the_largest_value_and_its_unit(output, unit):
    results = [_of(output, 3.5)[1], _two_maps()[1]]
    strip = plots.strip(results, names=["occlusion", "Grad-CAM"])
    assert np.allclose(strip.data["largest"], [3.5, 4])
    # The first panels are the spectrograms.
    for figure in (strip, plots.comparison(results, names=["a", "b"], each=True)):
        corners = [[text.get_text() for text in ax.texts] for ax in figure.axes[:3]]
        assert corners == [[], [f"1 = 3.5 {unit}"], ["1 = 4"]]
