import numpy as np
import pytest
from small_networks import classifier_of, convolutional, random_patches

import xaiaudio as xa


@pytest.fixture(scope="session")
def small():
    """A classifier of patches with odd numbers of frames and bands."""
    return classifier_of(convolutional((13, 9)))


@pytest.fixture(scope="session")
def result(small):
    """An explanation whose maps are random: the measures must not care where maps come from."""
    patches = random_patches(4, (13, 9))
    found = xa.explain(small, patches, ["cat", "dog", "rain", "dog"], method="occlusion")
    maps = np.random.default_rng(1).normal(size=patches.shape).astype("float32")
    object.__setattr__(found, "maps", maps)
    return found
