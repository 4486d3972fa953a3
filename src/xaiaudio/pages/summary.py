"""The summary of many explained sounds: a page that leads to theirs, and a table."""

from __future__ import annotations

import base64
import html
import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from ..clock import counted
from ..exports.registry import find
from ..exports.registry import write as write_rows
from ..files import whole
from ..plots.thumbnails import SIZE, thumbnail
from .common import STYLE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from ..types import PathLike
    from .clip import ExplainedClip
    from .long_sound import LongSound

#: The first so many sounds have a picture, of at most 5 kB each: more would make a page slow.
PICTURES = 500


@dataclass(frozen=True)
class Line:
    """What is said of one sound.

    Attributes
    ----------
    file : str
        As the user named it.
    page : str
        Name of its page, in the same folder; empty if it failed.
    answer : str
        The class that the network hears; of one that can hear several at once, the surest, a
        more exact one before a more general one.
    share : float
        Of the voting patches, that were given this class; NaN if several can be heard at once.
    probability : float
        Mean score of that class over the voting patches; its highest if several can be heard.
    patches, silent : int
        How many voted, and how many are silent.
    target : str
        The classes explained.
    seconds : float
        How long the sound lasts.
    kept : dict of str to str
        By method, what the network hears in the kept sound alone.
    picture : bytes
        A small PNG.
    failed : str
        Why it could not be explained; empty if it was.
    """

    file: str
    page: str = ""
    answer: str = ""
    share: float = float("nan")
    probability: float = float("nan")
    patches: int = 0
    silent: int = 0
    target: str = ""
    seconds: float = float("nan")
    kept: dict[str, str] = field(default_factory=dict)
    picture: bytes = field(default=b"", repr=False)
    failed: str = ""


def line_of(clip: ExplainedClip, file: str, page: str) -> Line:
    """Return what a summary says of an explained clip."""
    said, part = clip.prediction, clip.parts[0]
    rows = clip.frontend.spectrogram(
        np.pad(clip.wave, (0, max(0, clip.frontend.min_samples - len(clip.wave))))
    )
    if clip.tags is None:
        scores = said.patch_scores[said.voted] if said.voted.any() else said.patch_scores
        share = said.shares[said.label]
        answer, score = said.label, float(scores.mean(axis=0)[clip.model.index(said.label)])
    else:
        (most,) = clip.tags.top(1)
        answer, score, share = most.label, most.score, float("nan")
    return Line(
        file=file,
        page=page,
        answer=answer,
        share=share,
        probability=score,
        patches=int(said.voted.sum()),
        silent=said.quiet,
        target=", ".join(clip.targets),
        seconds=len(clip.wave) / clip.frontend.sample_rate,
        kept={
            one.method: one.heard.answers["kept"].hears
            for one in clip.parts
            if one.heard.answers is not None
        },
        picture=thumbnail(rows, part.relevance),
    )


def line_of_long(sound: LongSound, file: str, page: str) -> Line:
    """Return what a summary says of a long sound: its surest event, and what was explained."""
    line = sound.timeline
    voted = ~line.silent
    best = max(sound.events, key=lambda event: event.peak_score, default=None)
    count = len(sound.events)
    share = float("nan")
    if best is not None and line.exclusive:
        share = float((line.winners[voted] == line.labels.index(best.label)).mean())
    return Line(
        file=file,
        page=page,
        answer="no event" if best is None else best.label,
        share=share,
        probability=float("nan") if best is None else best.peak_score,
        patches=int(voted.sum()),
        silent=int((~voted).sum()),
        target=f"{len(sound.explained)} of {count} event{'' if count == 1 else 's'}",
        seconds=line.file.seconds,
    )


