"""Every measure of a kept or removed explanation against its definition, patch by patch."""

import dataclasses
import math

import numpy as np
import pytest
from small_networks import additive, random_patches

import xaiaudio as xa
from xaiaudio.evaluate.metrics.faithfulness import (
    MEASURES,
    faithfulness,
    kept_and_removed,
    soft_mask,
)


def blend(patch, shown, fill):
    """Cell by cell: the patch where it is shown, the fill where it is not."""
    mixed = np.empty_like(patch)
    for place in np.ndindex(patch.shape):
        mixed[place] = shown[place] * patch[place] + (1 - shown[place]) * fill
    return mixed


def by_definition(model, result, fill):
    answers = {name: [] for name in MEASURES}
    for number in range(len(result)):
        patch, target = result.patches[number], result.targets[number]
        positive = np.maximum(result.maps[number], 0)
        mask = positive / positive.max()
        before = model.scores(patch[None])[0].astype(float)
        with_it = model.scores(blend(patch, mask, fill)[None])[0].astype(float)
        without = model.scores(blend(patch, 1 - mask, fill)[None])[0].astype(float)
        p, o, m = before[target], with_it[target], without[target]
        answers["AD"].append(100 * max(0, p - o) / p)
        answers["AI"].append(100 if o > p else 0)
        answers["AG"].append(100 * max(0, o - p) / (1 - p))
        answers["FF"].append(p - m)
        answers["Fid-In"].append(1 if before.argmax() == with_it.argmax() else 0)
    return answers


@pytest.mark.slow
@pytest.mark.parametrize("fill", ["silence", -1.5])
def test_the_measures_are_their_definitions(small, result, fill):
    value = math.log(small.frontend.offset) if fill == "silence" else fill
    expected = by_definition(small, result, value)
    found = faithfulness(small, result, fill=fill)
    assert tuple(found) == MEASURES
    for name in MEASURES:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-3, atol=1e-4, err_msg=name)
    assert len({tuple(np.round(values, 3)) for values in expected.values()}) > 3


def test_a_map_of_ones_keeps_all_and_removes_all(small, result):
    ones = dataclasses.replace(result, maps=np.ones_like(result.maps))
    kept, removed = kept_and_removed(small, ones)
    np.testing.assert_allclose(kept, result.scores, atol=1e-5)
    silence = np.full_like(result.patches, math.log(small.frontend.offset))
    np.testing.assert_allclose(removed, small.scores(silence), atol=1e-5)
    found = faithfulness(small, ones)
    np.testing.assert_allclose(found["AD"], 0, atol=1e-2)
    assert (found["Fid-In"] == 1).all()


def test_a_map_without_a_positive_cell_keeps_nothing(small, result):
    nothing = dataclasses.replace(result, maps=-np.abs(result.maps))
    assert not soft_mask(nothing.maps).any()
    kept, removed = kept_and_removed(small, nothing)
    np.testing.assert_allclose(removed, result.scores, atol=1e-5)
    np.testing.assert_allclose(kept, np.repeat(kept[:1], len(kept), axis=0), atol=1e-5)


@pytest.mark.slow
def test_the_true_map_of_an_additive_network_is_more_faithful_than_a_random_one():
    model, weights = additive((6, 5))
    # No probability so close to 0 or 1 that nothing could change it: silence is undecided here.
    base = math.log(model.frontend.offset)
    layer = model.logits_network.get_layer("logits")
    layer.set_weights([weights.reshape(-1, 3), -base * weights.sum(axis=(0, 1))])
    patches = base + 0.1 * random_patches(20, (6, 5))
    np.testing.assert_allclose(model.scores(np.full_like(patches[:1], base)), 1 / 3, atol=1e-4)
    found = xa.explain(model, patches, 1, method="occlusion")
    # What each cell adds to the logit, against silence.
    true = weights[..., 1] * (patches - base)
    random = np.random.default_rng(0).normal(size=true.shape)
    ff = [
        faithfulness(model, dataclasses.replace(found, maps=maps.astype("float32")))["FF"].mean()
        for maps in (true, random)
    ]
    assert ff[0] > 2 * abs(ff[1])


def test_what_cannot_be_measured_is_told(small, result):
    with pytest.raises(xa.XaiAudioError, match="fill is 'noise'"):
        faithfulness(small, result, fill="noise")
