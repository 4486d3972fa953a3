"""Networks in HDF5 files, as Keras 2 wrote them: read only if they hold nothing to execute."""

from __future__ import annotations

import json
import shutil
import tempfile
from pathlib import Path

import h5py
import keras

from ..errors import XaiAudioError
from .safety import MAX_CONFIG, check_legacy_config, check_weights


def read_legacy(path: Path) -> keras.Model:
    """Return the network of an ``.h5`` or ``.hdf5`` file.

    Layers whose names hold a ``/``, which Keras 3 does not take, get a ``_`` instead.

    Raises
    ------
    XaiAudioError
        If the file is damaged, holds weights only, or anything but Keras's own computing layers.
    """
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "network.h5"
        try:
            with h5py.File(path, "r") as file:
                config = _config_of(file, path)
                check_legacy_config(config, path)
                check_weights(file, config, path)
            shutil.copyfile(path, copy)
            with h5py.File(copy, "r+") as file:
                file.attrs["model_config"] = json.dumps(_modern(_renamed(config)))
        except (OSError, RuntimeError, KeyError, ValueError, TypeError, RecursionError) as error:
            raise XaiAudioError(
                f"{path} is damaged or no Keras network ({str(error)[:100]})."
            ) from error
        try:
            return keras.saving.load_model(copy, compile=False, safe_mode=True)
        except Exception as error:
            # Keras raises whatever its parts raise: TypeError, ValueError, KeyError, ...
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
            raise XaiAudioError(f"Keras cannot read {path}: {reason[:200]}") from error


def _config_of(file, path) -> dict:
    config = file.attrs.get("model_config")
    if config is None:
        raise XaiAudioError(
            f"{path} holds weights without a network: build the network in Keras, load the weights "
            "into it, and save it as .keras."
        )
    if len(config) > MAX_CONFIG:
        raise XaiAudioError(f"{path}: its configuration has more than {MAX_CONFIG >> 20} MB.")
    return json.loads(config)


#: Arguments of Keras 2 that Keras 3 does not take; each says what is the case anyway.
_GONE = {
    "DepthwiseConv2D": {"groups": 1},
    "SeparableConv1D": {"groups": 1},
    "SeparableConv2D": {"groups": 1},
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN", "RNN", "Bidirectional"), {"time_major": False}),
    "BatchNormalization": {"renorm": False, "fused": None, "virtual_batch_size": None},
}


def _modern(part):
    """Write a Keras 2 configuration as Keras 3 understands it."""
    if isinstance(part, list):
        return [_modern(value) for value in part]
    if not isinstance(part, dict):
        return part
    made = {key: _modern(value) for key, value in part.items()}
    about = made.get("config")
    if not isinstance(about, dict):
        return made
    for name, usual in _GONE.get(made.get("class_name"), {}).items():
        if about.get(name, usual) == usual:
            about.pop(name, None)
    if made.get("class_name") == "BatchNormalization" and isinstance(about.get("axis"), list):
        (about["axis"],) = about["axis"]
    if made.get("class_name") == "Sequential" and isinstance(about.get("layers"), list):
        about["layers"] = _with_input(about["layers"])
    return made


def _with_input(layers):
    """Give the shape that the first layer of a Sequential says to a layer of its own."""
    first = layers[0] if layers else {}
    if first.get("class_name") == "InputLayer" or "batch_input_shape" not in first["config"]:
        return layers
    shape = {"batch_input_shape": first["config"].pop("batch_input_shape")}
    shape["name"] = f"{first['config'].get('name', 'first')}_input"
    return [{"class_name": "InputLayer", "config": shape}, *layers]


def _renamed(config):
    """Replace the names of layers that hold a slash, wherever they stand."""
    names = _names(config)
    new = {name: name.replace("/", "_") for name in names if "/" in name}
    for name in new:
        while new[name] in names or list(new.values()).count(new[name]) > 1:
            new[name] += "_"

    def walk(part):
        if isinstance(part, dict):
            return {key: walk(value) for key, value in part.items()}
        if isinstance(part, list):
            return [walk(value) for value in part]
        return new.get(part, part) if isinstance(part, str) else part

    return walk(config)


def _names(part) -> set[str]:
    """Collect the names of all layers."""
    if isinstance(part, list):
        return set().union(*map(_names, part))
    if not isinstance(part, dict):
        return set()
    own = {part["name"]} if isinstance(part.get("name"), str) else set()
    return own.union(*map(_names, part.values()))
