"""Keras 2 files, and what else a file of a network may hold."""

import json
import shutil

import h5py
import keras
import numpy as np
import pytest
from archives import members, rewritten

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel

layers = keras.layers
FRONTEND = LogMel(frames=24, bands=16)
LABELS = ["a", "b", "c"]
PATCHES = np.random.default_rng(0).normal(-1, 1.5, (3, 24, 16)).astype("float32")


def layer(kind, name, config, source=None):
    made = {"class_name": kind, "config": {"name": name, **config}, "name": name}
    return made | {"inbound_nodes": [[[source, 0, 0, {}]]] if source else []}


ENTRY = {"batch_input_shape": [None, 24, 16, 1], "dtype": "float32"}
CONVOLUTION = {"filters": 4, "kernel_size": [3, 3], "activation": "relu", "use_bias": True}


def keras2(path, change=lambda config: None):
    """Write what Keras 2 wrote of a network with slashes in its names; return its weights."""
    chain = [
        layer("InputLayer", "in", ENTRY),
        layer("Conv2D", "block/conv", CONVOLUTION, "in"),
        layer("GlobalAveragePooling2D", "block_conv", {}, "block/conv"),
        layer("Dense", "end", {"units": 3, "activation": "softmax"}, "block_conv"),
    ]
    ends = {"input_layers": [["in", 0, 0]], "output_layers": [["end", 0, 0]]}
    config = {"class_name": "Functional", "config": {"name": "m", "layers": chain, **ends}}
    change(config)
    random = np.random.default_rng(3)
    weights = {
        "block/conv": {"kernel:0": random.normal(size=(3, 3, 1, 4)), "bias:0": np.ones(4)},
        "end": {"kernel:0": random.normal(size=(4, 3)), "bias:0": np.zeros(3)},
    }
    with h5py.File(path, "w") as file:
        file.attrs.update(model_config=json.dumps(config), keras_version="2.9.0")
        file.attrs["backend"] = "tensorflow"
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [entry["name"].encode() for entry in chain]
        for entry in chain:
            part = group.create_group(entry["name"])
            held = weights.get(entry["name"], {})
            part.attrs["weight_names"] = [f"{entry['name']}/{name}".encode() for name in held]
            for name, value in held.items():
                part[f"{entry['name']}/{name}"] = value.astype("float32")
    return weights


@pytest.mark.slow
@pytest.mark.parametrize("suffix", [".h5", ".hdf5"])
def test_a_keras_2_file_gives_the_scores_of_its_weights(tmp_path, suffix):
    path = tmp_path / f"old{suffix}"
    held = keras2(path)
    before = path.read_bytes()
    model = xa.load_model(path, labels=LABELS, frontend=FRONTEND)
    kernel = held["block/conv"]["kernel:0"].astype("float32")
    maps = keras.ops.relu(keras.ops.conv(PATCHES[..., None], kernel) + 1)
    logits = np.mean(maps, axis=(1, 2)) @ held["end"]["kernel:0"].astype("float32")
    np.testing.assert_allclose(model.logits(PATCHES), logits, atol=1e-4)
    assert {"block_conv", "block_conv_"} <= {one.name for one in model.network.layers}
    assert path.read_bytes() == before
    again = xa.load_model(model.save(tmp_path / "new.keras"))
    np.testing.assert_array_equal(again.scores(PATCHES), model.scores(PATCHES))


def plain():
    return keras.Sequential(
        [layers.Input((24, 16, 1)), layers.Flatten(), layers.Dense(3, activation="softmax")]
    )


def branched():
    start = layers.Input((24, 16, 1))
    one, two = (layers.Conv2D(4, 3, name=name)(start) for name in ("one", "two"))
    pooled = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.Add()([one, two])))
    return keras.Model(start, layers.Dense(3, activation="softmax")(pooled))


@pytest.mark.slow
@pytest.mark.parametrize("network", [plain, branched])
def test_what_keras_3_writes_as_h5(tmp_path, network):
    model = network()
    model.save(tmp_path / "new.h5")
    found = xa.load_model(tmp_path / "new.h5", labels=LABELS, frontend=FRONTEND)
    np.testing.assert_allclose(found.scores(PATCHES), model(PATCHES[..., None]), atol=1e-6)


