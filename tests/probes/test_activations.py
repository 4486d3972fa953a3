"""Pooled activations against loops over Keras's own layers, one at a time."""

import keras
import numpy as np
import pytest
from keras import layers
from small_networks import LABELS, classifier_of, convolutional, frontend, random_patches

import xaiaudio as xa
from xaiaudio.models.designs import attention
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.graph import graph_of
from xaiaudio.probes.activations import Activations, pooled, stages

SHAPE = (8, 6)


def plain(network, name, patches, spread):
    """Mean (and standard deviation) of each channel of a layer, cell by cell."""
    layer = keras.Model(network.inputs[0], network.get_layer(name).output)
    rows = []
    for patch in patches:
        values = np.asarray(layer(patch[None, ..., None]))[0].astype(np.float64)
        if values.ndim == 1:
            rows.append(values)
            continue
        channels = [values[..., k].ravel() for k in range(values.shape[-1])]
        row = [sum(cells) / len(cells) for cells in channels]
        if spread:
            row += [
                (sum((cell - mean) ** 2 for cell in cells) / len(cells)) ** 0.5
                for cells, mean in zip(channels, row[:], strict=True)
            ]
        rows.append(np.array(row))
    return np.array(rows)


@pytest.mark.slow
@pytest.mark.parametrize("spread", [False, True])
def test_each_layer_is_pooled_as_defined(spread):
    network, patches = convolutional(SHAPE), random_patches(5, SHAPE)
    found = pooled(network, patches, spread=spread, batch=2)
    assert found.layers == ("input", "first", "last", "hidden", "classes")
    for name in ("first", "last", "hidden", "classes"):
        wanted = plain(network, name, patches, spread)
        np.testing.assert_allclose(found[name], wanted, atol=1e-5)
    bands = [patches.mean(axis=1), patches.std(axis=1)] if spread else [patches.mean(axis=1)]
    np.testing.assert_allclose(found["input"], np.concatenate(bands, axis=1), atol=1e-5)


@pytest.mark.slow
def test_a_classifier_ends_with_its_logits():
    model, patches = classifier_of(convolutional(SHAPE)), random_patches(3, SHAPE)
    found = pooled(model, patches)
    np.testing.assert_allclose(found[found.layers[-1]], model.logits(patches), atol=1e-5)
    assert found[found.layers[-1]].min() < 0


@pytest.mark.slow
def test_a_network_that_explains_itself_shows_its_parts():
    front, options = frontend(12, 8), attention.Options(size=8, heads=2)
    network = attention.build(front, 3, options)
    model = SelfExplaining.from_network(
        network, LABELS, front, attention.evidence(front), design="attention", options=vars(options)
    )
    patches = random_patches(3, (12, 8))
    found = pooled(model, patches)
    assert found.layers[-2:] == ("parts", "logits")
    np.testing.assert_allclose(found["logits"], model.logits(patches), atol=1e-5)
    parts = keras.Model(network.inputs[0], network.get_layer("parts").output)(patches[..., None])
    np.testing.assert_allclose(
        found["parts"], parts.numpy().mean(axis=tuple(range(1, parts.ndim - 1))), atol=1e-5
    )


@pytest.mark.slow
def test_the_size_of_a_batch_changes_nothing():
    network, patches = convolutional(SHAPE), random_patches(7, SHAPE)
    one, all_at_once = pooled(network, patches, batch=1), pooled(network, patches, batch=7)
    for name in one.layers:
        np.testing.assert_allclose(one[name], all_at_once[name], atol=1e-5)


