"""Functions of log-mel patches, which are asked and nothing else."""

import foreign
import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.adapters.patches import PatchFunctionClassifier


def test_nan_for_one_patch_is_refused_when_it_comes():
    def sometimes(patches):
        rows = np.eye(3)[:1].repeat(len(patches), axis=0)
        return np.where(patches[:, :1, 0] > 50, np.nan, rows)

    model = foreign.framed_model(sometimes, "probabilities", frontend=foreign.PATCHES)
    patches = foreign.some("patches", 3)
    patches[2] = 100
    with pytest.raises(XaiAudioError, match="NaN or infinity for patch 2"):
        model.scores(patches)


def sums(patches):
    return patches.sum(axis=2)[:, :3]


def test_patches_are_given_as_they_are_and_a_batch_at_most():
    asked = []

    def function(patches):
        asked.append(patches.copy())
        return sums(patches)

    model = foreign.framed_model(function, frontend=foreign.PATCHES, batch=2)
    assert type(model) is PatchFunctionClassifier
    asked.clear()
    patches = foreign.some("patches", 5)
    np.testing.assert_allclose(model.logits(patches), sums(patches), rtol=1e-5)
    assert [len(one) for one in asked] == [2, 2, 1]
    np.testing.assert_array_equal(np.concatenate(asked), patches)
    np.testing.assert_allclose(model.scores(patches), foreign.softmax(sums(patches)), atol=1e-5)
    assert model.as_input(patches) is patches


def test_sounds_are_asked_otherwise():
    assert not isinstance(foreign.framed_model(), PatchFunctionClassifier)
    model = foreign.framed_model(sums, frontend=foreign.PATCHES)
    with pytest.raises(XaiAudioError, match="make them with model.frontend"):
        model.scores(np.zeros((2, 24, 15)))
