"""Two people who speak at once, with the truth about both."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .speech_speakers import speakers
from .speech_utterance import RATE, speak

# Samples from one frame of pitch and formants to the next, as the synthesiser with a gradient has.
_HOP = 64
# Words of voiced sounds, for the most part: what has no pitch, no pitch can part.
WORDS = (("one", "nine", "seven"), ("seven", "one", "nine"))
_LEVEL = 0.08


@dataclass(frozen=True, eq=False)
class Duet:
    """Two voices and their mixture, at 16 kHz.

    Attributes
    ----------
    voices : ndarray of float64, shape (2, samples)
        A woman's and a man's, of the same root mean square.
    pitches : ndarray of float64, shape (2, frames)
        In hertz, one for every 64 samples; 0 where there is none.
    formants : ndarray of float64, shape (2, frames, 3)
        In hertz; NaN outside the words.
    """

    voices: np.ndarray
    pitches: np.ndarray
    formants: np.ndarray

    @property
    def mixture(self) -> np.ndarray:
        """The sum of the voices: float64 (samples,)."""
        return self.voices.sum(axis=0)


def duet(*, seed: int = 0) -> Duet:
    """Let a woman and a man say three digits each at the same time.

    Parameters
    ----------
    seed : int
        Another number, other speakers and takes.

    Returns
    -------
    Duet

    Examples
    --------
    >>> from xaiaudio.synthesis.duet import duet
    >>> both = duet()
    >>> both.voices.shape[0], both.voices.shape[1] == 64 * both.pitches.shape[1]
    (2, True)
    """
    pair = speakers(2, seed)
    said = [
        [_cut(speak(word, who, 0, seed)) for word in words]
        for words, who in zip(WORDS, pair, strict=True)
    ]
    rows = [[np.concatenate(parts) for parts in zip(*words, strict=True)] for words in said]
    frames = max(len(pitch) for _, pitch, _ in rows)
    voices = np.zeros((2, frames * _HOP))
    pitches, formants = np.zeros((2, frames)), np.full((2, frames, 3), np.nan)
    for which, (wave, pitch, resonances) in enumerate(rows):
        voices[which, : len(wave)] = _LEVEL * wave / np.sqrt(np.mean(np.square(wave)))
        pitches[which, : len(pitch)] = pitch
        formants[which, : len(pitch)] = resonances
    return Duet(voices, pitches, formants)


def _cut(said):
    """Return a word without the silence around it: sound, pitch and formants."""
    start, end = said.phones[0].start, said.phones[-1].end
    frames = int((end - start) * RATE / _HOP)
    first = round(start * RATE)
    wave = said.wave[first : first + frames * _HOP].astype(np.float64)
    edge = np.minimum(1, np.minimum(np.arange(len(wave)), np.arange(len(wave))[::-1]) / 160)
    times = start + np.arange(frames) * _HOP / RATE
    at = np.clip(np.searchsorted(said.times, times), 0, len(said.times) - 1)
    return wave * edge, np.nan_to_num(said.pitch[at]), said.formants[at]
