"""Methods broken on purpose must fail the sanity checks, sound ones must pass."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import layers as kl
from scipy.stats import spearmanr
from small_networks import classifier_of, random_patches

import xaiaudio as xa
from xaiaudio.evaluate.metrics import randomisation
from xaiaudio.evaluate.metrics.similarity import SIMILARITIES, similarity
from xaiaudio.evaluate.metrics.verdicts import verdict
from xaiaudio.explainers import registry
from xaiaudio.models.training.loop import Options, fit

SHAPE = (25, 17)


def sounds(n, seed):
    """Noise with a blob whose band is the class, at any time."""
    random = np.random.default_rng(seed)
    patches, classes = random_patches(n, SHAPE, seed), random.integers(0, 3, n)
    for patch, band, frame in zip(patches, 1 + 5 * classes, random.integers(0, 19, n), strict=True):
        patch[frame : frame + 6, band : band + 4] += 4
    return patches, classes


@pytest.fixture(scope="module")
def trained():
    """A network that has learnt which band sounds."""
    keras.utils.set_random_seed(1)
    x = inputs = keras.Input((*SHAPE, 1))
    for number, filters in enumerate((8, 12, 12)):
        x = kl.Conv2D(filters, 3, padding="same", activation="relu", name=f"conv{number}")(x)
        x = kl.MaxPooling2D(2, padding="same")(x)
    x = kl.Dense(16, activation="relu", name="hidden")(kl.Flatten()(x))
    logits = keras.Model(inputs, kl.Dense(3, name="logits")(x))
    patches, classes = sounds(300, 0)
    fit(logits, (patches[..., None], classes), None, Options(8, 32, 3e-3))
    model = classifier_of(logits)
    patches, classes = sounds(200, 1)
    assert (model.scores(patches).argmax(axis=1) == classes).mean() > 0.9
    return model


@pytest.fixture(scope="module")
def patches():
    return sounds(12, 2)[0]


@dataclasses.dataclass(frozen=True)
class NoOptions:
    pass


@pytest.fixture
def broken(monkeypatch):
    """Methods that show the sound, or nothing, whatever the network is."""
    registry.methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))

    def add(name, function):
        registry.register(name, options=NoOptions, summary="", paper="")(function)

    def edges(classifier, patches, targets, options):
        return np.abs(np.gradient(patches, axis=1)) + np.abs(np.gradient(patches, axis=2))

    def shown(classifier, patches, targets, options):
        return patches

    def fixed(classifier, patches, targets, options):
        return np.broadcast_to(np.arange(SHAPE[1], dtype=float), patches.shape)

    def hidden(classifier, patches, targets, options):
        """Nine tenths sound, one tenth gradient."""
        found = xa.explain(classifier, patches, targets.tolist(), "saliency").maps
        return 0.9 * np.abs(patches) / np.abs(patches).max() + 0.1 * found / found.max()

    def first_filters(classifier, patches, targets, options):
        """What guided backpropagation amounts to: the first filters, where they fire."""
        first = classifier.network.get_layer("conv0")
        found = np.maximum(first(patches[..., None]).numpy(), 0)
        return found.sum(axis=-1)

    for function in (edges, shown, fixed, hidden, first_filters):
        add(function.__name__, function)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["edges", "shown", "fixed", "hidden", "first_filters"])
def test_a_method_that_ignores_the_network_fails(trained, patches, broken, method):
    found = randomisation.cascade(trained, patches, None, method)
    for measure in SIMILARITIES:
        told = verdict(found, measure)
        assert told.outcome == "fail" and not told.passed
        # First filters change at last, when nobody is left to be fooled.
        assert told.outcomes[:4] == ("fail",) * 4
        assert (told.outcomes[4] == "fail") == (method != "first_filters")


@pytest.mark.slow
def test_guided_backpropagation_fails_by_its_signs(trained, patches):
    found = randomisation.cascade(trained, patches, None, "guided-backprop")
    assert verdict(found, "spearman").outcomes == ("fail",) * 5


@pytest.mark.slow
def test_a_gradient_times_the_sound_is_told_by_its_strength_not_by_its_sign(trained, patches):
    found = randomisation.cascade(trained, patches, None, "input-x-gradient")
    assert verdict(found, "spearman").passed and verdict(found, "absolute").outcome == "fail"


@pytest.mark.slow
@pytest.mark.parametrize("method", ["saliency", "smoothgrad", "gradcam", "occlusion"])
def test_a_method_that_looks_at_the_network_passes(trained, patches, method):
    found = randomisation.cascade(trained, patches, None, method)
    assert verdict(found).passed and verdict(found, "spearman").passed


@pytest.mark.slow
def test_what_a_network_learnt_by_heart_is_told_from_what_it_understood(trained, patches):
    inputs, classes = sounds(60, 0)
    network = keras.models.clone_model(trained.logits_network)
    keras.utils.set_random_seed(2)
    for layer in filter(lambda layer: layer.weights, network.layers):
        layer.set_weights([keras.initializers.GlorotUniform()(w.shape) for w in layer.weights])
    wrong = np.random.default_rng(0).permutation(classes)
    history = fit(network, (inputs[..., None], wrong), None, Options(30, 20, 3e-3, 10))
    assert np.mean(history["accuracy"][-3:]) > 0.8
    found = randomisation.networks(trained, classifier_of(network), patches, None, "saliency")
    assert verdict(found).passed


def made(before, after):
    rows = {name: values[None] for name, values in similarity(before, after).items()}
    return randomisation.Randomisation(("all",), rows, np.stack([before, after]))


def test_the_threshold_is_taken_from_unrelated_sounds():
    random = np.random.default_rng(0)
    before, after = random.normal(size=(2, 5, 9, 8))
    told = verdict(made(before, after), "spearman", level=0.8)
    pairs = [
        spearmanr(before[i], before[j], axis=None)[0] for i in range(5) for j in range(5) if i < j
    ]
    assert (told.low, told.high) == pytest.approx(tuple(np.quantile(pairs, [0.1, 0.9])))
    means = [spearmanr(a, b, axis=None)[0] for a, b in zip(before, after, strict=True)]
    assert told.means.tolist() == pytest.approx([np.mean(means)])
    assert told.outcome == ("fail" if np.mean(means) >= told.high else "pass")
    assert verdict(made(before, before)).outcome == "fail"


def test_much_the_same_map_for_every_sound_leaves_it_undecided():
    random = np.random.default_rng(1)
    habit = random.normal(size=(9, 8))
    before, after = habit + 0.3 * random.normal(size=(2, 6, 9, 8))
    told = verdict(made(before, after), "spearman")
    assert told.low < told.means[0] < told.high
    assert told.outcome == "undecided" and not told.passed and "undecided" in str(told)


def test_bad_input_is_told():
    maps = np.random.default_rng(0).normal(size=(4, 9, 8))
    with pytest.raises(xa.XaiAudioError, match="of 2 sounds"):
        verdict(made(maps[:2], maps[2:]))
    with pytest.raises(xa.XaiAudioError, match="one of"):
        verdict(made(maps, maps), "pearson")
    with pytest.raises(xa.XaiAudioError, match="level is 95"):
        verdict(made(maps, maps), level=95)


@pytest.mark.slow
def test_numbers_drawn_anew_at_each_call_fail(small, monkeypatch):
    registry.methods()
    monkeypatch.setattr(registry, "_METHODS", dict(registry._METHODS))
    random = np.random.default_rng(0)

    @registry.register("dice", options=NoOptions, summary="", paper="")
    def dice(classifier, patches, targets, options):
        return random.normal(size=patches.shape)

    some = random_patches(4, (13, 9))
    told = verdict(randomisation.cascade(small, some, None, "dice"))
    assert told.outcome == "fail" and told.itself < 0.5 and "made again" in str(told)
    assert verdict(randomisation.networks(small, small, some, None, "dice")).outcome == "fail"
    once = verdict(randomisation.cascade(small, some, None, "gradcam"))
    assert once.itself == 1
