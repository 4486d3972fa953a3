"""The files that an explained clip becomes, and how all of them are written or none."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import XaiAudioError
from ..explainers.regions import KEEP
from ..exports.registry import find
from ..exports.rows import plain, rows_of
from ..files import put
from ..plots.render import DPI, render
from ..sonify.own_rate import wav
from ..sonify.player import mp3

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from ..types import PathLike
    from .clip import ExplainedClip, Part


@dataclass(frozen=True)
class Outputs:
    """What is to be written beside a clip's page and its maps.

    Attributes
    ----------
    figures : tuple of str
        Formats of the picture: "png", "pdf", "svg".
    dpi : float
        Dots per inch of the picture.
    sound : {"mp3", "wav"}
        Of the kept and removed sounds. WAV is at the recording's own rate, where the clip knows it.
    tables : tuple of str
        Formats of the regions of each map, see :func:`.exports.registry.formats`.
    keep : float
        Share of the cells that regions are made of.
    """

    figures: tuple[str, ...] = ("png",)
    dpi: float = DPI
    sound: str = "mp3"
    tables: tuple[str, ...] = ()
    keep: float = KEEP


def files_of(clip: ExplainedClip, stem: str, outputs: Outputs) -> dict[str, bytes]:
    """Return the files' contents by their names, the page first; maps are files of their own."""
    files = {f"{stem}.html": clip.html().encode()}
    for one, name in clip.named(stem):
        for kind in outputs.figures:
            ready = kind == "png" and outputs.dpi == DPI
            files[f"{name}.{kind}"] = one.png if ready else render(one.picture(), kind, outputs.dpi)
        for part in one.parts:
            files |= _files_of_part(part, clip, f"{name}-{part.method}", outputs)
    return files


def _files_of_part(
    part: Part, clip: ExplainedClip, name: str, outputs: Outputs
) -> dict[str, bytes]:
    files = {
        f"{name}-{half}.{outputs.sound}": _sound(part, half, outputs.sound)
        for half in ("kept", "removed")
    }
    if outputs.tables:
        rows = plain(rows_of(part.result, file=clip.name, keep=outputs.keep, begins=clip.begins))
        files |= {f"{name}{one.suffix}": one.encode(rows) for one in map(find, outputs.tables)}
    return files


def _sound(part: Part, half: str, kind: str) -> bytes:
    if kind == "wav" and part.own is not None:
        return part.own.wav(half)
    wave, rate = getattr(part.heard, half), part.heard.sample_rate
    return wav(wave[:, None], rate) if kind == "wav" else mp3(wave, rate)


def put_down(contents: Mapping[str, bytes], folder: Path) -> list[str]:
    """Write files, given by their names, into a folder; return the names."""
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return list(contents)


def write_all(folder: PathLike, stem: str, fill: Callable[[Path], list[str]]) -> list[Path]:
    """Write files into a folder: all of them or none.

    Parameters
    ----------
    folder : path-like
        Made if need be.
    stem : str
        What the files' names begin with.
    fill : callable
        Writes them into the folder that it is given, and returns their names.

    Returns
    -------
    list of Path
        In the order of the names.

    Raises
    ------
    XaiAudioError
        If they cannot be written.
    """
    folder = Path(folder)
    partial = folder / f"{stem}.partial"
    try:
        partial.mkdir(parents=True, exist_ok=True)
        names = fill(partial)
        for name in names:
            put(partial / name, folder / name)
    except OSError as error:
        raise XaiAudioError(
            f"Could not write to {folder}: {error.strerror or error}. Make room, or name "
            "another folder with --out."
        ) from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return [folder / name for name in names]
