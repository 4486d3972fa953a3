import numpy as np
import pytest
from sklearn.decomposition import PCA

from xaiaudio import LogMel, XaiAudioError
from xaiaudio.models.generative import Space

FRONTEND = LogMel(frames=6, bands=8)


def patches(n=30, seed=0):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, 3)) @ rng.normal(size=(3, 48)) + rng.normal(0, 0.01, (n, 48))


def shaped(rows):
    return rows.reshape(-1, 6, 8).astype(np.float32)


def test_the_space_is_that_of_principal_components():
    rows = patches()
    space = Space.fit(shaped(rows), FRONTEND, dims=3)
    theirs = PCA(3).fit(rows)
    np.testing.assert_allclose(np.abs(space.basis @ theirs.components_.T), np.eye(3), atol=1e-3)
    encoded = space.encode(shaped(rows))
    assert abs(np.square(encoded).mean() - 1) < 1e-4
    np.testing.assert_allclose(
        np.abs(space.scale * encoded), np.abs(theirs.transform(rows)), atol=1e-3
    )
    assert space.kept(shaped(rows)) == pytest.approx(
        theirs.explained_variance_ratio_.sum(), abs=1e-3
    )


def test_what_lies_in_the_space_comes_back_and_nothing_is_below_silence():
    rows = shaped(patches())
    space = Space.fit(rows, FRONTEND, dims=3)
    inside = np.maximum(rows, FRONTEND.silence)
    np.testing.assert_allclose(space.blurred(rows), inside, atol=0.1)
    assert space.decode(np.full((1, 3), -100.0)).min() >= np.float32(FRONTEND.silence)


def test_patches_of_another_size_and_too_few_are_refused():
    with pytest.raises(XaiAudioError, match="shape"):
        Space.fit(np.zeros((9, 5, 8)), FRONTEND)
    with pytest.raises(XaiAudioError, match="directions"):
        Space.fit(shaped(patches(4)), FRONTEND, dims=4)
    with pytest.raises(XaiAudioError, match="same"):
        Space.fit(np.ones((9, 6, 8)), FRONTEND, dims=2)
    with pytest.raises(XaiAudioError, match="NaN"):
        Space.fit(np.full((9, 6, 8), np.nan), FRONTEND, dims=2)
