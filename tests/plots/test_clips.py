"""Maps of a whole clip lie under its spectrogram, at its times."""

import numpy as np
import pytest

from xaiaudio import LogMel, plots

FRONTEND = LogMel.vggish()
WAVE = np.random.default_rng(0).normal(0, 0.1, 32_000).astype("float32")


def map_axes(figure, count):
    return figure.axes[1 : 1 + count]


def test_a_map_shorter_than_the_clip_ends_where_it_ends():
    rows = len(FRONTEND.spectrogram(WAVE))
    maps = {"all": np.ones((rows, 64)), "part": np.ones((100, 64))}
    figure = plots.clip_maps(WAVE, maps, FRONTEND)
    whole, part = (ax.images[0].get_extent() for ax in map_axes(figure, 2))
    first = FRONTEND.times()[0]
    assert whole[:2] == pytest.approx((first, first + rows / 100))
    assert part[:2] == pytest.approx((first, first + 1))
    # The axis is as long as the clip: what no map covers is grey.
    assert figure.axes[2].get_xlim() == pytest.approx((first, first + rows / 100))
    np.testing.assert_array_equal(figure.data["spectrogram"], FRONTEND.spectrogram(WAVE))


@pytest.mark.slow
def test_each_map_is_divided_by_its_largest_magnitude_or_has_a_scale_of_its_own():
    maps = {"a": np.linspace(-4, 2, 98 * 64).reshape(98, 64), "b": np.full((98, 64), 0.5)}
    figure = plots.clip_maps(WAVE, maps, FRONTEND)
    np.testing.assert_allclose(figure.data["a"], maps["a"] / 4)
    np.testing.assert_allclose(figure.data["b"], 1)
    assert {ax.images[0].get_clim() for ax in map_axes(figure, 2)} == {(-1, 1)}
    figure = plots.clip_maps(WAVE, maps, FRONTEND, normalise=False)
    np.testing.assert_array_equal(figure.data["a"], maps["a"])
    assert [ax.images[0].get_clim() for ax in map_axes(figure, 2)] == [(-4, 4), (-0.5, 0.5)]


def test_seconds_of_a_file_count_from_its_beginning():
    figure = plots.clip_maps(WAVE, {"a": np.ones((98, 64))}, FRONTEND, begins=61.5)
    for ax in figure.axes[:2]:
        assert ax.images[0].get_extent()[0] == pytest.approx(61.5 + FRONTEND.times()[0])


@pytest.mark.slow
def test_the_padding_of_a_short_sound_is_hatched_and_its_frames_are_counted():
    short = WAVE[:8_000]
    figure = plots.clip_maps(short, {"a": np.ones((96, 64))}, FRONTEND)
    # A frame is sound if its window of 400 samples begins in it: 8000 / 160.
    assert np.ravel(figure.data["sound"]).tolist() == [50]
    assert figure.data["spectrogram"].shape == (96, 64)
    for ax in figure.axes[:2]:
        (hatched,) = [patch for patch in ax.patches if patch.get_hatch()]
        assert hatched.get_x() == pytest.approx(FRONTEND.times()[0] + 0.5)
    assert "sound" not in plots.clip_maps(WAVE, {"a": np.ones((96, 64))}, FRONTEND).data
