"""What the chapters' cells import is there, and their headers are read as they were meant."""

import ast
import importlib
import re
from pathlib import Path

import pytest
import yaml

BOOK = Path(__file__).parents[2] / "book"
CELL = re.compile(r"```\{code-cell\}[^\n]*\n(?:---\n.*?---\n)?(?::[^\n]*\n)*(.*?)```", re.DOTALL)
HEADER = re.compile(r"```\{code-cell\}[^\n]*\n---\n(.*?)\n---\n", re.DOTALL)
PAGES = sorted(path.stem for path in BOOK.glob("*.md"))


def imported(text):
    """Return the modules and names that the cells of a page take from the package."""
    for cell in CELL.findall(text):
        if "from xaiaudio" not in cell:
            continue
        for node in ast.walk(ast.parse(cell)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("xaiaudio"):
                yield from ((node.module, alias.name) for alias in node.names)


@pytest.mark.parametrize("page", PAGES)
def test_what_a_chapter_imports_is_there(page):
    for module, name in imported((BOOK / f"{page}.md").read_text(encoding="utf-8")):
        found = importlib.import_module(module)
        if not hasattr(found, name):
            importlib.import_module(f"{module}.{name}")


@pytest.mark.parametrize("page", PAGES)
def test_the_header_of_a_cell_is_whole(page):
    """A line of a caption that is not indented would end it, or make the header unreadable."""
    for header in HEADER.findall((BOOK / f"{page}.md").read_text(encoding="utf-8")):
        shown = yaml.safe_load(header)["mystnb"]
        assert set(shown) <= {"figure", "image"}, page
        for part, keys in (("figure", {"name", "caption"}), ("image", {"alt"})):
            assert set(shown.get(part, keys)) == keys, page
