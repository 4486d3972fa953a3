"""Two voices at once, and the truth about both."""

import numpy as np
import pytest

from xaiaudio.synthesis.duet import duet

BOTH = duet(seed=5)


@pytest.mark.slow
def test_a_duet_knows_its_voices():
    rms = np.sqrt(np.mean(BOTH.voices**2, axis=1))
    assert rms.max() / rms.min() < 1.2
    again = duet(seed=5)
    assert np.array_equal(again.mixture, BOTH.mixture)
    assert not np.array_equal(duet(seed=6).mixture[:4000], BOTH.mixture[:4000])
    voiced = BOTH.pitches > 0
    assert voiced.mean() > 0.5
    assert np.median(BOTH.pitches[0][voiced[0]]) > 1.2 * np.median(BOTH.pitches[1][voiced[1]])
    # The pitch is that of the sound: a period later it looks the same.
    for voice, pitch in zip(BOTH.voices, BOTH.pitches, strict=True):
        alike = []
        for frame in np.flatnonzero(pitch[:-20] > 0)[10::10]:
            start, period = 64 * frame, round(16_000 / pitch[frame])
            here, later = voice[start : start + period], voice[start + period : start + 2 * period]
            # The last word of the shorter voice is followed by silence.
            if later.any() and here.any():
                alike.append(np.corrcoef(here, later)[0, 1])
        assert np.median(alike) > 0.8
