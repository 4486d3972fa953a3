import numpy as np
import pytest
from commands import noise, sound
from made_methods import register, register_learner
from small_networks import LABELS, classifier_of, convolutional, random_patches

import xaiaudio as xa
from xaiaudio import evaluate
from xaiaudio.datasets.base import Clip
from xaiaudio.evaluate.benchmark.samples import Cases
from xaiaudio.evaluate.metrics import registry as measure
from xaiaudio.explainers import registry

SHAPE = (13, 9)


@pytest.fixture(scope="session")
def model():
    return classifier_of(convolutional(SHAPE))


@pytest.fixture(scope="session")
def cases(model, tmp_path_factory):
    """Twelve clips of two of three classes, with files, licences and a known truth."""
    folder = tmp_path_factory.mktemp("private place")
    patches = random_patches(12, SHAPE)
    truth = np.zeros(patches.shape, bool)
    truth[:, :4] = True
    clips = tuple(
        Clip(
            sound(folder / f"secret {k}.wav", noise(0.1, seed=k)),
            LABELS[k % 2],
            1 + k % 5,
            "CC BY" if k % 3 else "",
            f"author {k}",
            f"https://example.org/{k}",
        )
        for k in range(12)
    )
    targets = np.arange(12) % 2
    names = tuple(clip.name for clip in clips)
    return Cases(patches, targets, truth, names, "made up", left_out=3, clips=clips)


@pytest.fixture(scope="session")
def board(model, cases):
    """Two methods under five measures."""
    methods = {"one": xa.Explainer("occlusion", mask=0.5, stride=0.5), "lime": "lime"}
    options = {"lime": {"samples": 24, "grid": (3, 3)}}
    measures = ["AD", "FF", "mass", "sparseness", "seeds"]
    return evaluate.leaderboard(model, cases, methods, measures, options=options, seed=4, few=6)


@pytest.fixture
def calls():
    """The names of the known methods, whenever one was called."""
    return []


@pytest.fixture
def known(monkeypatch, calls):
    """Two methods and a failing one; two measures. Nothing of the package's own."""
    monkeypatch.setattr(registry, "FILES", ())
    monkeypatch.setattr(registry, "_METHODS", {})
    monkeypatch.setattr(measure, "FILES", ())
    monkeypatch.setattr(measure, "_MEASURES", {})
    register(calls)


@pytest.fixture
def learner(known, calls):
    """A method that is trained first, beside the known ones."""
    register_learner(calls)
