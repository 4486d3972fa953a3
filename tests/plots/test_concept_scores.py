"""Figures of concept scores show what they are given."""

import numpy as np
import pytest

from xaiaudio import XaiAudioError, plots


def test_scores_are_written_and_marked():
    scores = np.array([[[0.1, 0.9], [0.5, 0.5]], [[0.2, 0.3], [1.0, 0.0]]])
    found, held = scores > 0.8, np.array([[True, True], [False, True]])
    names = (["tone", "noise"], ["conv2", "embedding"], ["Rain", "Rooster"])
    figure = plots.concept_scores(scores, found, held, *names)
    np.testing.assert_array_equal(figure.data["scores"], scores)
    tables = figure.axes[:2]
    assert [text.get_text() for text in tables[1].texts] == ["50", "50", "100", "0"]
    assert [text.get_weight() for text in tables[0].texts] == ["normal", "bold", "normal", "normal"]
    hatched = [len([one for one in ax.patches if one.get_hatch()]) for ax in tables]
    assert hatched == [1, 0]
    with pytest.raises(XaiAudioError, match="The scores have the shape"):
        plots.concept_scores(scores[:1], found, held, *names)


@pytest.mark.slow
def test_predictions_stand_against_what_happened():
    figure = plots.predicted_changes({"a": ([1, 2], [3, 4]), "b": ([0], [1])}, "told", "was")
    assert figure.data["a/happened"].tolist() == [3, 4]
    assert figure.axes[0].lines[2].get_xydata().tolist() == [[1, 3], [2, 4]]
    assert [ax.get_title() for ax in figure.axes] == ["a", "b"]
