"""Every equation of the book can be drawn, and a broken one is told."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from xaiaudio.publishing.mathml import to_mathml

BOOK = Path(__file__).resolve().parents[2] / "book"
BLOCK = re.compile(r"```\{math\}\n(?::[^\n]*\n)*(.*?)```", re.S)


def equations():
    for page in sorted(BOOK.glob("*.md")):
        for latex in BLOCK.findall(page.read_text(encoding="utf-8")):
            yield page.stem, latex


def test_the_book_has_equations():
    assert len(list(equations())) >= 5


@pytest.mark.parametrize(("page", "latex"), list(equations()))
def test_every_displayed_equation_becomes_mathml_without_leftover_commands(page, latex):
    root = ElementTree.fromstring(to_mathml(latex, "block"))
    text = "".join(root.itertext())
    assert root.get("display") == "block"
    assert "\\" not in text, f"{page}: {text}"


def test_an_equation_that_cannot_be_drawn_is_told():
    with pytest.raises(ValueError, match="MathML"):
        to_mathml(r"\begin{aligned} a &= b \end{aligned}")