@pytest.mark.slow
def test_a_layer_is_taken_behind_its_normalisation_and_activation():
    keras.utils.set_random_seed(1)
    x = inputs = keras.Input((*SHAPE, 1))
    x = layers.Conv2D(3, 3, name="plain")(x)
    x = layers.BatchNormalization(beta_initializer="normal", name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.Dropout(0.5, name="drop")(x)
    x = layers.GlobalAveragePooling2D()(x)
    network = keras.Model(inputs, layers.Dense(2, name="out")(x))
    patches = random_patches(4, SHAPE)
    found = pooled(network, patches)
    assert found.layers == ("input", "plain", "out")
    np.testing.assert_allclose(found["plain"], plain(network, "relu", patches, False), atol=1e-5)


@pytest.mark.slow
def test_a_branch_ends_where_somebody_else_reads_it():
    keras.utils.set_random_seed(2)
    inputs = keras.Input((*SHAPE, 1))
    conv = layers.Conv2D(1, 3, padding="same", name="conv")(inputs)
    total = layers.Add(name="sum")([conv, layers.ReLU(name="relu")(conv)])
    network = keras.Model(inputs, layers.Dense(2, name="out")(layers.Flatten()(total)))
    patches = random_patches(4, SHAPE)
    found = pooled(network, patches)
    assert found.layers == ("input", "conv", "sum", "out")
    np.testing.assert_allclose(found["conv"], plain(network, "conv", patches, False), atol=1e-5)
    np.testing.assert_allclose(found["sum"], plain(network, "sum", patches, False), atol=1e-5)
    assert np.abs(found["sum"] - found["conv"]).max() > 0.01


@pytest.mark.slow
def test_models_inside_are_taken_apart():
    base = convolutional(SHAPE)
    network = keras.Sequential([keras.Input((*SHAPE, 1)), base, layers.Dense(2, name="end")])
    patches = random_patches(3, SHAPE)
    inside, alone = pooled(network, patches), pooled(base, patches)
    assert inside.layers == (*alone.layers, "end")
    np.testing.assert_allclose(inside["last"], alone["last"], atol=1e-6)


def test_a_layer_that_is_called_twice_is_there_twice():
    keras.utils.set_random_seed(3)
    inputs = keras.Input((*SHAPE, 1))
    conv = layers.Conv2D(1, 3, padding="same", name="conv")
    network = keras.Model(inputs, layers.Flatten()(conv(layers.MaxPooling2D(1)(conv(inputs)))))
    assert list(stages(graph_of(network))) == ["conv", "conv (2)"]


@pytest.mark.slow
def test_sequences_are_pooled_over_time():
    keras.utils.set_random_seed(4)
    inputs = keras.Input((*SHAPE, 1))
    rows = layers.Reshape(SHAPE)(inputs)
    states = layers.GRU(4, return_sequences=True, name="states")(rows)
    network = keras.Model(inputs, layers.Dense(2)(states[:, -1]))
    patches = random_patches(3, SHAPE)
    values = keras.Model(inputs, states)(patches[..., None]).numpy()
    np.testing.assert_allclose(pooled(network, patches)["states"], values.mean(axis=1), atol=1e-5)


@pytest.mark.slow
def test_a_network_of_samples_is_asked_about_sounds():
    keras.utils.set_random_seed(5)
    inputs = keras.Input((1600, 1))
    x = layers.Conv1D(4, 64, strides=16, activation="relu", name="filters")(inputs)
    x = layers.GlobalAveragePooling1D()(x)
    network = keras.Model(inputs, layers.Dense(3, name="out")(x))
    model = xa.AudioClassifier.from_keras(network, LABELS, sample_rate=16_000)
    patches = model.frontend(np.random.default_rng(0).normal(0, 0.1, 4000).astype("float32"))
    found = pooled(model, patches)
    values = keras.Model(inputs, network.get_layer("filters").output)(patches.waves[..., None])
    assert found.layers == ("filters", "out")
    np.testing.assert_allclose(found["filters"], values.numpy().mean(axis=1), atol=1e-5)
    np.testing.assert_allclose(found["out"], model.logits(patches), atol=1e-5)


@pytest.mark.slow
def test_only_the_layers_asked_for_are_returned_and_in_the_order_of_the_network():
    network, patches = convolutional(SHAPE), random_patches(3, SHAPE)
    found = pooled(network, patches, layers=["hidden", "first"])
    assert found.layers == ("first", "hidden")
    np.testing.assert_allclose(found["hidden"], pooled(network, patches)["hidden"], atol=1e-6)


def test_the_patches_of_a_sound_are_averaged():
    values = np.random.default_rng(0).normal(size=(6, 3)).astype("float32")
    found = Activations(("a",), (values,)).of_sounds([0, 0, 1, 1, 1, 2])
    wanted = [values[:2].mean(axis=0), values[2:5].mean(axis=0), values[5]]
    np.testing.assert_allclose(found["a"], wanted, atol=1e-6)
    np.testing.assert_array_equal(found.rows([2])["a"], found["a"][2:])


@pytest.mark.parametrize("sound", [[0, 1], [0, 0, 2], [-1, 0, 1]])
def test_sounds_that_do_not_fit_are_refused(sound):
    with pytest.raises(xa.XaiAudioError, match="without gaps"):
        Activations(("a",), (np.zeros((3, 2), "float32"),)).of_sounds(sound)


@pytest.mark.slow
def test_what_does_not_fit_is_refused():
    network = convolutional(SHAPE)
    with pytest.raises(xa.XaiAudioError, match="no layer 'middle'"):
        pooled(network, random_patches(2, SHAPE), layers=["middle"])
    with pytest.raises(xa.XaiAudioError, match="with its front end"):
        pooled(network, random_patches(2, (8, 5)))
    with pytest.raises(xa.XaiAudioError, match="with its front end"):
        pooled(network, random_patches(0, SHAPE))
    with pytest.raises(xa.XaiAudioError, match="'input' .* NaN"):
        pooled(network, np.full((2, *SHAPE), np.nan))
    # Behind a ReLU, NaN would be a 0 like any other.
    with pytest.raises(xa.XaiAudioError, match="'input' .* NaN"):
        pooled(network, np.full((2, *SHAPE), np.nan), layers=["first"])
    with pytest.raises(xa.XaiAudioError, match="the layers are input"):
        pooled(network, random_patches(2, SHAPE))["middle"]


@pytest.mark.slow
@pytest.mark.parametrize("batch", [0, -1, 1.5, "2", True])
def test_a_batch_that_is_none_is_refused(batch):
    model = classifier_of(convolutional((24, 16)))
    with pytest.raises(xa.XaiAudioError, match="batch is"):
        pooled(model, random_patches(2, (24, 16)), batch=batch)


@pytest.mark.slow
@pytest.mark.parametrize("layers", [[], (), "input"])
def test_layers_that_are_none_are_refused(layers):
    model = classifier_of(convolutional((24, 16)))
    with pytest.raises(xa.XaiAudioError, match="list of names"):
        pooled(model, random_patches(2, (24, 16)), layers=layers)


@pytest.mark.parametrize(
    "sound",
    [[np.nan, 0, 1], [0.5, 0, 1], [0, 0, np.inf], ["a", "b", "c"], 5, [0, 0, 2**62], [0, 1]],
)
def test_numbers_that_are_no_sounds_are_refused(sound):
    found = Activations(("a",), (np.zeros((3, 2), np.float32),))
    with pytest.raises(xa.XaiAudioError, match="the number of its sound"):
        found.of_sounds(sound)
