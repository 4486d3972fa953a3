"""Likeness of maps, against the libraries and plain loops."""

import numpy as np
import pytest
from scipy.stats import spearmanr
from skimage.metrics import structural_similarity

import xaiaudio as xa
from xaiaudio.evaluate.metrics import similarity


def test_similarity_against_the_libraries():
    random = np.random.default_rng(0)
    first, second = random.normal(size=(2, 3, 13, 9))
    second += 0.5 * first
    found = similarity.similarity(first, second)
    for number, (a, b) in enumerate(zip(first, second, strict=True)):
        assert found["spearman"][number] == pytest.approx(spearmanr(a, b, axis=None)[0])
        magnitudes = spearmanr(np.abs(a), np.abs(b), axis=None)[0]
        assert found["absolute"][number] == pytest.approx(magnitudes)
        scaled = a / np.abs(a).max(), b / np.abs(b).max()
        alike = structural_similarity(*scaled, data_range=2.0, win_size=7)
        assert found["ssim"][number] == pytest.approx(alike)


def test_similarity_at_its_ends():
    maps = np.random.default_rng(1).normal(size=(2, 9, 8))
    same, turned, flat = (similarity.similarity(maps, m) for m in (maps, -maps, np.ones_like(maps)))
    for name in similarity.SIMILARITIES:
        np.testing.assert_allclose(same[name], 1)
    np.testing.assert_allclose(turned["spearman"], -1)
    np.testing.assert_allclose(turned["absolute"], 1)
    np.testing.assert_allclose(flat["spearman"], 0)


def test_unrelated_compares_every_two_sounds_once():
    maps = np.random.default_rng(2).normal(size=(4, 9, 8))
    expected = [
        spearmanr(maps[i], maps[j], axis=None)[0] for i in range(4) for j in range(4) if i < j
    ]
    np.testing.assert_allclose(similarity.unrelated(maps)["spearman"], expected)


def test_overlap_counts_the_shared_cells():
    random = np.random.default_rng(3)
    first, second = random.integers(0, 5, size=(2, 6, 11, 7)).astype(float)
    found = similarity.overlap(first, second, 0.2)
    for number in range(6):
        tops = []
        for cells in (first[number].ravel(), second[number].ravel()):
            # By value, and of equal ones the earlier first.
            ranked = sorted(range(len(cells)), key=lambda cell, c=cells: (-c[cell], cell))
            tops.append(set(ranked[:15]))
        assert found[number] == len(tops[0] & tops[1]) / 15
    assert similarity.overlap(first, first, 0.01).tolist() == [1] * 6


def test_bad_input_is_told():
    maps = np.zeros((2, 9, 8))
    with pytest.raises(xa.XaiAudioError, match="shapes"):
        similarity.similarity(maps, maps[:1])
    with pytest.raises(xa.XaiAudioError, match="shapes"):
        similarity.overlap(maps, maps[:1])
    with pytest.raises(xa.XaiAudioError, match="share is 0"):
        similarity.overlap(maps, maps, 0)


def test_correlation_is_numpys_map_by_map():
    random = np.random.default_rng(2)
    first, second = random.normal(size=(2, 5, 13, 9)).astype("float32")
    first[1], second[2] = 0.1, 0
    second[3] = first[3] - 2
    found = similarity.correlation(first, second)
    assert np.flatnonzero(np.isnan(found)).tolist() == [1, 2]
    for number in (0, 3, 4):
        expected = np.corrcoef(first[number].ravel(), second[number].ravel())[0, 1]
        assert found[number] == pytest.approx(expected, abs=1e-12)
    with pytest.raises(xa.XaiAudioError, match="shapes"):
        similarity.correlation(first, second[:2])
