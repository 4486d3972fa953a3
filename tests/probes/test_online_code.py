"""The online code: against a plain sum in bits, and what must hold of any code."""

import math

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.probes import code_length
from xaiaudio.probes.fitting import probabilities


def uniform(train, targets, test, classes):
    return np.full((len(test), classes), 1 / classes)


@pytest.mark.parametrize("classes", [2, 3, 10])
def test_guessing_compresses_nothing(classes):
    labels = np.arange(317) % classes
    found = code_length(np.zeros((317, 2)), labels, predict=uniform)
    assert found.compression == pytest.approx(1, abs=1e-12)
    assert found.total == pytest.approx(317 * math.log2(classes))


def test_one_class_takes_no_bits():
    found = code_length(np.random.default_rng(0).normal(size=(50, 2)), ["rain"] * 50)
    assert found.total == 0 and found.uniform == 0 and found.compression == 1


def test_labels_that_are_known_take_the_bits_of_the_first_portion():
    """A probe that is certain and right: the rest costs what the share of guessing costs."""
    labels = np.arange(1000) % 4
    features = np.eye(4)[labels]
    found = code_length(features, labels, predict=lambda train, targets, test, classes: test)
    assert found.ends.tolist() == [1, 2, 4, 8, 16, 32, 63, 125, 250, 500, 1000]
    wanted = 2.0  # the first row, of four classes
    for start, end in zip(found.ends[:-1], found.ends[1:], strict=True):
        wanted += (end - start) * -math.log2((start + 1 / 4) / (start + 1))
    assert found.total == pytest.approx(wanted)


def test_the_code_is_a_sum_of_logarithms_in_bits():
    """Recorded order, portion by portion and row by row; every recording is sent whole."""
    rng = np.random.default_rng(2)
    labels = np.arange(90) // 3 % 3
    features = rng.normal(size=(90, 4)) + labels[:, None]
    groups, met = np.arange(90) // 3, []

    def told(train, targets, test, classes):
        met.append((train, targets, test))
        return probabilities(train, targets, test, classes)

    found = code_length(features, labels, groups, predict=told, seed=5)
    of_row = {
        row.tobytes(): (label, group)
        for row, label, group in zip(features, labels, groups, strict=True)
    }
    total = len(met[0][0]) * math.log2(3)
    for train, targets, test in met:
        share = probabilities(train, targets, test, 3)
        for row, probability in zip(test, share, strict=True):
            label, _ = of_row[row.tobytes()]
            mixed = (len(train) * probability[label] + 1 / 3) / (len(train) + 1)
            total -= math.log(mixed) / math.log(2)
        before = {of_row[row.tobytes()][1] for row in train}
        assert not before & {of_row[row.tobytes()][1] for row in test}
        assert [of_row[row.tobytes()][0] for row in train] == targets.tolist()
    assert found.total == pytest.approx(total)
    assert len(met[-1][0]) + len(met[-1][2]) == 90
    plain = code_length(features, labels, groups, seed=5)
    assert plain.total == pytest.approx(total)


@pytest.mark.slow
def test_random_labels_are_not_compressed():
    found = []
    for seed in range(20):
        rng = np.random.default_rng([3, seed])
        features, labels = rng.normal(size=(300, 5)), rng.integers(0, 3, 300)
        found.append(code_length(features, labels, seed=seed).compression)
    assert max(found) < 1.02 and np.mean(found) < 1


def test_what_can_be_read_is_compressed_and_more_so_if_it_is_easy():
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 2, 400)
    clear = 4 * labels[:, None] + rng.normal(size=(400, 3))
    vague = labels[:, None] + rng.normal(size=(400, 3))
    first, second = code_length(clear, labels), code_length(vague, labels)
    assert first.compression > second.compression > 1


def test_the_names_of_the_labels_do_not_matter():
    rng = np.random.default_rng(5)
    labels = rng.integers(0, 4, 200)
    features = rng.normal(size=(200, 3)) + labels[:, None]
    first = code_length(features, labels)
    second = code_length(features, np.array(["d", "a", "c", "b"])[labels])
    assert second.total == pytest.approx(first.total, rel=1e-3)


def test_what_does_not_fit_is_refused():
    features = np.zeros((10, 2))
    with pytest.raises(xa.XaiAudioError, match="must rise"):
        code_length(features, np.arange(10) % 2, portions=(50.0, 20.0, 100.0))
    with pytest.raises(xa.XaiAudioError, match="must rise"):
        code_length(features, np.arange(10) % 2, portions=(50.0,))
    with pytest.raises(xa.XaiAudioError, match="9 labels"):
        code_length(features, np.arange(9) % 2)
