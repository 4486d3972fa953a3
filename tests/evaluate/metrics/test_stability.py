"""Maps drawn again, against plain loops over seeds, samples and segments."""

import dataclasses
import itertools

import numpy as np
import pytest
from scipy.stats import spearmanr
from small_networks import LABELS, additive, classifier_of, convolutional, random_patches

import xaiaudio as xa
from xaiaudio.evaluate.metrics import stability
from xaiaudio.explainers import registry
from xaiaudio.explainers.engines import segments

SHAPE = (13, 9)
FEW = {"lime": {"samples": 60, "grid": (4, 3)}}


@pytest.fixture(scope="module")
def patches():
    return random_patches(3, SHAPE)


def seeded(name):
    fields = dataclasses.fields(registry.find(name).options)
    return any(field.name == "seed" for field in fields)


def top_by_hand(cells, numbers, top):
    means = [np.float32(cells[numbers == k].mean()) for k in range(numbers.max() + 1)]
    return sorted(range(len(means)), key=lambda k: (-means[k], k))[:top]


@pytest.mark.slow
@pytest.mark.parametrize(
    "method", [name for name in registry.methods(sounds=False) if not seeded(name)]
)
def test_a_method_without_coins_agrees_with_itself_exactly(small, patches, method):
    found = stability.over_seeds(small, patches, None, method, seeds=(0, 1, 2))
    assert not found.drawn
    assert (found.spearman == 1).all() and (found.overlap == 1).all()
    # That it draws nothing is no mere claim: once more gives the same bits.
    again = xa.explain(small, patches, None, method).maps
    for maps in found.maps:
        np.testing.assert_array_equal(maps, again)


def test_a_method_that_draws_without_a_seed_is_found_out(small, patches, monkeypatch):
    registry.methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))
    random = np.random.default_rng(0)

    @dataclasses.dataclass(frozen=True)
    class Options:
        pass

    @registry.register("dice", options=Options, summary="", paper="")
    def dice(classifier, patches, targets, options):
        return random.normal(size=patches.shape)

    found = stability.over_seeds(small, patches, None, "dice", seeds=(0, 1, 2))
    assert found.drawn and np.abs(found.spearman).max() < 0.5


def test_zero_maps_agree(small, patches, monkeypatch):
    registry.methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    @dataclasses.dataclass(frozen=True)
    class Options:
        seed: int = 0

    @registry.register("zero", options=Options, summary="", paper="")
    def zero(classifier, patches, targets, options):
        return np.zeros(patches.shape)

    found = stability.over_seeds(small, patches, None, "zero")
    assert found.drawn and (found.spearman == 1).all() and (found.overlap == 1).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", ["lime", "smoothgrad"])
def test_seeds_are_compared_two_by_two(small, patches, method):
    options = FEW.get(method, {"noise": 0.5, "samples": 4})
    found = stability.over_seeds(
        small, patches, "dog", xa.Explainer(method, **options), seeds=(5, 0, 9), share=0.2
    )
    maps = [
        xa.explain(small, patches, "dog", method, seed=seed, **options).maps for seed in (5, 0, 9)
    ]
    np.testing.assert_array_equal(found.maps, maps)
    assert found.spearman.shape == (3, 3) and (found.spearman < 1).any()
    for row, (a, b) in enumerate(itertools.combinations(range(3), 2)):
        for patch in range(3):
            ranks = spearmanr(maps[a][patch], maps[b][patch], axis=None)[0]
            assert found.spearman[row, patch] == pytest.approx(ranks)
            tops = [
                set(np.argsort(-maps[one][patch].ravel(), kind="stable")[:23]) for one in (a, b)
            ]
            assert found.overlap[row, patch] == pytest.approx(len(tops[0] & tops[1]) / 23)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind, grid", [("grid", (4, 3)), ("grid", (3, 2)), ("superpixels", (4, 4))]
)
def test_growing_samples_give_the_maps_of_each_number(small, patches, kind, grid):
    # 3 x 2 segments have 64 coalitions: from there on all of them are asked about.
    options = {"segments": kind, "grid": grid}
    samples, seeds = (10, 40, 70, 200), (3, 8)
    found = stability.over_samples(
        small, patches, None, xa.Explainer("lime", **options), samples=samples, seeds=seeds, top=2
    )
    for (i, seed), (j, count) in itertools.product(enumerate(seeds), enumerate(samples)):
        expected = xa.explain(small, patches, None, "lime", seed=seed, samples=count, **options)
        np.testing.assert_allclose(found.maps[i, j], expected.maps, atol=1e-6)
        for patch in range(3):
            named = top_by_hand(found.maps[i, j, patch], found.segments[patch], 2)
            assert found.tops[i, j, patch].tolist() == named


