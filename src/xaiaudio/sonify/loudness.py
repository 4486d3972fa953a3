"""How loud a sound is, and sounds brought to the loudness of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

# Pieces so long are loud or quiet as a whole.
_PIECE_SECONDS = 0.1
# What is so far below the mean of all pieces is a pause, and says nothing of how loud the rest is.
_PAUSE_DB = 10.0
# A sound that is not there cannot be made audible: what is below is rounding.
_NOTHING_DB = -120.0


def loudness(wave: ArrayLike, sample_rate: int) -> float:
    """Return how loud a sound is where it is no pause: its level there.

    The mean power of pieces of a tenth of a second, without those more than 10 dB below the mean of
    all: a gate as that of ITU-R BS.1770, but no weighting of frequencies.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
    sample_rate : int
        In hertz.

    Returns
    -------
    float
        In dB relative to full scale; -inf for digital silence.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.sonify.loudness import loudness
    >>> half = np.concatenate([np.full(8000, 0.1), np.zeros(8000)])  # half of it is a pause
    >>> round(loudness(half, 16_000), 6)
    -20.0
    """
    squares = np.square(np.asarray(wave, np.float64))
    size = max(1, round(_PIECE_SECONDS * sample_rate))
    starts = np.arange(0, len(squares), size)
    powers = np.add.reduceat(squares, starts) / np.diff([*starts, len(squares)])
    loud = powers[powers >= powers.mean() * 10 ** (-_PAUSE_DB / 10)]
    return 10 * float(np.log10(loud.mean())) if loud.mean() > 0 else -np.inf


def gain_to_match(wave: ArrayLike, other: ArrayLike, sample_rate: int) -> float:
    """Return the gain that makes a sound as loud as another, as far as it does not clip.

    Parameters
    ----------
    wave, other : array_like of float, shape (samples,)
    sample_rate : int
        In hertz.

    Returns
    -------
    float
        In dB; 0 for silence. No sample of the amplified sound is beyond 1.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.sonify.loudness import gain_to_match
    >>> tone = np.sin(np.arange(16_000) / 5)
    >>> round(gain_to_match(0.1 * tone, 0.5 * tone, 16_000), 2)
    13.98
    """
    wave = np.asarray(wave, np.float64)
    has = loudness(wave, sample_rate)
    if has < _NOTHING_DB:
        return 0.0
    room = -20 * float(np.log10(np.abs(wave).max()))
    return min(loudness(other, sample_rate) - has, room)
