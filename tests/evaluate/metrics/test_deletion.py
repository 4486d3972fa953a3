"""Deletion, insertion and MuFidelity against loops over patches and steps."""

import dataclasses
import math

import numpy as np
import pytest
from small_networks import additive, random_patches

import xaiaudio as xa
from xaiaudio.evaluate.benchmark.samples import Cases
from xaiaudio.evaluate.metrics import deletion as curves
from xaiaudio.evaluate.metrics.deletion import deletion, drops_of, insertion, mu_fidelity, ranks


def by_definition(model, result, steps, fill, *, inserted):
    curves = []
    for patch, cells, target in zip(result.patches, result.maps, result.targets, strict=True):
        order = sorted(np.ndindex(cells.shape), key=lambda place, c=cells: -c[place])
        curve = []
        for step in range(steps + 1):
            chosen = order[: round(step * len(order) / steps)]
            changed = np.full_like(patch, fill) if inserted else patch.copy()
            for place in chosen:
                changed[place] = patch[place] if inserted else fill
            curve.append(model.scores(changed[None])[0, target])
        curves.append(curve)
    return np.array(curves, float)


@pytest.mark.slow
@pytest.mark.parametrize("inserted", [False, True])
@pytest.mark.parametrize(("steps", "fill"), [(5, "silence"), (9, 0.5)])
def test_curves_are_their_definition(small, result, steps, fill, inserted):
    value = math.log(small.frontend.offset) if fill == "silence" else fill
    expected = by_definition(small, result, steps, value, inserted=inserted)
    found = (insertion if inserted else deletion)(small, result, steps=steps, fill=fill)
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)
    assert found.fractions[0] == 0 and found.fractions[-1] == 1
    widths, sums = np.diff(found.fractions), (expected[:, 1:] + expected[:, :-1]) / 2
    np.testing.assert_allclose(found.area, sums @ widths, atol=1e-5)


@pytest.mark.slow
def test_shorter_numbers_move_the_answers_a_little(small, result):
    for curve in (deletion, insertion):
        exact, fast = (curve(small, result, precision=one) for one in ("float32", "bfloat16"))
        assert 0 < np.abs(fast.scores - exact.scores).max() < 0.02
        assert exact.scores.tobytes() == curve(small, result).scores.tobytes()
    exact, fast = (
        drops_of(small, result.patches, grid=(3, 2), precision=one).drops
        for one in ("float32", "bfloat16")
    )
    assert 0 < np.abs(fast - exact).max() < 0.05 * np.abs(exact).max()
    with pytest.raises(xa.XaiAudioError, match="precision is 'half'"):
        deletion(small, result, precision="half")


@pytest.mark.slow
def test_both_curves_share_their_ends(small, result):
    down, up = deletion(small, result), insertion(small, result)
    np.testing.assert_allclose(down.scores[:, 0], up.scores[:, -1], atol=1e-6)
    np.testing.assert_allclose(down.scores[:, -1], up.scores[:, 0], atol=1e-6)


@pytest.mark.slow
def test_the_leaderboard_asks_about_the_ends_of_its_curves_once(small, result, monkeypatch):
    names = tuple("abcd")
    cases = Cases(result.patches, result.targets, None, names, "made up")
    asked = []
    monkeypatch.setattr(
        curves, "_asked", lambda *given, ask=curves._asked: asked.append(given[2]) or ask(*given)
    )
    rows = {"methods": ["saliency", "occlusion"], "references": ["energy"]}
    board = xa.evaluate.leaderboard(small, cases, measures=["deletion", "insertion"], **rows)
    assert [len(bounds) for bounds in asked] == [2, *[19] * 6]
    for name in ("saliency", "occlusion"):
        found = xa.explain(small, cases.patches, cases.targets, name)
        for curve in (deletion, insertion):
            values = board.row(name).values[curve.__name__]
            np.testing.assert_allclose(values, curve(small, found).area, atol=1e-6)


def test_ranks_of_equal_cells_follow_their_order():
    assert ranks(np.array([[[0.0, 2.0], [2.0, 1.0]]])).tolist() == [[[3, 0], [1, 2]]]


@pytest.mark.slow
def test_no_order_deletes_an_additive_network_faster_than_the_true_one():
    model, weights = additive((6, 5))
    patches = random_patches(5, (6, 5))
    found = xa.explain(model, patches, 2, method="occlusion")
    base = math.log(model.frontend.offset)
    others = weights - weights[..., 2:]
    true = -(others[..., :2].mean(axis=-1)) * (patches - base)
    random = np.random.default_rng(0).normal(size=true.shape)
    areas = [
        deletion(model, dataclasses.replace(found, maps=maps.astype("float32"))).area.mean()
        for maps in (true, random, -true)
    ]
    assert areas[0] < areas[1] < areas[2]


@pytest.mark.slow
def test_mu_fidelity_is_a_correlation_of_drops_and_sums(small, result):
    found = mu_fidelity(small, result, subsets=12, grid=(3, 2), share=0.4, seed=5)
    # The same sets, drawn again.
    order = np.argsort(np.random.default_rng(5).random((12, 6)), axis=1)[:, :2]
    base = math.log(small.frontend.offset)
    for number in range(len(result)):
        patch, cells = result.patches[number], result.maps[number]
        target, drops, sums = result.targets[number], [], []
        for chosen in order:
            changed, total = patch.copy(), 0.0
            for row, column in np.ndindex(patch.shape):
                if (row * 3 // 13) * 2 + column * 2 // 9 in chosen:
                    changed[row, column] = base
                    total += cells[row, column]
            drops.append((small.logits(patch[None]) - small.logits(changed[None]))[0, target])
            sums.append(total)
        assert found[number] == pytest.approx(np.corrcoef(drops, sums)[0, 1], abs=1e-4)


def test_one_set_of_answers_serves_every_map(small, result):
    drops = drops_of(small, result.patches, subsets=12, grid=(3, 2), seed=5)
    other = dataclasses.replace(result, maps=result.maps[::-1] ** 2)
    for one in (result, other):
        alone = mu_fidelity(small, one, subsets=12, grid=(3, 2), seed=5)
        assert mu_fidelity(small, one, drops=drops).tolist() == alone.tolist()


@pytest.mark.slow
def test_the_true_map_of_an_additive_network_correlates_perfectly():
    model, weights = additive((6, 5))
    patches = random_patches(3, (6, 5))
    found = xa.explain(model, patches, 0, method="occlusion")
    true = weights[..., 0] * (patches - math.log(model.frontend.offset))
    exact = dataclasses.replace(found, maps=true.astype("float32"))
    assert mu_fidelity(model, exact, grid=(3, 5)) == pytest.approx(np.ones(3), abs=1e-4)
    flat = dataclasses.replace(found, maps=np.zeros_like(found.maps))
    assert mu_fidelity(model, flat, grid=(3, 5)).tolist() == [0, 0, 0]


def test_what_cannot_be_drawn_is_told(small, result):
    with pytest.raises(xa.XaiAudioError, match="steps is 0"):
        deletion(small, result, steps=0)
    with pytest.raises(xa.XaiAudioError, match="from 1 to 117"):
        insertion(small, result, steps=118)
    with pytest.raises(xa.XaiAudioError, match="subsets is 1"):
        mu_fidelity(small, result, subsets=1)
    with pytest.raises(xa.XaiAudioError, match="share is 1"):
        mu_fidelity(small, result, share=1)
    with pytest.raises(xa.XaiAudioError, match="cannot be cut"):
        mu_fidelity(small, result, grid=(20, 2))