@pytest.mark.slow
def test_other_methods_are_counted_on_a_grid(small, patches):
    found = stability.over_samples(
        small, patches, 1, xa.Explainer("smoothgrad", noise=0.5), samples=(2, 8), seeds=(0, 1, 2)
    )
    numbers = segments.grid(SHAPE, 7, 7)
    expected = xa.explain(small, patches, 1, "smoothgrad", samples=8, seed=2, noise=0.5).maps
    np.testing.assert_array_equal(found.maps[2, 1], expected)
    for patch in range(3):
        assert found.tops[2, 1, patch].tolist() == top_by_hand(expected[patch], numbers, 3)


def test_agreement_and_enough_by_counting():
    random = np.random.default_rng(0)
    tops = np.array(
        [[[random.permutation(5)[:2] for _ in range(40)] for _ in range(4)] for _ in range(3)]
    )
    tops[:, 2:, :20] = tops[:1, 2:, :20, ::-1]  # all seeds agree there, in whichever order
    tops[1:, 1, :10] = tops[:1, 1, :10]
    samples = (10, 20, 50, 90)
    found = stability.OverSamples(samples, (0, 1, 2), tops, np.zeros(1), np.zeros(1))
    assert found.agreement.shape == (4, 3, 40)
    for k, patch in np.ndindex(4, 40):
        sets = [set(tops[s, k, patch].tolist()) for s in range(3)]
        assert found.different[k, patch] == len(set().union(*sets))
        for row, (a, b) in enumerate(itertools.combinations(sets, 2)):
            assert found.agreement[k, row, patch] == len(a & b) / 2
    for patch in range(40):
        enough = np.inf
        for k in reversed(range(4)):
            if len(set().union(*(set(tops[s, k, patch].tolist()) for s in range(3)))) > 2:
                break
            enough = samples[k]
        assert found.enough[patch] == enough
    assert (found.enough[:10] <= 20).all() and np.isinf(found.enough[20:]).any()


@pytest.mark.slow
def test_an_additive_network_needs_few_samples():
    model, _ = additive((12, 8))
    patches = random_patches(4, (12, 8))
    found = stability.over_samples(
        model,
        patches,
        0,
        xa.Explainer("lime", grid=(3, 4), fill=-1.0, output="logits"),
        samples=(8, 30, 400),
        seeds=(0, 1, 2, 3),
    )
    assert (found.agreement[-1] == 1).all() and found.agreement[0].mean() < 1
    assert (found.enough <= 400).all()


def test_top_segments_of_equal_means_are_the_first():
    numbers = segments.grid(SHAPE, 2, 3)
    assert stability.top_segments(np.ones((1, *SHAPE)), numbers, 4).tolist() == [[0, 1, 2, 3]]
    assert stability.shared([[0, 1], [0, 1]], [[1, 2], [1, 0]]).tolist() == [0.5, 1]


def test_bad_input_is_told(small, patches):
    with pytest.raises(xa.XaiAudioError, match="two or more different"):
        stability.over_seeds(small, patches, seeds=(1, 1))
    with pytest.raises(xa.XaiAudioError, match="rising"):
        stability.over_samples(small, patches, samples=(20, 10))
    with pytest.raises(xa.XaiAudioError, match="gradcam has no option 'samples'"):
        stability.over_samples(small, patches, explainer="gradcam")
    with pytest.raises(xa.XaiAudioError, match="top is 7: it must be 1 to 6"):
        stability.top_segments(patches, segments.grid(SHAPE, 2, 3), 7)
    with pytest.raises(xa.XaiAudioError, match="shape"):
        stability.top_segments(patches, segments.grid((4, 4), 2, 2))
    other = classifier_of(convolutional(SHAPE), LABELS)
    with pytest.raises(xa.XaiAudioError, match="samples is 1"):
        stability.over_samples(other, patches, samples=(1, 5))
