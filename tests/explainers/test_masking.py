"""Maps become masks, masks become two sounds, and nothing gets lost on the way."""

import dataclasses

import numpy as np
import pytest
from heard_maps import FRONTEND, RATE, decibels, explanation, noise, tone
from hypothesis import given, settings
from hypothesis import strategies as st

from xaiaudio import XaiAudioError
from xaiaudio.explainers.masking import clip_map, kept_and_removed, mask_from_map, split
from xaiaudio.frontend import LogMel


def test_overlapping_maps_are_averaged_over_the_clip():
    wave = noise()
    patches = FRONTEND(wave)
    maps = np.random.default_rng(1).normal(size=patches.shape).astype("float32")
    rows = FRONTEND.spectrogram(wave)
    total, count = np.zeros(rows.shape), np.zeros((len(rows), 1))
    for i in range(len(maps)):  # the plain definition
        total[24 * i : 24 * i + 96] += maps[i]
        count[24 * i : 24 * i + 96] += 1
    found = clip_map(explanation(wave, maps=maps), wave)
    np.testing.assert_allclose(found, total / np.maximum(count, 1), atol=1e-6)
    # The explanation knows where its patches lie, also without the sound.
    np.testing.assert_array_equal(clip_map(explanation(wave, maps=maps)), found)
    assert not found[480:].any()


def test_the_largest_magnitude_can_be_taken_instead():
    wave = noise(1.5)
    maps = np.zeros((3, 96, 64), "float32")
    maps[0, 50], maps[1, 26], maps[2, 0] = 1, -3, 2
    joined = clip_map(explanation(wave, maps=maps), wave, how="max")
    np.testing.assert_array_equal(np.unique(joined[50]), [-3])
    np.testing.assert_array_equal(np.unique(joined[48]), [2])


def test_patches_are_found_whatever_their_overlap():
    # model.frontend says one overlap, the patches were cut with another.
    wave = noise()
    dense = explanation(wave, FRONTEND)
    told_wrong = dataclasses.replace(dense, frontend=FRONTEND.with_overlap(0.0))
    np.testing.assert_array_equal(clip_map(told_wrong, wave), clip_map(dense, wave))


def test_some_patches_of_a_clip_are_laid_where_they_were():
    wave = noise()
    found = clip_map(explanation(wave)[4:6], wave)
    covered = np.flatnonzero(found.any(axis=1))
    assert (covered[0], covered[-1]) == (4 * 24, 5 * 24 + 95)


def test_another_sound_is_refused():
    with pytest.raises(XaiAudioError, match="do not lie in this sound"):
        clip_map(explanation(noise(seed=0)), noise(seed=1))


def test_soft_and_hard_masks():
    relevance = np.array([[-4.0, 0.0, 1.0, 2.0]])
    np.testing.assert_array_equal(mask_from_map(relevance), [[0, 0, 0.5, 1]])
    np.testing.assert_array_equal(mask_from_map(relevance, keep=0.5), [[0, 0, 1, 1]])
    # Never more than what speaks for the class.
    np.testing.assert_array_equal(mask_from_map(relevance, keep=1.0), [[0, 0, 1, 1]])


def test_a_map_that_speaks_for_nothing_keeps_nothing():
    for keep in (None, 0.3):
        assert not mask_from_map(-np.ones((5, 4)), keep=keep).any()


@pytest.mark.parametrize("keep", [0, -0.1, 1.1, float("nan"), "most"])
def test_an_impossible_share_is_refused(keep):
    with pytest.raises(XaiAudioError, match="share"):
        mask_from_map(np.ones((2, 2)), keep=keep)


@pytest.mark.parametrize("samples", [1, 159, 400, 15_599, 16_000, 80_000, 80_123])
def test_an_all_ones_mask_gives_the_sound_back(samples):
    wave = noise(samples / RATE)
    assert len(wave) == samples
    kept, removed = kept_and_removed(wave, np.ones((498, 64)), FRONTEND)
    assert decibels(wave) - decibels(wave - kept) > 60
    assert decibels(wave) - decibels(removed) > 60


CENTRED = LogMel.librosa(sample_rate=RATE, fft=600, window=501, hop=125, bands=40, frames=64)