def rows_of_lines(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """Return the summary as rows for :func:`.exports.registry.write`."""
    methods = list(dict.fromkeys(method for line in lines for method in line.kept))
    return [
        {
            "file": line.file,
            "page": line.page,
            "class": line.answer,
            "share_of_patches": line.share,
            "probability": line.probability,
            "patches": line.patches,
            "silent_patches": line.silent,
            "explained": line.target,
            "seconds": line.seconds,
            **{f"kept_by_{method}": line.kept.get(method, "") for method in methods},
            "failed": line.failed,
        }
        for line in lines
    ]


def write(lines: Sequence[Line], folder: PathLike, tables: Sequence[str] = ()) -> list[Path]:
    """Write ``index.html`` and ``summary.csv`` into a folder.

    Parameters
    ----------
    lines : sequence of Line
    folder : path-like
        Where the sounds' own pages are; made if need be.
    tables : sequence of str
        ``"parquet"`` and ``"json"`` are written as well; labels of a summary make no sense.

    Returns
    -------
    list of Path
        The page first.

    Raises
    ------
    XaiAudioError
        If they cannot be written.
    """
    folder = Path(folder)
    with whole(folder / "index.html") as partial:
        folder.mkdir(parents=True, exist_ok=True)
        partial.write_text(page(lines), encoding="utf-8")
    rows = rows_of_lines(lines)
    kinds = ["csv", *(one for one in tables if one in ("json", "parquet"))]
    return [
        folder / "index.html",
        *(write_rows(folder / f"summary{find(one).suffix}", rows) for one in kinds),
    ]


def page(lines: Sequence[Line]) -> str:
    """Return the page: a row for each sound, how many of each class, and what failed."""
    good = [line for line in lines if not line.failed]
    failed = [line for line in lines if line.failed]
    title = f"{counted(len(good), 'sound')} explained"
    heads = ["file", "hears", "share of patches", "probability", "explained", "seconds"]
    methods = list(dict.fromkeys(method for line in good for method in line.kept))
    heads += [f"kept by {method}" for method in methods]
    above = _above(lines)
    body = "".join(
        _row(line, methods, number < PICTURES, above) for number, line in enumerate(good)
    )
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{STYLE}{_STYLE}</style>
</head>
<body>
<main class="wide">
<h1>{title}</h1>
{_counts(good)}
<section>
<h2>Sounds</h2>
<p>The pictures show the spectrogram, and in red what speaks for the class explained, by the first
method. {_missing(len(good))}All of it is in <a href="summary.csv">summary.csv</a>, too.</p>
<div class="scroll" tabindex="0" role="region" aria-label="Table of sounds">
<table class="sounds"><thead><tr><td></td>{"".join(map(_head, heads))}</tr></thead>
<tbody>{body}</tbody></table>
</div>
</section>
{_failures(failed)}
</main>
<script>
{_SCRIPT}</script>
</body>
</html>
"""


def _above(lines: Sequence[Line]) -> int:
    """Return how many characters the files' names begin with that all share: their folder."""
    folders = [os.path.dirname(line.file) for line in lines]
    try:
        shared = os.path.commonpath(folders) if all(folders) else ""
    except ValueError:  # absolute and relative names, other drives
        shared = ""
    return len(shared.rstrip("/\\")) + 1 if shared else 0


def _head(name: str) -> str:
    return f'<th scope="col" aria-sort="none"><button>{html.escape(name)}</button></th>'


def _row(line: Line, methods, drawn: bool, above: int) -> str:
    image = ""
    if drawn and line.picture:
        source = base64.b64encode(line.picture).decode()
        width, height = SIZE
        image = (
            f'<img src="data:image/png;base64,{source}" width="{width}" height="{height}" alt="">'
        )
    cells = [_text(line.answer), _number(line.share, "{:.0%}"), _number(line.probability, "{:.2f}")]
    cells += [_text(line.target), _number(line.seconds, "{:.2f}")]
    cells += [_text(line.kept.get(method, "")) for method in methods]
    name = html.escape(line.file[above:])
    link = f'<a href="{html.escape(quote(line.page))}">{name}</a>'
    return (
        f'<tr><td>{image}</td><th scope="row" data-key="{name}">{link}</th>{"".join(cells)}</tr>\n'
    )


def _text(value: str) -> str:
    return f'<td data-key="{html.escape(value)}">{html.escape(value)}</td>'


def _number(value: float, form: str) -> str:
    if not np.isfinite(value):
        return "<td></td>"
    return f'<td class="number" data-key="{value:.6f}">{form.format(value)}</td>'


def _counts(good: Sequence[Line]) -> str:
    counts = Counter(line.answer for line in good).most_common()
    most = counts[0][1] if counts else 1
    rows = "".join(
        f'<tr><th scope="row">{html.escape(label)}</th>'
        f'<td><span class="bar" style="width:{100 * count / most:.1f}%"></span></td>'
        f"<td>{count}</td></tr>"
        for label, count in counts
    )
    return (
        "<section><h2>What the network hears</h2>"
        f"<table><caption>Sounds of each class</caption><tbody>{rows}</tbody></table></section>"
    )


def _missing(count: int) -> str:
    return f"Only the first {PICTURES} have one. " if count > PICTURES else ""


def _failures(failed: Sequence[Line]) -> str:
    rows = "".join(
        f"<li><strong>{html.escape(line.file)}</strong>: {html.escape(line.failed)}</li>"
        for line in failed
    )
    return f"<section><h2>What could not be explained</h2><ul>{rows}</ul></section>" if rows else ""


_STYLE = """
main.wide { max-width: 80rem; }
.scroll { overflow-x: auto; }
.sounds { max-width: none; }
.sounds th, .sounds td { padding: .2rem .75rem .2rem 0; width: auto; text-align: left;
  white-space: nowrap; }
.sounds th[scope=row] { white-space: normal; overflow-wrap: anywhere; min-width: 10rem; }
.sounds .number { text-align: right; font-variant-numeric: tabular-nums; }
.sounds img { margin: 0; padding: 0; width: auto; border-radius: 3px; }
.sounds tbody tr { border-top: 1px solid var(--line); }
.sounds button { font: inherit; color: inherit; background: none; border: 0; padding: 0;
  cursor: pointer; text-decoration: underline dotted; }
[aria-sort=ascending] button::after { content: " \\25B2"; }
[aria-sort=descending] button::after { content: " \\25BC"; }
a { color: var(--bar); }
"""

# Without it the table stands in the order of the files. A second click turns the order round.
_SCRIPT = """for (const button of document.querySelectorAll(".sounds button")) {
  button.addEventListener("click", () => {
    const head = button.parentElement, body = head.closest("table").tBodies[0];
    const column = head.cellIndex;
    const up = head.getAttribute("aria-sort") !== "ascending";
    for (const other of head.parentElement.querySelectorAll("th")) {
      other.setAttribute("aria-sort", "none");
    }
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const key = (row) => row.cells[column].dataset.key ?? "";
    const rows = [...body.rows];
    rows.sort((a, b) => key(a).localeCompare(key(b), undefined, { numeric: true }));
    if (!up) rows.reverse();
    body.append(...rows);
  });
}
"""
