"""Models inside models: one network with the same weights and the same outputs."""

import keras
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models.flattening import graph_of

layers = keras.layers
FRONTEND = LogMel(frames=24, bands=16)
PATCHES = np.random.default_rng(0).normal(-1, 1.5, (3, 24, 16)).astype("float32")


def base(seed=0, name="base"):
    """Two branches, a layer used twice, batch normalisation."""
    keras.utils.set_random_seed(seed)
    patch = layers.Input((24, 16, 1), name="patch")
    first = layers.Conv2D(4, 3, padding="same", activation="relu", name="conv")(patch)
    twice = layers.Conv2D(4, 3, padding="same", name="twice")
    end = layers.BatchNormalization(name="norm")(layers.Add()([twice(first), twice(twice(first))]))
    return keras.Model(patch, layers.ReLU(name="relu")(end), name=name)


def nested(depth=1):
    inner = base()
    for level in range(depth - 1):
        inner = keras.Sequential([layers.Input((24, 16, 1)), inner], name=f"level{level}")
    patch = layers.Input((24, 16, 1), name="patch")
    tensor = layers.Conv2D(1, 3, padding="same", name="conv")(patch)
    tensor = layers.GlobalAveragePooling2D(name="pool")(inner(tensor, training=False))
    return keras.Model(patch, layers.Dense(3, activation="softmax", name="end")(tensor))


def disturb(model):
    random = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(np.abs(random.normal(0.5, 0.3, weight.shape)) + 0.05)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_same_outputs_same_weights(depth):
    model = nested(depth)
    disturb(model)
    flat = xa.models.flatten(model)
    assert all(graph_of(layer) is None for layer in flat.layers)
    np.testing.assert_allclose(flat(PATCHES[..., None]), model(PATCHES[..., None]), atol=1e-6)
    assert {id(weight) for weight in flat.weights} == {id(weight) for weight in model.weights}
    before = flat(PATCHES[..., None]).numpy()
    model.weights[0].assign(model.weights[0] * 2)
    assert np.abs(flat(PATCHES[..., None]) - before).max() > 1e-6
    np.testing.assert_allclose(flat(PATCHES[..., None]), model(PATCHES[..., None]), atol=1e-6)


@pytest.mark.slow
def test_names_stay_unless_two_are_the_same():
    names = [layer.name for layer in xa.models.flatten(nested()).layers]
    assert names.count("conv") == 1 and "base_conv" in names
    assert {"patch", "twice", "norm", "relu", "pool", "end"} <= set(names)
    assert len(set(names)) == len(names)


@pytest.mark.slow
def test_the_model_itself_is_untouched():
    model = nested()
    uses = {layer.name: len(layer._inbound_nodes) for layer in model.layers}
    xa.models.flatten(model)
    assert {layer.name: len(layer._inbound_nodes) for layer in model.layers} == uses


@pytest.mark.slow
def test_a_base_that_was_called_without_training_stays_so():
    norm = xa.models.flatten(nested()).get_layer("norm")
    assert norm._inbound_nodes[0].arguments.kwargs["training"] is False


def test_a_flat_model_is_returned_as_it_is():
    model = base()
    assert xa.models.flatten(model) is model


@pytest.mark.slow
def test_models_inside_with_several_inputs_and_outputs():
    keras.utils.set_random_seed(0)
    one, two = layers.Input((4,)), layers.Input((4,))
    inner = keras.Model({"a": one, "b": two}, [layers.Dense(2)(one), layers.Dense(2)(two)])
    entry = layers.Input((4,))
    left, right = inner({"a": entry, "b": layers.Dense(4)(entry)})
    model = keras.Model(entry, layers.Subtract()([left, right]))
    flat = xa.models.flatten(model)
    assert all(graph_of(layer) is None for layer in flat.layers)
    inputs = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(flat(inputs), model(inputs), atol=1e-6)


class Own(keras.Model):
    def build(self, shape):
        self.dense = layers.Dense(3)
        self.dense.build(shape)

    def call(self, inputs):
        return self.dense(inputs)


def test_what_cannot_be_flattened():
    entry = layers.Input((4,))
    model = keras.Model(entry, Own()(entry))
    assert xa.models.flatten(model) is model  # a subclassed model inside stays a layer
    for wrong in (Own(), keras.Sequential([layers.Dense(2)]), object()):
        with pytest.raises(XaiAudioError, match="can be flattened"):
            xa.models.flatten(wrong)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gradcam", "guided-backprop", "lrp", "saliency"])
def test_methods_that_look_at_layers_see_those_of_a_base(method, tmp_path):
    keras.utils.set_random_seed(0)
    inner = keras.Sequential(
        [layers.Input((24, 16, 1)), layers.Conv2D(4, 3, activation="relu", name="inside")]
    )
    tail = [layers.GlobalAveragePooling2D(), layers.Dense(3, activation="softmax")]
    model = keras.Sequential([layers.Input((24, 16, 1)), inner, *tail])
    apart = keras.Sequential([layers.Input((24, 16, 1)), *inner.layers, *tail])
    found, expected = (
        xa.explain(
            xa.AudioClassifier.from_keras(one, list("abc"), FRONTEND), PATCHES, method=method
        ).maps
        for one in (model, apart)
    )
    np.testing.assert_allclose(found, expected, atol=1e-6)
    assert np.abs(found).max() > 0


@pytest.mark.slow
def test_nested_networks_are_saved_flat(tmp_path):
    model = nested(2)
    classifier = xa.AudioClassifier.from_keras(model, list("abc"), FRONTEND)
    again = xa.load_model(classifier.save(tmp_path / "mine.keras"))
    expected = model(PATCHES[..., None])
    np.testing.assert_allclose(again.scores(PATCHES), expected, atol=1e-6)
