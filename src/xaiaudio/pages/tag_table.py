"""What a network that can hear several classes at once says of a sound, on the sound's page."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from ..explainers.answers import listed, percent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models.tags import ClipTags, Tag

# Classes that are no longer worth a row, unless they are heard or explained.
_LEAST = 0.1
# Rows, but for classes that are explained.
_MOST = 10


def sentence(tags: ClipTags) -> str:
    """Say which classes are heard, the more exact ones by name.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.models.tags import ClipTags
    >>> from xaiaudio.pages.tag_table import sentence
    >>> scores = np.array([[0.9, 0.2, 0.6]])
    >>> one = np.zeros(1)
    >>> sentence(ClipTags(("dog", "rain", "door"), scores, one == 0, one, one + 1))
    'dog (90%) and door (60%)'
    >>> sentence(ClipTags(("dog", "rain", "door"), scores / 3, one == 0, one, one + 1))
    'none of its classes; the most probable is dog (30%)'
    """
    heard = [tag for tag in tags.heard if not tag.exact]
    if not heard:
        (most,) = tags.top(1)
        return f"none of its classes; the most probable is {most.label} ({percent(most.score)})"
    return listed([f"{tag.label} ({percent(tag.score)})" for tag in heard])


def rows(tags: ClipTags, explained: Sequence[str]) -> list[Tag]:
    """Return the classes worth a row: those heard or explained, and those next to them."""
    shown = [tag for tag in tags if tag.score >= _LEAST or tag.label in explained][:_MOST]
    return shown + [tag for tag in tags[_MOST:] if tag.label in explained and tag not in shown]


def table(tags: ClipTags, explained: Sequence[str]) -> str:
    """Return the table of classes as HTML: highest score, where, and for how long."""
    body = "".join(
        f'<tr><th scope="row">{_name(tag, explained)}</th>'
        f'<td><span class="bar" style="width:{100 * tag.score:.1f}%"></span></td>'
        f"<td>{percent(tag.score)}</td><td>{tag.start:.2f} to {tag.end:.2f} s</td>"
        f"<td>{f'{tag.seconds:.2f} s' if tag.heard else ''}</td>"
        f"<td>{_remark(tag)}</td></tr>"
        for tag in rows(tags, explained)
    )
    return (
        '<table class="tags"><caption>Its classes do not exclude each other: each has a score of '
        f"its own, and is heard above {tags.threshold:.0%}.</caption><thead><tr>"
        '<th scope="col">Class</th><th scope="col" colspan="2">Highest score</th>'
        '<th scope="col">Where</th><th scope="col">Heard for</th><th scope="col"></th>'
        f"</tr></thead><tbody>{body}</tbody></table>"
    )


def anchor(number: int) -> str:
    """Return the name of the place on the page where a class is explained."""
    return f"class-{number}"


def heading(tags: ClipTags, label: str, number: int) -> str:
    """Return what stands above the maps of a class, as HTML."""
    (tag,) = (tag for tag in tags if tag.label == label)
    long = f" The network hears it for {tag.seconds:.2f} s." if tag.heard else ""
    return (
        f'<section class="class" id="{anchor(number)}"><h2>{html.escape(label)}</h2>'
        f"<p>Its highest score is {percent(tag.score)}, from {tag.start:.2f} to {tag.end:.2f} s."
        f"{long}</p></section>\n"
    )


def _name(tag: Tag, explained: Sequence[str]) -> str:
    label = html.escape(tag.label)
    if tag.label not in explained:
        return label
    return f'<a href="#{anchor(list(explained).index(tag.label))}">{label}</a>'


def _remark(tag: Tag) -> str:
    return f"more general than {html.escape(tag.exact)}" if tag.exact else ""


# Beside the style of all pages.
STYLE = """
h3 { font-size: 1.1rem; margin: 0 0 .5rem; }
.class { padding-bottom: 0; }
.class + section { border-top: 0; padding-top: 0; }
.tags { max-width: none; }
.tags th[scope=col] { color: var(--soft); font-size: .875rem; width: auto; white-space: nowrap; }
.tags td { padding: .2rem .75rem .2rem 0; }
.tags td:nth-child(2) { width: 25%; min-width: 3rem; }
.tags td:nth-child(n+3) { white-space: nowrap; }
.tags td:last-child { width: auto; text-align: left; white-space: normal; color: var(--soft);
  font-size: .875rem; }
"""
