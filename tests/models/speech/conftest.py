"""A tiny speech model with random weights, and strings that it hears."""

import numpy as np
import pytest
from small_speech import RECIPE, pool

from xaiaudio.models.speech import corpus, network, training


@pytest.fixture(scope="session")
def model():
    made = network.build(RECIPE.size, -2.0, 1.5, 3)
    rng = np.random.default_rng(0)
    # Biases and all: nothing of the definition is multiplied by zero.
    made.set_weights([rng.normal(0, 0.3, value.shape) for value in made.get_weights()])
    return training.Model(made, RECIPE, -2.0, 1.5, {}, 0.0)


@pytest.fixture(scope="session")
def strings():
    return corpus.draw(pool(), 5, seed=2)


@pytest.fixture(scope="session")
def heard(strings):
    return corpus.features(strings.waves)
