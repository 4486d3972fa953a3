"""The page of a long sound: what it says, what it leaves out, and how large it is."""

import csv
import dataclasses
import io
import re

import numpy as np
import pytest
import soundfile
from long_sounds import SMALL, network

from xaiaudio.errors import XaiAudioWarning
from xaiaudio.pages import long_sound_page
from xaiaudio.pages.long_sound import explain_long
from xaiaudio.unheard import Unheard


def text_of(html):
    return " ".join(re.sub(r"<[^>]*>", " ", re.sub(r'base64,[^"]*"', '"', html)).split())


@pytest.mark.slow
def test_the_page_says_what_is_heard_when(long_page):
    html = long_page.html()
    text = text_of(html)
    assert f"listened to 1:15.0 of sound and found {len(long_page.events)} events" in text
    assert "<b>" not in html and "a &amp; &lt;b&gt;.wav" in html
    assert html.count("<img ") == html.count(' alt="') == 1 + len(long_page.explained) == 3
    for number, one in enumerate(long_page.explained, 1):
        assert f'<section id="event-{number}">' in html
        assert html.count(f'href="#event-{number}"') == 1
        assert str(one.heard["gradcam"].answers["kept"]) in text
    rows = list(csv.DictReader(io.StringIO(long_page.table().decode("utf-8-sig"))))
    assert [float(row["start_s"]) for row in rows] == [event.start for event in long_page.events]
    assert f"{len(long_page.events) - 2} other events are listed and not explained" in text
    assert "there is no class for none of them" in text
    assert not re.search(r'(src|href)="(?!data:|#)', html)


@pytest.mark.slow
def test_a_page_stays_small(long_page, monkeypatch):
    whole = long_page.html()
    monkeypatch.setattr(long_sound_page, "MOST_BYTES", len(whole.encode()) - 1)
    text = long_page.html()
    assert len(text.encode()) < len(whole.encode())
    assert 'id="event-1"' in text and "event-2" not in text
    assert "1 explained event was left out to keep this page below 5 MB" in text_of(text)


@pytest.mark.slow
def test_a_table_stays_short(long_page, monkeypatch):
    monkeypatch.setattr(long_sound_page, "LISTED", 3)
    html = long_page.html()
    count = html.count("<tr>") - 1
    assert 3 <= count <= 5
    left = len(long_page.events) - count
    assert f"The {left} less sure ones are in the CSV file" in text_of(html)


@pytest.mark.slow
def test_silence(tmp_path, listener):
    soundfile.write(tmp_path / "x.wav", np.zeros(16_000 * 70), 16_000)
    page = explain_long(listener, tmp_path / "x.wav", "x")
    assert not page.events and not page.explained
    assert "1:10.0 of sound and found it silent: nothing is above -90 dB" in text_of(page.html())


@pytest.mark.slow
def test_no_event(long_file, listener):
    page = explain_long(listener, long_file, "x", threshold=1.0)
    text = text_of(page.html())
    assert "found no event : the highest score is" in text and "an event needs 100%" in text


@pytest.mark.slow
def test_several_classes_at_once(long_file):
    page = explain_long(network(end="sigmoid"), long_file, "x", threshold=0.3, top=1)
    assert "Several classes can be heard at once" in text_of(page.html())


@pytest.mark.slow
def test_a_file_that_was_cut_off_is_said_to_be(long_file, listener, tmp_path):
    data = long_file.read_bytes()
    (tmp_path / "x.wav").write_bytes(data[: len(data) * 9 // 10])
    with pytest.warns(XaiAudioWarning):
        page = explain_long(listener, tmp_path / "x.wav", "x", threshold=0.34, top=0)
    assert "The file is incomplete: it holds 1:07.50 of the 1:15.00" in text_of(page.html())


@pytest.mark.slow
def test_what_the_network_cannot_hear_is_said(long_page):
    told = dataclasses.replace(long_page, unheard=Unheard(0.4, 0.0, 125.0, 7500.0, 48_000))
    assert "40% of the sound" in told.html() and SMALL.fmax == 7500
