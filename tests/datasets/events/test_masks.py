"""Which cells belong to the event, for front ends of every kind."""

from dataclasses import replace

import librosa
import numpy as np
import pytest

from xaiaudio.datasets.events import event_mask, generate
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.synthesis import dsp

DECIBELS = LogMel.librosa(sample_rate=16_000, fft=512, hop=160, bands=64)


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"power": 1}, {"ref": "max"}, {"top_db": None}])
def test_masks_of_decibels_compare_the_stems(options):
    frontend = replace(DECIBELS, **options)
    stems = generate("Dog bark", 0)
    event, rest = (
        librosa.feature.melspectrogram(
            y=stem / np.float32(32_768),
            sr=16_000,
            n_fft=512,
            hop_length=160,
            n_mels=64,
            power=float(frontend.power),
        ).T
        for stem in stems
    )
    loud = event > event.max() * (0.01 if frontend.power == 1 else 0.0001)
    found = event_mask(*stems, frontend)
    assert found.shape == (501, 64)
    # Rounding decides about a few cells.
    assert (found == (loud & (event > rest))).mean() > 0.999
    assert 0.01 < found.mean() < 0.9


def test_the_mask_is_where_a_tone_is_louder_than_the_noise():
    t = np.arange(dsp.SAMPLES) / dsp.RATE
    during = (t > 2) & (t < 3)
    tone = np.round(8000 * np.sin(2 * np.pi * 1000 * t) * during).astype(np.int16)
    hiss = np.round(np.random.default_rng(0).normal(0, 100, dsp.SAMPLES)).astype(np.int16)
    mask, frontend = event_mask(tone, hiss), LogMel.vggish()
    assert mask.shape == (498, 64)
    band = np.abs(frontend.band_centres() - 1000).argmin()
    inside = slice(200, 296)  # windows that lie within the tone
    assert mask[inside, band].all()
    assert not mask[:196].any()
    assert not mask[302:].any()
    assert not mask[inside, : band - 5].any()
    assert not mask[inside, band + 6 :].any()
    # Buried under a background a hundred times stronger it is no longer there.
    assert not event_mask(tone // 100, (hiss.astype(int) * 100).astype(np.int16)).any()
    # The faint part of an event, 50 dB below its loudest, does not count.
    faint = np.where(t < 2.5, tone, np.round(tone / 316)).astype(np.int16)
    assert not event_mask(faint, np.zeros_like(hiss))[252:].any()


def test_the_mask_is_the_same_for_floats_and_other_samples_are_refused():
    event, bed = generate("Rooster", 0)
    mask = event_mask(event, bed)
    assert mask.mean() > 0.1
    floats = [(stem / 32_768).astype(np.float32) for stem in (event, bed)]
    np.testing.assert_array_equal(event_mask(*floats), mask)
    for wrong in (event.astype(float), event.astype(int), event.astype(np.uint16)):
        with pytest.raises(XaiAudioError, match="must be int16"):
            event_mask(wrong, bed)


def test_stems_of_two_lengths_are_refused():
    event, background = generate("Rooster", 0)
    with pytest.raises(XaiAudioError, match="equally long"):
        event_mask(event, background[:40_000])
