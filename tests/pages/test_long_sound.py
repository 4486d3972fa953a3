"""The page of a long sound: what it says, what it leaves out, and how large it is."""

import csv
import dataclasses
import io
import re

import numpy as np
import pytest
import soundfile
from long_sounds import SMALL, network, stereo

from xaiaudio.errors import XaiAudioError, XaiAudioWarning
from xaiaudio.pages import long_sound_page
from xaiaudio.pages.long_sound import explain_long
from xaiaudio.pages.outputs import Outputs
from xaiaudio.pages.summary import line_of_long
from xaiaudio.unheard import Unheard


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "a & <b>.wav"
    soundfile.write(path, stereo(75, 8_000), 8_000)
    return path


@pytest.fixture(scope="module")
def page(file, model):
    return explain_long(model, file, file.name, threshold=0.34, top=2, methods=["gradcam"])


def text_of(html):
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r'base64,[^"]*"', '"', html)).split())


def test_the_page_says_what_is_heard_when(page):
    html = page.html()
    text = text_of(html)
    assert f"listened to 1:15.0 of sound and found {len(page.events)} events" in text
    assert "<b>" not in html and "a &amp; &lt;b&gt;.wav" in html
    assert html.count("<img ") == html.count(' alt="') == 1 + len(page.explained) == 3
    for number, one in enumerate(page.explained, 1):
        assert f'<section id="event-{number}">' in html
        assert html.count(f'href="#event-{number}"') == 1
        assert str(one.heard["gradcam"].answers["kept"]) in text
    rows = list(csv.DictReader(io.StringIO(page.table().decode("utf-8-sig"))))
    assert [float(row["start_s"]) for row in rows] == [event.start for event in page.events]
    assert f"{len(page.events) - 2} other events are listed and not explained" in text
    assert "there is no class for none of them" in text
    assert not re.search(r'(src|href)="(?!data:|#)', html)


def test_a_page_stays_small(page, monkeypatch):
    whole = page.html()
    monkeypatch.setattr(long_sound_page, "MOST_BYTES", len(whole.encode()) - 1)
    text = page.html()
    assert len(text.encode()) < len(whole.encode())
    assert 'id="event-1"' in text and "event-2" not in text
    assert "1 explained event was left out to keep this page below 5 MB" in text_of(text)


def test_a_table_stays_short(page, monkeypatch):
    monkeypatch.setattr(long_sound_page, "LISTED", 3)
    html = page.html()
    count = html.count("<tr>") - 1
    assert 3 <= count <= 5
    left = len(page.events) - count
    assert f"The {left} less sure ones are in the CSV file" in text_of(html)


def test_all_files_are_written_or_none(page, tmp_path):
    names = {"x.html", "x.png", "x-events.csv"}
    assert {path.name for path in page.write(tmp_path / "out", "x")} == names
    assert {path.name for path in (tmp_path / "out").iterdir()} == names
    (tmp_path / "taken").write_text("")
    with pytest.raises(XaiAudioError, match="Could not write to"):
        page.write(tmp_path / "taken", "x")


def test_only_the_class_asked_for(file, model):
    found = explain_long(model, file, "x", threshold=0.34, top=1, target="DOG")
    assert {event.label for event in found.events} <= {"dog"} and found.target == "dog"


def test_silence(tmp_path, model):
    soundfile.write(tmp_path / "x.wav", np.zeros(16_000 * 70), 16_000)
    page = explain_long(model, tmp_path / "x.wav", "x")
    assert not page.events and not page.explained
    assert "1:10.0 of sound and found it silent: nothing is above -90 dB" in text_of(page.html())


def test_no_event(file, model):
    page = explain_long(model, file, "x", threshold=1.0)
    text = text_of(page.html())
    assert "found no event : the highest score is" in text and "an event needs 100%" in text


def test_several_classes_at_once(file):
    page = explain_long(network(end="sigmoid"), file, "x", threshold=0.3, top=1)
    assert "Several classes can be heard at once" in text_of(page.html())


def test_a_file_that_was_cut_off_is_said_to_be(file, model, tmp_path):
    data = file.read_bytes()
    (tmp_path / "x.wav").write_bytes(data[: len(data) * 9 // 10])
    with pytest.warns(XaiAudioWarning):
        page = explain_long(model, tmp_path / "x.wav", "x", threshold=0.34, top=0)
    assert "The file is incomplete: it holds 1:07.50 of the 1:15.00" in text_of(page.html())


def test_what_the_network_cannot_hear_is_said(page):
    told = dataclasses.replace(page, unheard=Unheard(0.4, 0.0, 125.0, 7500.0, 48_000))
    assert "40% of the sound" in told.html() and SMALL.fmax == 7500


def test_formats_of_the_overview_and_the_table(page, tmp_path):
    outputs = Outputs(figures=("svg",), tables=("audacity", "raven"))
    names = {path.name for path in page.write(tmp_path, "x", outputs)}
    events = {"x-events.csv", "x-events.labels.txt", "x-events.selections.txt"}
    assert names == {"x.html", "x.svg", *events}
    lines = (tmp_path / "x-events.labels.txt").read_text().splitlines()
    assert sum(line.split("\t")[-1].strip() != "" for line in lines) >= len(page.events)


def test_the_line_of_a_summary(page):
    line = line_of_long(page, "x.wav", "x.html")
    best = max(page.events, key=lambda event: event.peak_score)
    assert (line.answer, line.probability) == (best.label, best.peak_score)
    assert line.target == f"2 of {len(page.events)} events" and line.seconds == 75
    assert 0 <= line.share <= 1
    nothing = line_of_long(dataclasses.replace(page, events=(), explained=()), "x.wav", "x.html")
    assert nothing.answer == "no event" and nothing.target == "0 of 0 events"
