"""Long sounds on the command line: which they are, and which seconds of them are meant."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..audio import load_audio
from ..clock import clock, seconds_of
from ..errors import XaiAudioError
from ..streaming import Blocks
from .console import note, quiet_libraries

if TYPE_CHECKING:
    from ..pages.long_sound import LongSound

# Sounds from here on, in seconds, become a timeline unless told otherwise.
LONG = 60.0


@dataclass(frozen=True)
class Stretch:
    """The seconds of a file, and the channel, that are meant; None is all."""

    start: float | None = None
    end: float | None = None
    channel: int | None = None

    @classmethod
    def of(cls, begin: str | None, stop: str | None, channel: int | None) -> Stretch:
        """Read ``--from`` and ``--to``."""
        times = []
        for option, text in (("--from", begin), ("--to", stop)):
            try:
                times.append(None if text is None else seconds_of(text))
            except XaiAudioError as error:
                raise XaiAudioError(f"{option} {error}") from error
        start, end = times
        if end is not None and not (start or 0.0) < end:
            raise XaiAudioError(
                f"--to is {clock(end)}: it must come after --from, {clock(start or 0.0)}."
            )
        return cls(start, end, channel)

    @property
    def options(self) -> dict[str, Any]:
        """What functions that read files are to be told."""
        return {"start": self.start, "end": self.end, "channel": self.channel}

    def read(self, file: Path, sample_rate: int) -> np.ndarray:
        """Return the sound, of which there is little."""
        if self.start is None and self.end is None:
            return load_audio(file, sample_rate=sample_rate, channel=self.channel)
        return np.concatenate(list(Blocks(file, sample_rate, **self.options)))


def readable(files, stretch: Stretch, as_timeline: bool | None) -> dict[Path, bool]:
    """Return the files that hold sound, and whether each becomes a timeline.

    The others are complained of now, not after minutes of work.
    """
    good = {}
    for file in files:
        try:
            with quiet_libraries():  # the MP3 decoder writes of damage that it gets over
                good[file] = _is_long(file, stretch, as_timeline)
        except XaiAudioError as error:
            note(f"xaiaudio: {error if str(file) in str(error) else f'{file}: {error}'}")
    return good


def _is_long(file: Path, stretch: Stretch, as_timeline: bool | None) -> bool:
    blocks = Blocks(file, **stretch.options)
    lasts = blocks.expected
    # Of a file that says how long it is, the first block tells whether it can be read.
    if lasts is not None and (as_timeline or lasts >= LONG):
        next(iter(blocks))
        return as_timeline is not False
    for _ in blocks:
        if as_timeline or blocks.seconds >= LONG:
            return as_timeline is not False
    return bool(as_timeline)


def idle(good: dict[Path, bool], sound: str, pad: bool) -> list[str]:
    """Say in a line each which options do nothing for the sounds that become timelines."""
    count = sum(good.values())
    if not count:
        return []
    what = f"{count} of {len(good)} sounds" if len(good) > 1 else str(next(iter(good)))
    become = f"{what} {'become timelines' if count > 1 else 'becomes a timeline'}"
    lines = []
    if sound == "wav":
        lines.append(
            f"{become}, without files of kept and removed sounds: --sound wav does nothing there. "
            "--no-timeline writes them."
        )
    if pad:
        lines.append(
            f"{become}, which needs a patch of sound at least: --pad does nothing there. "
            "--no-timeline lengthens short sounds."
        )
    return lines


def answer_of(page: LongSound) -> str:
    """Return what was found in a long sound, as a line, and each explained event as another."""
    line = page.timeline
    if line.silent.all():
        return f"silent for {clock(line.file.seconds)}"
    if not page.events:
        what = f" of {page.target}" if page.target else ""
        return f"no event{what} in {clock(line.file.seconds)}, threshold {page.threshold:.0%}"
    count = len(page.events)
    first = f"{count} event{'s' if count > 1 else ''} in {clock(line.file.seconds)}, explained:"
    told = [
        f"  {clock(one.event.start)} to {clock(one.event.end)}  {one.event.label} "
        f"({one.event.peak_score:.0%})"
        for one in page.explained
    ]
    return "\n".join([first, *told]) if told else first.replace(", explained:", "")
