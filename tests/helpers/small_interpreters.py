"""The networks of Listen to Interpret with random weights, and hidden maps for them."""

import numpy as np

from xaiaudio.explainers.trained import networks


def small(pooling="attention"):
    return networks.build([(8, 3, 2), (5, 2, 4)], [2.0, 1.0], 16, 6, 3, pooling=pooling, seed=3)


def maps_of(n=2):
    rng = np.random.default_rng(1)
    return [rng.random((n, 8, 3, 2)).astype("float32"), rng.random((n, 5, 2, 4)).astype("float32")]
