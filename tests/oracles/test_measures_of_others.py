"""Measures by Quantus, from maps that are given."""

import importlib

import numpy as np
import pytest
from small_networks import classifier_of, convolutional, random_patches

import xaiaudio as xa
from xaiaudio.evaluate.metrics.complexity import complexity, sparseness
from xaiaudio.evaluate.metrics.deletion import deletion, drops_of, mu_fidelity
from xaiaudio.evaluate.metrics.localisation import pointing_game, relevance_mass, relevance_rank

pytestmark = pytest.mark.oracle

SHAPE = (12, 9)
QUIET = {"disable_warnings": True, "display_progressbar": False, "return_aggregate": False}


@pytest.fixture
def quantus():
    return importlib.import_module("quantus")


@pytest.fixture
def given():
    """A classifier, and an explanation with random maps of both signs."""
    model = classifier_of(convolutional(SHAPE))
    patches = random_patches(5, SHAPE)
    found = xa.explain(model, patches, ["cat", "dog", "rain", "dog", "cat"], method="occlusion")
    maps = np.random.default_rng(1).normal(size=patches.shape).astype("float32")
    object.__setattr__(found, "maps", maps)
    return model, found


def by_quantus(measure, result, maps, truth=None, model=None, **options):
    """Ask Quantus, which has images (n, 1, h, w)."""
    return np.array(
        measure(
            model=model,
            x_batch=result.patches[:, None].astype(np.float64),
            y_batch=np.array(result.targets),
            a_batch=maps[:, None].astype(np.float64),
            s_batch=None if truth is None else truth[:, None],
            channel_first=True,
            **options,
        ),
        float,
    )


@pytest.fixture
def truth():
    cells = np.zeros((5, *SHAPE), bool)
    for index in range(5):
        cells[index, index : index + 5, 1 : 4 + index] = True
    return cells


def test_sparseness_and_complexity(quantus, given):
    _, result = given
    for maps in (result.maps, np.abs(result.maps) ** 4):
        found = by_quantus(quantus.Sparseness(abs=True, **QUIET), result, maps)
        np.testing.assert_allclose(sparseness(maps), found, atol=1e-5)
        found = by_quantus(quantus.Complexity(abs=True, **QUIET), result, maps)
        np.testing.assert_allclose(complexity(maps), found, atol=1e-5)


def test_localisation(quantus, given, truth):
    _, result = given
    # Quantus sums what it is given: the positive part is what our measure is about.
    positive = np.maximum(result.maps, 0)
    found = by_quantus(quantus.RelevanceMassAccuracy(**QUIET), result, positive, truth)
    np.testing.assert_allclose(relevance_mass(result.maps, truth), found, atol=1e-6)
    found = by_quantus(quantus.RelevanceRankAccuracy(**QUIET), result, result.maps, truth)
    np.testing.assert_allclose(relevance_rank(result.maps, truth), found, atol=1e-6)
    hits = set()
    for seed in range(6):
        maps = np.random.default_rng(seed).normal(size=result.maps.shape)
        found = by_quantus(quantus.PointingGame(**QUIET), result, maps, truth)
        np.testing.assert_array_equal(pointing_game(maps, truth), found)
        hits |= set(found)
    assert hits == {0.0, 1.0}


def test_deletion(quantus, given):
    model, result = given
    twins, torch = importlib.import_module("torch_twins"), importlib.import_module("torch")
    logits = twins.twin(model.logits_network).float()
    network = torch.nn.Sequential(logits, torch.nn.Softmax(dim=-1)).eval()
    steps = 9
    flipping = quantus.PixelFlipping(
        features_in_step=SHAPE[0] * SHAPE[1] // steps,
        perturb_baseline=0.5,
        normalise=False,
        **QUIET,
    )
    found = by_quantus(flipping, result, result.maps, model=network, softmax=True)
    curve = deletion(model, result, steps=steps, fill=0.5)
    np.testing.assert_allclose(curve.scores[:, 1:], found, atol=1e-5)
    assert np.ptp(found, axis=1).min() > 1e-3


def test_correlation_with_the_cost_of_hiding(quantus, given, monkeypatch):
    """MuFidelity with cells for rectangles is Quantus' correlation, given the same draws."""
    model, result = given
    twins = importlib.import_module("torch_twins")
    plan = {"subsets": 30, "grid": SHAPE, "share": 0.2, "fill": 0.5, "seed": 3}
    hidden = drops_of(model, result.patches, **plan).hidden
    draws = iter([np.flatnonzero(row) for row in hidden for _ in result.patches])
    monkeypatch.setattr(np.random, "choice", lambda *_, **__: next(draws))
    measure = quantus.FaithfulnessCorrelation(
        nr_runs=len(hidden),
        subset_size=int(hidden[0].sum()),
        perturb_baseline=0.5,
        normalise=False,
        **QUIET,
    )
    network = twins.twin(model.logits_network).float()
    found = by_quantus(measure, result, result.maps, model=network, softmax=False)
    np.testing.assert_allclose(mu_fidelity(model, result, **plan), found, atol=1e-5)
    assert np.abs(found).max() > 0.02
