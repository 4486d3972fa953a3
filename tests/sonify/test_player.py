"""A player holds its sound, and shows nothing but what it is told to."""

import base64
import html
import importlib
import io
import re

import numpy as np
import pytest
import soundfile
from heard_maps import RATE, decibels, tone

from xaiaudio.sonify.player import mp3, player, players


def source(text):
    return base64.b64decode(re.search(r"base64,([^\"]+)", text)[1])


def test_the_player_holds_a_small_mp3_of_the_sound():
    wave = tone(440, 5.0)
    text = player(wave, RATE, "A tone")
    assert 'preload="none"' in text and "<figcaption>A tone</figcaption>" in text
    data = source(text)
    assert len(data) < 60_000
    decoded, rate = soundfile.read(io.BytesIO(data))
    assert rate == RATE and decoded.ndim == 1
    assert len(decoded) == pytest.approx(len(wave), abs=3000)
    middle = decoded[8000:-8000]
    peak = np.abs(np.fft.rfft(middle)).argmax() * rate / len(middle)
    assert peak == pytest.approx(440, abs=1)
    assert decibels(middle) == pytest.approx(decibels(wave), abs=0.5)


@pytest.mark.parametrize("rate", [1000, 15_999, 96_000])
def test_rates_that_mp3_lacks_are_resampled(rate):
    data = mp3(np.zeros(rate, "float32"), rate)
    decoded, found = soundfile.read(io.BytesIO(data))
    assert len(decoded) / found == pytest.approx(1, abs=0.3)


def test_captions_cannot_break_out_of_the_page():
    evil = '"><img src=x onerror=alert(1)>'
    text = player(np.zeros(1600, "float32"), RATE, evil)
    assert "<img" not in text
    assert html.escape(evil) in text


def test_an_answer_is_folded_away_until_it_is_asked_for():
    text = player(
        np.zeros(1600, "float32"), RATE, "A sound", folded=("Which <one>?", "This & that")
    )
    assert "<details><summary>Which &lt;one&gt;?</summary>This &amp; that</details>" in text
    assert 'title="A sound"' in text and "details" not in player(np.zeros(1600), RATE, "A sound")


def test_several_sounds_are_several_players_in_their_order():
    page = players({"High": tone(880), "Low & deep": tone(110)}, RATE).data
    assert re.findall("<figcaption>(.*?)</figcaption>", page) == ["High", "Low &amp; deep"]
    assert source(page) == mp3(tone(880), RATE) != mp3(tone(110), RATE)


def test_the_players_can_be_had_from_their_package():
    module = importlib.import_module("xaiaudio.sonify")
    assert (module.mp3, module.player, module.players) == (mp3, player, players)


def test_a_sound_that_is_shown_twice_is_encoded_once(monkeypatch):
    module = importlib.import_module("xaiaudio.sonify.player")
    encoded = []
    original = module.encode_audio
    monkeypatch.setattr(
        module, "encode_audio", lambda *given: encoded.append(None) or original(*given)
    )
    sound = tone(333)
    assert mp3(sound, RATE) == mp3(sound.copy(), RATE) != mp3(sound[:-900], RATE)
    assert len(encoded) == 2
