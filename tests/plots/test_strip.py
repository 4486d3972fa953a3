"""A strip shows one patch, and beside it the map of each method."""

import dataclasses

import numpy as np
import pytest
from random_explanations import explanation

from xaiaudio import XaiAudioError, plots


def test_the_patch_stands_first_and_each_map_on_its_own_scale():
    results = [explanation(1, scale=0.01), explanation(1, seed=1, method="lime", scale=100)]
    figure = plots.strip(results)
    panels = [ax for ax in figure.axes if ax.images][:3]
    assert [ax.get_title() for ax in panels] == ["spectrogram", "gradcam", "lime"]
    np.testing.assert_array_equal(figure.data["patch"], results[0].patches[0])
    for number, result in enumerate(results):
        largest = np.abs(result.maps).max()
        assert figure.data["largest"][number] == pytest.approx(largest)
        np.testing.assert_allclose(
            figure.data[result.method], result.maps[0] / largest, rtol=1e-5, atol=1e-7
        )
        (corner,) = [text.get_text() for text in panels[1 + number].texts]
        assert float(corner.removeprefix("1 = ")) == pytest.approx(largest, rel=0.06)
    assert {ax.images[0].get_clim() for ax in panels[1:]} == {(-1, 1)}


def test_methods_can_have_other_names():
    results = [explanation(1), explanation(1, seed=1)]
    figure = plots.strip(results, names=["one", "two"])
    assert {"one", "two"} <= set(figure.data) and "gradcam" not in figure.data


def test_times_are_those_of_the_patch_in_its_sound():
    late = dataclasses.replace(explanation(1), starts=np.array([200]), length=400)
    image = plots.strip([late]).axes[1].images[0]
    assert image.get_extent()[:2] == pytest.approx((late.times()[0], late.times()[-1]))


def test_several_patches_are_refused():
    with pytest.raises(XaiAudioError, match="one patch"):
        plots.strip([explanation(1), explanation(2)])
