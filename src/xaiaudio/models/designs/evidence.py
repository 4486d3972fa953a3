"""What the parts of a network that explains itself stand for: places in clips, spectra, pictures.

Evidence is plain data, so that it is saved in the network's file. It holds no sound: a place names
its clip and the seconds in it, and is heard with the clips at hand.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError

if TYPE_CHECKING:
    from typing import Any

    from ...datasets.base import Clip


@dataclass(frozen=True)
class Place:
    """A stretch of a recording, and the band of frequencies in it.

    Attributes
    ----------
    clip : str
        The clip's name.
    start, end : float
        In seconds from the beginning of the clip.
    low, high : float
        In hertz; from 0 to infinity where the whole spectrum counts.
    """

    clip: str
    start: float
    end: float
    low: float = 0.0
    high: float = float("inf")

    def wave(self, clips: Iterable[Clip], sample_rate: int, least: int = 0) -> np.ndarray:
        """Return this stretch of the clip, float32 (samples,), at its own loudness.

        Parameters
        ----------
        clips : iterable of Clip
            Those that the network was trained on.
        sample_rate : int
            In hertz.
        least : int
            Samples that a shorter clip is lengthened to with silence, as it is before patches are
            cut: what a prototype is may lie there.

        Raises
        ------
        XaiAudioError
            If the clip is not among them, or is shorter than the place says.
        """
        for clip in clips:
            if clip.name == self.clip:
                break
        else:
            raise XaiAudioError(
                f"The clip {self.clip!r} is not among these: give the clips that the network was "
                "trained on."
            )
        wave = clip.load(sample_rate)
        first, last = (int(round(time * sample_rate)) for time in (self.start, self.end))
        first = max(first, 0)
        if first >= max(len(wave), least):
            raise XaiAudioError(
                f"{self.clip} lasts {len(wave) / sample_rate:.2f} s, but the place begins at "
                f"{self.start:.2f} s: this is another recording of that name."
            )
        return np.pad(wave, (0, max(0, least - len(wave))))[first:last]


@dataclass(frozen=True, eq=False)
class Evidence:
    """What one part is.

    Attributes
    ----------
    name : str
        For people.
    label : str or None
        The class that it speaks for; None for a part that has no class of its own.
    places : tuple of Place
        Where it is heard in the clips that the network was trained on, the best first.
    spectrum : ndarray of float32, shape (bands,), or None
        Magnitudes of the front end's bands.
    picture : ndarray of float32, shape (frames, bands), or None
        A log-mel patch.
    """

    name: str
    label: str | None = None
    places: tuple[Place, ...] = field(default=())
    spectrum: np.ndarray | None = None
    picture: np.ndarray | None = None

    def to_config(self) -> dict[str, Any]:
        """Return plain values, see :meth:`from_config`."""
        made: dict[str, Any] = {"name": self.name, "label": self.label}
        made["places"] = [list(dataclasses.astuple(place)) for place in self.places]
        for name in ("spectrum", "picture"):
            values = getattr(self, name)
            made[name] = None if values is None else _short(values)
        return made

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Evidence:
        """Return the evidence that :meth:`to_config` gave; ValueError if it is none."""
        try:
            places = tuple(Place(str(clip), *map(float, rest)) for clip, *rest in config["places"])
            arrays = {
                name: None if config[name] is None else np.asarray(config[name], np.float32)
                for name in ("spectrum", "picture")
            }
        except OverflowError as error:  # a whole number of hundreds of digits
            raise ValueError(str(error)) from error
        for place in places:
            if not 0 <= place.start <= place.end < np.inf:
                raise ValueError(f"a place from {place.start} s to {place.end} s")
        for name, values in arrays.items():
            if values is not None and not np.isfinite(values).all():
                raise ValueError(f"a {name} that is not finite")
        label = config["label"]
        return cls(str(config["name"]), None if label is None else str(label), places, **arrays)


def _short(values) -> list:
    """Return float32 numbers with no more digits than they have: half of the text."""
    return np.asarray(values, np.float32).astype(str).astype(float).tolist()
