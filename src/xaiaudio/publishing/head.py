"""What stands in the head of every page: words and a picture for shared links, and no script twice.

A Sphinx extension of the book.
"""

from __future__ import annotations

import html
import re

#: Longest description; those who show links cut longer ones.
LONGEST = 200

PICTURE = "_static/three-methods.png"


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", _without_thebe)
    app.connect("html-page-context", _describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _without_thebe(app):
    """Take out sphinx-thebe: the book does not use it, and it writes its script twice a page.

    Jupyter Book loads it in any case.
    """
    for event in ("env-before-read-docs", "doctree-resolved"):
        for listener in list(app.events.listeners.get(event, [])):
            if listener.handler.__module__ == "sphinx_thebe":
                app.disconnect(listener.id)


def _describe(app, pagename, templatename, context, doctree):
    base = (app.config.html_baseurl or "").rstrip("/")
    about = describe(_first_words(doctree)) if doctree is not None else ""
    tags = {
        "og:title": _plain(context.get("title", "")),
        "og:type": "website",
        "og:site_name": _plain(app.config.html_title or ""),
    }
    if about:
        tags["og:description"] = about
    if base:
        tags["og:url"] = f"{base}/{pagename}.html"
        tags["og:image"] = f"{base}/{PICTURE}"
    lines = [f'<meta name="description" content="{html.escape(about)}">'] if about else []
    lines += [
        f'<meta property="{name}" content="{html.escape(content)}">'
        for name, content in tags.items()
        if content
    ]
    context["metatags"] = context.get("metatags", "") + "\n".join(lines) + "\n"


def _first_words(doctree) -> str:
    """Return the first paragraph: in a chapter, what one will learn."""
    from docutils import nodes

    paragraphs = [
        text
        for node in doctree.findall(nodes.paragraph)
        if (text := " ".join(node.astext().split()))
    ]
    return next(iter(paragraphs), "")


def describe(text) -> str:
    """Cut a text to the length of a description, at the end of a word.

    Examples
    --------
    >>> describe("You will learn how maps are made. " + "And more. " * 40)[-20:]
    ' more. And more. And'
    """
    if len(text) <= LONGEST:
        return text
    return text[:LONGEST].rsplit(" ", 1)[0].rstrip(",;: ")


def _plain(text) -> str:
    """Take the markup out of a title."""
    return html.unescape(re.sub(r"<[^>]+>", "", str(text)))
