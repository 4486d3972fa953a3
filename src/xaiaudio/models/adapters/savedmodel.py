"""Networks in SavedModel folders: read only if all that TensorFlow would run is computing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError, meant
from .base import ForeignNetwork, Port, one_input
from .computing import COMPUTING

DEFAULT = "serving_default"
_MAX_BYTES = 1 << 30


def is_saved_model(path: Path) -> bool:
    """Tell whether a folder is a SavedModel."""
    return (path / "saved_model.pb").is_file()


def read(path: Path, signature: str | None = None) -> ForeignNetwork:
    """Open a SavedModel's folder.

    `signature` is the name of the one to call; by default ``serving_default``, or the only one.

    A SavedModel is a program. Every operation of it that could be run is looked at before
    TensorFlow loads it. Ones that do anything but compute are refused, see `computing`: reading and
    writing files, calling Python. Then only its signature is called.

    Raises
    ------
    XaiAudioError
        If the folder is damaged, holds other operations, was written by TensorFlow 1, has no such
        signature, or one that does not take one input of floats.
    """
    _check(_graph(path), path)
    try:
        loaded = tf.saved_model.load(str(path))
    except Exception as error:  # TensorFlow raises whatever its parts raise
        raise XaiAudioError(f"TensorFlow cannot read {path}: {_reason(error)}") from error
    name, function = _signature(loaded.signatures, path, signature)
    return _of_signature(loaded, name, function, path)


def _graph(path):
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    file = path / "saved_model.pb"
    if not is_saved_model(path):
        raise XaiAudioError(f"{path} is no SavedModel: it lacks saved_model.pb.")
    if file.stat().st_size > _MAX_BYTES:
        raise XaiAudioError(f"{file} has more than {_MAX_BYTES >> 30} GB: refused.")
    found = saved_model_pb2.SavedModel()
    try:
        found.ParseFromString(file.read_bytes())
    except DecodeError as error:
        raise XaiAudioError(f"{file} is damaged or no SavedModel: save it again.") from error
    if not found.meta_graphs:
        raise XaiAudioError(f"{file} is damaged: it holds no graph. Save it again.")
    if len(found.meta_graphs) != 1 or not found.meta_graphs[0].HasField("object_graph_def"):
        raise XaiAudioError(
            f"{path} was written by TensorFlow 1, or holds several graphs: load it with what "
            "wrote it, and save it again with tf.saved_model.save of TensorFlow 2."
        )
    return found.meta_graphs[0]


def _check(graph, path) -> None:
    """Refuse anything but computing in what loading and calling could run."""
    from tensorflow.python.framework import op_def_registry

    functions = {one.signature.name: one.node_def for one in graph.graph_def.library.function}
    # TensorFlow saves and restores with functions of its own in place of these two.
    saver = {name.partition(":")[0] for name in _saver(graph)}
    bodies = [[node for node in graph.graph_def.node if node.name not in saver]]
    waiting, seen = _entries(graph.object_graph_def), set[str]()
    while bodies or waiting:
        for node in bodies.pop() if bodies else ():
            # A function may be called by its name, but not take the name of an operation.
            own = node.op in functions and op_def_registry.get(node.op) is None
            if node.op not in COMPUTING and not own:
                raise XaiAudioError(
                    f"{path} holds the operation {node.op}, which is not among those that only "
                    "compute, and could read files or run other programs: refused. Save what "
                    "scores a sound alone, or make an ONNX or TFLite file of it."
                )
            waiting |= {node.op} | _called(node)
        new = {name for name in waiting if name in functions} - seen
        seen |= new
        waiting = set()
        bodies += [functions[name] for name in new]


def _saver(graph):
    return (graph.saver_def.save_tensor_name, graph.saver_def.restore_op_name)


def _entries(objects) -> set[str]:
    """Return the names of all functions that the objects of a SavedModel offer."""
    names = set(objects.concrete_functions)
    for node in objects.nodes:
        names.update(node.function.concrete_functions)
        names.add(node.bare_concrete_function.concrete_function_name)
    return names


def _called(node) -> set[str]:
    """Return the names of the functions that an operation is given."""
    names = set()
    for value in node.attr.values():
        names.add(value.func.name)
        names.update(one.name for one in value.list.func)
    return names


def _signature(signatures, path, wanted):
    """Return the name and the function of the signature to call."""
    if wanted in signatures:
        return wanted, signatures[wanted]
    if wanted is None and DEFAULT in signatures:
        return DEFAULT, signatures[DEFAULT]
    if wanted is None and len(signatures) == 1:
        return next(iter(signatures.items()))
    if not signatures:
        raise XaiAudioError(
            f"{path} has no signature to call: save it with "
            "tf.saved_model.save(model, folder, signatures=function)."
        )
    listed = ", ".join(signatures)
    if wanted is None:
        raise XaiAudioError(
            f"{path} has {len(signatures)} signatures and no {DEFAULT}: say which one with "
            f"signature (--signature): {listed}."
        )
    raise XaiAudioError(
        f"{path} has no signature {wanted!r}{meant(wanted, signatures)}: there are {listed}."
    )


def _of_signature(loaded, name, function, path) -> ForeignNetwork:
    specs = function.structured_input_signature[1]
    ports = [_port(key, spec) for key, spec in specs.items()]
    entry = one_input(path.name, ports)
    kind = specs[entry.name].dtype
    if not kind.is_floating:
        raise XaiAudioError(
            f"{path} takes {entry} of the type {kind.name} in its signature {name}: floats are "
            "needed."
        )
    gives = function.structured_outputs
    keys = sorted(gives)

    def run(array):
        # `loaded` holds the weights: a signature alone does not.
        assert loaded is not None
        try:
            found = function(**{entry.name: tf.constant(array, kind)})
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise XaiAudioError(
                f"{path.name} failed on an array of the shape {array.shape}: {_reason(error)}"
            ) from error
        return [np.asarray(found[key]) for key in keys]

    exits = tuple(_port(key, gives[key]) for key in keys)
    return ForeignNetwork(path.name, "a SavedModel", entry, exits, run)


def _port(name, spec) -> Port:
    shape = () if spec.shape.rank is None else tuple(spec.shape)
    return Port(name, shape)


def _reason(error) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
