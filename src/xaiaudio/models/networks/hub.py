"""TensorFlow Hub modules as flat Keras networks, proved equal before they are used.

A Hub module is a SavedModel: a graph that takes a waveform, and variables. Explanations need the
layers, so the variables are copied into a Keras twin, and the twin must give the module's own
embeddings for a test sound. A SavedModel holds graph code, which TensorFlow runs: load only what
you trust.
"""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import keras
import numpy as np
import tensorflow as tf

from ... import cache
from ...datasets.download import Pace
from ...errors import XaiAudioError
from ...frontend import LogMel

# Largest difference between twin and module, as a share of the largest embedding value. Single
# precision leaves about 1e-5; another activation or a swapped bias makes 1e-2 and more.
TOLERANCE = 1e-3
# Seconds without a byte after which a server is not waited for.
SILENCE = 30.0


@dataclass(frozen=True)
class Slot:
    """One array that the twin needs: of which layer, under which name, in which shape."""

    layer: str
    name: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Twin:
    """How to make a Keras network out of a module's variables.

    Attributes
    ----------
    slots : tuple of Slot
        In the order in which the module's authors made them.
    build : callable
        From a dict of slot name to array, to the network.
    frontend : LogMel
        What the module has inside.
    embeddings : callable
        Takes the embeddings out of what the module returns.
    """

    slots: tuple[Slot, ...]
    build: Callable[[dict], keras.Model]
    frontend: LogMel
    embeddings: Callable = lambda outputs: outputs


def fetch(source: str, variable: str):
    """Load a SavedModel from a folder, or from TensorFlow Hub (once: then it is in the cache).

    Parameters
    ----------
    source : str
        A folder or an address.
    variable : str
        The environment variable that can name a local copy, for the message.
    """
    try:
        if "://" not in source:
            _check_folder(source, variable)
            return tf.saved_model.load(source)
        os.environ.setdefault("TFHUB_CACHE_DIR", str(cache.home() / "tfhub"))
        import tensorflow_hub

        _watch_downloads()
        return tensorflow_hub.load(source)
    except XaiAudioError:
        raise
    except Exception as error:
        # The network, the disk and TensorFlow each raise their own.
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0][:160]
        advice = "download it again"
        if "://" in source:
            advice = f"set {variable} to the folder of a downloaded copy"
            fetched = _fetched(source)
            if fetched.exists():
                shutil.rmtree(fetched, ignore_errors=True)
                advice = f"what was fetched is no network and is removed; try again, or {advice}"
            else:
                advice = f"check the internet connection, or {advice}"
        raise XaiAudioError(f"Could not load {source} ({reason}): {advice}.") from error


@functools.cache
def _watch_downloads() -> None:
    """Let TensorFlow Hub give up a server that sends next to nothing; it would wait for ever."""
    from tensorflow_hub import compressed_module_resolver, registry

    class Watched(compressed_module_resolver.HttpCompressedFileResolver):
        def _call_urlopen(self, request):
            return _Watched(urlopen(request, timeout=SILENCE, context=self._context))

    registry.resolver.add_implementation(Watched())


class _Watched:
    """An answer of a server, read as it comes in."""

    def __init__(self, answer):
        self.answer, self.pace = answer, Pace()

    def read(self, size: int) -> bytes:
        """Return so many bytes, fewer only at the end."""
        parts = []
        while size > 0 and (data := self.answer.read1(size)):
            self.pace.got(len(data))
            parts.append(data)
            size -= len(data)
        return b"".join(parts)


def _fetched(address: str) -> Path:
    """Return the folder into which TensorFlow Hub unpacks what it fetches from an address."""
    return Path(os.environ["TFHUB_CACHE_DIR"]) / hashlib.sha1(address.encode()).hexdigest()


def _check_folder(source: str, variable: str) -> None:
    folder = Path(source)
    if not folder.is_dir():
        raise XaiAudioError(f"There is no folder {folder}: check {variable}.")
    if not (folder / "saved_model.pb").exists():
        raise XaiAudioError(
            f"{folder} holds no saved_model.pb: {variable} must name the folder of a SavedModel."
        )


def twin_of(module, twin: Twin, source: str) -> keras.Model:
    """Return the module's Keras twin, proved on a test sound.

    Variables are matched by name; where that fails, by shape and order. A ReLU is put on the end
    if the module turns out to have one.

    Raises
    ------
    XaiAudioError
        If no match gives the module's embeddings; the message names a layer.
    """
    found = _variables(module)
    wave = probe()
    wanted = _embeddings(module, twin, wave, source)
    complaints = []
    for match in (_by_name, _by_order):
        try:
            arrays = match(twin.slots, found)
        except LookupError as error:
            complaints.append(error.args[0])
            continue
        network = _proved(twin.build(arrays), twin.frontend, wave, wanted)
        if network is not None:
            return network
        complaints.append(_blame(module, twin.slots, arrays))
    raise XaiAudioError(f"{source} is not the network it should be: {complaints[0]}.")


