"""What every registered method must hold to, now and later."""

import dataclasses
import subprocess
import sys

import numpy as np
import pytest
from small_networks import classifier_of, convolutional, random_patches

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers import gradients, registry

METHODS = list(xa.methods())
AT_ONCE = list(xa.methods(sounds=False))
Options = dataclasses.make_dataclass("Options", [])
ORDER = (
    *("gradcam", "gradcam++", "layercam", "scorecam", "occlusion", "lime"),
    *("slime", "shapley", "rise"),
    *("saliency", "smoothgrad", "input-x-gradient", "integrated-gradients"),
    *("guided-backprop", "lrp"),
)
QUICK = {
    "lime": {"samples": 60, "grid": (4, 3)},
    "shapley": {"samples": 60, "grid": (4, 3)},
    "rise": {"samples": 300},
    "slime": {"samples": 60, "grid": (4, 3)},
}


def run(function, *arguments, method, **options):
    return function(*arguments, method=method, **QUICK.get(method, {}), **options)


def test_the_six_are_there():
    assert {"gradcam", "gradcam++", "scorecam", "layercam", "occlusion", "lime"} <= set(METHODS)
    for about in xa.methods().values():
        assert all(about[key] for key in ("summary", "paper", "needs"))


def test_the_methods_have_an_order():
    assert tuple(name for name in METHODS if name in ORDER) == ORDER
    # A new method stands where its file does.
    places = [registry._place(registry.find(name)) for name in METHODS]
    assert places == sorted(places) and max(places) < len(registry.FILES)


def test_a_method_of_somebody_else_comes_last(monkeypatch):
    monkeypatch.setattr(registry, "_METHODS", dict(reversed(registry._METHODS.items())))
    registry.register("own", options=dict, summary="", paper="")(lambda *given: None)
    assert list(registry._all())[-1] == "own"


@pytest.mark.slow
@pytest.mark.parametrize("first", ["lime", "lrp.method"])
def test_whichever_method_was_imported_first(first):
    code = (
        f"import xaiaudio.explainers.{first}\n"
        "from xaiaudio.explainers import registry\n"
        "print(*registry.methods())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == METHODS


@pytest.mark.slow
@pytest.mark.parametrize("method", AT_ONCE)
@pytest.mark.parametrize("upsample", ["nearest", "bilinear"])
@pytest.mark.parametrize("shape", [(24, 16), (7, 31)])
def test_maps_are_finite_shaped_and_repeatable(method, upsample, shape):
    classifier = classifier_of(convolutional(shape))
    patches = random_patches(3, shape)
    first = run(xa.explain, classifier, patches, method=method, upsample=upsample)
    again = run(xa.explain, classifier, patches, method=method, upsample=upsample)
    assert first.maps.shape == patches.shape
    assert first.maps.dtype == np.float32
    assert np.isfinite(first.maps).all()
    assert np.ptp(first.maps) > 0
    np.testing.assert_array_equal(first.maps, again.maps)
    np.testing.assert_array_equal(first.targets, classifier.scores(patches).argmax(axis=1))


@pytest.mark.slow
@pytest.mark.parametrize("method", AT_ONCE)
def test_all_classes_at_once_equal_one_by_one(small, patches, method):
    together = run(xa.explain_classes, small, patches, method=method)
    assert tuple(together) == small.labels
    for label, result in together.items():
        alone = run(xa.explain, small, patches, label, method=method)
        np.testing.assert_allclose(result.maps, alone.maps, atol=1e-6)
        np.testing.assert_array_equal(result.targets, alone.targets)


@pytest.mark.slow
@pytest.mark.parametrize("method", AT_ONCE)
def test_each_patch_has_its_own_target_and_map(small, patches, method):
    mixed = run(xa.explain, small, patches, ["rain", 0, "dog"], method=method)
    assert mixed.target_labels == ["rain", "cat", "dog"]
    for index, label in enumerate(mixed.target_labels):
        alone = run(xa.explain, small, patches[index], label, method=method)
        np.testing.assert_allclose(mixed.maps[index], alone.maps[0], rtol=1e-4, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("method", AT_ONCE)
@pytest.mark.parametrize("axis", [0, 1])
def test_time_and_frequency_are_not_mixed_up(method, axis):
    """A network that hears one corner of the patch only: the map must be strongest there."""
    import keras
    from keras import layers

    shape = (24, 12) if axis == 0 else (12, 24)
    inputs = keras.Input((*shape, 1))
    x = layers.Conv2D(2, 1, kernel_initializer="ones", name="conv")(inputs)
    listens = np.zeros((*shape, 2, 2), "float32")
    # Late and low, or early and high: transposed or flipped it would be elsewhere.
    corner = (slice(20, 24), slice(0, 3)) if axis == 0 else (slice(0, 3), slice(20, 24))
    listens[(*corner, slice(None), 0)] = 0.02
    dense = layers.Dense(2, name="logits")
    network = keras.Model(inputs, layers.Softmax()(dense(layers.Flatten()(x))))
    dense.set_weights([listens.reshape(-1, 2), np.zeros(2, "float32")])
    classifier = classifier_of(network, ("there", "elsewhere"))
    patch = np.full(shape, 0.1, "float32")
    patch[corner] = 2.0
    found = xa.explain(classifier, patch, "there", method).maps[0]
    inside = np.zeros(shape, bool)
    inside[corner] = True
    assert found[inside].mean() > 3 * np.abs(found[~inside]).mean()


@pytest.mark.parametrize("method", AT_ONCE)
@pytest.mark.parametrize(
    "patches, targets, message",
    [
        (np.zeros((1, 16, 24)), None, "takes \\(n, 24, 16\\)"),
        (np.zeros((0, 24, 16)), None, "no patch"),
        (np.full((1, 24, 16), np.nan), None, "NaN"),
        ("dog.wav", None, "not an array of numbers"),
        ([[1, 2], [3]], None, "not an array of numbers"),
        (np.zeros((2, 24, 16)), ["cat"], "1 targets for 2 patches"),
        (np.zeros((1, 24, 16)), "cow", "cat, dog, rain"),
        (np.zeros((1, 24, 16)), 3, "cat, dog, rain"),
        (np.zeros((1, 24, 16)), 1.5, "cat, dog, rain"),
    ],
)
def test_bad_input(small, method, patches, targets, message):
    with pytest.raises(XaiAudioError, match=message):
        xa.explain(small, patches, targets, method)


@pytest.mark.parametrize("method", AT_ONCE)
def test_unknown_options(small, patches, method):
    with pytest.raises(XaiAudioError, match="no option 'colour'"):
        xa.explain(small, patches, method=method, colour="red")


def test_unknown_method_and_upsampling(small, patches):
    with pytest.raises(XaiAudioError, match="gradcam, gradcam\\+\\+"):
        xa.explain(small, patches, method="gradcan")
    with pytest.raises(XaiAudioError, match="upsample is 'cubic'"):
        xa.explain(small, patches, upsample="cubic")


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        ("smooth_gradient", {"samples": 0}),
        ("smooth_gradient", {"noise": -0.1}),
        ("integrated_gradients", {"steps": 0}),
        ("integrated_gradients", {"tolerance": 0}),
    ],
)
def test_functions_on_networks_refuse_what_their_methods_refuse(small, patches, function, wrong):
    """Of no samples at all, the mean would be NaN."""
    inputs, targets = small.as_input(patches), np.zeros(len(patches), int)
    with pytest.raises(XaiAudioError, match=next(iter(wrong))):
        getattr(gradients, function)(small.logits_network, inputs, targets, **wrong)


