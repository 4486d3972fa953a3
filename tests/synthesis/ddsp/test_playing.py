"""Notes are played by rules, and the measured performance is the one that was asked for."""

import numpy as np
import pytest
from five_notes import LEAD, NOTES, PLAYED

import xaiaudio as xa
from xaiaudio.synthesis.ddsp.analysis import analyse
from xaiaudio.synthesis.ddsp.performance import EXPRESSIONS, Performance, measure
from xaiaudio.synthesis.ddsp.playing import Instrument, bright, performed, render
from xaiaudio.synthesis.ddsp.synthesiser import synthesise
from xaiaudio.synthesis.notes import Notes


def test_from_a_performance_to_controls_and_back():
    found = measure(render(NOTES, PLAYED, LEAD), NOTES).table()
    wanted = PLAYED.table()
    exact = [EXPRESSIONS.index(name) for name in ("volume", "fluctuation", "brightness", "attack")]
    assert np.allclose(found[:, exact], wanted[:, exact], atol=1e-9)
    assert np.abs(found[:, 2] - wanted[:, 2]).max() < 0.01  # within a frame
    ratio = found[:, 3] / wanted[:, 3]
    assert ((ratio > 0.84) & (ratio < 1.03)).all()  # between two bins


@pytest.mark.slow
def test_from_a_performance_to_a_sound_and_back():
    controls = render(NOTES, PLAYED, LEAD)
    heard = analyse(synthesise(controls), controls.pitch)
    found, wanted = measure(heard.controls, NOTES), PLAYED
    for name, off in (("volume", 0.01), ("fluctuation", 0.02), ("brightness", 0.01)):
        assert np.abs(getattr(found, name) - getattr(wanted, name)).max() < off, name
    assert np.abs(found.peak - wanted.peak).max() < 0.05
    assert np.abs(found.attack - wanted.attack).max() < 0.1
    assert np.abs(found.vibrato - wanted.vibrato).max() < 0.17


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_one_control_changed_changes_that_one(name):
    before = measure(render(NOTES, PLAYED, LEAD), NOTES)
    changed = PLAYED.but(**{name: 0.8 * getattr(PLAYED, name)})
    after = measure(render(NOTES, changed, LEAD), NOTES)
    for other in EXPRESSIONS:
        moved = np.abs(getattr(after, other) - getattr(before, other)).max()
        assert moved > 0.01 if other == name else moved < 0.01, other


def test_brightness_is_met_where_it_can_be_met():
    heights = 0.6 ** np.arange(30)
    for wanted in (0.2, 0.5, 1.5):
        shares = bright(heights, wanted, 440.0)
        assert 5 * shares @ np.arange(1, 31) / 30 == pytest.approx(wanted, abs=1e-9)
        assert shares.sum() == pytest.approx(1) and not shares[18:].any()
    own = heights[:18] / heights[:18].sum()
    same = bright(heights, float(5 * own @ np.arange(1, 19) / 30), 440.0)
    assert np.allclose(same[:18], own, atol=1e-9)
    assert bright(heights, 9.0, 440.0)[17] == pytest.approx(1, abs=1e-6)  # as near as it comes
    assert not bright(heights, 1.0, 9000.0).any()


@pytest.mark.slow
def test_of_a_vibrato_at_most_15_percent_are_missed():
    for seconds in np.linspace(0.5, 1.5, 41):
        note = Notes(np.array([69]), np.array([0.0]), np.array([seconds]))
        played = performed(note, LEAD).but(vibrato=1.0)
        assert 0.845 <= measure(render(note, played, LEAD), note).vibrato[0] <= 1.02


def test_what_cannot_be_played():
    with pytest.raises(xa.XaiAudioError, match="Notes overlap"):
        both = Notes(np.array([60, 64]), np.array([0.0, 0.5]), np.array([1.0, 1.5]))
        render(both, performed(both, LEAD), LEAD)
    with pytest.raises(xa.XaiAudioError, match="5 notes, but 2 are played"):
        render(NOTES, Performance(*PLAYED.table()[:2].T), LEAD)
    with pytest.raises(xa.XaiAudioError, match="No instrument is called 'kazoo'"):
        Instrument.of("kazoo")
    none = Notes(np.array([]), np.array([]), np.array([]))
    empty = Performance(*np.ones((6, 0)))
    for play in (lambda: performed(none, LEAD), lambda: render(none, empty, LEAD)):
        with pytest.raises(xa.XaiAudioError, match="There are no notes"):
            play()
