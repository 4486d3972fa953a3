"""What somebody else's function answers: looked at, and frame by frame put together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import XaiAudioError

POOLS = {"mean": np.mean, "max": np.max}


def check_pool(span, pool) -> None:
    """Raise XaiAudioError unless `span` and `pool` say how frames become one answer."""
    if pool not in POOLS:
        raise XaiAudioError(f"pool is {pool!r}: it must be one of {', '.join(POOLS)}.")
    if span is None:
        return
    try:
        start, stop = map(float, span)
    except (TypeError, ValueError) as error:
        raise XaiAudioError(
            f"span is {span!r}: it must be two times within a segment, (from, to) in seconds."
        ) from error
    if not 0 <= start < stop < np.inf:
        raise XaiAudioError(f"span is {span!r}: it must go from a time to a later one, in seconds.")


@dataclass(frozen=True)
class Asked:
    """A function of somebody else's: given plain arrays, and its answers are looked at.

    Attributes
    ----------
    function : callable
    name : str
    classes : int
    seconds : float
        Length of what it is asked about, for a span of frames.
    span : tuple of float or None
        The frames whose middle lies in it count, where the answer has frames; None for all.
    pool : {"mean", "max"}
        What is made of the frames.
    what : str
        What it is asked about, for messages.
    """

    function: Callable
    name: str
    classes: int
    seconds: float
    span: tuple[float, float] | None = None
    pool: str = "mean"
    what: str = "sounds"

    def __call__(self, given: Any) -> np.ndarray:
        """Return scores, float32 (n, classes)."""
        given = np.array(given, np.float32)  # its own: it may write into it
        try:
            found = self.function(given)
        except XaiAudioError:
            raise
        except Exception as error:
            raise XaiAudioError(
                f"{self.name} failed on {self.what}, a NumPy array of float32 of the shape "
                f"{given.shape}: {type(error).__name__}: {error}"
            ) from error
        found = self._plain(found)
        if found.shape == (len(given),) and self.classes == 1:
            found = found[:, None]
        if found.ndim == 3 and len(found) == len(given):
            found = self._pooled(found)
        elif self.span is not None and found.ndim == 2:
            raise XaiAudioError(
                f"{self.name} gives one answer for a whole segment, not one for each frame: leave "
                "out span."
            )
        if found.shape != (len(given), self.classes):
            raise XaiAudioError(
                f"{self.name} answered {len(given)} {self.what} with the shape {found.shape}, but "
                f"({len(given)}, {self.classes}) is needed: a row for each of the {self.what}, a "
                f"column for each label.{self._counted(found.shape, len(given))}"
            )
        return found

    def _plain(self, found) -> np.ndarray:
        try:
            return plain(found)
        except (TypeError, ValueError, RuntimeError) as error:
            raise XaiAudioError(
                f"{self.name} answered with a {type(found).__name__}, of which no array of numbers "
                f"can be made: return the scores alone, (n, {self.classes}), such as its .logits. "
                f"{type(error).__name__}: {error}"
            ) from error

    def _counted(self, shape, rows: int) -> str:
        """Say how many labels are needed, if it is only their number that is wrong."""
        if len(shape) != 2 or shape[0] != rows:
            return ""
        return f" It knows {shape[1]} classes, and has {self.classes} labels: give {shape[1]}."

    def _pooled(self, found) -> np.ndarray:
        frames = found.shape[1]
        middles = (np.arange(frames) + 0.5) * self.seconds / max(frames, 1)
        start, stop = self.span or (0, np.inf)
        chosen = (middles >= start) & (middles < stop)
        if not chosen.any():
            raise XaiAudioError(
                f"{self.name} gives {frames} frames in {self.seconds:.3g} s, and none of them has "
                f"its middle between {start:g} and {stop:g} s: take a longer span."
            )
        return POOLS[self.pool](found[:, chosen], axis=1)


def plain(found) -> np.ndarray:
    """Return what a function gave as float32, also a tensor of PyTorch with its gradients."""
    for step in ("detach", "cpu", "float"):
        if hasattr(found, "detach") and hasattr(found, step):
            found = getattr(found, step)()
    if np.iscomplexobj(found):
        raise TypeError("The numbers are complex.")
    return np.asarray(found, np.float32)
