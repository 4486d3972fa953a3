"""Distances of sounds against their definitions."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.evaluate.metrics.distortion import log_spectral_distance, si_sdr

RNG = np.random.default_rng(0)
TRUTH, REST = RNG.standard_normal((2, 3000))


def test_si_sdr_is_its_definition():
    estimate = 0.7 * TRUTH + 0.3 * REST
    dot = sum(float(e) * float(t) for e, t in zip(estimate, TRUTH, strict=True))
    own = sum(float(t) ** 2 for t in TRUTH)
    best = dot / own
    signal = sum((best * t) ** 2 for t in TRUTH)
    error = sum((e - best * t) ** 2 for e, t in zip(estimate, TRUTH, strict=True))
    assert si_sdr(estimate, TRUTH) == pytest.approx(10 * np.log10(signal / error), abs=1e-9)
    # No other multiple of the truth is nearer.
    for factor in (0.9 * best, 1.1 * best):
        assert np.sum((estimate - factor * TRUTH) ** 2) > error


def test_the_scale_does_not_matter():
    estimate = TRUTH + REST
    assert si_sdr(5 * estimate, TRUTH) == pytest.approx(si_sdr(estimate, 0.1 * TRUTH))
    across = REST - (REST @ TRUTH) / (TRUTH @ TRUTH) * TRUTH
    across *= np.linalg.norm(TRUTH) / np.linalg.norm(across)
    assert si_sdr(TRUTH + across, TRUTH) == pytest.approx(0, abs=1e-9)
    assert si_sdr(TRUTH + 0.1 * across, TRUTH) == pytest.approx(20, abs=1e-9)


def test_the_spectral_distance_is_its_definition():
    estimate = TRUTH + 0.5 * REST
    size, shape = 256, [0.5 - 0.5 * np.cos(2 * np.pi * n / 256) for n in range(256)]
    rows = []
    for sound in (estimate, TRUTH):
        starts = range(0, len(sound) - size + 1, size // 2)
        rows.append([np.abs(np.fft.rfft(sound[s : s + size] * shape)) ** 2 for s in starts])
    ours, true = np.array(rows)
    floor = 1e-6 * true.max()
    means = []
    for one, other in zip(ours, true, strict=True):
        gaps = [
            (10 * np.log10(max(a, floor) / max(b, floor))) ** 2
            for a, b in zip(one, other, strict=True)
        ]
        means.append(np.sqrt(sum(gaps) / len(gaps)))
    expected = sum(means) / len(means)
    assert log_spectral_distance(estimate, TRUTH, window=256) == pytest.approx(expected)
    assert log_spectral_distance(TRUTH, TRUTH) == 0
    assert log_spectral_distance(-TRUTH, TRUTH) == 0


def test_what_cannot_be_compared():
    with pytest.raises(xa.XaiAudioError, match="same length"):
        si_sdr(TRUTH[:-1], TRUTH)
    with pytest.raises(xa.XaiAudioError, match="silent"):
        si_sdr(np.zeros(3), np.ones(3))
    with pytest.raises(xa.XaiAudioError, match="no numbers"):
        si_sdr(np.full(3, np.nan), np.ones(3))
    with pytest.raises(xa.XaiAudioError, match="fewer than a window"):
        log_spectral_distance(TRUTH[:100], TRUTH[:100])
    with pytest.raises(xa.XaiAudioError, match="2 or more"):
        log_spectral_distance(TRUTH, TRUTH, window=1)
