"""Methods and measures whose numbers are known, in place of the package's own."""

from dataclasses import dataclass

import numpy as np
from small_networks import random_patches

import xaiaudio as xa
from xaiaudio.evaluate.benchmark.samples import Cases
from xaiaudio.evaluate.metrics import registry as measure
from xaiaudio.explainers import registry

SHAPE = (7, 5)


@dataclass(frozen=True)
class Level:
    level: float = 1.0


@dataclass(frozen=True)
class Drawn:
    seed: int = 0


def cases_for(model):
    """Return six clips of the class that a network names, whose events are the first frames."""
    patches = random_patches(6, SHAPE)
    truth = np.zeros(patches.shape, bool)
    truth[:, :3] = True
    names = tuple(f"clip {number}" for number in range(6))
    return Cases(patches, model.scores(patches).argmax(axis=1), truth, names, "made up")


def register(calls):
    """Register two methods and a failing one, which note that they were called; two measures."""

    @registry.register("flat", options=Level, summary="", paper="")
    def flat(classifier, patches, targets, options):
        calls.append("flat")
        return np.full(patches.shape, options.level)

    @registry.register("broken", options=Level, summary="", paper="")
    def broken(classifier, patches, targets, options):
        calls.append("broken")
        raise xa.XaiAudioError("It needs a convolution: there is none.")

    @registry.register("dice", options=Drawn, summary="", paper="")
    def dice(classifier, patches, targets, options):
        calls.append("dice")
        return np.random.default_rng(options.seed).random(patches.shape) * 4

    about = {"family": "f", "low": 0, "high": 9, "summary": "s", "source": "p"}

    @measure.register("level", title="level", unit="u", better="higher", **about)
    def level(context):
        return context.result.maps.mean(axis=(1, 2))

    @measure.register("moved", title="moved", unit="u", better="lower", floor="worst", **about)
    def moved(context):
        return context.scatter(
            np.abs(context.subset_maps - context.re_explain(seed=context.seed + 1)).max((1, 2))
        )


def register_learner(calls):
    """Register a method that is trained first: it lays what it learnt over every cell."""

    def fit(model, clips, options):
        return {"mean": np.full(1, float(clips))}

    @registry.register("learner", options=Level, summary="", paper="", fit=fit)
    def learner(classifier, patches, targets, options, weights):
        calls.append("learner")
        return np.full(patches.shape, options.level * weights["mean"][0])
