"""The page of a leaderboard carries its picture and its table, and escapes names."""

import base64
import dataclasses
import html
import re

import pytest
from made_boards import random_board

from xaiaudio.pages.leaderboard import download, page, write


@pytest.fixture
def board():
    return random_board()


@pytest.mark.slow
def test_the_page_escapes_and_carries_everything(board, tmp_path):
    text = page(board, b"picture")
    assert "<b>" not in text and "<a>" not in text and "<i>" not in text
    assert "&lt;b&gt;" in text and "It needs &lt;a&gt; convolution." in text
    assert download(board) in text
    written = write(board, tmp_path / "out")
    assert [path.name for path in written] == [
        "leaderboard.html",
        "leaderboard.png",
        "leaderboard.csv",
    ]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(
        path.name for path in written
    )
    assert (tmp_path / "out" / "leaderboard.csv").read_text() == board.csv()


def test_all_that_is_left_out_is_said(board):
    text = page(board, b"")
    assert "Left out, as it misclassifies them: 2." in text
    assert "cannot be used" not in text and "bfloat16" not in text
    told = dataclasses.replace(
        board, left_out=0, unusable=("<x> is silent.",), precision="bfloat16"
    )
    text = page(told, b"")
    assert "misclassifies" not in text and "&lt;x&gt; is silent." in text and "in bfloat16" in text


def test_the_table_has_each_mean_with_its_interval(board):
    body = page(board, b"").partition("<tbody>")[2].partition("</tbody>")[0]
    rows = [re.findall("<td>(.*?)</td>", row) for row in body.split("</tr>")[:-1]]
    assert [len(row) for row in rows] == [7] * 4 and set(rows[2]) == {"–"}
    column = board.measures[3]
    found = board.interval("b", "m3")
    mean, ends = rows[1][3].split("<br>")
    assert mean == column.write(found.mean)
    assert ends == f"<small>{column.write(found.low)} to {column.write(found.high)}</small>"


def test_the_link_carries_the_table_and_the_picture_is_described(board):
    link = download(board, 'x".csv')
    assert 'download="x&quot;.csv"' in link
    carried = base64.b64decode(re.search(r"base64,([^\"]*)", link)[1])
    assert carried.decode() == board.csv()
    described = html.unescape(re.search('alt="([^"]*)"', page(board, b""))[1])
    assert all(f"{name}: {board.best(name)}" in described for name in board.ordered())
