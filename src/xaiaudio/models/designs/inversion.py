"""Sounds of log-mel patches and of spectra, which have lost their phase."""

from __future__ import annotations

from typing import TYPE_CHECKING

import librosa
import numpy as np
from scipy.optimize import nnls

from ... import filterbank
from ...stft import analyse, synthesise

if TYPE_CHECKING:
    from ...frontend import LogMel

# Rounds of Griffin and Lim's algorithm (1984): more change little.
ROUNDS = 32


def magnitudes_of_patch(patch: np.ndarray, frontend: LogMel) -> np.ndarray:
    """Return linear magnitudes whose mel sums come closest to a patch, float64 (frames, bins).

    Non-negative least squares, frame by frame.

    Parameters
    ----------
    patch : ndarray of float, shape (frames, bands)
        As the front end makes them.
    frontend : LogMel
    """
    return _spread(frontend.expand(np.asarray(patch, float)), frontend)


def sound_of_patch(patch: np.ndarray, frontend: LogMel, *, seed: int = 0) -> np.ndarray:
    """Return a sound whose patch comes close to the one given, float32 (samples,).

    Phases are found by Griffin and Lim's algorithm (librosa) from random ones.

    Parameters
    ----------
    patch : ndarray of float, shape (frames, bands)
    frontend : LogMel
    seed : int
        Decides the first phases.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.designs.inversion import sound_of_patch
    >>> vggish = xa.LogMel.vggish()
    >>> tone = np.sin(2 * np.pi * 1000 * np.arange(15_600) / 16_000).astype("float32")
    >>> sound = sound_of_patch(vggish(tone).values[0], vggish)
    >>> hertz = np.abs(np.fft.rfft(sound)).argmax() * 16_000 / len(sound)
    >>> bool(abs(hertz - 1000) < 60)  # bins of the transform are 31 Hz wide, bands are wider
    True
    """
    heights = magnitudes_of_patch(patch, frontend)
    sound = librosa.griffinlim(
        heights.T,
        n_iter=ROUNDS,
        hop_length=frontend.hop,
        win_length=frontend.window,
        n_fft=frontend.fft,
        window=np.asarray(filterbank.window_of(frontend, "float32"), float),
        random_state=seed,
    )
    # librosa's first window lies around the first sample; with most front ends it begins there.
    before = 0 if frontend.centred else frontend.window // 2
    size = frontend.min_samples
    sound = np.pad(sound, (before, max(0, size - before - len(sound))))[:size]
    return _within(sound)


def sound_of_spectrum(
    spectrum: np.ndarray, frontend: LogMel, *, seconds: float = 1.0, seed: int = 0
) -> np.ndarray:
    """Return noise with a spectrum, float32 (samples,), its largest sample 0.5.

    A spectrum says nothing of phases or of time: what is heard is its colour.

    Parameters
    ----------
    spectrum : ndarray of float, shape (bands,)
        Magnitudes of the front end's bands, not negative.
    frontend : LogMel
    seconds : float
        How long it lasts.
    seed : int
        Decides the noise.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.designs.inversion import sound_of_spectrum
    >>> sound_of_spectrum(np.eye(64)[20], xa.LogMel.vggish(), seconds=0.5).shape
    (8000,)
    """
    samples = round(seconds * frontend.sample_rate)
    noise = np.random.default_rng(seed).normal(0, 0.1, samples)
    shape = _spread(np.asarray(spectrum, float)[None], frontend)[0]
    wave = synthesise(
        analyse(noise, frontend) * (shape / max(shape.max(), 1e-12)), samples, frontend
    )
    peak = np.abs(wave).max()
    return (0.5 * wave / peak if peak > 0 else wave).astype(np.float32)


def _spread(sums, frontend) -> np.ndarray:
    """Bring sums over bands (frames, bands) back to magnitudes (frames, bins), none negative."""
    matrix = frontend.mel_matrix().T
    rows, back = np.unique(np.maximum(sums, 0), axis=0, return_inverse=True)
    found = np.stack([nnls(matrix, row)[0] for row in rows])[back.reshape(-1)]
    return np.sqrt(found) if frontend.power == 2 else found


def _within(sound) -> np.ndarray:
    """Keep a sound from clipping."""
    peak = np.abs(sound).max()
    return np.asarray(sound / peak if peak > 1 else sound, np.float32)
