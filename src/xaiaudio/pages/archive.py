"""What a network listens to in an archive, class by class: a page and tables."""

from __future__ import annotations

import csv
import html
import io
import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from .. import plots
from ..clock import counted
from ..plots.render import render
from .common import STYLE, picture, write_each

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..corpus.classes import ClassReport
    from ..corpus.results import Results
    from ..types import PathLike

LISTED = 200  # bad files shown on the page; the table has all


def write(
    results: Results, reports: Sequence[ClassReport], method: str, folder: PathLike
) -> list[Path]:
    """Write ``report.html``, ``classes.csv``, ``groups.csv`` and ``bad.csv`` into a folder.

    Parameters
    ----------
    results : Results
    reports : sequence of ClassReport
        By :func:`xaiaudio.corpus.classes.by_class`.
    method : str
        That the reports are of.
    folder : path-like
        Made if need be.

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
    files = {
        "report.html": page(results, reports, method, folder),
        "classes.csv": _csv(_by_frequency(results, reports)),
        "groups.csv": _csv(_memberships(reports)),
        "bad.csv": _csv([["file", "reason"], *_bad(results)]),
    }
    return write_each({name: text.encode() for name, text in files.items()}, folder)


def page(results: Results, reports: Sequence[ClassReport], method: str, folder: PathLike) -> str:
    """Return the page; its sounds are links into the archive, seen from the folder."""
    frontend, bad = results.frontend, _bad(results)
    clips = sum(len(report.files) for report in reports)
    divided = [report.label for report in reports if report.groups.found > 1]
    profiles = ""
    if reports:
        told = (
            f"Relevance by frequency for {counted(len(reports), 'class', 'classes')}, by {method}."
        )
        profiles = picture(render(plots.class_profiles(reports, frontend)), told)
    sections = "".join(_section(report, results, Path(folder)) for report in reports)
    rows = "".join(
        f"<tr><th>{html.escape(name)}</th><td>{html.escape(reason)}</td></tr>"
        for name, reason in bad[:LISTED]
    )
    more = f"<p>{len(bad) - LISTED} more in bad.csv.</p>" if len(bad) > LISTED else ""
    listed = f"<section><h2>Bad files</h2><table>{rows}</table>{more}</section>" if bad else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>What the network listens to</title>
<style>{STYLE}{_MORE}</style>
</head>
<body>
<main>
<h1>What the network listens to</h1>
<p class="answer">{html.escape(results.settings.model)} on {counted(clips, "clip")} of
{html.escape(results.settings.folder)}, by {html.escape(method)};
{counted(len(bad), "file is", "files are")} bad.
{_words(divided)}</p>
<section><h2>By frequency</h2>
<p>Mean over the clips that the class was explained for, and its 95 % interval (bootstrap). The
magnitudes of a clip's relevance sum to 1; above 0 speaks for the class.</p>
{profiles}</section>
{sections}
{listed}
<footer><p>Groups are found by spectral clustering of the maps (Lapuschkin et al. 2019). More than
one is reported where the largest gap between eigenvalues is larger than in 95 % of clouds in one
piece with the same mean and covariance. A group is a question, not a verdict: roosters of two
pitches make two groups too. A group smaller than about twice the square root of the number of clips
is overlooked.</p></footer>
</main>
</body>
</html>
"""


def _words(divided) -> str:
    if not divided:
        return "No class falls into groups."
    return f"Maps fall into groups in: {html.escape(', '.join(divided))}."


def _section(report: ClassReport, results: Results, folder: Path) -> str:
    """Return what there is to say of a class."""

    def links(names):
        base = os.path.relpath(results.settings.folder, folder.resolve())
        items = "".join(
            f'<li><audio controls preload="none" src="{quote(os.path.join(base, name))}"></audio>'
            f"{html.escape(name)}</li>"
            for name in names
        )
        return f"<ul>{items}</ul>"

    groups = report.groups
    text = f"<p>One group (p = {groups.p_value:.2f}).</p>"
    if groups.found > 1:
        told = f"Groups of maps of {report.label}: {groups.found}."
        figure = picture(render(plots.map_groups(groups, results.frontend)), told)
        text = f"<p>{groups.found} groups (p = {groups.p_value:.2f}).</p>{figure}"
        for number, band in enumerate(report.bands):
            size = counted(int((groups.labels == number).sum()), "clip")
            text += (
                f"<h3>Group {number + 1}: {size}</h3><p>It differs most at {band.low:.0f} to "
                f"{band.high:.0f} Hz: {band.share:.0%} of what speaks for the class lies there, in "
                f"the others {band.others:.0%}.</p>{links(report.members(number))}"
            )
    return f"""<section><h2>{html.escape(report.label)} ({counted(len(report.files), "clip")})</h2>
{text}
<h3>Typical: nearest to the mean map</h3>{links(report.typical())}
<h3>Odd: farthest from it</h3>{links(report.odd())}
</section>
"""


def _bad(results) -> list[tuple[str, str]]:
    return list(zip(results.bad["file"], results.bad["reason"], strict=True))


def _by_frequency(results, reports):
    yield ["class", "clips", "hertz", "mean", "low", "high"]
    centres = results.frontend.band_centres()
    for report in reports:
        for hertz, *ends in zip(centres, report.mean, report.low, report.high, strict=True):
            numbers = [f"{number:.6g}" for number in ends]
            yield [report.label, len(report.files), f"{hertz:.1f}", *numbers]


def _memberships(reports):
    yield ["class", "file", "group", "distance"]
    for report in reports:
        rows = zip(report.files, report.groups.labels, report.distance, strict=True)
        for name, group, distance in rows:
            yield [report.label, name, int(group) + 1, f"{distance:.6g}"]


def _csv(rows) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue()


_MORE = """
h3 { font-size: 1rem; margin: 1rem 0 .25rem; }
ul { list-style: none; padding: 0; margin: 0; }
li { overflow-wrap: anywhere; margin: 0 0 .5rem; }
td:last-child { width: auto; text-align: left; }
"""
