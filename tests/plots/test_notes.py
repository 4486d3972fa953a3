"""Figures of factorisations: what they show is what they record."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots

ROLL = np.eye(3, dtype=bool).repeat(4, axis=1)


def test_a_transcription_has_the_played_notes_outlined():
    found = ROLL * [[1.0], [2.0], [0.0]]
    figure = plots.transcription({"found": found}, np.arange(12) * 0.1, "CDE", truth=ROLL)
    assert figure.data["found"].max(axis=1).tolist() == [1, 1, 0]
    assert np.array_equal(figure.data["truth"], ROLL)
    ax = figure.axes[0]
    assert [line.get_xdata()[0] for line in ax.lines] == pytest.approx([-0.05, 0.35, 0.75])
    assert [line.get_xdata()[1] for line in ax.lines] == pytest.approx([0.35, 0.75, 1.15])
    assert [text.get_text() for text in ax.get_yticklabels()] == ["C", "D", "E"]
    with pytest.raises(xa.XaiAudioError, match="piano roll's shape"):
        plots.transcription({"found": ROLL[:2]}, np.arange(12), "CD", truth=ROLL)


def test_energy_shares_stand_in_their_cells():
    figure = plots.energy_shares([[0.75, 0.25], [0, 1]], ["Dog", "Rain"], ["bark", "shower"])
    assert [text.get_text() for text in figure.axes[0].texts] == ["75", "25", "0", "100"]
    assert figure.data["shares"].tolist() == [[0.75, 0.25], [0, 1]]


@pytest.mark.slow
def test_templates_are_shares_of_their_largest_value():
    spectra = np.random.default_rng(0).random((2, 3, 4, 64)) * 7
    figure = plots.templates(spectra, xa.LogMel.vggish(), ["Dog", "Rain"])
    assert np.array_equal(figure.data["spectra"].max(axis=(2, 3)), np.ones((2, 3)))
    drawn = [ax.images[0].get_array() for ax in figure.axes if ax.images][:6]
    assert np.allclose(drawn[4], figure.data["spectra"][1, 1].T)
