"""Figures of sounds by rule: what they show is what they record."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots

TIMES = np.arange(40) / 250


@pytest.mark.slow
def test_a_sound_taken_apart_has_its_gains_in_decibels():
    heights = np.ones((40, 30))
    heights[:, 1] = 0.1
    figure = plots.taken_apart(
        TIMES,
        np.full(40, 440.0),
        np.full(40, -20.0),
        heights,
        0.001 * np.ones((40, 65)),
        true_pitch=np.full(40, 441.0),
    )
    assert figure.data["harmonics"].shape == (40, 20)
    assert figure.data["harmonics"][0, :2].tolist() == pytest.approx([0, -20])
    assert not figure.data["noise"].any()
    assert [ax.get_ylabel() for ax in figure.axes[:4]] == [
        "pitch (Hz)",
        "loudness (dB)",
        "harmonic",
        "noise (kHz)",
    ]
    with pytest.raises(xa.XaiAudioError, match="as many frames"):
        plots.taken_apart(TIMES, np.ones(39), np.ones(40), heights, heights)


def test_silence_is_drawn_dark():
    figure = plots.taken_apart(
        TIMES, np.ones(40), np.ones(40), np.zeros((40, 3)), np.zeros((40, 65))
    )
    assert figure.data["noise"].max() == -70


def test_valleys_are_lower_than_their_neighbours():
    way = (np.array([2.0, 1.5]), np.array([3.0, 1.0]))
    figure = plots.pitch_search([0, 1, 2, 3, 4], [3, 1, 2, 0, 5], {"from 2": way})
    assert figure.data["valleys"].tolist() == [False, True, False, True, False]
    assert figure.data["ends"].tolist() == [[2.0, 1.5]]


def test_a_fit_has_its_levels_beside_it():
    figure = plots.fitting({"fit": [4.0, 2.0]}, {"another noise": 1.5})
    assert figure.data["losses"].tolist() == [[4, 2]] and figure.data["levels"].tolist() == [1.5]
    low, high = figure.axes[0].get_ylim()
    assert low < 1.5 and high > 4


@pytest.mark.slow
def test_three_levels_of_a_melody():
    figure = plots.three_levels(
        [(0, 0.1, 60), (0.1, 0.16, 62)],
        [[1.0, 0.5], [2.0, 0.5]],
        ["volume", "peak"],
        TIMES,
        np.full(40, 262.0),
        np.ones((40, 4)),
    )
    assert figure.data["notes"].shape == (2, 3) and figure.data["performance"].shape == (2, 2)
    bars = figure.axes[1].patches
    assert len(bars) == 4 and bars[0].get_facecolor() != bars[1].get_facecolor()
    assert bars[2].get_facecolor() == bars[3].get_facecolor()  # the same for both notes
    with pytest.raises(xa.XaiAudioError, match="each note and control"):
        plots.three_levels([(0, 1, 60)], [[1.0, 2.0]], ["volume"], TIMES, TIMES, np.ones((40, 4)))


def test_changes_stand_in_their_cells():
    figure = plots.level_changes([[1, 0.25]], ["louder"], ["volume", "peak"], label="share")
    assert [text.get_text() for text in figure.axes[0].texts] == ["1.00", "0.25"]
    with pytest.raises(xa.XaiAudioError, match="each row and column"):
        plots.level_changes([[1, 2]], ["a"], ["b"], label="")
