"""What the rendered pages must have: links that lead somewhere, alt texts, sounds that play."""

from __future__ import annotations

import re
from pathlib import Path
from urllib.parse import unquote, urlsplit

from .gate import Problem

#: Largest sizes that a page and what it loads may have, in MB.
LIMITS = {".html": 2.0, ".png": 1.0, ".jpg": 1.0, ".svg": 1.0, ".mp3": 0.3}

#: What Markdown leaves behind when a role, a substitution or a reference was not understood.
_LEFTOVERS = (
    (re.compile(r"\{[a-z][\w:-]*\}\s*[`\w]"), "a role that was not understood"),
    (re.compile(r"\{\{.*?\}\}"), "a substitution that was not filled in"),
    (re.compile(r"\?\?"), "a reference that leads nowhere"),
    (re.compile(r"<Figure '"), "a figure without its picture"),
)

#: Pages that Sphinx makes by itself.
_GENERATED = ("genindex.html", "search.html", "py-modindex.html")


def check_site(folder) -> list[Problem]:
    """Check every page of a built site.

    Parameters
    ----------
    folder : path
        The folder with `index.html`.

    Returns
    -------
    list of Problem
        Empty if all is well.
    """
    folder = Path(folder).resolve()
    pages = {
        path: _parse(path) for path in sorted(folder.rglob("*.html")) if _is_page(path, folder)
    }
    if not pages:
        return [Problem(str(folder), "there is no page", "build the book")]
    anchors = {path: _anchors(soup) for path, soup in pages.items()}
    problems = []
    for path, soup in pages.items():
        name = path.relative_to(folder).as_posix()
        problems += _links(name, path, soup, anchors, folder)
        problems += _images(name, soup) + _sounds(name, path, soup)
        if name not in _GENERATED:
            problems += _text(name, soup)
    return problems + _sizes(folder)


def _is_page(path, folder):
    parts = path.relative_to(folder).parts
    return not parts[0].startswith("_") or parts[0] in ("_modules", "_autosummary")


def _parse(path):
    from bs4 import BeautifulSoup

    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


def _anchors(soup):
    found = {tag["id"] for tag in soup.find_all(id=True)}
    return found | {tag["name"] for tag in soup.find_all("a", attrs={"name": True})}


def _links(name, path, soup, anchors, folder):
    problems = set()
    for tag in soup.find_all(["a", "link", "img", "script", "source", "audio", "iframe", "video"]):
        address = tag.get("href") if tag.name in ("a", "link") else tag.get("src")
        if not address or address == "#" or tag.get("rel") in (["canonical"], ["preconnect"]):
            continue
        parts = urlsplit(address)
        if parts.scheme or parts.netloc:
            continue
        target = path if not parts.path else (path.parent / unquote(parts.path)).resolve()
        if target.is_dir():
            target /= "index.html"
        if not target.is_file() or not target.is_relative_to(folder):
            problems.add(Problem(name, f"{address} leads nowhere", f"mend the <{tag.name}>"))
        elif parts.fragment and target in anchors and not _known(parts.fragment, anchors[target]):
            problems.add(Problem(name, f"{address} has no such place", "mend the reference"))
    return sorted(problems, key=str)


def _known(fragment, ids):
    return fragment in ids or unquote(fragment) in ids


def _images(name, soup):
    return [
        Problem(name, f"{_short(tag.get('src'))} has no alt text", "describe what it shows")
        for tag in soup.find_all("img")
        if not (tag.get("alt") or "").strip()
        # Only decoration says so itself.
        and tag.get("role") != "presentation"
        and tag.get("aria-hidden") != "true"
    ]


def _sounds(name, path, soup):
    problems = []
    for tag in soup.find_all("audio"):
        sources = [t.get("src") for t in [tag, *tag.find_all("source")] if t.get("src")]
        if not sources:
            problems.append(Problem(name, "a player has no source", "make the sound again"))
        for source in sources:
            if source.startswith("data:"):
                problems.append(Problem(name, "a sound sits in the page", "let it be a file"))
                continue
            file = path.parent / unquote(urlsplit(source).path)
            if file.is_file() and file.stat().st_size < 200:
                problems.append(Problem(name, f"the sound {source} is empty", "make it again"))
    return problems


def _text(name, soup):
    problems = []
    body = soup.find("article") or soup.find("main") or soup
    if body.select(".system-message, .problematic"):
        what = body.select_one(".system-message, .problematic").get_text(" ", strip=True)[:80]
        problems.append(Problem(name, f"Sphinx complains in the page: {what}", "mend the source"))
    prose = [
        string
        for string in body.find_all(string=True)
        if not any(p.name in ("code", "pre", "script", "style", "kbd") for p in string.parents)
        and not any("math" in (p.get("class") or []) for p in string.parents)
    ]
    for pattern, what in _LEFTOVERS:
        for string in prose:
            if found := pattern.search(string):
                around = " ".join(string[max(0, found.start() - 20) : found.end() + 30].split())
                problems.append(Problem(name, f"{what}: '{around}'", "mend the source"))
    return problems


def _sizes(folder):
    problems = []
    for path in sorted(folder.rglob("*")):
        limit = LIMITS.get(path.suffix.lower())
        if limit and path.is_file() and path.stat().st_size > limit * 1e6:
            name, size = path.relative_to(folder).as_posix(), path.stat().st_size / 1e6
            problems.append(Problem(name, f"{size:.1f} MB", f"keep it under {limit} MB"))
    return problems


def _short(address):
    return address if address and len(address) < 80 else f"{(address or 'an image')[:40]}..."
