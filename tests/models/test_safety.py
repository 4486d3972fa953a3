"""What a file may hold: layers that compute, and weights of its own."""

import importlib
import json
import sys

import h5py
import keras
import numpy as np
import pytest
from archives import members, rewritten, write
from small_apnet import by_hand

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import safety


@pytest.mark.slow
@pytest.mark.parametrize("wrong", [{"widths": [10**5] * 3}, {"kernels": [10**4] * 4}])
def test_no_file_asks_for_a_decoder_larger_than_itself(tmp_path, wrong):
    def change(config):
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "DecodedPrototypes":
                layer["config"].update(wrong)
        return config

    changed = rewritten(by_hand().save(tmp_path / "one.keras"), "config.json", change)
    with pytest.raises(XaiAudioError, match="asks for more weights than the file holds"):
        xa.load_model(changed)


def with_weights(path, change):
    """Change the weights of a .keras file."""
    weights = path.with_name("weights.h5")
    parts = members(path)
    weights.write_bytes(parts["model.weights.h5"])
    with h5py.File(weights, "r+") as file:
        change(file)
    write(path, {**parts, "model.weights.h5": weights.read_bytes()})


def kernel_of(file):
    found = []
    file.visititems(lambda name, part: found.append(name) if name.endswith("vars/0") else None)
    return max(found, key=lambda name: file[name].size)


def external(file):
    name = kernel_of(file)
    shape = file[name].shape
    del file[name]
    file.create_dataset(name, shape, "f4", external=[("/etc/passwd", 0, 4 * np.prod(shape))])


def virtual(file):
    name = kernel_of(file)
    layout = h5py.VirtualLayout(file[name].shape, "f4")
    layout[:] = h5py.VirtualSource("/tmp/other.h5", "data", file[name].shape)
    del file[name]
    file.create_virtual_dataset(name, layout)


def linked(link):
    def change(file):
        name = kernel_of(file)
        del file[name]
        file[name] = link

    return change


@pytest.mark.slow
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (external, "from other files"),
        (virtual, "from other files"),
        (linked(h5py.ExternalLink("/etc/other.h5", "/x")), "ExternalLink"),
        (linked(h5py.SoftLink("/layers")), "SoftLink"),
    ],
)
def test_weights_that_lie_elsewhere_are_refused(dense_file, change, words):
    with_weights(dense_file, change)
    with pytest.raises(XaiAudioError, match=words):
        xa.load_model(dense_file)


def test_groups_that_hold_each_other_end(dense_file):
    with_weights(dense_file, lambda file: file["layers"].__setitem__("again", file["/"]))
    assert xa.load_model(dense_file).labels == ("a", "b", "c")


def test_a_layer_that_asks_for_more_than_the_file_holds(dense_file):
    def change(config):
        config["config"]["layers"][2]["config"]["units"] = 200_000_000
        return config

    rewritten(dense_file, "config.json", change)
    with pytest.raises(XaiAudioError, match="more weights than the file holds"):
        xa.load_model(dense_file)


def entry(name, module="keras.layers", **more):
    return {"module": module, "class_name": name, "registered_name": None, "config": {}, **more}


def network_of(*entries, module="keras", name="Functional", **more):
    return {"module": module, "class_name": name, "config": {"layers": list(entries)}, **more}


def refused(config, message="could run code: refused|so could run code"):
    with pytest.raises(XaiAudioError, match=message) as told:
        safety.check_config(config, "net.keras")
    assert str(told.value).startswith("net.keras ")


COMPUTING = safety._LAYERS.split()
OTHERS = sorted(
    name
    for name, one in vars(keras.layers).items()
    if isinstance(one, type) and issubclass(one, keras.layers.Layer) and name not in COMPUTING
)


def test_layers_of_keras_that_only_compute_pass():
    # Keras 3 knows that one from files of Keras 2 only.
    assert set(COMPUTING) - {"ThresholdedReLU"} <= set(dir(keras.layers))
    safety.check_config(network_of(*map(entry, COMPUTING)), "net.keras")
    safety.check_config(network_of(entry("Dense", registered_name="Dense")), "net.keras")


@pytest.mark.parametrize("name", OTHERS)
def test_all_other_layers_of_keras_are_refused(name):
    refused(network_of(entry("Dense"), entry(name)))


def test_the_dangerous_ones_are_among_those():
    assert {"Lambda", "TFSMLayer", "StringLookup", "TextVectorization", "Layer"} <= set(OTHERS)
    for name in ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "StringLookup"):
        refused(network_of(entry(name)), f"holds a {name} layer: refused, because it ")


@pytest.mark.parametrize(
    "wrong",
    [
        entry("system", "os"),
        entry("Dense", "keras.src.layers"),
        entry("Dense", None),
        entry("Dense", ["keras.layers"]),
        entry(["Dense"]),
        entry("Dense", registered_name="mine>Dense"),
        entry("GlorotUniform"),  # a part is no layer
        entry("get", "keras.initializers"),
        entry("deserialize", "keras.initializers"),
        entry("a.b", "keras.initializers"),
        entry("load_model", "keras.saving"),
        entry("function", "builtins"),
        entry("Map", "keras.src.ops.core"),
        entry("Prototypes", "xaiaudio.models.designs.prototypes"),
        entry("Prototypes", "os", registered_name="xaiaudio>Prototypes"),
        entry("__keras_tensor__", "os"),
    ],
)
def test_whatever_else_is_named_is_refused_however_deep_it_lies(wrong):
    refused(network_of(wrong))
    refused(network_of(entry("Dense", config={"activation": wrong})))
    refused(network_of(entry("Dense", config={"list": [[{"deep": wrong}]]})))
    refused(network_of(entry("Dense"), build_config=wrong))


