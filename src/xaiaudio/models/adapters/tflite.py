"""Networks in TFLite files, run by TensorFlow's interpreter or by LiteRT."""

from __future__ import annotations

import dataclasses
import importlib
import threading
import warnings
from pathlib import Path

import numpy as np

from ...errors import XaiAudioError
from .base import ForeignNetwork, Port, one_input, takes_any_batch


def read(path: Path) -> ForeignNetwork:
    """Open a ``.tflite`` file.

    Operations of TensorFlow itself (*Flex*) are refused: some of them read and write files. So are
    custom operations that the interpreter does not know.

    Raises
    ------
    XaiAudioError
        If the file is damaged, holds such operations, or takes several inputs.
    """
    content = path.read_bytes()
    if content[4:8] != b"TFL3":
        raise XaiAudioError(f"{path} is damaged or no TFLite file: download or convert it again.")
    make, schema = _library()
    try:
        codes = _custom(schema, content)
    except Exception as error:  # reading past the end of a table: struct and NumPy have errors
        raise XaiAudioError(f"{path} is damaged: {type(error).__name__}: {error}.") from error
    flex = [code for code in codes if code.startswith("Flex")]
    if flex:
        raise XaiAudioError(
            f"{path} holds the operation {flex[0]}, of TensorFlow and not of TFLite, which could "
            "read and write files: refused. Convert the network with TFLite's own operations."
        )
    try:
        with warnings.catch_warnings():  # that another package will have it
            warnings.simplefilter("ignore")
            running = _Running(make(model_content=content), path.stem)
        network = ForeignNetwork(
            path.stem, "a TFLite file", running.entry, running.exits, running.run
        )
    except (ValueError, RuntimeError) as error:
        raise XaiAudioError(f"TFLite cannot read {path}: {_reason(error)}") from error
    if takes_any_batch(network):  # many converters write 1 where any number will do
        entry = Port(network.input.name, (None, *network.input.shape[1:]))
        return dataclasses.replace(network, input=entry)
    return network


def _library():
    """Return the interpreter and the description of the files, of whichever library is there."""
    for package in ("tensorflow.lite.python", "ai_edge_litert"):
        try:
            interpreter = importlib.import_module(f"{package}.interpreter").Interpreter
            return interpreter, importlib.import_module(f"{package}.schema_py_generated")
        except ImportError:
            continue
    raise XaiAudioError(
        "This TensorFlow runs no TFLite files any more: pip install 'ai-edge-litert'."
    )


def _custom(schema, content) -> list[str]:
    """Return the names of all operations in a file that are none of TFLite's own."""
    model = schema.Model.GetRootAsModel(content, 0)
    codes = [model.OperatorCodes(k).CustomCode() for k in range(model.OperatorCodesLength())]
    return [code.decode("utf-8", "replace") for code in codes if code]


class _Running:
    """An interpreter, which has one state: it is given the sizes of each input in turn."""

    def __init__(self, interpreter, name):
        self.name = name
        self.interpreter = interpreter
        self.lock = threading.Lock()
        takes, gives = interpreter.get_input_details(), interpreter.get_output_details()
        self.entry = one_input(name, [_port(one) for one in takes])
        self.exits = tuple(_port(one) for one in gives)
        self.taken = takes[0]
        self.shape: tuple[int, ...] | None = None

    def run(self, array) -> list[np.ndarray]:
        try:
            with self.lock:
                return self._run(array)
        except (ValueError, RuntimeError) as error:
            raise XaiAudioError(
                f"{self.name} failed on an array of the shape {array.shape}: {_reason(error)}"
            ) from error

    def _run(self, array) -> list[np.ndarray]:
        if array.shape != self.shape:
            self._resize(array.shape)
        self.interpreter.set_tensor(self.taken["index"], _quantised(array, self.taken))
        self.interpreter.invoke()
        gives = self.interpreter.get_output_details()
        return [_plain(self.interpreter.get_tensor(one["index"]), one) for one in gives]

    def _resize(self, shape) -> None:
        self.shape = None  # what fails half-way is done again
        self.interpreter.resize_tensor_input(self.taken["index"], list(shape))
        self.interpreter.allocate_tensors()
        self.shape = tuple(shape)


def _port(details) -> Port:
    sizes = details.get("shape_signature")
    sizes = details["shape"] if sizes is None or len(sizes) == 0 else sizes
    return Port(str(details["name"]), tuple(None if n < 0 else int(n) for n in sizes))


def _quantised(array, details) -> np.ndarray:
    """Return whole numbers where the network takes them: steps of a scale from a zero."""
    kind, (scale, zero) = details["dtype"], details["quantization"]
    if scale and np.issubdtype(kind, np.integer):
        limits = np.iinfo(kind)
        array = np.clip(np.round(array / scale) + zero, limits.min, limits.max)
    return array.astype(kind)


def _plain(array, details) -> np.ndarray:
    scale, zero = details["quantization"]
    if scale and np.issubdtype(array.dtype, np.integer):
        return (array.astype(np.float32) - zero) * np.float32(scale)
    return array


def _reason(error) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__
