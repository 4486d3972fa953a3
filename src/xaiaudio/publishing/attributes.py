"""Docstrings for Sphinx: several attributes of one line, as numpydoc allows, one by one.

Sphinx reads ``low, high : float`` under *Parameters*, but under *Attributes* it takes the first
name for the type of the second.
"""

from __future__ import annotations

import re

_SEVERAL = re.compile(r"(\w+(?:, \w+)+)( : .*)?")
_RULE = re.compile(r"-{3,}")


def setup(app):
    """Register the change; Sphinx calls this. It comes before the one that reads sections."""
    app.connect("autodoc-process-docstring", _change, priority=400)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _change(app, what, name, obj, options, lines):
    lines[:] = one_by_one(lines)


def one_by_one(lines) -> list[str]:
    """Write each attribute of a docstring on a line of its own, with the text that they share.

    Parameters
    ----------
    lines : sequence of str
        A docstring, without the indentation that all lines have.

    Returns
    -------
    list of str

    Examples
    --------
    >>> text = ["Attributes", "----------", "low, high : float", "    In hertz."]
    >>> one_by_one(text)[2:]
    ['low : float', '    In hertz.', 'high : float', '    In hertz.']
    """
    changed, inside, place = [], False, 0
    while place < len(lines):
        line = lines[place]
        if place + 1 < len(lines) and _RULE.fullmatch(lines[place + 1]):
            inside = line == "Attributes"
        several = _SEVERAL.fullmatch(line) if inside else None
        place += 1
        if several is None:
            changed.append(line)
            continue
        begin = place
        while place < len(lines) and lines[place].startswith(" "):
            place += 1
        for attribute in several[1].split(", "):
            changed += [attribute + (several[2] or ""), *lines[begin:place]]
    return changed