@pytest.mark.parametrize(
    "module", ["keras.initializers", "keras.regularizers", "keras.constraints"]
)
def test_parts_of_layers_pass(module):
    part = entry("AnyOfThem", module)
    safety.check_config(network_of(entry("Dense", config={"kernel": part})), "net.keras")


def test_operations_and_tensors_pass():
    parts = [
        entry(name, module)
        for module, names in safety._OPERATIONS.items()
        for name in names.split()
    ]
    for part in parts:
        assert hasattr(sys.modules[part["module"]], part["class_name"])
    tensors = [{"class_name": name, "config": {}} for name in ("__keras_tensor__", "__slice__")]
    safety.check_config(network_of(*parts, *tensors), "net.keras")


def test_what_is_never_loaded_is_not_looked_at():
    harmful = {"optimizer": entry("system", "os")}
    safety.check_config(network_of(entry("Dense"), compile_config=harmful), "net.keras")
    refused(network_of(entry("Dense", config={"compile_config": harmful})))


@pytest.mark.parametrize(
    "config",
    [None, [], "Functional", {}, network_of(module="mine"), network_of(name="Model")]
    + [network_of(name="Subclass"), {"class_name": "Functional"}],
)
def test_what_is_no_network(config):
    refused(config, "holds no functional or Sequential Keras network")


def test_own_layers_are_where_the_list_says():
    """And each that registers itself is in the list: otherwise its files could not be loaded."""
    for name, module in safety.OWN.items():
        layer = getattr(importlib.import_module(module), name)
        assert keras.saving.get_registered_name(layer) == f"{safety.PACKAGE}>{name}"
    registered = {
        name.removeprefix("xaiaudio>"): layer.__module__
        for name, layer in keras.saving.get_custom_objects().items()
        if name.startswith("xaiaudio>") and layer.__module__.startswith("xaiaudio.models.designs")
    }
    assert registered == safety.OWN
    own = [
        entry(name, module, registered_name=f"xaiaudio>{name}")
        for name, module in safety.OWN.items()
    ]
    config = network_of(entry("Dense"), *own)
    safety.check_config(config, "net.keras")
    assert safety.own_modules(config) == set(safety.OWN.values())
    assert safety.own_modules(network_of(entry("Dense"))) == set()


def old(name, **more):
    return {"class_name": name, "config": {}, **more}


def test_keras_2_names_layers_without_their_modules():
    config = network_of(*map(old, COMPUTING), old("GlorotUniform"), name="Model", module=None)
    safety.check_legacy_config(config, "net.h5")
    safety.check_legacy_config(network_of(entry("Dense"), old("Dense", module=None)), "net.h5")
    for wrong in (old("Lambda"), old("Mine"), old(["Dense"]), entry("system", "os")):
        for place in (wrong, old("Dense", config={"deep": [wrong]})):
            with pytest.raises(XaiAudioError, match="could run code"):
                safety.check_legacy_config(network_of(place), "net.h5")
    with pytest.raises(XaiAudioError, match="could run code"):
        safety.check_legacy_config(network_of(old("Dense", registered_name="mine>D")), "net.h5")
    with pytest.raises(XaiAudioError, match="no functional or Sequential"):
        safety.check_legacy_config(network_of(name="Mine"), "net.h5")


@pytest.mark.slow
@pytest.mark.parametrize(
    "layer, shape",
    [
        (keras.layers.Dense(7), (5,)),
        (keras.layers.Conv1D(4, 3), (9, 5)),
        (keras.layers.Conv2D(4, (3, 2)), (9, 8, 5)),
        (keras.layers.Conv2D(4, 3, groups=2), (9, 8, 6)),
        (keras.layers.DepthwiseConv2D(3, depth_multiplier=2), (9, 8, 5)),
        (keras.layers.Conv2DTranspose(4, 3), (9, 8, 5)),
        (keras.layers.LSTM(6), (9, 5)),
        (keras.layers.MultiHeadAttention(2, 3), None),
        (keras.layers.Embedding(11, 4), (5,)),
        (keras.layers.ReLU(), (5,)),
        (keras.layers.MaxPooling2D(2), (9, 8, 5)),
    ],
    ids=lambda one: type(one).__name__,
)
def test_no_layer_is_taken_for_larger_than_it_is(layer, shape):
    """What is counted is what a layer has at least: more would refuse files that are right."""
    if shape is None:
        start = keras.Input((9, 5))
        layer(start, start)
    else:
        start = keras.Input(shape)
        layer(start)
    told = json.loads(json.dumps(keras.saving.serialize_keras_object(layer)))
    held = layer.count_params()
    assert safety._least(told, told["config"]) <= held
    if isinstance(layer, (keras.layers.Dense, keras.layers.Embedding)):
        assert safety._least(told, told["config"]) >= 0.8 * held


@pytest.mark.parametrize(
    "name, large",
    [
        ("Dense", {"units": 10**9}),
        ("LSTM", {"units": 10**9}),
        ("Conv2D", {"filters": 10**9}),
        ("Conv2D", {"filters": 1, "kernel_size": [9_999, 9_999]}),
        ("DepthwiseConv2D", {"kernel_size": [9_999, 9_999]}),
        ("MultiHeadAttention", {"num_heads": 2, "key_dim": 10**9}),
        ("Embedding", {"input_dim": 10**5, "output_dim": 10**5}),
        ("Prototypes", {"count": 10**9}),
        ("LocalPrototypes", {"widths": [10**4, 10**4], "kernels": [3, 3, 3]}),
    ],
)
def test_what_would_fill_the_memory_is_counted(name, large):
    assert safety._least(entry(name), large) >= 10**7
