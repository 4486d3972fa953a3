"""The page that shows what moved."""

import base64
import io

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup
from executed_notebooks import notebook
from PIL import Image

from xaiaudio.publishing import execute, project, report
from xaiaudio.publishing.baselines import Difference
from xaiaudio.publishing.record import summarise


@pytest.mark.slow
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (np.zeros(3), np.ones(3)),
        (np.ones((2, 3, 4)), np.ones((2, 3, 5))),
        (np.ones((2, 2, 3, 4)), None),
        (None, np.arange(5)),
        (np.zeros((0, 2)), np.arange(4.0)),
    ],
)
def test_any_pair_of_arrays_can_be_drawn(old, new):
    sides = [None if side is None else summarise({"a": side})["a"] for side in (old, new)]
    assert report.draw(*sides)


def test_each_difference_has_a_row_and_a_section_and_nothing_breaks_out(tmp_path):
    book = project.Project(tmp_path, "mini")
    entry = {"value": "<old>", "spread": {"low": 0.1234, "mean": 0.5}, "runs": 3}
    differences = [
        Difference("maps", "blob/part", "pattern <0.3>", entry, "<script>alert(1)</script>"),
        Difference("maps", "n", "0.07 apart", {"value": 1, "spread": 0.0123456, "runs": 2}, 2),
        Difference("gone", "the chapter", "is gone"),
    ]
    page = report.write_report(book, differences)
    assert page == book.home / "regression.html"
    soup = BeautifulSoup(page.read_text(encoding="utf-8"), "html.parser")
    assert not soup.find("script") and "3 recorded values moved" in soup.h1.get_text()
    rows = [[cell.get_text() for cell in row.find_all("td")] for row in soup.table.find_all("tr")]
    assert rows[1] == ["maps", "blob/part", "pattern <0.3>", "low 0.123, mean 0.5", "3"]
    assert rows[2][3:] == ["0.0123", "2"] and rows[3][3:] == ["", ""]
    for number, link in enumerate(soup.table.find_all("a")):
        section = soup.find(id=link["href"][1:])
        assert link["href"] == f"#d{number}" and link.get_text() in section.h2.get_text()
    assert "<script>alert(1)</script>" in soup.find(id="d0").get_text()


def test_the_figure_as_it_is_now_is_shown(tmp_path, monkeypatch):
    book = project.Project(tmp_path, "mini")
    path = execute.notebook_path(book, "maps")
    path.parent.mkdir(parents=True)
    nbformat.write(notebook(), path)
    told = [Difference("maps", name, "moved", {"value": "a"}, "b") for name in ("blob/x", "other")]
    soup = BeautifulSoup(report.write_report(book, told).read_text(), "html.parser")
    assert [len(soup.find(id=f"d{n}").find_all("img")) for n in (0, 1)] == [1, 0]


@pytest.mark.slow
def test_three_panels_where_a_difference_can_be_taken():
    def width(old, new):
        sides = (summarise({"a": side})["a"] for side in (old, new))
        return Image.open(io.BytesIO(base64.b64decode(report.draw(*sides)))).size

    three, two = width(np.eye(4), np.eye(4)[::-1]), width(np.eye(4), np.eye(5))
    assert three[0] == pytest.approx(1.5 * two[0], rel=0.01) and three[1] == two[1]
    many = width(np.ones((9, 4, 4)), np.ones((9, 4, 4)))
    assert many[1] == pytest.approx(report.MAPS * three[1], rel=0.01)
