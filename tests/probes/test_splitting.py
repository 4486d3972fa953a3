"""Folds keep recordings together, and what is dealt anew keeps its shares."""

from pathlib import Path

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.datasets import Clip
from xaiaudio.probes.splitting import dealt_anew, folds_of, recordings


@pytest.mark.parametrize("seed", range(5))
def test_no_recording_is_in_two_folds_and_folds_are_even(seed):
    rng = np.random.default_rng(seed)
    groups = rng.integers(0, 17, 100)
    fold = folds_of(groups, 4, seed=seed)
    for group in np.unique(groups):
        assert len(np.unique(fold[groups == group])) == 1
    sizes = [len(np.unique(groups[fold == k])) for k in range(4)]
    assert max(sizes) - min(sizes) <= 1
    assert (fold == folds_of(groups, 4, seed=seed)).all()


def test_each_class_is_dealt_out_evenly():
    groups = np.arange(40).repeat(2)
    labels = np.array(["a", "b"])[(np.arange(40) >= 30).astype(int)].repeat(2)
    fold = folds_of(groups, 5, labels=labels, seed=3)
    for number in range(5):
        assert (labels[fold == number] == "b").sum() == 4


def test_another_seed_gives_other_folds():
    groups = np.arange(30)
    assert (folds_of(groups, 3, seed=0) != folds_of(groups, 3, seed=1)).any()


def test_too_few_recordings_are_refused():
    with pytest.raises(xa.XaiAudioError, match="3 recordings cannot be dealt out to 4"):
        folds_of([1, 1, 2, 3], 4)
    with pytest.raises(xa.XaiAudioError, match="two folds at least"):
        folds_of([1, 2, 3], 1)


def test_groups_of_one_value_exchange_theirs():
    groups = np.arange(12).repeat([1, 2, 3] * 4)
    values = np.arange(12).repeat([1, 2, 3] * 4)
    found = dealt_anew(values, groups, seed=1)
    for group in range(12):
        assert len(np.unique(found[groups == group])) == 1
    assert sorted(np.unique(found)) == list(range(12))
    assert (found != values).any()


def test_rows_are_shuffled_where_groups_hold_several_values():
    values = np.arange(20)
    found = dealt_anew(values, values // 2, seed=1)
    assert sorted(found) == list(range(20)) and (found != values).any()


def test_clips_of_one_recording_are_told_by_their_names():
    names = ["1-100032-A-0", "1-100032-B-0", "5-9-C", "1-dog_bark-00", "7_03_2", "6-12-A"]
    found = recordings(Clip(Path(f"{name}.ogg"), None, None, "") for name in names)
    assert found.tolist() == ["100032", "100032", "9", *names[3:]]
