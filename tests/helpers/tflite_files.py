"""TensorFlow Lite files written array by array, in eight bits, without the converter."""

import zipfile

import flatbuffers
import numpy as np
from tensorflow.lite.python import schema_py_generated as schema

CODES = {"conv": 3, "depthwise": 4, "dense": 9}
ACTIVATIONS = {"linear": 0, "relu": 1, "relu6": 3}


def quantised(array, axis):
    """Return an array in eight bits with a scale for each channel along an axis, and the scales."""
    others = tuple(k for k in range(array.ndim) if k != axis)
    scale = np.maximum(np.abs(array).max(axis=others), 1e-6) / 127
    along = [1] * array.ndim
    along[axis] = -1
    return np.round(array / scale.reshape(along)).astype(np.int8), scale.astype(np.float32)


def write(path, layers, labels=None):
    """Write layers in TFLite's layout: dicts with what `layer` below asks them for.

    A kernel is int8 with scales (and zero points, if given) or float32 with ``scale`` None; a
    layer's bias is float32 and is written as it is.
    """
    model = schema.ModelT()
    model.version, model.buffers, graph = 3, [schema.BufferT()], schema.SubGraphT()
    model.subgraphs, graph.tensors, graph.operators = [graph], [], []
    graph.inputs, graph.outputs = [], []
    model.operatorCodes = []
    for code in CODES.values():
        one = schema.OperatorCodeT()
        one.builtinCode = one.deprecatedBuiltinCode = code
        model.operatorCodes.append(one)

    def tensor(array, scale=None, axis=0, zero=None):
        buffer, made = schema.BufferT(), schema.TensorT()
        kinds = {"float32": 0, "int32": 2, "uint8": 3, "int8": 9}
        made.type, made.shape, made.name = kinds[array.dtype.name], list(array.shape), b"weights"
        if scale is not None:
            made.quantization = schema.QuantizationParametersT()
            made.quantization.scale = list(np.atleast_1d(scale))
            points = np.zeros(np.size(scale), int) if zero is None else np.atleast_1d(zero)
            made.quantization.zeroPoint = points.tolist()
            made.quantization.quantizedDimension = axis
        buffer.data = list(np.frombuffer(array.tobytes(), np.uint8))
        made.buffer = len(model.buffers)
        model.buffers.append(buffer)
        graph.tensors.append(made)
        return len(graph.tensors) - 1

    empty = schema.TensorT()
    empty.buffer, empty.shape = 0, [1]
    graph.tensors.append(empty)
    for layer in layers:
        operator = schema.OperatorT()
        operator.opcodeIndex = list(CODES).index(layer["kind"])
        kernel = tensor(
            layer["kernel"], layer.get("scale"), layer.get("axis", 0), layer.get("zero")
        )
        operator.inputs, operator.outputs = [0, kernel, tensor(layer["bias"])], [0]
        kind = {
            "conv": (schema.Conv2DOptionsT, schema.BuiltinOptions.Conv2DOptions),
            "depthwise": (
                schema.DepthwiseConv2DOptionsT,
                schema.BuiltinOptions.DepthwiseConv2DOptions,
            ),
            "dense": (schema.FullyConnectedOptionsT, schema.BuiltinOptions.FullyConnectedOptions),
        }[layer["kind"]]
        operator.builtinOptions, operator.builtinOptionsType = kind[0](), kind[1]
        operator.builtinOptions.fusedActivationFunction = ACTIVATIONS[layer["activation"]]
        if layer["kind"] != "dense":
            operator.builtinOptions.strideH = operator.builtinOptions.strideW = layer["stride"]
        graph.operators.append(operator)
    builder = flatbuffers.Builder(1 << 20)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(bytes(builder.Output()))
    if labels is not None:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr("labels.txt", "\n".join(labels))
    return path


def of_yamnet(network, axis_of_depthwise=3):
    """Return the layers of :func:`write` for a YAMNet with classes, and the weights they stand for.

    The second is layer name to kernel as it comes back: in eight bits and by its scales.
    """
    layers, meant = [], {}
    mel = {"kind": "dense", "kernel": np.zeros((64, 257), np.float32), "activation": "linear"}
    layers.append({**mel, "bias": np.zeros(64, np.float32)})
    for layer in network.layers:
        if not layer.weights:
            continue
        kernel, bias = layer.get_weights()
        depthwise, dense = "depthwise" in layer.name, kernel.ndim == 2
        theirs = kernel.T if dense else kernel.transpose(3, 0, 1, 2)
        axis = axis_of_depthwise if depthwise else 0
        few, scale = quantised(theirs, axis)
        back = few * scale.reshape([-1 if k == axis else 1 for k in range(few.ndim)])
        meant[layer.name] = back.T if dense else back.transpose(1, 2, 3, 0)
        layers.append(
            {
                "kind": "dense" if dense else "depthwise" if depthwise else "conv",
                "kernel": few,
                "scale": scale,
                "axis": axis,
                "bias": bias,
                "activation": "linear" if dense else "relu6",
                "stride": 1 if dense else layer.strides[0],
            }
        )
    return layers, meant
