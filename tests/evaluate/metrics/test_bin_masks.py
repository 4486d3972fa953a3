"""Measures of masks over bins against their definitions, and masks of the same values."""

import heard_tones
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.evaluate.metrics.bin_masks import mask_measures, rearranged
from xaiaudio.evaluate.metrics.complexity import complexity, sparseness
from xaiaudio.explainers.trained.decoding import patches_of

RANDOM = np.random.default_rng(0)
SHAPE = (3, 16, 129)


@pytest.fixture(scope="module")
def model():
    """A network of random weights, whose answers are anything."""
    return xa.AudioClassifier.from_keras(
        heard_tones.network(3), heard_tones.LABELS, heard_tones.FRONTEND
    )


@pytest.fixture(scope="module")
def heights():
    return RANDOM.exponential(2.0, SHAPE).astype("float32")


@pytest.mark.slow
def test_the_measures_are_their_definitions(model, heights):
    masks = RANDOM.random(SHAPE).astype("float32")
    found = mask_measures(model, heights, masks)

    def ask(one):
        return model.scores(patches_of(one[None], model.frontend).numpy())[0].astype(float)

    for number in range(len(heights)):
        p = ask(heights[number])
        q = ask(heights[number] * masks[number])
        u = ask(heights[number] * (1 - masks[number]))
        c = p.argmax()
        expected = {
            "AD": 100 * max(p[c] - q[c], 0) / p[c],
            "AI": 100 * float(q[c] > p[c]),
            "AG": 100 * max(q[c] - p[c], 0) / (1 - p[c]),
            "FF": p[c] - u[c],
            "Fid-In": float(q.argmax() == c),
            "SPS": sparseness(masks[number][None])[0],
            "COMP": complexity(masks[number][None])[0],
            "mask-mean": masks[number].mean(),
            "silent": 0,
        }
        for name, value in expected.items():
            assert found[name][number] == pytest.approx(value, abs=1e-3), name


@pytest.mark.slow
def test_a_mask_of_ones_changes_nothing_and_one_of_zeros_is_counted(model, heights):
    ones = mask_measures(model, heights, np.ones(SHAPE))
    for name in ("AD", "AI", "AG", "silent"):
        np.testing.assert_array_equal(ones[name], 0)
    np.testing.assert_array_equal(ones["Fid-In"], 1)
    zeros = mask_measures(model, heights, np.zeros(SHAPE))
    np.testing.assert_array_equal(zeros["silent"], 1)
    np.testing.assert_allclose(zeros["FF"], 0)
    assert all(np.isfinite(values).all() for values in zeros.values())


def test_silence_is_counted_and_gives_numbers(model):
    found = mask_measures(model, np.zeros(SHAPE), np.full(SHAPE, 0.5))
    np.testing.assert_array_equal(found["silent"], 1)
    assert all(np.isfinite(values).all() for values in found.values())


def test_other_targets(model, heights):
    masks = np.zeros(SHAPE)
    own = mask_measures(model, heights, masks)
    other = mask_measures(model, heights, masks, [0, 1, 2])
    np.testing.assert_array_equal(own["Fid-In"], other["Fid-In"])
    assert not np.allclose(own["AD"], other["AD"])


def test_rearranged_masks_have_the_same_values_in_the_order_asked_for():
    masks = RANDOM.random(SHAPE).astype("float32")
    order = RANDOM.normal(size=SHAPE)
    found = rearranged(masks, order)
    for one, before, by in zip(found, masks, order, strict=True):
        np.testing.assert_array_equal(np.sort(one, axis=None), np.sort(before, axis=None))
        assert (np.diff(one.ravel()[np.argsort(by.ravel())]) >= 0).all()
    for measure in (sparseness, complexity):
        np.testing.assert_allclose(measure(found), measure(masks), rtol=1e-6)


def test_there_has_to_be_a_mask_for_each_patch(model, heights):
    with pytest.raises(xa.XaiAudioError, match=r"\(3, 16, 129\) and the masks \(1, 16, 129\)"):
        mask_measures(model, heights, np.ones((1, 16, 129)))
