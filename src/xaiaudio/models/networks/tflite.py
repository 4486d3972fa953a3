"""Weights out of a TensorFlow Lite file: its arrays are read, and nothing in it is run.

Such a file is a graph of operators with their constants, often in eight bits: a number q stands for
(q - zero point) * scale, with one scale for the array or one for each of its channels. Labels that
Google's own files carry lie in a zip archive behind the graph.
"""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import XaiAudioError

if TYPE_CHECKING:
    from ...types import PathLike

# What the format calls them.
_TYPES = {0: np.float32, 1: np.float16, 2: np.int32, 3: np.uint8, 7: np.int16, 9: np.int8}
_ACTIVATIONS = {0: "linear", 1: "relu", 3: "relu6"}
_CONVOLUTION, _DEPTHWISE, _DENSE = 3, 4, 9
KINDS = {_CONVOLUTION: "conv", _DEPTHWISE: "depthwise", _DENSE: "dense"}
_MOST_BYTES = 1 << 30
_MOST_LABELS = 1 << 20


@dataclass(frozen=True)
class StoredLayer:
    """One operator with weights.

    Attributes
    ----------
    kind : {"conv", "depthwise", "dense"}
    kernel : ndarray of float32
        In Keras's layout: (height, width, in, out), (height, width, channels, 1) or (in, out).
    bias : ndarray of float32, shape (out,)
    activation : {"linear", "relu", "relu6"}
    stride : int
        Of a convolution; 1 for a dense layer.
    """

    kind: str
    kernel: np.ndarray
    bias: np.ndarray
    activation: str
    stride: int


def read(path: PathLike) -> list[StoredLayer]:
    """Return the layers with weights of a TensorFlow Lite file, in the order of their operators.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    list of StoredLayer
        Weights of few bits become floats by their scales.

    Raises
    ------
    XaiAudioError
        If it is no such file, or damaged.
    """
    path = Path(path)
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise XaiAudioError(f"{path} has more than {_MOST_BYTES >> 30} GB: refused.")
        data = path.read_bytes()
        if data[4:8] != b"TFL3":
            raise ValueError("it does not begin as one")
        return _layers(data)
    except XaiAudioError:
        raise
    except OSError as error:
        raise XaiAudioError(f"Could not read {path}: {error.strerror or error}.") from error
    except Exception as error:
        # What leads out of the file is found by NumPy, struct or the reader of the format.
        raise XaiAudioError(
            f"{path} is damaged or no TensorFlow Lite file ({str(error)[:100]}): get it again."
        ) from error


def labels(path: PathLike) -> tuple[str, ...]:
    """Return the labels that a TensorFlow Lite file carries, one per output; empty if it has none.

    Parameters
    ----------
    path : path-like
    """
    try:
        with zipfile.ZipFile(path) as archive:
            texts = [one for one in archive.infolist() if one.filename.endswith(".txt")]
            if len(texts) != 1 or texts[0].file_size > _MOST_LABELS:
                return ()
            return tuple(archive.read(texts[0]).decode().splitlines())
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError, NotImplementedError):
        return ()


def _layers(data: bytes) -> list[StoredLayer]:
    from tensorflow.lite.python import schema_py_generated as schema

    model = schema.Model.GetRootAs(data, 0)
    graph = model.Subgraphs(0)
    layers = []
    for number in range(graph.OperatorsLength()):
        operator = graph.Operators(number)
        code = model.OperatorCodes(operator.OpcodeIndex())
        kind = KINDS.get(max(code.BuiltinCode(), code.DeprecatedBuiltinCode()))
        if kind is None or operator.InputsLength() < 3:
            continue
        kernel, bias = (_constant(model, graph.Tensors(operator.Inputs(k))) for k in (1, 2))
        if kernel is not None and bias is not None:
            layers.append(
                StoredLayer(kind, _keras_layout(kernel), bias, *_options(operator, kind, schema))
            )
    return layers


def _keras_layout(kernel: np.ndarray) -> np.ndarray:
    """Bring a kernel whose first axis is the output into Keras's order of axes."""
    return kernel.transpose(1, 2, 3, 0) if kernel.ndim == 4 else kernel.T


def _options(operator, kind: str, schema) -> tuple[str, int]:
    """Return the activation and the stride of an operator."""
    options = {
        "conv": schema.Conv2DOptions,
        "depthwise": schema.DepthwiseConv2DOptions,
        "dense": schema.FullyConnectedOptions,
    }[kind]()
    table = operator.BuiltinOptions()
    options.Init(table.Bytes, table.Pos)
    stride = 1 if kind == "dense" else options.StrideH()
    return _ACTIVATIONS.get(options.FusedActivationFunction(), "other"), stride


def _constant(model, tensor) -> np.ndarray | None:
    """Return a constant as floats; None if the tensor is computed, or of another type."""
    data = model.Buffers(tensor.Buffer()).DataAsNumpy()
    kind = _TYPES.get(tensor.Type())
    if not isinstance(data, np.ndarray) or kind is None:
        return None
    shape = tensor.ShapeAsNumpy() if tensor.ShapeLength() else ()
    array = dequantised(data.view(kind).reshape(shape), tensor.Quantization())
    if not np.isfinite(array).all():
        raise ValueError("its weights hold NaN or infinity")
    return array


def dequantised(array: np.ndarray, quantization: Any) -> np.ndarray:
    """Return what an array of few bits stands for, float32.

    Parameters
    ----------
    array : ndarray
    quantization : object or None
        As the format's own reader gives it: with scales, zero points and the axis they go along.
    """
    if array.dtype.kind == "f" or quantization is None or not quantization.ScaleLength():
        return array.astype(np.float32)
    scale = quantization.ScaleAsNumpy().astype(np.float32)
    zero = quantization.ZeroPointAsNumpy() if quantization.ZeroPointLength() else np.zeros(1)
    along = [1] * array.ndim
    if len(scale) > 1:
        along[quantization.QuantizedDimension()] = len(scale)
        scale = scale.reshape(along)
    zero = zero.reshape(along) if len(zero) > 1 else zero[0]
    return ((array.astype(np.float32) - np.float32(zero)) * scale).astype(np.float32)
