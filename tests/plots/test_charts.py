"""Figures of labels, training and predictions show the numbers that they were given."""

import numpy as np
import pytest
from random_explanations import LABELS

from xaiaudio import XaiAudioError, plots


def images(figure):
    return [image for ax in figure.axes for image in ax.images]


def test_confusion_summaries_are_recall_and_precision():
    figure = plots.confusion([[9, 1, 0], [2, 8, 0], [0, 0, 0]], LABELS)
    np.testing.assert_allclose(figure.data["recall"], [0.9, 0.8, np.nan])
    np.testing.assert_allclose(figure.data["precision"], [9 / 11, 8 / 9, np.nan])
    assert figure.data["accuracy"] == pytest.approx(17 / 20)
    written = {text.get_text() for ax in figure.axes for text in ax.texts}
    assert {"9", "90%", "20%", "82%", "–"} <= written


def test_confusion_of_the_wrong_size_is_refused():
    with pytest.raises(XaiAudioError, match="3 rows"):
        plots.confusion([[1, 0], [0, 1]], LABELS)


def test_confusion_pair_compares_shares_of_each_class():
    figure = plots.confusion_pair([[3, 1], [0, 8]], [[30, 10], [0, 1]], ["a", "b"])
    np.testing.assert_array_equal(figure.data["first"], figure.data["second"])
    assert len({image.get_clim() for image in images(figure)}) == 1


def test_label_counts_of_two_sets():
    figure = plots.label_counts(
        [{"Rain": 4, "Rooster": 2}, {"Rooster": 1}], names=["training", "test"]
    )
    np.testing.assert_array_equal(figure.data["counts"], [[4, 2], [0, 1]])


def test_training_curves_count_iterations_from_one():
    history = {"accuracy": [0.5, 0.6], "loss": [1.0, 0.8], "validation_iteration": [2]}
    history |= {"validation_accuracy": [0.4], "validation_loss": [1.2]}
    figure = plots.training_curves(history)
    np.testing.assert_array_equal(figure.data["iteration"], [1, 2])
    drawn = figure.axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(drawn, [[1, 50], [2, 60]])


def test_a_network_without_history_has_no_training_curves():
    with pytest.raises(XaiAudioError, match="no training"):
        plots.training_curves({})


def test_counts_of_a_set_and_of_a_mapping_are_drawn_alike():
    from types import SimpleNamespace

    counts = {"Rain": 4, "Rooster": 2}
    figures = [
        plots.label_counts(counts),
        plots.label_counts(SimpleNamespace(counts=lambda: counts)),
    ]
    for figure in figures:
        (ax,) = figure.axes
        assert [bar.get_width() for bar in ax.patches] == [4, 2]
        assert ax.get_ylim()[0] > ax.get_ylim()[1]  # the first on top
        assert figure.data["labels"].tolist() == ["Rain", "Rooster"]


def test_shares_of_a_clip_mark_its_true_class():
    figure = plots.class_shares({"Rain": 0.25, "Sea": 0.75}, true="Sea")
    (ax,) = figure.axes
    assert [text.get_text() for text in ax.get_yticklabels()] == ["Rain", "Sea (true)"]
    assert [bar.get_width() for bar in ax.patches] == [0.25, 0.75]
    assert [text.get_text() for text in ax.texts] == ["25%", "75%"]


def test_a_class_without_clips_has_no_share_of_its_own():
    figure = plots.confusion_pair([[0, 0], [1, 3]], [[2, 2], [0, 4]], ["a", "b"])
    np.testing.assert_array_equal(figure.data["first"], [[0, 0], [0.25, 0.75]])
    np.testing.assert_array_equal(figure.data["second"], [[0.5, 0.5], [0, 1]])
