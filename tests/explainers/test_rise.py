"""RISE against a plain loop over masks, cells and grid points."""

import warnings

import numpy as np
import pytest
from small_networks import additive, random_patches
from sound_functions import linear, sounds

from xaiaudio import XaiAudioError, explain
from xaiaudio.explainers.engines.designs import DRAWS
from xaiaudio.explainers.rise import Options, masks_of


def faded(points, shift, steps, shape):
    """One mask, cell by cell, from the four points around each."""
    made = np.zeros(shape)
    for row, column in np.ndindex(*shape):
        down, right = (row + shift[0]) / steps[0], (column + shift[1]) / steps[1]
        top, left = int(down), int(right)
        for i, j in ((0, 0), (0, 1), (1, 0), (1, 1)):
            near = (1 - abs(down - top - i)) * (1 - abs(right - left - j))
            if near > 0:
                made[row, column] += near * points[top + i, left + j]
    return made


def by_hand(ask, patch, fill, options):
    masks, _ = masks_of(patch.shape, options)
    above = below = answers = 0
    for points, shift in zip(masks.points, masks.shifts, strict=True):
        mask = faded(points, shift, masks.steps, patch.shape)
        answer = ask(mask * patch + (1 - mask) * fill)
        above, below, answers = above + answer * mask, below + mask, answers + answer
    return above / below - answers / len(masks), answers / len(masks)


@pytest.mark.slow
@pytest.mark.parametrize("draws", DRAWS)
@pytest.mark.parametrize("fill, level", [("mean", None), (-2.0, -2.0), ("silence", np.log(0.01))])
def test_maps_by_a_plain_loop(small, patches, draws, fill, level):
    options = Options(grid=(4, 3), samples=40, draws=draws, seed=2)
    found = explain(
        small, patches, "dog", "rise", grid=(4, 3), samples=40, draws=draws, seed=2, fill=fill
    )
    for patch, one, mean in zip(patches, found.maps, found.report["mean"], strict=True):
        expected, middle = by_hand(
            lambda changed: small.logits(changed[None].astype("float32"))[0, 1],
            patch,
            patch.mean() if level is None else level,
            options,
        )
        np.testing.assert_allclose(one, expected, atol=1e-4)
        assert mean == pytest.approx(middle, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("shape, grid", [((24, 16), (7, 7)), ((7, 31), (7, 5)), ((5, 4), (5, 4))])
def test_masks_are_soft_shifted_and_half_open(shape, grid):
    options = Options(grid=grid, samples=3000, seed=1)
    masks, groups = masks_of(shape, options)
    cells = masks.cells(shape, 0, 3000)
    assert cells.min() >= 0 and cells.max() <= 1
    assert len(np.unique(masks.shifts, axis=0)) == np.prod(masks.steps)
    # A mask and its complement have one shift, and together keep everything once.
    for group in np.unique(groups)[:50]:
        pair = cells[groups == group]
        assert len(pair) == 1 or np.abs(pair.sum(axis=0) - 1).max() < 1e-5
    assert np.abs(cells.mean(axis=0) - 0.5).max() < 0.03
    np.testing.assert_array_equal(cells[5:9], masks.cells(shape, 5, 9))


def test_a_grid_of_few_points_is_asked_about_as_a_whole():
    masks, _ = masks_of((8, 6), Options(grid=(1, 1), samples=600))
    assert len(masks) == 512


@pytest.mark.slow
@pytest.mark.parametrize("draws", DRAWS)
def test_an_additive_network_has_the_map_of_its_gains(draws):
    """Far away cells have no part in a cell's value: what its neighbourhood adds is half of it."""
    classifier, weights = additive((12, 10))
    patch = random_patches(1, (12, 10))[0]
    found = explain(
        classifier, patch, "cat", "rise", grid=(6, 5), samples=4000, draws=draws, fill=-1.0
    )
    gains = weights[..., 0] * (patch + 1)
    masks, _ = masks_of((12, 10), Options(grid=(6, 5), samples=4000, seed=9))
    cells = masks.cells((12, 10), 0, 4000).reshape(4000, -1).astype(float)
    centred = cells - cells.mean(axis=0)
    expected = (centred.T @ centred / 4000) @ gains.ravel() / cells.mean(axis=0)
    alike = np.corrcoef(found.maps[0].ravel(), expected)[0, 1]
    assert alike > 0.97
    assert found.report["stability"][0] > 0.9


@pytest.mark.slow
def test_the_stability_is_the_correlation_of_seeds(small, patches):
    runs = [
        explain(small, patches, "dog", "rise", samples=128, seed=seed, draws="independent")
        for seed in range(8)
    ]
    maps = np.stack([run.maps.reshape(len(patches), -1) for run in runs])
    alike = [np.corrcoef(maps[:, i])[np.triu_indices(8, 1)].mean() for i in range(len(patches))]
    said = np.mean([run.report["stability"] for run in runs], axis=0)
    np.testing.assert_allclose(said, alike, atol=0.15)


@pytest.mark.slow
def test_a_sound_is_faded_by_filters():
    wave = sounds(1)[0]
    classifier = linear(wave, 0 * wave)
    found = explain(
        classifier, classifier.frontend(wave), 0, "rise", samples=60, grid=(3, 3), fill="silence"
    )
    assert found.maps.mean() > 0 and found.report["samples"][0] == 60


@pytest.mark.parametrize(
    "options, message",
    [
        ({"grid": 7}, "grid is 7"),
        ({"grid": (0, 3)}, "grid is"),
        ({"grid": (25, 3)}, "24 x 16 cells has no grid of 25 x 3"),
        ({"samples": 1}, "samples is 1"),
        ({"seed": -1}, "seed is -1"),
        ({"fill": "nothing"}, "fill is 'nothing'"),
        ({"draws": "balanced"}, "draws is 'balanced'"),
        ({"output": "loss"}, "output is 'loss'"),
    ],
)
def test_wrong_options(small, patches, options, message):
    with pytest.raises(XaiAudioError, match=message):
        explain(small, patches, method="rise", **options)


@pytest.mark.slow
def test_masks_that_were_all_drawn_together_say_nothing_of_their_luck(small, patches):
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        found = explain(small, patches, "dog", "rise", samples=2, draws="complements")
    assert np.isnan(found.report["stability"]).all()
    assert np.isfinite(found.maps).all()
