"""Shapley values against the package shap, of games in which all parts work together."""

import importlib

import numpy as np
import pytest

from xaiaudio.explainers.shapley import Options, design_of, values

pytestmark = pytest.mark.oracle


@pytest.fixture
def shap():
    return importlib.import_module("shap")


def game(rows):
    rows = np.asarray(rows, float)
    weights = np.random.default_rng(0).normal(size=(rows.shape[1], 5))
    return np.tanh(rows @ weights) @ [1, -2, 3, 0.5, 1] + rows[:, 0] * rows[:, 1]


def ours(count, **options):
    options = Options(**options)
    design = design_of(count, options)
    return values(design, game(design.present)[:, None], options).weights[0]


@pytest.mark.parametrize("count", [3, 6, 9])
def test_exact_values_are_those_of_kernel_shap_with_all_coalitions(shap, count):
    explainer = shap.KernelExplainer(game, np.zeros((1, count)))
    theirs = explainer.shap_values(np.ones((1, count)), nsamples=2**count, l1_reg=0, silent=True)
    np.testing.assert_allclose(ours(count), theirs[0], atol=1e-9)


def test_drawn_values_are_as_near_the_exact_ones_as_those_of_kernel_shap(shap):
    count = 14
    exact = ours(count, samples=2**count)
    explainer = shap.KernelExplainer(game, np.zeros((1, count)))
    off, theirs = [], []
    for seed in range(10):
        off.append(ours(count, samples=300, seed=seed) - exact)
        found = explainer.shap_values(np.ones((1, count)), nsamples=300, l1_reg=0, silent=True)
        theirs.append(found[0] - exact)
    ratio = np.linalg.norm(off) / np.linalg.norm(theirs)
    assert ratio < 1.5  # it asks about all coalitions of the smallest sizes
