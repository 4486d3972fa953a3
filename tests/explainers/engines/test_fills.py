"""What stands in hidden cells, cell by cell by its definition."""

import numpy as np
import pytest
from small_networks import random_patches

import xaiaudio as xa
from xaiaudio import LogMel, XaiAudioError
from xaiaudio.explainers.engines import segments
from xaiaudio.explainers.engines.fills import filling, plain, silence_of

SHAPE = (7, 5)


@pytest.fixture
def patches():
    return random_patches(3, SHAPE)


def by_definition(patch, fill, silence):
    """One patch's fill in loops over its cells."""
    made = np.zeros(patch.shape)
    for row in range(patch.shape[0]):
        for band in range(patch.shape[1]):
            made[row, band] = {
                "mean": sum(map(float, patch.ravel())) / patch.size,
                "band-mean": sum(float(x) for x in patch[:, band]) / patch.shape[0],
                "minimum": min(map(float, patch.ravel())),
                "silence": silence,
            }[fill]
    return made


@pytest.mark.parametrize("fill", ["mean", "band-mean", "minimum", "silence"])
def test_named_fills(patches, fill):
    found = filling(patches, fill, -4.5)
    assert found.dtype == np.float32 and found.shape == patches.shape
    for patch, one in zip(patches, found, strict=True):
        np.testing.assert_allclose(one, by_definition(patch, fill, -4.5), rtol=1e-5, atol=1e-6)


def test_numbers_and_levels_of_bands(patches):
    assert (filling(patches, 2) == 2).all()
    levels = np.arange(5.0)
    for given in (levels, list(levels), tuple(levels)):
        np.testing.assert_array_equal(filling(patches, given)[1, 3], levels)


def test_the_mean_of_each_segment(patches):
    numbers = np.broadcast_to(segments.grid(SHAPE, 3, 2), patches.shape)
    found = filling(patches, "segment", segments=numbers)
    for patch, one in zip(patches, found, strict=True):
        for number in range(6):
            inside = numbers[0] == number
            np.testing.assert_allclose(one[inside], patch[inside].mean(), rtol=1e-4, atol=1e-6)


def test_noise_has_the_level_and_the_spread_of_each_band():
    patches = random_patches(2, (4000, 5)) * np.arange(1, 6, dtype="float32")
    found = filling(patches, "noise", seed=3)
    np.testing.assert_allclose(found.mean(axis=1), patches.mean(axis=1), atol=0.4)
    np.testing.assert_allclose(found.std(axis=1), patches.std(axis=1), rtol=0.05)
    # Neither a copy of the patch nor the same in all bands.
    for band in range(5):
        assert abs(np.corrcoef(found[0, :, band], patches[0, :, band])[0, 1]) < 0.06
    assert abs(np.corrcoef(found[0, :, 0], found[0, :, 1])[0, 1]) < 0.06


def test_noise_of_a_data_set_has_its_means_and_deviations():
    levels = np.array([[-1.0, 0, 1, 2, 3], [0, 1, 2, 3, 4]])
    found = filling(np.zeros((1, 4000, 5)), levels, seed=0)[0]
    np.testing.assert_allclose(found.mean(axis=0), levels[0], atol=0.2)
    np.testing.assert_allclose(found.std(axis=0), levels[1], rtol=0.05, atol=1e-6)


def test_noise_is_decided_by_its_seed_and_the_patch_alone(patches):
    found = filling(patches, "noise", -4.5, seed=1)
    np.testing.assert_array_equal(found, filling(patches, "noise", -4.5, seed=1))
    assert (found != filling(patches, "noise", -4.5, seed=2)).any()
    np.testing.assert_array_equal(filling(patches[1:2], "noise", -4.5, seed=1)[0], found[1])


def test_noise_is_never_below_silence(patches):
    free, lifted = (filling(patches, "noise", silence, seed=1) for silence in (None, -1.5))
    assert free.min() < -1.5
    np.testing.assert_array_equal(lifted, np.maximum(free, np.float32(-1.5)))


@pytest.mark.slow
def test_silence_is_what_the_front_end_makes_of_silence():
    for frontend in (LogMel.vggish(), LogMel.yamnet(), LogMel.librosa(frames=50)):
        silent = frontend(np.zeros(40_000, "float32")).values[0]
        silence = filling(silent[None], "silence", frontend.silence)[0]
        np.testing.assert_allclose(silence, silent, atol=1e-5)
    assert silence_of(xa.load_model("lite")) == pytest.approx(np.log(0.01))


def test_cells_with_channels_have_a_mean_each():
    channels = random_patches(2, (7, 5, 3))
    found = filling(channels, "mean")
    np.testing.assert_allclose(found[:, 6, 4], channels.mean(axis=(1, 2)), rtol=1e-4)


@pytest.mark.parametrize(
    "fill",
    ["noise", "silence", "segment", "loud", None, np.nan, [1, 2], [[1] * 5] * 2, [np.inf] * 5],
)
def test_what_cannot_be_filled_in(patches, fill):
    with pytest.raises(XaiAudioError, match="fill is .*it must be 'mean', 'band-mean', 'minimum'"):
        filling(patches, fill)


@pytest.mark.parametrize("count", [63, 2 * 4096])
def test_many_numbers_of_a_wrong_count_are_not_all_listed(patches, count):
    with pytest.raises(XaiAudioError, match=rf"of the shape \({count},\): .* 5 numbers") as caught:
        filling(patches, tuple(range(count)))
    assert len(str(caught.value)) < 300


def test_spreads_below_0_are_refused(patches):
    with pytest.raises(XaiAudioError, match=r"standard deviations of noise \(2, bands\)"):
        filling(patches, [[0.0] * 5, [-1.0] * 5], seed=0)


def test_an_array_becomes_a_plain_option():
    levels = np.array([[1.0, 2.0], [3.0, 4.0]])
    assert plain(levels) == ((1.0, 2.0), (3.0, 4.0)) == plain([[1.0, 2.0], (3.0, 4.0)])
    assert plain("mean") == "mean" and plain(-1.5) == -1.5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["lime", "occlusion"])
def test_an_explainer_with_the_levels_of_a_data_set_is_a_value(tmp_path, small, patches, name):
    levels = np.linspace(-3, -1, 16)
    made = xa.Explainer(name, fill=levels)
    assert made == xa.Explainer(name, fill=tuple(levels)) != xa.Explainer(name)
    assert "fill=(-3.0," in repr(made)
    assert xa.Explainer.load(made.save(tmp_path / "it.npz")) == made
    both = xa.Explainer("lime", fill=[levels, levels * 0])
    assert xa.Explainer.load(both.save(tmp_path / "both.npz")) == both
    inputs = random_patches(1, (24, 16))
    by_row = inputs * 0 + levels
    found = made(small, inputs, "dog")
    # Where the patch is what it is filled with, nothing can change.
    assert np.abs(made(small, by_row, "dog").maps).max() < 1e-4 < np.abs(found.maps).max()