def test_arguments_that_only_keras_2_knows(tmp_path):
    def change(config):
        chain = config["config"]["layers"]
        chain[1]["class_name"] = "DepthwiseConv2D"
        chain[1]["config"] = {"name": "block/conv", "kernel_size": [3, 3], "groups": 1}
        chain[1]["config"]["depth_multiplier"] = 4
        del chain[0]
        chain[0]["config"]["batch_input_shape"] = ENTRY["batch_input_shape"]
        config["class_name"] = "Sequential"
        config["config"] = {"name": "m", "layers": chain}

    held = keras2(tmp_path / "old.h5", change)
    model = xa.load_model(tmp_path / "old.h5", labels=LABELS, frontend=FRONTEND)
    kernel = held["block/conv"]["kernel:0"].astype("float32")
    pooled = np.mean(keras.ops.conv(PATCHES[..., None], kernel) + 1, axis=(1, 2))
    logits = pooled @ held["end"]["kernel:0"].astype("float32")
    np.testing.assert_allclose(model.logits(PATCHES), logits, atol=1e-4)


def put(number, **entries):
    def change(config):
        one = config["config"]["layers"][number]
        one["config"].update(entries.pop("config", {}))
        one.update(entries)

    return change


@pytest.mark.parametrize(
    "change",
    [
        put(1, class_name="Lambda"),
        put(1, class_name="TFSMLayer"),
        put(1, class_name="Mine"),
        put(1, class_name="Conv2D", registered_name="mine>Conv2D"),
        put(1, class_name="system", module="os"),
        put(1, config={"activation": {"class_name": "function", "config": "system"}}),
        put(1, config={"kernel_initializer": {"class_name": "Mine", "config": {}}}),
    ],
)
def test_what_could_run_code_is_refused_before_keras_sees_it(tmp_path, change, monkeypatch):
    def seen(*_, **__):
        raise AssertionError("Keras was asked to load it")

    monkeypatch.setattr("xaiaudio.models.legacy.keras.saving.load_model", seen)
    keras2(tmp_path / "old.h5", change)
    with pytest.raises(XaiAudioError, match="could run code"):
        xa.load_model(tmp_path / "old.h5", labels=LABELS, frontend=FRONTEND)


def test_damaged_files_weights_alone_and_no_labels(tmp_path):
    path = tmp_path / "old.h5"
    path.write_bytes(b"x" * 100)
    with pytest.raises(XaiAudioError, match="damaged"):
        xa.load_model(path, labels=LABELS)
    with h5py.File(path, "w") as file:
        file["kernel"] = np.zeros(3)
    with pytest.raises(XaiAudioError, match="weights without a network"):
        xa.load_model(path, labels=LABELS)
    keras2(path)
    with pytest.raises(XaiAudioError, match="--labels"):
        xa.load_model(path)
    keras2(path, put(1, config={"filters": 200_000_000}))
    with pytest.raises(XaiAudioError, match="more weights than the file holds"):
        xa.load_model(path, labels=LABELS, frontend=FRONTEND)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ({"bands": 10**9}, "bands is 1000000000"),
        ({"fft": 2**40}, "fft is"),
        ({"sample_rate": 10**9}, "sample_rate is"),
        ({"sample_rate": 1}, "sample_rate is 1"),
    ],
)
def test_front_ends_that_would_fill_the_memory(dense_file, setting, words):
    rewritten(dense_file, "xaiaudio.json", lambda a: a | {"frontend": a["frontend"] | setting})
    with pytest.raises(XaiAudioError, match=words):
        xa.load_model(dense_file)


def test_a_name_that_is_no_text(dense_file):
    rewritten(dense_file, "xaiaudio.json", lambda about: about | {"name": {"a": 1}})
    with pytest.raises(XaiAudioError, match="damaged"):
        xa.load_model(dense_file)


@pytest.mark.slow
def test_a_configuration_of_many_megabytes(dense_file):
    rewritten(dense_file, "config.json", lambda config: config | {"padding": "x" * (17 << 20)})
    with pytest.raises(XaiAudioError, match="more than 16 MB"):
        xa.load_model(dense_file)


