"""The frame that networks that explain themselves share, on one that is made by hand."""

import keras
import numpy as np
import pytest
from archives import rewritten
from design_contract import check_contract
from small_networks import LABELS, frontend, random_patches

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import asymmetry, attention, local, matching, nmf
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.evidence import Evidence

SHAPE = (20, 12)


def network(vectors=False, count=4, use_bias=True):
    keras.utils.set_random_seed(3)
    inputs = keras.Input((*SHAPE, 1))
    tensor = keras.layers.Flatten()(inputs)
    if vectors:
        tensor = keras.layers.Dense(count * 5, activation="tanh")(tensor)
        parts = keras.layers.Reshape((count, 5), name="parts")(tensor)
        tensor = keras.ops.sum(parts, axis=1)
    else:
        tensor = keras.layers.Dense(count, activation="relu", name="parts")(tensor)
    dense = keras.layers.Dense(3, name="logits", use_bias=use_bias, bias_initializer="normal")
    return keras.Model(inputs, dense(tensor))


def classifier(count=4, activation="softmax", **options):
    evidence = [Evidence(f"part {n}", LABELS[n % 3]) for n in range(count)]
    model = network(count=count, **options)
    return SelfExplaining.from_network(
        model,
        LABELS,
        frontend(*SHAPE),
        evidence,
        design="by hand",
        options={"seed": 3},
        activation=activation,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"vectors": True}, {"use_bias": False}, {"count": 1}, {"activation": "sigmoid"}]
)
def test_the_contract(options, tmp_path):
    check_contract(classifier(**options), random_patches(5, SHAPE), tmp_path)


@pytest.mark.slow
def test_contributions_are_numbers_times_weights():
    model, patches = classifier(), random_patches(3, SHAPE)
    inner = keras.Model(model.logits_network.inputs, model.logits_network.get_layer("parts").output)
    numbers = inner.predict(patches[..., None], verbose=0)
    found = model.contributions(patches)
    for patch in range(3):
        for part in range(4):
            for label in range(3):
                wanted = numbers[patch, part] * model.weights[part, label]
                assert found[patch, part, label] == pytest.approx(wanted, abs=1e-6)


@pytest.mark.slow
def test_no_patches_have_no_contributions():
    model = classifier()
    nothing = np.zeros((0, *SHAPE))
    assert model.contributions(nothing).shape == (0, 4, 3)
    assert model.logits_without(nothing, [1]).shape == (0, 3)


@pytest.mark.slow
def test_what_does_not_fit_is_told():
    model, patches = classifier(), random_patches(2, SHAPE)
    for call in (lambda: model.evidence(4), lambda: model.logits_without(patches, [-1])):
        with pytest.raises(XaiAudioError, match="no part"):
            call()
    with pytest.raises(XaiAudioError, match="make them with model.frontend"):
        model.contributions(patches[:, :3])
    with pytest.raises(XaiAudioError, match="no sound of its own"):
        model.sound(0)
    with pytest.raises(XaiAudioError, match="evidence of 2"):
        SelfExplaining.from_network(
            network(), LABELS, frontend(*SHAPE), model.parts[:2], design="by hand"
        )
    bare = keras.Sequential([keras.Input((*SHAPE, 1)), keras.layers.Flatten()])
    bare.add(keras.layers.Dense(3, name="logits"))
    with pytest.raises(XaiAudioError, match="no layer 'parts'"):
        SelfExplaining.from_network(bare, LABELS, frontend(*SHAPE), [], design="by hand")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"places": [["dog-1", float("nan"), 1, 0, 1]]}, "damaged"),
        ({"places": [["dog-1", 0, float("inf"), 0, 1]]}, "damaged"),
        ({"places": [["dog-1", 2, 1, 0, 1]]}, "damaged"),
        ({"places": [["dog-1", 10**400, 1, 0, 1]]}, "damaged"),
        ({"picture": [[10**400]]}, "damaged"),
        ({"spectrum": [float("nan")] * SHAPE[1]}, "damaged"),
        ({"spectrum": [1.0, 2.0]}, "the spectrum of 'part 0'"),
        ({"picture": [[1.0, 2.0]]}, "the picture of 'part 0'"),
    ],
)
def test_evidence_of_a_file_that_was_changed_is_told(tmp_path, wrong, told):
    def change(about):
        about["design"]["parts"][0].update(wrong)
        return about

    changed = rewritten(classifier().save(tmp_path / "one.keras"), "xaiaudio.json", change)
    with pytest.raises(XaiAudioError, match=told):
        xa.load_model(changed)


@pytest.mark.slow
@pytest.mark.parametrize(
    "asked",
    [attention.attention, attention.forced, attention.self_attention, local.maps, nmf.activations]
    + [nmf.masks, asymmetry.heat, matching.similarity_maps],
)
def test_what_is_asked_of_another_design_is_told(asked):
    with pytest.raises(XaiAudioError, match="by hand"):
        asked(classifier(), random_patches(2, SHAPE))


@pytest.mark.slow
def test_what_is_inside_is_computed_as_it_stands_and_checked():
    model, patches = classifier(), random_patches(2, SHAPE)
    layer = model.logits_network.get_layer("parts")

    def inside():
        return model.inner("inside", lambda: layer.output, patches)

    first = inside()
    assert np.array_equal(first, model.activations(patches)) and first.any()
    layer.set_weights([2 * weight for weight in layer.get_weights()])
    assert np.allclose(inside(), 2 * first, atol=1e-5)  # compiled once, but not its weights
    assert model.inner("inside", lambda: layer.output, patches[:0]).shape == (0, 4)
    with pytest.raises(XaiAudioError, match="make them with model.frontend"):
        model.inner("inside", lambda: layer.output, patches[:, 1:])
