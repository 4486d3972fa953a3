"""Sounds placed over each other, and who is said to sound."""

import numpy as np
import pytest
from small_networks import frontend

from xaiaudio.models.designs.local_lessons import Overlaps

RANDOM = np.random.default_rng(4)


@pytest.mark.slow
def test_sounds_are_placed_over_each_other():
    overlap = Overlaps(frontend(20, 12), 8, seed=3)
    patches = RANDOM.normal(2, 0.1, (200, 20, 12)).astype("float32")
    targets = np.eye(4, dtype="float32")[RANDOM.integers(4, size=200)]
    placed, sounding = (np.asarray(part) for part in overlap(patches, targets, True))
    assert placed.shape == patches.shape
    assert sounding.shape == (200, 3, 4)
    floor = frontend(20, 12).silence
    frames = np.repeat(sounding.any(axis=2), 8, axis=1)[:, :20]
    # All frames of such a patch are about as loud: who is heard sounds, and who sounds is heard.
    assert np.allclose(placed[~frames], floor, atol=1e-5)
    assert (placed[frames] > floor).all()
    assert set(sounding.sum(axis=2).ravel()) == {0, 1, 2}
    one = sounding.sum(axis=2) == 1
    assert one.any()
    same, alone = overlap(patches, targets, False)
    assert same is patches
    assert np.array_equal(np.asarray(alone).max(axis=1), targets)


def test_a_step_far_below_the_loudest_is_silent():
    overlap = Overlaps(frontend(24, 12), 8)
    patches = np.zeros((1, 24, 12), "float32")
    for decibels, wanted in ((20, 1), (30, 0)):
        patches[0, 8:16] = -decibels * np.log(10) / 20
        _, sounding = overlap(patches, np.ones((1, 1), "float32"), False)
        assert np.asarray(sounding)[0, :, 0].tolist() == [1, wanted, 1]
