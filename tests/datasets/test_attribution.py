"""Licence, author and page of each clip, out of the lists that the authors wrote."""

from pathlib import Path

import pytest

from xaiaudio.datasets import attribution
from xaiaudio.datasets.attribution import Attribution
from xaiaudio.errors import XaiAudioError

PAGE = "http://sound.example/1/"


@pytest.fixture
def listed(tmp_path):
    def write(*lines):
        path = tmp_path / "LICENSE"
        path.write_text("\n".join(["Some words before", "", *lines, ""]), encoding="utf-8")
        return attribution.read(path)

    return write


def test_titles_and_authors_may_hold_any_brackets(listed):
    found = listed(
        f"- [1-1-A.ogg]: clip derived from A (b) by c [x] ({PAGE}) by Jo [x] (Doe) [CC0]",
        f"- [2-2-B.wav]:  clip derived from b.wav (https://{PAGE[7:]}) by by by [CC-BY]",
        f"- [3-3-C.ogg]: clip derived from http://other.example/ ({PAGE}) by é [CC-Sampling+]  ",
    )
    assert found == {
        "1-1-A": Attribution("CC0", "Jo [x] (Doe)", PAGE),
        "2-2-B": Attribution("CC BY", "by by", "https://" + PAGE[7:]),
        "3-3-C": Attribution("CC Sampling+", "é", PAGE),
    }


@pytest.mark.parametrize(
    "line",
    [
        "001 - Dog bark:",
        f"[1-1-A.ogg]: clip derived from a ({PAGE}) by b [CC0]",
        "- [1-1-A.ogg]: clip derived from a (no page) by b [CC0]",
        f"- [1-1-A.ogg]: clip derived from a ({PAGE}) by b",
        f"- [1-1-A]: clip derived from a ({PAGE}) by b [CC0]",
    ],
)
def test_other_lines_are_passed_over(listed, line):
    assert listed(line) == {}


def test_without_a_list_nothing_is_known(tmp_path):
    assert attribution.read(tmp_path / "none.txt") == {}


def test_a_list_that_is_no_utf_8_is_read_as_far_as_it_goes(tmp_path):
    path = tmp_path / "LICENSE"
    line = f"- [1-1-A.ogg]: clip derived from a ({PAGE}) by J\xe9 [CC0]"
    path.write_bytes(line.encode("latin-1"))
    assert attribution.read(path)["1-1-A"].author == "J\ufffd"


def test_a_list_one_may_not_read(tmp_path, monkeypatch):
    def refuse(self, **options):
        raise PermissionError(13, "Permission denied")

    (tmp_path / "LICENSE").write_text("")
    monkeypatch.setattr(Path, "read_text", refuse)
    with pytest.raises(XaiAudioError, match="Could not read .*LICENSE: Permission denied"):
        attribution.read(tmp_path / "LICENSE")