@pytest.fixture
def needy():
    """A method that changes the sound: its map is the energy of the patch's samples."""

    @registry.register("needy", options=Options, summary="", paper="", sounds=True)
    def energies(classifier, patches, targets, options):
        assert isinstance(patches, xa.Patches)
        return np.square(patches.waves).sum(axis=1)[:, None, None] * np.ones((1, 2, 2))

    yield "needy"
    del registry._METHODS["needy"]


@pytest.mark.slow
def test_a_method_that_changes_the_sound_is_given_it(needy):
    model = xa.load_model("lite")
    wave = np.random.default_rng(0).normal(0, 0.1, 40_000).astype("float32")
    patches = model.frontend(wave, overlap=0.5, sounds=True)
    assert xa.Explainer(needy).sounds and not xa.Explainer("occlusion").sounds
    with pytest.warns(xa.XaiAudioWarning):
        result = xa.explain(model, patches, "Rain", needy)
    expected = np.square(patches.waves).sum(axis=1)
    np.testing.assert_allclose(result.maps[:, 0, 0], expected, rtol=1e-5)
    # The network's input are the patches: their samples blow up no file.
    assert result.waves is None
    with pytest.raises(xa.XaiAudioError, match="do not know theirs"):
        xa.explain(model, patches.values, "Rain", needy)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["saliency", "lime", "occlusion"])
def test_other_methods_explain_patches_with_sounds_as_any(method):
    model = xa.load_model("lite")
    wave = np.random.default_rng(0).normal(0, 0.1, 30_000).astype("float32")
    options = {"samples": 20} if method == "lime" else {}
    found = [
        xa.explain(model, model.frontend(wave, sounds=sounds), "Rain", method, **options)
        for sounds in (True, False)
    ]
    np.testing.assert_array_equal(found[0].maps, found[1].maps)
    assert found[0].waves is None and isinstance(found[0].inputs, np.ndarray)


def test_methods_without_those_that_change_the_sound(needy):
    assert needy in xa.methods() and needy not in xa.methods(sounds=False)
    assert set(xa.methods(sounds=False)) < set(xa.methods())
