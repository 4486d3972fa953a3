"""The card of an explanation as a file: Markdown or a page, by the file's ending."""

from __future__ import annotations

import html
import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..evaluate.benchmark.findings import VERDICTS
from ..files import whole
from .common import STYLE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..evaluate.benchmark.bootstrap import Interval
    from ..evaluate.benchmark.card import Card
    from ..types import PathLike

PAGES, TEXTS = (".html", ".htm"), (".md", ".markdown")

_HEAD = (
    *("measure", "unit", "better", "mean (95 %)", "random map", "above the random map (95 %)"),
    *("verdict", "best that asked no network", "recordings"),
)
_WAYS = {"higher": "higher", "lower": "lower", "neither": "–"}

# What Markdown, or MyST on top of it, would take for markup.
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|~$&!])")


@dataclass(frozen=True)
class _Heading:
    text: str
    depth: int = 0


@dataclass(frozen=True)
class _Table:
    head: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class _List:
    texts: Sequence[str]


@dataclass(frozen=True)
class _Code:
    text: str


def write(card: Card, path: PathLike) -> Path:
    """Write a card to a file, whole or not at all.

    Parameters
    ----------
    card : Card
        By :func:`xaiaudio.evaluate.benchmark.card.card`.
    path : path-like
        Ends in ``.md`` or ``.html``. Its folder is made if need be.

    Returns
    -------
    Path

    Raises
    ------
    XaiAudioError
        If the ending is another one, or the file cannot be written.
    """
    path = check_path(path)
    text = page(card) if path.suffix.lower() in PAGES else markdown(card)
    with whole(path) as partial:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.write_text(text, encoding="utf-8")
    return path


def check_path(path: PathLike) -> Path:
    """Return where a card is to be written.

    Raises
    ------
    XaiAudioError
        If the ending says neither Markdown nor HTML, there is a folder of that name, or no
        file can have it.
    """
    path = Path(path)
    if path.suffix.lower() not in (*PAGES, *TEXTS):
        raise XaiAudioError(
            f"{path} ends neither in .md nor in .html: the ending says how a card is written."
        )
    try:
        folder = path.is_dir()
    except OSError as error:  # such as a name that is too long
        raise XaiAudioError(f"Could not write {path}: {error.strerror or error}.") from error
    if folder:
        raise XaiAudioError(f"{path} is a folder: name a file for the card.")
    return path


