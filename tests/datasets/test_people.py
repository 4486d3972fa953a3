"""The listening test's numbers."""

import os

import numpy as np
import pytest

from xaiaudio.datasets import CLASSES, people
from xaiaudio.errors import XaiAudioError


def test_the_published_totals():
    labels, answers = people.confusion()
    assert labels == CLASSES
    assert answers.shape == (10, 10)
    assert answers.sum() == 4687
    assert np.trace(answers) == 4487
    assert people.accuracy() == pytest.approx(0.957, abs=5e-4)


def test_the_published_confusions():
    labels, answers = people.confusion()
    both = (answers + answers.T) * (1 - np.eye(10, dtype=int))
    worst = np.argsort(both[np.triu_indices(10)])[::-1][:3]
    pairs = {
        frozenset((labels[row], labels[column]))
        for row, column in np.stack(np.triu_indices(10), axis=1)[worst]
    }
    assert pairs == {
        frozenset({"Rain", "Fire crackling"}),
        frozenset({"Rain", "Sea waves"}),
        frozenset({"Helicopter", "Chainsaw"}),
    }


def test_a_changed_table_is_a_copy():
    people.confusion()[1][:] = 0
    assert people.accuracy() > 0.9


def test_by_clip(tmp_path):
    assert people.by_clip(tmp_path) == {}
    path = tmp_path / "human_by_clip.csv"
    path.write_text("clip,class,correct,answers\n1-1-A,Dog bark,20,21\n2-2-A,Rain,0,3\n")
    assert people.by_clip(str(tmp_path)) == {"1-1-A": (20, 21), "2-2-A": (0, 3)}
    for text in (
        "clip,correct\n1-1-A,3\n",
        "clip,correct,answers\n1-1-A,x,3\n",
        "clip,correct,answers\n1\n",
    ):
        path.write_text(text)
        with pytest.raises(XaiAudioError, match=r"human_by_clip\.csv does not list"):
            people.by_clip(tmp_path)


def test_by_clip_adds_up_to_the_table():
    folder = os.environ.get("XAIAUDIO_ESC10")
    if not folder or not (counts := people.by_clip(folder)):
        pytest.skip("XAIAUDIO_ESC10 names no copy with the counts")
    right, answers = np.array(list(counts.values())).sum(axis=0)
    assert (right, answers) == (4487, 4687)
