"""What ``xaiaudio explain`` reads from folders, and what it writes beside the pages."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..audio import EXTENSIONS, load_audio
from ..errors import XaiAudioError
from .console import note, quiet_libraries, say

if TYPE_CHECKING:
    from ..pages.outputs import Outputs
    from ..pages.summary import Line
    from .long import Stretch

# A summary is written anew after so many sounds, so that Ctrl-C leaves one behind.
_OFTEN = 20


class Table(StrEnum):
    """Formats of tables, as `exports.formats` has them, which takes seconds to import."""

    csv = "csv"
    json = "json"
    parquet = "parquet"
    audacity = "audacity"
    raven = "raven"


class Figure(StrEnum):
    """Formats of figures."""

    png = "png"
    pdf = "pdf"
    svg = "svg"


class Sound(StrEnum):
    """Formats of the kept and removed sounds."""

    mp3 = "mp3"
    wav = "wav"


Tables = Annotated[
    list[Table] | None,
    typer.Option(
        "--table", help="Write the regions that speak for the class; repeat for several formats."
    ),
]
Figures = Annotated[
    list[Figure] | None,
    typer.Option("--figure", help="Format of the picture; repeat for several. Default: png."),
]
Dpi = Annotated[
    int, typer.Option(min=20, max=1200, help="Dots per inch of the picture that is written.")
]
KeptAs = Annotated[
    Sound,
    typer.Option(
        "--sound",
        help="mp3 as the network hears it, or wav at the file's own rate and channels. Not "
        "of timelines, whose sounds are in the page.",
    ),
]


def gather(given: list[Path], out: Path) -> tuple[list[Path], bool]:
    """Return the sounds that were named, those in folders too, and whether to sum them up.

    What lies in the folder for the results, or is hidden, is not taken.
    """
    files: list[Path] = []
    for path in given:
        if not path.is_dir():
            files.append(path)
            continue
        found = [one for one in _below(path) if not one.absolute().is_relative_to(out.absolute())]
        if not found and len(given) == 1:
            raise XaiAudioError(
                f"{path} is a folder that holds no sounds ({', '.join(EXTENSIONS[:4])}, ...): name "
                "another one, or files."
            )
        files += found or [path]  # which is complained of as the others are read
    return list(dict.fromkeys(files)), len(given) > 1 or any(path.is_dir() for path in given)


def _below(folder: Path) -> list[Path]:
    """Return the sounds in a folder and in those below it, sorted."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found += [
            Path(place, name)
            for name in sorted(names)
            if not name.startswith(".") and Path(name).suffix.lower() in EXTENSIONS
        ]
    return found


def outputs_of(table, figure, dpi: int, sound: str, keep: float | None) -> Outputs:
    """Return what is to be written, or complain of what cannot be."""
    from ..explainers.regions import KEEP
    from ..exports import parquet
    from ..pages.outputs import Outputs

    tables = tuple(map(str, dict.fromkeys(table or ())))
    if "parquet" in tables:
        parquet.check()
    figures = tuple(map(str, dict.fromkeys(figure or ("png",))))
    return Outputs(figures, dpi, str(sound), tables, KEEP if keep is None else keep)


def write(clip: Any, file: Path, stretch: Stretch, out: Path, stem: str, outputs: Outputs) -> Path:
    """Write all of a clip or a long sound into the folder; return its page."""
    from ..pages.clip import ExplainedClip

    if outputs.sound == "wav" and isinstance(clip, ExplainedClip):
        from ..sonify.own_rate import load_channels

        with quiet_libraries():
            samples, rate = load_channels(file)
        first = round((stretch.start or 0.0) * rate)
        last = None if stretch.end is None else round(stretch.end * rate)
        clip = clip.of_recording(samples[first:last], rate, stretch.channel)
    return clip.write(out, stem, outputs)[0]


class Summary:
    """Collects what is said of each sound, and writes it down if there are several."""

    def __init__(self, files: list[Path], several: bool, out: Path, outputs: Outputs):
        self.files, self.several, self.out, self.outputs = files, several, out, outputs
        self.lines: dict[Path, Line] = {}

    def add(self, clip: Any, file: Path, page: Path) -> None:
        """Take a sound that was explained, a clip or a long one."""
        if self.several:
            from ..pages.clip import ExplainedClip
            from ..pages.summary import line_of, line_of_long

            told = line_of if isinstance(clip, ExplainedClip) else line_of_long
            self._take(file, told(clip, _shown(file), page.name))

    def fail(self, file: Path, reason: object) -> None:
        """Take one that was not."""
        if self.several:
            from ..pages.summary import Line

            self._take(file, Line(_shown(file), failed=str(reason)))

    def _take(self, file: Path, line: Line) -> None:
        self.lines[file] = line
        if len(self.lines) % _OFTEN == 0:
            self._write()

    def _write(self) -> list[Path]:
        from ..pages import summary

        lines = [self.lines[file] for file in self.files if file in self.lines]
        return summary.write(lines, self.out, self.outputs.tables)

    def finish(self, channel: int | None) -> None:
        """Write the page and the table, and say where they are."""
        if self.several:
            for file in self.files:
                if file not in self.lines:  # it held no sound; now also for the record
                    try:
                        with quiet_libraries():
                            load_audio(file, channel=channel)
                    except XaiAudioError as error:
                        self.fail(file, error)
            page, table, *_ = self._write()
            note(f"{len(self.lines)} sounds summed up in {table}.")
            say(f"Summary: {page}")


def _shown(file: Path) -> str:
    return str(file).encode("utf-8", "replace").decode()
