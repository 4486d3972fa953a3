"""Which cells belong to the event, for front ends of every kind."""

from dataclasses import replace

import librosa
import numpy as np
import pytest

from xaiaudio.datasets.events import event_mask, generate
from xaiaudio.frontend import LogMel

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
