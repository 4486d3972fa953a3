"""What of a sound a front end cannot hear: what lies above its highest band or below its lowest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .streaming import Blocks

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .frontend import LogMel
    from .types import PathLike

_WINDOW = 4096
# A share of the energy that is worth a word.
_WORTH = 0.01


@dataclass(frozen=True)
class Unheard:
    """How much of a sound's energy lies where a front end hears nothing.

    Attributes
    ----------
    above, below : float
        Shares of the energy above the highest band and below the lowest, in [0, 1].
    low, high : float
        Where the lowest band begins and the highest ends, in hertz.
    sample_rate : int
        Of the sound, in hertz.

    Examples
    --------
    >>> from xaiaudio.unheard import Unheard
    >>> print(Unheard(0.34, 0.002, 125.0, 7500.0, 48_000))
    34% of the sound's energy lies above 7500 Hz, where the network hears nothing.
    >>> Unheard(0.001, 0.0, 125.0, 7500.0, 48_000).worth_saying
    False
    """

    above: float
    below: float
    low: float
    high: float
    sample_rate: int

    @property
    def worth_saying(self) -> bool:
        """Whether one of the shares is 1% or more."""
        return max(self.above, self.below) >= _WORTH

    def __str__(self) -> str:
        parts = []
        if self.above >= _WORTH:
            parts.append(f"{self.above:.0%} of the sound's energy lies above {self.high:.0f} Hz")
        if self.below >= _WORTH:
            whose = "" if parts else " of the sound's energy lies"
            parts.append(f"{self.below:.0%}{whose} below {self.low:.0f} Hz")
        if not parts:
            return f"The network hears nothing below {self.low:.0f} and above {self.high:.0f} Hz."
        return f"{' and '.join(parts)}, where the network hears nothing."


def unheard(
    path: PathLike,
    frontend: LogMel,
    *,
    start: float | None = None,
    end: float | None = None,
    channel: int | None = None,
) -> Unheard:
    """Measure what a front end cannot hear of a sound file, at the file's own rate.

    Parameters
    ----------
    path : str or path-like
        A sound file of any length; it is read block by block.
    frontend : LogMel
    start, end : float, optional
        The seconds of the file to measure; by default all.
    channel : int, optional
        The channel to take, counted from 0; by default the mean of all.

    Returns
    -------
    Unheard

    Raises
    ------
    XaiAudioError
        As `xaiaudio.streaming.Blocks`.
    """
    where: dict[str, Any] = {"start": start, "end": end, "channel": channel}
    first = Blocks(path, **where)
    next(iter(first))  # only now is the file's rate known
    return of_blocks(Blocks(path, first.file_rate, **where), first.file_rate, frontend)


def of_blocks(blocks: Iterable[np.ndarray], sample_rate: int, frontend: LogMel) -> Unheard:
    """Measure what a front end cannot hear of a sound that comes in blocks.

    Parameters
    ----------
    blocks : iterable of ndarray of float, each (samples,)
    sample_rate : int
        Of the blocks, in hertz.
    frontend : LogMel

    Returns
    -------
    Unheard

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.unheard import of_blocks
    >>> t = np.arange(48_000) / 48_000
    >>> bat_and_bell = np.sin(2 * np.pi * 18_000 * t) + np.sin(2 * np.pi * 2_000 * t)
    >>> round(of_blocks([bat_and_bell], 48_000, xa.LogMel.vggish()).above, 3)
    0.5
    """
    low, high = _range(frontend)
    hertz = np.fft.rfftfreq(_WINDOW, 1 / sample_rate)
    total = np.zeros(len(hertz))
    for block in blocks:
        total += _energy(np.asarray(block, float))
    whole = total.sum()
    above, below = (
        float(total[there].sum() / whole) if whole > 0 else 0.0
        for there in (hertz > high, hertz < low)
    )
    return Unheard(above, below, low, high, int(sample_rate))


def _range(frontend: LogMel) -> tuple[float, float]:
    """Return where the lowest band begins and the highest ends, in hertz."""
    nyquist = frontend.sample_rate / 2
    return float(frontend.fmin or 0.0), float(min(frontend.fmax or nyquist, nyquist))


def _energy(wave: np.ndarray) -> np.ndarray:
    """Return the energy at each frequency; the squares of overlapping windows sum to one."""
    step = _WINDOW // 2
    padded = np.pad(wave, (step, step + -len(wave) % step))
    rows = np.lib.stride_tricks.sliding_window_view(padded, _WINDOW)[::step]
    window = np.sin(np.pi * (np.arange(_WINDOW) + 0.5) / _WINDOW)
    energy = np.square(np.abs(np.fft.rfft(rows * window, axis=1))).sum(axis=0)
    energy[1:-1] *= 2  # the negative frequencies
    return energy
