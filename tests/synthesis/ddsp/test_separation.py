"""Voices out of their sum: the masks, the sum, and who is who."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.evaluate.metrics.distortion import si_sdr
from xaiaudio.synthesis.ddsp import separation
from xaiaudio.synthesis.ddsp.loss import spectral_loss
from xaiaudio.synthesis.ddsp.separation import masked, separate, shares
from xaiaudio.synthesis.duet import duet

BOTH = duet(seed=5)
SIZES = (1024, 256)


SLOW_FIXTURES = ("found",)


@pytest.fixture(scope="module")
def found():
    return separate(BOTH.mixture, BOTH.pitches, steps=40, sizes=SIZES, progress=False)


@pytest.mark.slow
def test_masks_sum_to_one_and_estimates_to_the_mixture(found):
    np.testing.assert_allclose(found.masks.sum(axis=0), 1, atol=1e-12)
    assert found.masks.min() >= 0
    np.testing.assert_allclose(found.estimates.sum(axis=0), BOTH.mixture, atol=1e-9)


@pytest.mark.slow
def test_the_sum_of_the_voices_is_the_model_whose_loss_fell(found):
    scale = 0.1 / np.sqrt(np.mean(BOTH.mixture**2))
    again = spectral_loss(
        np.float32(scale * found.made.sum(axis=0)), np.float32(scale * BOTH.mixture), sizes=SIZES
    )
    # The last step has another noise than the voices that are handed out.
    assert float(again) == pytest.approx(found.losses[-1], rel=0.05)
    assert found.losses[-1] < 0.6 * found.losses[0]


@pytest.mark.slow
def test_each_estimate_is_nearer_to_its_voice_than_the_mixture(found):
    for estimate, voice in zip(found.estimates, BOTH.voices, strict=True):
        assert si_sdr(estimate, voice) > si_sdr(BOTH.mixture, voice) + 2


@pytest.mark.slow
def test_swapped_pitches_swap_the_voices(found):
    swapped = separate(
        BOTH.mixture, BOTH.pitches[::-1], steps=40, sizes=SIZES, progress=False
    ).estimates
    for ours, theirs, voice in zip(found.estimates, swapped[::-1], BOTH.voices, strict=True):
        assert np.corrcoef(ours, theirs)[0, 1] > 0.95
        assert si_sdr(theirs, voice) > si_sdr(BOTH.mixture, voice) + 2


@pytest.mark.slow
def test_the_level_of_the_mixture_does_not_matter():
    few = {"steps": 3, "sizes": (256,), "progress": False}
    one, half = (separate(k * BOTH.mixture, BOTH.pitches, **few) for k in (1.0, 0.5))
    np.testing.assert_allclose(half.masks, one.masks, atol=1e-3)
    np.testing.assert_allclose(half.voices[0].level, one.voices[0].level / 2, rtol=1e-3)


def test_masks_are_shares_of_power():
    rng = np.random.default_rng(0)
    sounds = rng.standard_normal((3, 4096))
    found = shares(sounds)
    cells = np.abs([separation.spectrum(sound) for sound in sounds]) ** 2
    for which in range(3):
        np.testing.assert_allclose(found[which], cells[which] / sum(cells), rtol=1e-9)
    np.testing.assert_allclose(masked(sounds[0], np.ones_like(found))[1], sounds[0], atol=1e-9)
    assert np.allclose(shares(np.zeros((2, 4096))), 0.5)


def test_what_cannot_be_separated():
    with pytest.raises(xa.XaiAudioError, match="two voices or more"):
        separate(BOTH.mixture, BOTH.pitches[:1])
    with pytest.raises(xa.XaiAudioError, match="silent"):
        separate(np.zeros(6400), np.full((2, 100), 100.0))
    with pytest.raises(xa.XaiAudioError, match="in hertz, or 0"):
        separate(np.ones(6400), np.full((2, 100), np.nan))


@pytest.mark.parametrize(
    "wrong",
    [
        *({"steps": -1}, {"steps": 1.5}, {"rate": 0}, {"rate": np.nan}, {"rate": "fast"}),
        *({"sizes": ()}, {"sizes": 512}, {"sizes": (0,)}, {"seed": "x"}, {"seed": 1.5}),
    ],
)
def test_options_that_make_no_sense_are_refused(wrong):
    pitches = np.array([[200.0], [330.0]]) * np.ones(50)
    with pytest.raises(xa.XaiAudioError, match=next(iter(wrong))):
        separate(np.ones(3200), pitches, **{"steps": 1, "progress": False, **wrong})


@pytest.mark.parametrize("pitches", [[[200.0], [1.0, 2.0]], None, "ab", np.full((2, 50), 1e-6)])
def test_pitches_that_are_none_are_refused(pitches):
    with pytest.raises(xa.XaiAudioError, match="pitch"):
        separate(np.ones(3200), pitches, progress=False)


@pytest.mark.parametrize("sounds", [[], [1.0] * 2000, [[np.nan] * 2000] * 2, "ab"])
def test_sounds_that_are_none_have_no_shares(sounds):
    with pytest.raises(xa.XaiAudioError, match="sounds"):
        shares(sounds)


def test_masks_must_lie_on_the_mixture():
    mixture = np.ones(3200)
    for masks in (np.ones((2, 5, 5)), np.full((2, 513, 13), np.nan)):
        with pytest.raises(xa.XaiAudioError, match="masks"):
            masked(mixture, masks)
    with pytest.raises(xa.XaiAudioError, match="mixture"):
        masked([], np.ones((2, 513, 1)))
