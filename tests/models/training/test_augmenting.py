"""Alterations of patches do what they say, and no more."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.models.training.augmenting import Alterations

FRONTEND = xa.LogMel(frames=20, bands=12)
RANDOM = np.random.default_rng(0)
PATCHES = RANDOM.normal(1, 0.5, (30, 20, 12)).astype("float32")
TARGETS = np.eye(3, dtype="float32")[RANDOM.integers(3, size=30)]
NOTHING = {"gain_db": 0, "bands": 0, "frames": 0, "mixup": 0}


def altered(**options):
    alter = Alterations(FRONTEND, **{**NOTHING, **options})
    return [np.asarray(part) for part in alter(PATCHES, TARGETS)]


def turns(patch, found):
    return [n for n in range(20) if np.allclose(np.roll(patch, -n, axis=0), found, atol=1e-5)]


def test_a_patch_begins_elsewhere():
    patches, targets = altered()
    assert np.array_equal(targets, TARGETS)
    begins = [turns(patch, found) for patch, found in zip(PATCHES, patches, strict=True)]
    assert all(len(begin) == 1 for begin in begins)
    assert len({begin[0] for begin in begins}) > 10


def test_louder_or_softer_by_up_to_ten_decibels():
    patches, _ = altered(gain_db=10)
    change = patches.mean(axis=(1, 2)) - PATCHES.mean(axis=(1, 2))
    most = 10 * np.log(10) / 20
    assert np.abs(change).max() <= most + 1e-4
    assert change.min() < -most / 2
    assert change.max() > most / 2
    low = Alterations(FRONTEND, **{**NOTHING, "gain_db": 60})(PATCHES, TARGETS)[0]
    assert np.asarray(low).min() == pytest.approx(FRONTEND.silence)


@pytest.mark.parametrize(("name", "axis", "longest"), [("frames", 1, 10), ("bands", 2, 6)])
def test_a_stretch_becomes_the_mean(name, axis, longest):
    patches, _ = altered(**{name: 0.5})
    lengths = []
    for patch in patches:
        flat = np.ptp(patch, axis=2 - axis) < 1e-6
        assert np.count_nonzero(np.diff(flat.astype(int), prepend=0, append=0)) <= 2
        lengths.append(flat.sum())
    assert 0 < max(lengths) <= longest
    assert len(set(lengths)) > 2


def test_mixtures_of_two_and_of_their_targets():
    alter = Alterations(FRONTEND, **{**NOTHING, "mixup": 0.5})
    flat = np.broadcast_to(np.arange(30.0)[:, None, None], (30, 20, 12)).astype("float32")
    patches, targets = (np.asarray(part) for part in alter(flat, np.eye(30, dtype="float32")))
    assert np.allclose(targets.sum(axis=1), 1, atol=1e-5)
    assert np.allclose(targets @ np.arange(30), patches[:, 0, 0], atol=1e-3)
    assert ((targets > 0).sum(axis=1) <= 2).all()
    assert targets.max(axis=1).min() < 0.95


def test_the_seed_decides():
    one, two, other = (altered(mixup=0.3, seed=seed)[0] for seed in (1, 1, 2))
    assert np.array_equal(one, two)
    assert not np.array_equal(one, other)
