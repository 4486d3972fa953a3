"""What all pages share: pictures that lie inside them, and files that are whole."""

import base64
import html
import re

import pytest

from xaiaudio import XaiAudioError
from xaiaudio.pages.common import STYLE, picture, write_each


def test_a_picture_lies_inside_the_page_and_its_words_are_escaped():
    said = 'Map of "rain" & <b>sea</b>'
    tag = picture(b"\x89PNG data", said)
    (source,) = re.findall(r'src="data:image/png;base64,([^"]*)"', tag)
    assert base64.b64decode(source) == b"\x89PNG data"
    (alt,) = re.findall(r'alt="([^"]*)"', tag)
    assert html.unescape(alt) == said and "<b>" not in tag and tag.count("<") == 1


def test_every_colour_has_its_dark_counterpart_and_the_style_ends_no_element():
    roots = re.findall(r":root \{.*?\}", STYLE, re.DOTALL)
    light, dark = (set(re.findall(r"--[a-z]+", root)) for root in roots)
    assert light == dark == set(re.findall(r"var\((--[a-z]+)\)", STYLE))
    assert "<" not in STYLE and STYLE.count("{") == STYLE.count("}")


def test_files_come_in_their_order_into_a_folder_that_is_made(tmp_path):
    folder = tmp_path / "deep" / "out"
    paths = write_each({"b.html": b"page", "a.csv": b"table"}, folder)
    assert paths == [folder / "b.html", folder / "a.csv"]
    assert [path.read_bytes() for path in paths] == [b"page", b"table"]
    assert {path.name for path in folder.iterdir()} == {"a.csv", "b.html"}


def test_a_file_that_cannot_be_written_leaves_no_half_and_the_old_one_stays(tmp_path):
    (tmp_path / "taken").mkdir()
    (tmp_path / "first").write_bytes(b"old")
    with pytest.raises(XaiAudioError, match="Could not write .*taken"):
        write_each({"taken": b"x", "first": b"new"}, tmp_path)
    assert (tmp_path / "first").read_bytes() == b"old"
    assert {path.name for path in tmp_path.iterdir()} == {"taken", "first"}
