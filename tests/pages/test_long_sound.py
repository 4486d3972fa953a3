"""A long sound is explained event by event, and its files are written or none."""

import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.pages.long_sound import explain_long
from xaiaudio.pages.outputs import Outputs


@pytest.mark.slow
def test_all_files_are_written_or_none(long_page, tmp_path):
    names = {"x.html", "x.png", "x-events.csv"}
    assert {path.name for path in long_page.write(tmp_path / "out", "x")} == names
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    (tmp_path / "taken").write_text("")
    with pytest.raises(XaiAudioError, match="Could not write to"):
        long_page.write(tmp_path / "taken", "x")


@pytest.mark.slow
def test_only_the_class_asked_for(long_file, listener):
    found = explain_long(listener, long_file, "x", threshold=0.34, top=1, target="DOG")
    assert {event.label for event in found.events} <= {"dog"} and found.target == "dog"


@pytest.mark.slow
def test_formats_of_the_overview_and_the_table(long_page, tmp_path):
    outputs = Outputs(figures=("svg",), tables=("audacity", "raven"))
    names = {path.name for path in long_page.write(tmp_path, "x", outputs)}
    events = {"x-events.csv", "x-events.labels.txt", "x-events.selections.txt"}
    assert names == {"x.html", "x.svg", *events}
    lines = (tmp_path / "x-events.labels.txt").read_text().splitlines()
    assert sum(line.split("\t")[-1].strip() != "" for line in lines) >= len(long_page.events)