def test_a_saved_configuration_has_no_argument_of_an_initializer_that_is_none(dense_file):
    config = json.loads(members(dense_file)["config.json"])
    dense = config["config"]["layers"][2]["config"]
    assert dense["kernel_initializer"]["class_name"] == "GlorotUniform"
    assert None not in dense["kernel_initializer"]["config"].values()


def test_pipes_and_devices(tmp_path):
    import os

    os.mkfifo(tmp_path / "m.keras")
    (tmp_path / "zero.keras").symlink_to("/dev/zero")
    for name in ("m.keras", "zero.keras"):
        with pytest.raises(XaiAudioError, match="pipe or a device"):
            xa.load_model(tmp_path / name)


def test_labels_for_the_shipped_network():
    with pytest.raises(XaiAudioError, match="lite knows its labels"):
        xa.load_model("lite", labels=["a"])


class Decibels(LogMel):
    """A front end of one's own."""

    def spectrogram(self, wave):
        return super().spectrogram(wave) * 8.7


def test_a_front_end_of_ones_own_is_used_but_not_saved(tmp_path):
    entry = layers.Input((24, 16, 1))
    model = keras.Model(entry, layers.Dense(3)(layers.Flatten()(entry)))
    mine = xa.AudioClassifier.from_keras(model, LABELS, Decibels(frames=24, bands=16))
    wave = np.random.default_rng(0).normal(0, 0.1, 8000).astype("float32")
    expected = model(Decibels(frames=24, bands=16)(wave)[..., None])
    np.testing.assert_allclose(mine.logits(mine.frontend(wave)), expected, rtol=1e-5)
    with pytest.raises(XaiAudioError, match="front end is a Decibels"):
        mine.save(tmp_path / "mine.keras")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_probabilities_taken_as_they_are_survive_the_file(tmp_path):
    entry = layers.Input((24, 16, 1))
    heads = [layers.Dense(3, activation="softmax")(layers.Flatten()(entry)) for _ in range(2)]
    model = keras.Model(entry, layers.Average()(heads))
    model.save(tmp_path / "theirs.keras")
    given = {"labels": LABELS, "frontend": FRONTEND}
    with pytest.raises(XaiAudioError, match='outputs="probabilities"'):
        xa.load_model(tmp_path / "theirs.keras", **given)
    mine = xa.load_model(tmp_path / "theirs.keras", **given, outputs="probabilities")
    again = xa.load_model(mine.save(tmp_path / "mine.keras"))
    np.testing.assert_allclose(again.scores(PATCHES), model(PATCHES[..., None]), atol=1e-6)
    np.testing.assert_array_equal(again.logits(PATCHES), mine.logits(PATCHES))
    shutil.rmtree(tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize(
    "one", [layers.RandomTranslation(0.1, 0.1), layers.Resizing(20, 16), layers.GaussianNoise(0.1)]
)
def test_layers_for_augmentation_can_be_saved(one, tmp_path):
    entry = layers.Input((24, 16, 1))
    pooled = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3)(one(entry)))
    model = keras.Model(entry, layers.Dense(3, activation="softmax")(pooled))
    mine = xa.AudioClassifier.from_keras(model, LABELS, FRONTEND)
    again = xa.load_model(mine.save(tmp_path / "m.keras"))
    np.testing.assert_allclose(
        again.scores(PATCHES), model(PATCHES[..., None], training=False), atol=1e-6
    )


@pytest.mark.slow
def test_operations_on_tensors_can_be_saved(tmp_path):
    entry = layers.Input((24, 16, 1))
    tensor = keras.ops.relu(layers.Conv2D(3, 3)(entry) * 2 + 1)[:, 2:]
    pooled = keras.ops.mean(tensor, axis=(1, 2))
    model = keras.Model(entry, keras.ops.softmax(layers.Dense(3)(pooled)))
    mine = xa.AudioClassifier.from_keras(model, LABELS, FRONTEND)
    again = xa.load_model(mine.save(tmp_path / "m.keras"))
    np.testing.assert_allclose(again.scores(PATCHES), model(PATCHES[..., None]), atol=1e-6)