def probe() -> np.ndarray:
    """Return the test sound: three seconds of noise and a sine, float32, 16 kHz."""
    noise = np.random.default_rng(0).normal(0, 0.1, 48_000)
    sine = 0.5 * np.sin(2 * np.pi * 1000 * np.arange(48_000) / 16_000)
    return (noise + sine).astype(np.float32)


def _embeddings(module, twin: Twin, wave, source: str) -> np.ndarray:
    try:
        return np.asarray(twin.embeddings(module(tf.constant(wave))))
    except Exception as error:
        raise XaiAudioError(
            f"{source} does not answer to a waveform of shape (samples,) as it should "
            f"({type(error).__name__}): is it the right module?"
        ) from error


def _variables(module) -> list[tuple[str, np.ndarray]]:
    """Names and values of a module's variables, in its own order."""
    found = getattr(module, "_variables", None) or getattr(module, "variables", None)
    if not found:  # the module keeps them further down; its function knows them
        found = module.__call__.concrete_functions[0].graph.variables
    return [(variable.name.split(":")[0], variable.numpy()) for variable in found]


def _by_name(slots: Iterable[Slot], found) -> dict[str, np.ndarray]:
    arrays = {}
    for slot in slots:
        fitting = [array for name, array in found if f"/{name}".endswith(f"/{slot.name}")]
        # A layer that nobody named is called after its kind, with a number or without.
        fitting = fitting or [array for _, array in found if array.shape == slot.shape]
        if len(fitting) != 1:
            raise LookupError(f"the layer {slot.layer} has no variable {slot.name}")
        if fitting[0].shape != slot.shape:
            raise LookupError(
                f"the layer {slot.layer} has {slot.name} of the shape {fitting[0].shape} instead "
                f"of {slot.shape}"
            )
        arrays[slot.name] = fitting[0]
    return arrays


def _by_order(slots: Iterable[Slot], found) -> dict[str, np.ndarray]:
    left = [array for _, array in found]
    arrays = {}
    for slot in slots:
        place = next((k for k, array in enumerate(left) if array.shape == slot.shape), None)
        if place is None:
            raise LookupError(f"the layer {slot.layer} has no variable of the shape {slot.shape}")
        arrays[slot.name] = left.pop(place)
    return arrays


def _proved(network: keras.Model, frontend: LogMel, wave, wanted) -> keras.Model | None:
    """Return the network, with a last ReLU if need be, if it gives the wanted embeddings."""
    patches = frontend(wave)
    count = min(len(patches), len(wanted))  # a module may fill up its last patch with silence
    given = network(patches.values[:count, ..., None]).numpy()
    if count == 0 or wanted.ndim != 2 or wanted.shape[1] != given.shape[1]:
        return None
    for relu, values in ((False, given), (True, np.maximum(given, 0))):
        error = np.abs(values - wanted[:count]).max() / max(np.abs(wanted).max(), 1e-12)
        if error <= TOLERANCE:
            if not relu:
                return network
            last = keras.layers.ReLU(name="embedding_relu")(network.outputs[0])
            return keras.Model(network.inputs[0], last, name=network.name)
    return None


def _blame(module, slots: Iterable[Slot], arrays: dict) -> str:
    """Name the first layer whose variables are not what the module computes with."""
    for slot in slots:
        if not np.isfinite(arrays[slot.name]).all():
            return f"the layer {slot.layer} has NaN or infinity in {slot.name}"
    used = _constants(module)
    for slot in slots:
        array = arrays[slot.name]
        if not any(np.array_equal(array, constant) for constant in used.get(array.shape, ())):
            return (
                f"the layer {slot.layer} does not compute with its variable {slot.name}, but with "
                "other values"
            )
    return (
        f"all variables were found, but from the layer {next(iter(slots)).layer} on it computes "
        "something else with them"
    )


def _constants(module) -> dict[tuple, list[np.ndarray]]:
    """Every number that the module's graph computes with, by shape."""
    from tensorflow.python.framework.convert_to_constants import (
        convert_variables_to_constants_v2,
    )

    function = tf.function(module.__call__).get_concrete_function(
        tf.TensorSpec((None,), tf.float32)
    )
    frozen = convert_variables_to_constants_v2(function, lower_control_flow=False)
    constants: dict = {}
    for node in frozen.graph.as_graph_def().node:
        if node.op == "Const":
            value = tf.make_ndarray(node.attr["value"].tensor)
            constants.setdefault(value.shape, []).append(value)
    return constants
