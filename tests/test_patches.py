"""Patches know their front end and where each of them lies in the sound."""

import dataclasses

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.patches import joined

FRONTEND = xa.LogMel(frames=20, bands=16)
WAVE = np.random.default_rng(0).normal(0, 0.1, 16_000).astype("float32")


@pytest.fixture(scope="module")
def patches():
    return FRONTEND(WAVE, overlap=0.6)


def test_they_are_what_the_front_end_cuts(patches):
    plain = FRONTEND.with_overlap(0.6)
    np.testing.assert_array_equal(patches, plain.cut(plain.spectrogram(WAVE)))
    assert patches.frontend == plain and patches.length == len(plain.spectrogram(WAVE))
    assert patches.shape == (10, 20, 16) and patches.ndim == 3 and patches.dtype == np.float32


def test_each_lies_where_it_was_cut(patches):
    rows = FRONTEND.spectrogram(WAVE)
    for number, start in enumerate(patches.starts):
        np.testing.assert_array_equal(patches.values[number], rows[start : start + 20])
        np.testing.assert_allclose(patches.times(number)[0], start * 0.01 + 0.0075)


@pytest.mark.parametrize("index", [slice(2, 7, 2), [5, 1], np.arange(10) % 3 == 0])
def test_some_of_them_keep_their_places(patches, index):
    some = patches[index]
    assert isinstance(some, xa.Patches)
    np.testing.assert_array_equal(some.values, patches.values[index])
    np.testing.assert_array_equal(some.starts, patches.starts[index])
    assert some.length == patches.length


def test_a_number_gives_patches_of_one(patches):
    np.testing.assert_array_equal(patches[-1].starts, patches.starts[-1:])
    assert len(list(patches)) == 10
    with pytest.raises(IndexError):
        patches[10]


def test_numpy_takes_them_as_an_array(patches):
    assert isinstance(patches - 1, np.ndarray) and isinstance(patches[:, 3], np.ndarray)
    np.testing.assert_array_equal(np.concatenate([patches, patches[:1]])[:10], patches.values)
    assert (patches == patches.values).all() and np.asarray(patches) is not None
    copied = np.array(patches)
    copied[:] = 0
    assert patches.values.any()


def test_the_loudest_is_the_one_with_the_highest_mean(patches):
    means = [np.mean(patch) for patch in patches.values]
    assert patches.loudest().starts[0] == patches.starts[int(np.argmax(means))]
    np.testing.assert_allclose(patches.loudness, means, rtol=1e-5)


def test_places_have_to_fit():
    with pytest.raises(xa.XaiAudioError, match="2 places for 3 patches"):
        xa.Patches(np.zeros((3, 20, 16)), FRONTEND, [0, 1], 50)


def test_sounds_go_with_their_patches(patches):
    waves = np.arange(20.0).reshape(10, 2)
    known = dataclasses.replace(patches, waves=waves)
    np.testing.assert_array_equal(known[[5, 1]].waves, waves[[5, 1]])
    np.testing.assert_array_equal(known[3].waves, waves[3:4])
    both = joined([known[:2], known[5:]])
    np.testing.assert_array_equal(both.waves, waves[[0, 1, 5, 6, 7, 8, 9]])
    np.testing.assert_array_equal(both.starts, known.starts[[0, 1, 5, 6, 7, 8, 9]])
    plain = joined([patches[:2], known[5:]])
    np.testing.assert_array_equal(plain, both.values)
    assert isinstance(plain, np.ndarray)


def padded(samples=2000):
    return FRONTEND(WAVE[:samples], pad=True)


@pytest.mark.parametrize("frontend", [FRONTEND, xa.LogMel.librosa(sample_rate=16_000, frames=20)])
@pytest.mark.parametrize("samples", [400, 1000, 2000, 3039])
def test_a_frame_without_a_sample_of_the_sound_is_padding(frontend, samples):
    found = frontend(WAVE[:samples], pad=True)
    edges = np.arange(frontend.frames) * frontend.hop - frontend.samples_before
    np.testing.assert_array_equal(found.padding, [edges >= samples])
    assert (found.values[found.padding] <= found.values.min() + 1e-5).all()


