"""Prototypes by cosine, whose evidence only adds."""

import numpy as np
import pytest

from xaiaudio.models.designs.audioprotopnet import apart


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
