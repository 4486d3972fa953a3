"""A tiny APNet with random weights, on patches of odd sizes."""

import keras
import numpy as np
from small_networks import LABELS, frontend

from xaiaudio.models.designs import autoencoder
from xaiaudio.models.designs.apnet_layer import DecodedPrototypes
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.evidence import Evidence

ODD = (21, 13)
PLAN = autoencoder.Plan((3, 4, 5), ((4, 2), (2, 2), (2, 1)), (5, 5, 5, 3))


def network(shape=ODD, count=4, seed=1):
    """Return the network from patches to logits."""
    body = autoencoder.encoder(shape, (-4.0, 5.0), PLAN, 6, seed=seed)
    layer = DecodedPrototypes(count, **PLAN.to_config(), seed=seed, name="parts")
    logits = keras.layers.Dense(3, name="logits", bias_initializer="normal")
    made = keras.Model(body.inputs[0], logits(layer(body.outputs[0])))
    layer.bands.assign(np.random.default_rng(seed).random(size=layer.bands.shape))
    return made


def by_hand(shape=ODD, count=4):
    """Return the classifier."""
    evidence = [Evidence(f"prototype {n}", LABELS[n % 3]) for n in range(count)]
    return SelfExplaining.from_network(
        network(shape, count), LABELS, frontend(*shape), evidence, design="apnet"
    )