def page(card: Card) -> str:
    """Return a card as a page that needs no other file."""
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{html.escape(_line(card.title))}</title>
<style>{STYLE}{_TABLES}</style>
</head>
<body>
<main>
<h1>{html.escape(_line(card.title))}</h1>
{fragment(card)}
</main>
</body>
</html>
"""


def fragment(card: Card, level: int = 2) -> str:
    """Return a card as HTML to stand in a page, its headings from ``<h{level}>`` on."""
    made = "\n".join(_as_html(block, level) for block in _blocks(card))
    return f'<div class="xa-card">\n{made}\n</div>'


def markdown(card: Card) -> str:
    """Return a card as Markdown, with tables as GitHub and MyST read them."""
    made = [f"# {_escaped(card.title)}", *(_as_markdown(block) for block in _blocks(card))]
    return "\n\n".join(made) + "\n"


def _blocks(card) -> Iterator:
    """Return what a card says, in the order in which it is read."""
    yield _Heading("The network")
    yield _facts(card.model)
    yield _Heading("The sounds")
    yield _facts(card.data)
    if card.clips:
        yield _Table(list(card.clips[0]), [list(clip.values()) for clip in card.clips])
    yield _Heading("The methods")
    for name, about in card.methods.items():
        yield _Heading(name, 1)
        yield _facts(about)
    yield _Heading("The run")
    yield _facts(card.run)
    if card.again:
        yield _Code(card.again)
    yield _Heading("What was measured")
    for name in card.methods:
        rows = [_row(one) for one in card.findings if one.method == name]
        if rows:
            yield _Heading(name, 1)
            yield _Table(_HEAD, rows)
    if card.silent:
        yield _Heading("What has no answer")
        yield _Table(("method", "measure", "why"), card.silent)
    yield _Heading("What was not shown")
    yield _List(card.not_shown)


def _facts(about: Mapping[str, str]) -> _Table:
    return _Table(("", ""), list(about.items()))


def _row(one) -> list[str]:
    blind = f"{one.blind} {one.blind_mean:.3g}" if one.blind else "–"
    return [
        *(one.measure, one.unit, _WAYS[one.better], _ends(one.found)),
        *(f"{one.random.mean:.3g}" if one.random.n else "–", _ends(one.gap)),
        *(VERDICTS[one.verdict], blind, str(one.found.n)),
    ]


def _ends(found: Interval) -> str:
    if not found.n:
        return "–"
    if not np.isfinite(found.low):
        return f"{found.mean:.3g} (too few recordings)"
    return f"{found.mean:.3g} ({found.low:.3g} to {found.high:.3g})"


def table_of_facts(
    title: str, parts: Mapping[str, Mapping[str, str]], *, html: bool, level: int = 3
) -> str:
    """Return names and facts, a table for each heading, as Markdown or as part of a page.

    Parameters
    ----------
    title : str
    parts : mapping of str to mapping of str to str
        By heading. One without facts is left out.
    html : bool
    level : int
        Of the title, in a page.
    """
    blocks: list = [_Heading(title)]
    for heading, facts in parts.items():
        if facts:
            blocks += [_Heading(heading, 1), _facts(facts)]
    if html:
        return "".join(_as_html(block, level) for block in blocks)
    return "\n\n".join(map(_as_markdown, blocks)) + "\n"


def _line(text) -> str:
    """Return a text as one line, without characters that nobody sees."""
    return _seen(" ".join(str(text).split()))


def _seen(text) -> str:
    """Return a text with characters that nobody sees, or that no file can hold, written out."""
    shown = (
        char.encode("unicode_escape").decode() if unicodedata.category(char)[0] == "C" else char
        for char in text
    )
    return "".join(shown)


def _code(text) -> str:
    return "\n".join(map(_seen, text.expandtabs(4).split("\n")))


def _escaped(text) -> str:
    return _MARKUP.sub(r"\\\1", _line(text))


def _as_markdown(block) -> str:
    if isinstance(block, _Heading):
        return f"{'#' * (2 + block.depth)} {_escaped(block.text)}"
    if isinstance(block, _List):
        return "\n".join(f"- {_escaped(text)}" for text in block.texts)
    if isinstance(block, _Code):
        text = _code(block.text)
        longest = max(map(len, re.findall("`+", text)), default=0)
        fence = "`" * max(3, longest + 1)
        return f"{fence}\n{text}\n{fence}"
    lines = [block.head, ["---"] * len(block.head), *block.rows]
    texts = [[_escaped(cell) for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(line)} |" for line in texts)


def _as_html(block, level) -> str:
    if isinstance(block, _Heading):
        tag = f"h{min(level + block.depth, 6)}"
        return f"<{tag}>{html.escape(_line(block.text))}</{tag}>"
    if isinstance(block, _List):
        return f"<ul>{''.join(f'<li>{html.escape(_line(text))}</li>' for text in block.texts)}</ul>"
    if isinstance(block, _Code):
        return f"<pre>{html.escape(_code(block.text))}</pre>"
    head = "".join(f'<th scope="col">{html.escape(_line(cell))}</th>' for cell in block.head)
    head = f"<thead><tr>{head}</tr></thead>" if any(block.head) else ""
    body = "".join(
        f'<tr><th scope="row">{html.escape(_line(first))}</th>'
        + "".join(f"<td>{html.escape(_line(cell))}</td>" for cell in rest)
        + "</tr>"
        for first, *rest in block.rows
    )
    return f'<div style="overflow-x: auto"><table>{head}<tbody>{body}</tbody></table></div>'


_TABLES = """
.xa-card h2 { border-top: 1px solid var(--line); padding-top: 1.25rem; margin: 1.25rem 0 .5rem; }
.xa-card h3 { font-size: 1.05rem; margin: 1rem 0 .25rem; }
.xa-card table { max-width: none; font-size: .9rem; margin: 0 0 .75rem; }
.xa-card th, .xa-card td, .xa-card td:last-child { width: auto; text-align: left;
  vertical-align: top; padding: .2rem .75rem .2rem 0; overflow-wrap: anywhere; min-width: 4rem; }
.xa-card th[scope=col] { color: var(--soft); }
.xa-card pre { overflow-x: auto; white-space: pre-wrap; }
"""
