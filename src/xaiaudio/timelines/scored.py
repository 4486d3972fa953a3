"""What a network says of a long sound, patch by patch."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from collections.abc import Sequence

# A patch below this many dB of full scale is silence: what is left is the last bit of 16, or
# rounding. How loud the rest of the recording is has no say in it: it may be one clap in an hour.
SILENT_DB = -90.0


@dataclass(frozen=True)
class FileFacts:
    """What is known of the file that a timeline is of.

    Attributes
    ----------
    name : str
        The file's name, without its folder.
    sample_rate : int
        In hertz, as the file has it (of its first part, if several sounds are joined in it).
    channels : int
    start, end : float
        The seconds of the file that were read.
    missing : str
        What of the file could not be read; empty if it is whole.
    """

    name: str = ""
    sample_rate: int = 0
    channels: int = 1
    start: float = 0.0
    end: float = 0.0
    missing: str = ""

    @property
    def seconds(self) -> float:
        """How much of the file was read, in seconds."""
        return self.end - self.start


@dataclass(frozen=True, eq=False)
class Timeline:
    """What a network says of a sound, patch by patch.

    Attributes
    ----------
    starts, ends : ndarray of float64, shape (n,)
        Where each patch begins and ends in the file, in seconds.
    scores : ndarray of float32, shape (n, classes)
        The network's probabilities.
    labels : tuple of str
        The classes.
    exclusive : bool
        Whether a network's probabilities are of one class out of all (a softmax). Otherwise each
        class has its own, and several can be heard at once.
    levels : ndarray of float64, shape (n,)
        How loud each patch is: the mean square of its samples in dB of full scale; -inf is
        digital silence.
    peaks : ndarray of float32, shape (n,)
        The largest magnitude of the samples from each patch's start to the next one's.
    model : str
        The network's name.
    file : FileFacts

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.timelines import Timeline
    >>> line = Timeline(np.arange(3) * 0.5, np.arange(3) * 0.5 + 1, np.eye(3), ("a", "b", "c"))
    >>> line
    Timeline(3 patches from 0.00 s to 2.00 s, 3 classes)
    >>> line.edges.tolist()
    [0.0, 0.75, 1.25, 2.0]
    """

    starts: np.ndarray
    ends: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]
    exclusive: bool = True
    levels: np.ndarray | None = None
    peaks: np.ndarray | None = None
    model: str = ""
    file: FileFacts = field(default_factory=FileFacts)

    def __post_init__(self):
        starts, ends = (np.asarray(times, np.float64) for times in (self.starts, self.ends))
        scores = np.asarray(self.scores, np.float32)
        labels: Sequence[str] = tuple(self.labels)
        count = len(starts) if starts.ndim == 1 else -1
        if ends.shape != starts.shape or scores.shape != (count, len(labels)):
            raise XaiAudioError(
                f"The starts, ends and scores have the shapes {starts.shape}, {ends.shape} and "
                f"{scores.shape}: (n,), (n,) and (n, {len(labels)}) are needed."
            )
        if count > 1 and not ((np.diff(starts) > 0).all() and (ends > starts).all()):
            raise XaiAudioError("The patches must follow each other, and each end after its start.")
        for name, value in (("starts", starts), ("ends", ends), ("scores", scores)):
            object.__setattr__(self, name, value)
        object.__setattr__(self, "labels", labels)
        for name in ("levels", "peaks"):
            value = getattr(self, name)
            if value is not None and np.shape(value) != (count,):
                raise XaiAudioError(
                    f"{name} has the shape {np.shape(value)}: ({count},) is needed."
                )

    def __len__(self) -> int:
        return len(self.starts)

    def __repr__(self) -> str:
        where = f" from {self.starts[0]:.2f} s to {self.ends[-1]:.2f} s" if len(self) else ""
        return f"Timeline({len(self)} patches{where}, {len(self.labels)} classes)"

    @property
    def middles(self) -> np.ndarray:
        """The middle of each patch in seconds, shape (n,)."""
        return (self.starts + self.ends) / 2

    @property
    def edges(self) -> np.ndarray:
        """The seconds for which each patch speaks, shape (n + 1,).

        Patches overlap: each speaks for the seconds that are nearer to its middle than to any
        other's, the first one from its start on, the last one up to its end.
        """
        if not len(self):
            return np.zeros(0)
        middles = self.middles
        between = (middles[1:] + middles[:-1]) / 2
        return np.concatenate([self.starts[:1], between, self.ends[-1:]])

    @property
    def silent(self) -> np.ndarray:
        """Which patches are silence, below -90 dB of full scale: bool (n,)."""
        if self.levels is None:
            return np.zeros(len(self), bool)
        return np.asarray(self.levels) < SILENT_DB

    @property
    def winners(self) -> np.ndarray:
        """The number of the class with the highest score of each patch, int (n,)."""
        return self.scores.argmax(axis=1)
