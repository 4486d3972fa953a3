"""A leaderboard as files: a page, a picture and a table."""

from __future__ import annotations

import base64
import html
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import plots
from ..plots.render import render
from .common import STYLE, write_each

if TYPE_CHECKING:
    from ..evaluate.benchmark.board import Leaderboard
    from ..types import PathLike


def write(board: Leaderboard, folder: PathLike) -> list[Path]:
    """Write ``leaderboard.html``, ``leaderboard.png`` and ``leaderboard.csv`` into a folder.

    Parameters
    ----------
    board : Leaderboard
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
    picture = render(plots.leaderboard(board))
    files = {
        "leaderboard.html": page(board, picture).encode(),
        "leaderboard.png": picture,
        "leaderboard.csv": board.csv().encode(),
    }
    return write_each(files, folder)


def page(board: Leaderboard, picture: bytes) -> str:
    """Return a page that needs no other file: picture, table and CSV are inside.

    Parameters
    ----------
    board : Leaderboard
    picture : bytes
        The leaderboard's picture, as a PNG file.

    Returns
    -------
    str
    """
    network, dataset = html.escape(board.network), html.escape(board.dataset)
    source = base64.b64encode(picture).decode()
    wrong = f" Left out, as it misclassifies them: {board.left_out}." if board.left_out else ""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Leaderboard: {network} on {dataset}</title>
<style>{STYLE}{_WIDE}</style>
</head>
<body>
<main>
<h1>Which explanation can be trusted?</h1>
<p class="answer">The network <em>{network}</em>
on <em>{dataset}</em>. Clips measured on: {board.cases}.{wrong}{_numbers(board)}</p>
{_unusable(board)}
<div class="wide"><img src="data:image/png;base64,{source}"
alt="{html.escape(_describe(board), quote=True)}"></div>
<p>Bright cells are near the best method, dark ones near the floor: a random map, or the worst
method where a random map would win without merit. Grey: these clips cannot tell that it is better
than a random map. Framed: they cannot tell it from the best method. Both are read from the
differences clip by clip (95 %).</p>
<p>{download(board)}</p>
{_errors(board)}
<section>
<h2>All numbers</h2>
<p>Below each mean: its 95 % interval over the clips.</p>
<div class="wide">{_table(board)}</div>
</section>
<section>
<h2>What the measures say</h2>
{_legend(board)}
</section>
<footer><p><em>chance</em> is a random map, <em>uniform</em> the same everywhere,
<em>centre</em> highest in the middle, <em>energy</em> the spectrogram above silence,
<em>oracle</em> the true event. They ask no network.</p></footer>
</main>
</body>
</html>
"""


def download(board: Leaderboard, name: str = "leaderboard.csv") -> str:
    """Return a link that saves the table, which it carries inside: it works without a server.

    Parameters
    ----------
    board : Leaderboard
    name : str
        What the saved file is called.

    Returns
    -------
    str
        HTML.
    """
    content = base64.b64encode(board.csv().encode()).decode()
    name = html.escape(name, quote=True)
    return f'<a download="{name}" href="data:text/csv;base64,{content}">Save the table as CSV</a>'


def _describe(board) -> str:
    """Say in words who is best by what, for those who cannot see the picture."""
    best = "; ".join(f"{name}: {board.best(name)}" for name in board.ordered())
    return f"Table of methods by measures, coloured by place. Best method by measure: {best}."


def _errors(board) -> str:
    texts = "".join(
        f"<li><strong>{html.escape(row.name)}</strong>: {html.escape(row.error)}</li>"
        for row in board.rows
        if row.error
    )
    return f"<p>Methods that cannot treat this network:</p><ul>{texts}</ul>" if texts else ""


def _numbers(board) -> str:
    """Say in which numbers the network was asked, where these are not the usual ones."""
    if board.precision == "float32":
        return ""
    return f" Changed patches were asked about in {board.precision}: faster, and nearly the same."


def _unusable(board) -> str:
    texts = "".join(f"<li>{html.escape(reason)}</li>" for reason in board.unusable)
    return f"<p>Left out, as they cannot be used:</p><ul>{texts}</ul>" if texts else ""


def _table(board) -> str:
    head = "".join(f'<th scope="col">{html.escape(one.title)}</th>' for one in board.measures)
    body = "".join(
        f'<tr><th scope="row">{html.escape(row.name)}</th>'
        + "".join(f"<td>{_cell(board, row.name, one)}</td>" for one in board.measures)
        + "</tr>"
        for row in board.rows
    )
    return f"<table><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table>"


def _cell(board, row, measure) -> str:
    mean = board.mean(row, measure.name)
    if not np.isfinite(mean):
        return "–"
    found = board.interval(row, measure.name)
    return (
        f"{measure.write(mean)}<br><small>{measure.write(found.low)} to "
        f"{measure.write(found.high)}</small>"
    )


def _legend(board) -> str:
    ways = {
        "higher": "Higher is better.",
        "lower": "Lower is better.",
        "neither": "Neither end is better.",
    }
    items = "".join(
        f"<dt>{html.escape(one.title)}</dt><dd>{html.escape(one.summary)} "
        f"({html.escape(one.unit)}). {ways[one.better]} "
        f'<span class="paper">{html.escape(one.source)}</span></dd>'
        for one in board.measures
    )
    return f"<dl>{items}</dl>"


_WIDE = """
.wide { overflow-x: auto; }
.wide img { min-width: 40rem; }
.wide table { max-width: none; }
.wide th, .wide td { padding: .2rem .5rem; white-space: nowrap; width: auto; text-align: right; }
.wide th[scope=row] { text-align: left; }
dt { font-weight: 600; } dd { margin: 0 0 .5rem; }
"""
