import dataclasses

import numpy as np
import pytest

from xaiaudio import plots
from xaiaudio.explainers.explanation import Explanation
from xaiaudio.frontend import LogMel


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


def test_each_map_gets_its_own_scale_and_says_so():
    figure = plots.comparison([_two_maps()], each=True)
    shown = figure.data["occlusion"]
    assert np.allclose([shown[0, 10, 20], shown[1, 30, 40]], [1, -1])
    assert np.allclose(figure.data["largest"], [[1e-5, 4]])
    # The first two panels are the spectrograms.
    corners = [[text.get_text() for text in ax.texts] for ax in figure.axes[:4]]
    assert corners == [[], [], ["1 = 1e-05"], ["1 = 4"]]


def test_without_each_the_patches_share_a_scale():
    shown = plots.comparison([_two_maps()]).data["occlusion"]
    assert np.isclose(shown[0, 10, 20], 1e-5 / 4)


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


@pytest.mark.parametrize("output, unit", UNITS)
def test_a_corner_names_the_largest_value_and_its_unit(output, unit):
    results = [_of(output, 3.5)[1], _two_maps()[1]]
    strip = plots.strip(results, names=["occlusion", "Grad-CAM"])
    assert np.allclose(strip.data["largest"], [3.5, 4])
    # The first panels are the spectrograms.
    for figure in (strip, plots.comparison(results, names=["a", "b"], each=True)):
        corners = [[text.get_text() for text in ax.texts] for ax in figure.axes[:3]]
        assert corners == [[], [f"1 = 3.5 {unit}"], ["1 = 4"]]
