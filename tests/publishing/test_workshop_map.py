"""The workshop's map: every line leads to a chapter, a function and a test, or says why not."""

import ast
import importlib
import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "book" / "workshop-map.md").read_text(encoding="utf-8")
HEAD = ["name", "chapter", "what is here", "function", "test"]
NEITHER = ("not yet here", "not built")


def lines():
    for line in PAGE.splitlines():
        if line.startswith("| "):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            if cells != HEAD and not cells[0].startswith("---"):
                yield cells


ROWS = list(lines())


def in_the_book():
    contents = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return {one["file"] for part in contents["parts"] for one in part["chapters"]}


def quoted(cell):
    return re.findall(r"`([^`]+)`", cell)


def resolved(name):
    """Import what a dotted name means; AttributeError or ImportError if it means nothing."""
    parts = name.split(".")
    for count in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:count]))
        except ModuleNotFoundError:
            continue
        for part in parts[count:]:
            found = getattr(found, part)
        return found
    raise ImportError(name)


def test_the_table_is_read_whole():
    # As many rows as lines that begin with a bar, without the heads and what is below them.
    bars = [line for line in PAGE.splitlines() if line.startswith("|")]
    assert len(ROWS) == len(bars) - 2 * PAGE.count("| name | chapter |") > 40
    names = [row[0] for row in ROWS]
    assert len(names) == len(set(names))


@pytest.mark.slow
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_a_line_leads_somewhere_or_says_why_not(row):
    _, chapter, said, function, test = row
    chapters = re.findall(r"\{doc\}`([^`]+)`", chapter)
    assert len(said) > 5
    if not chapters:
        assert chapter in NEITHER
    if chapter == "not built":
        assert (function, test) == ("–", "–")
    elif chapters:
        assert quoted(function) and quoted(test)
    assert bool(quoted(function)) == bool(quoted(test))
    for name in [*chapters, *re.findall(r"\{doc\}`([^`]+)`", said)]:
        assert (ROOT / "book" / f"{name}.md").is_file() and name in in_the_book(), name
    for name in quoted(function):
        assert callable(resolved(name)), name
    for name in quoted(test):
        path, _, case = name.partition("::")
        tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
        assert case in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, name


def test_what_does_not_exist_is_noticed():
    with pytest.raises((ImportError, AttributeError)):
        resolved("xaiaudio.explainers.lrp.no_such_thing")
    assert "no-such-chapter" not in in_the_book()
    assert "relevance" in in_the_book()
