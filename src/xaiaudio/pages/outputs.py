"""The files that an explained clip becomes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..explainers.regions import KEEP
from ..exports.registry import find
from ..exports.rows import plain, rows_of
from ..plots.render import DPI, render
from ..sonify.own_rate import wav
from ..sonify.player import mp3

if TYPE_CHECKING:
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