def test_patches_know_of_their_padding():
    found = padded()
    assert found.sound.tolist() == [13] and found.padding.sum() == 7
    assert "7 frames of padding" in repr(found)
    for some in (found[0], found[-1:], found[[0]]):
        np.testing.assert_array_equal(some.sound, found.sound)


@pytest.mark.parametrize("samples", [FRONTEND.min_samples, 16_000])
def test_where_nothing_is_padded_nothing_is_said(samples):
    found = padded(samples)
    assert found.sound is None and not found.padding.any() and "padding" not in repr(found)


def test_patches_of_several_sounds_keep_their_padding(patches):
    both = joined([patches[:2], padded()])
    assert both.sound.tolist() == [20, 20, 13] and both.waves is None
    np.testing.assert_array_equal(both, np.concatenate([patches[:2], padded()]))
    assert isinstance(joined([patches[:2], patches[3:]]), np.ndarray)


FRONTENDS = {
    "vggish": FRONTEND,
    "ragged": xa.LogMel(window=300, hop=170, fft=512, frames=11, bands=16),
    "librosa": xa.LogMel.librosa(sample_rate=16_000, frames=20, bands=16, top_db=None),
    "mirrored": xa.LogMel(frames=20, bands=16, centred=True, pad_mode="reflect"),
}


@pytest.mark.parametrize("frontend", FRONTENDS.values(), ids=FRONTENDS)
@pytest.mark.parametrize("overlap", [0, 0.6])
def test_each_patch_is_the_picture_of_its_own_samples(frontend, overlap):
    found = frontend(WAVE, overlap=overlap, sounds=True)
    whole = np.pad(
        WAVE,
        (frontend.samples_before, frontend.window if frontend.centred else 0),
        mode=frontend.pad_mode,
    )
    size = frontend.window + (frontend.frames - 1) * frontend.hop
    for wave, start in zip(found.waves, found.starts, strict=True):
        first = start * frontend.hop
        np.testing.assert_array_equal(wave, whole[first : first + size])
    np.testing.assert_allclose(frontend.pictures(found.waves), found.values, atol=1e-4)
    # Each sound by itself, whatever is asked about beside it.
    np.testing.assert_array_equal(
        frontend.pictures(found.waves[-1:])[0], frontend.pictures(found.waves)[-1]
    )


def test_the_samples_of_patches_are_not_copied():
    found = FRONTEND(WAVE, overlap=0.9, sounds=True)
    assert found.waves.strides == (2 * 160 * 4, 4)
    assert np.shares_memory(found[2:5].waves, found.waves)
    assert np.shares_memory(found.loudest().waves, found.waves)
    assert FRONTEND(WAVE).waves is None
    with pytest.raises(ValueError, match="read-only"):
        found.waves[0, 0] = 1


def test_samples_of_a_padded_patch_end_in_silence():
    found = FRONTEND(WAVE[:2000], pad=True, sounds=True)
    assert found.waves.shape == (1, FRONTEND.min_samples) and found.sound.tolist() == [13]
    np.testing.assert_array_equal(found.waves[0, :2000], WAVE[:2000])
    assert not found.waves[0, 2000:].any()
    both = joined([found, FRONTEND(WAVE, sounds=True)])
    np.testing.assert_array_equal(both.waves[:1], found.waves)
    np.testing.assert_allclose(FRONTEND.pictures(both.waves), both.values, atol=1e-5)


@pytest.mark.parametrize(
    "waves, message",
    [
        (np.zeros((2, 100)), r"\(n, 3440\) is needed"),
        (np.zeros(3440), r"\(n, 3440\) is needed"),
        (np.full((1, 3440), np.nan), "NaN"),
    ],
)
def test_other_samples_are_no_patches(waves, message):
    with pytest.raises(xa.XaiAudioError, match=message):
        FRONTEND.pictures(waves)


def test_no_samples_no_pictures():
    assert FRONTEND.pictures(np.zeros((0, 3440))).shape == (0, 20, 16)
