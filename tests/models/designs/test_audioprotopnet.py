"""Prototypes by cosine, whose evidence only adds."""

from types import SimpleNamespace

import keras
import numpy as np
import pytest

from xaiaudio.models.designs import audioprotopnet, grounds
from xaiaudio.models.designs.audioprotopnet import apart
from xaiaudio.models.designs.prototypes import Prototypes


@pytest.mark.slow
def test_evidence_only_adds(taught_prototypes):
    models, _, test = taught_prototypes
    model = models["audioprotopnet"]
    owner = np.arange(len(model.parts)) // 2
    for part, label in enumerate(owner):
        assert (np.delete(model.weights[part], label) == 0).all()
    assert (model.weights >= 0).all() and model.weights.max() > 0
    assert (model.contributions(np.asarray(model.frontend(test[0].load()))) >= 0).all()
    assert not model.bias.any()


def test_right_angles_are_apart():
    assert float(apart(np.eye(3, dtype=np.float32)[None])) == pytest.approx(0, abs=1e-5)
    same = np.tile(np.eye(3, dtype=np.float32)[0], (1, 3, 1))
    assert float(apart(same)) == pytest.approx(np.sqrt(6) / 3, abs=1e-5)


def test_losses_are_those_of_the_layer():
    rng = np.random.default_rng(0)
    maps, targets = rng.normal(size=(5, 2, 3, 4)).astype("float32"), np.array([0, 1, 2, 2, 0])
    maps[0, 0, 0] = 0  # a place without a direction
    layer, last = Prototypes(6, "cosine", "relu-cosine"), keras.layers.Dense(3, use_bias=False)
    layer(maps)
    layer.prototypes.assign(rng.normal(size=(6, 4)))
    logits = last(layer(maps))
    head = SimpleNamespace(lessons=SimpleNamespace(labels="abc"), layer=layer, last=last)
    found = audioprotopnet._losses(head)(grounds.of_length_one(maps), targets, False)
    wanted = keras.losses.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    assert float(found["cross_entropy"]) == pytest.approx(float(np.mean(wanted)), rel=1e-5)
    ways = layer.prototypes.numpy().reshape(3, 2, 4)
    ways /= np.linalg.norm(ways, axis=-1, keepdims=True)
    off = [np.linalg.norm(way @ way.T - np.eye(2)) / 2 for way in ways]
    assert float(found["apart"]) == pytest.approx(audioprotopnet.APART * np.mean(off), rel=1e-4)
