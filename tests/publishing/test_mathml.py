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


@pytest.mark.slow
def test_an_equation_has_the_number_by_which_other_pages_call_it(tmp_path):
    from sphinx.cmd.build import build_main

    (tmp_path / "conf.py").write_text(
        "extensions = ['xaiaudio.publishing.mathml']\nnumfig = True\n"
        "html_math_renderer = 'mathml'\nhtml_theme = 'basic'\n"
    )
    equation = ".. math:: a = {0}\n   :label: {0}\n\nSee :eq:`{0}`.\n"
    toc = ".. toctree::\n   :numbered:\n\n   one\n   two\n"
    pages = {"index": toc, "one": equation.format("x"), "two": equation.format("y")}
    for name, text in pages.items():
        (tmp_path / f"{name}.rst").write_text(f"{name}\n=====\n\n{text}")
    assert build_main(["-q", "-W", "-b", "html", str(tmp_path), str(tmp_path / "html")]) == 0
    shown = []
    for name in ("one", "two"):
        page = (tmp_path / "html" / f"{name}.html").read_text()
        (number,) = re.findall(r'class="eqno">\(([\d.]+)\)', page)
        assert re.findall(r'href="#equation-[xy]">\(([\d.]+)\)', page) == [number]
        shown.append(number)
    assert shown[0] != shown[1]