@pytest.mark.parametrize("samples", [1, 124, 501, 16_000, 20_123])
@pytest.mark.parametrize("changes", [{}, {"pad_mode": "reflect", "norm": None}])
def test_an_all_ones_mask_of_centred_frames_gives_the_sound_back(samples, changes):
    wave = noise(samples / RATE)
    frontend = dataclasses.replace(CENTRED, **changes)
    kept, removed = kept_and_removed(wave, np.ones((1 + samples // 125, 40)), frontend)
    assert kept.shape == wave.shape
    assert decibels(wave) - decibels(removed) > 60


def test_a_mask_of_centred_frames_acts_where_its_cells_lie():
    wave, mask = noise(2.0), np.zeros((257, 40))
    mask[100:140] = 1
    kept, _ = kept_and_removed(wave, mask, CENTRED)
    edges = CENTRED.times()[0] + np.array([100, 140]) * CENTRED.hop / RATE
    heard = np.cumsum(kept**2) / np.sum(kept**2)
    # The same energy beyond either edge: half of the window's fade lies there.
    first, last = np.searchsorted(heard, [0.05, 0.95]) / RATE
    assert abs((first - edges[0]) - (edges[1] - last)) < 0.004
    assert edges[0] < first < edges[0] + 0.03


@pytest.mark.slow
@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9000), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_kept_and_removed_add_up(samples, rows, seed):
    rng = np.random.default_rng(seed)
    wave = rng.uniform(-1, 1, samples).astype("float32")
    kept, removed = kept_and_removed(wave, rng.random((rows, 64)), FRONTEND)
    assert kept.shape == removed.shape == wave.shape
    np.testing.assert_allclose(kept + removed, wave, atol=1e-6)


def test_the_mask_of_a_tones_band_keeps_it_and_removes_another():
    low, high = tone(500), tone(3000)
    mask = np.zeros((198, 64))
    mask[:, np.abs(FRONTEND.band_centres() - 500).argsort()[:6]] = 1
    middle = slice(1600, -1600)  # a tone that sets in clicks, and a click is in all bands
    for wave, wanted in ((low, "kept"), (high, "removed")):
        kept, removed = (part[middle] for part in kept_and_removed(wave, mask, FRONTEND))
        there, gone = (kept, removed) if wanted == "kept" else (removed, kept)
        assert decibels(wave) - decibels(there) < 0.2
        assert decibels(wave) - decibels(gone) > 40
    kept, removed = kept_and_removed(low + high, mask, FRONTEND)
    assert decibels(low) - decibels((kept - low)[middle]) > 35
    assert decibels(high) - decibels((removed - high)[middle]) > 35


def test_a_mask_acts_when_its_frames_sound():
    wave = noise(2.0)
    mask = np.zeros((198, 64))
    mask[100:] = 1  # frame 100 is centred on 1.0125 s
    kept, removed = kept_and_removed(wave, mask, FRONTEND)
    assert np.abs(kept[: 16_000 - 400]).max() < 1e-6
    assert np.abs(removed[16_000 + 500 :]).max() < 1e-6


@pytest.mark.parametrize(
    "wave", [np.zeros((2, 16_000)), np.zeros(0), np.zeros(16_000, int), np.array(0.5)]
)
def test_only_mono_floats_are_split(wave):
    with pytest.raises(XaiAudioError, match="mono"):
        kept_and_removed(wave, np.ones((98, 64)), FRONTEND)


def test_nan_and_masks_of_the_wrong_shape_are_refused():
    with pytest.raises(XaiAudioError, match="NaN"):
        kept_and_removed(np.full(16_000, np.nan), np.ones((98, 64)), FRONTEND)
    for shape in ((98, 63), (64,), (0, 64)):
        with pytest.raises(XaiAudioError, match="mask"):
            kept_and_removed(noise(1), np.ones(shape), FRONTEND)


@pytest.mark.parametrize("keep, soften", [(None, 0), (0.1, 0), (0.1, 1.5)])
def test_no_border_of_a_mask_clicks(keep, soften):
    # A tone has no jump of its own that could hide one; segments of 0.1 s are on or off.
    wave = tone(440) + tone(1200)
    maps = np.zeros(FRONTEND(wave).shape, "float32")
    maps[:, :, :32] = np.random.default_rng(0).random((len(maps), 10, 1)).repeat(10, axis=1)[:, :96]
    result = explanation(wave, maps=maps)
    cut = split(result, wave, keep=keep, soften=soften)
    assert 0.01 < np.square(cut.kept).sum() / np.square(wave).sum() < 0.99
    inside = slice(1, -1)  # the sound itself begins and ends with a jump
    jump = np.abs(np.diff(wave)).max()
    for sound in (cut.kept, cut.removed):
        assert np.abs(np.diff(sound[inside])).max() <= 1.01 * jump


def test_a_border_in_the_samples_would_click():
    # The measure sees a click where there is one.
    wave = tone(440)
    hard = wave * (np.arange(len(wave)) % 3200 < 1613)
    assert np.abs(np.diff(hard)).max() > 1.5 * np.abs(np.diff(wave)).max()


def test_softening_blurs_a_mask_and_keeps_its_range():
    relevance = np.zeros((40, 30), "float32")
    relevance[20, 15] = 1
    hard = mask_from_map(relevance, keep=0.001)
    soft = mask_from_map(relevance, keep=0.001, soften=1.0)
    distance = np.hypot(*np.indices((40, 30)) - np.array([20, 15])[:, None, None])
    bell = np.exp(-(distance**2) / 2)  # the plain definition
    np.testing.assert_allclose(soft, bell / bell.sum(), atol=1e-3)
    assert hard.sum() == 1 and soft.sum() == pytest.approx(1, abs=1e-3)
    assert mask_from_map(np.ones((4, 4)), keep=1.0, soften=2.0).tolist() == np.ones((4, 4)).tolist()


@pytest.mark.parametrize("soften", [-1, float("nan"), float("inf")])
def test_an_impossible_softness_is_refused(soften):
    with pytest.raises(XaiAudioError, match="soften"):
        mask_from_map(np.ones((2, 2)), soften=soften)
