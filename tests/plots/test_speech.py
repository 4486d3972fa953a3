"""Figures of speech show what they are given, and record it."""

import numpy as np
import pytest

from xaiaudio import plots
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel


@pytest.mark.slow
def test_an_aligned_string_records_what_it_shows():
    rng = np.random.default_rng(0)
    patch, paid = rng.random((96, 64)), rng.random((3, 24))
    figure = plots.aligned(patch, paid, ["7", "3", "end"], [0.2, 0.5], [0.1, 0.6], LogMel())
    assert np.array_equal(figure.data["attention"], paid)
    assert figure.data["onsets"].tolist() == [0.2, 0.5]
    sound, heads = figure.axes[:2]
    assert [text.get_text() for text in heads.get_yticklabels()] == ["7", "3", "end"]
    # Each line stands at its time, in both panels.
    for ax in (sound, heads):
        assert sorted(line.get_xdata()[0] for line in ax.lines) == [0.1, 0.2, 0.5, 0.6]
    assert figure._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(XaiAudioError, match="a row of attention for each token"):
        plots.aligned(patch, paid, ["7"], [0.2], [0.1], LogMel())


@pytest.mark.slow
def test_amounts_record_their_intervals():
    rows = {"one": [[1, 2, 3], [4, 5, 6]], "two": [[0, 1, 2], [-3, -2, -1]]}
    figure = plots.amounts(["a", "b"], rows, "error (ms)")
    assert figure.data["labels"].tolist() == ["a", "b"]
    assert figure.data["two"][1].tolist() == [-3, -2, -1]
    assert figure.axes[0].get_xlabel() == "error (ms)"
    lines = [line for line in figure.axes[0].lines if line.get_xdata()[0] == 0]
    assert lines  # at zero
