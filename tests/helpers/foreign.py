"""Small networks of other libraries with known answers, written by each library's own tools."""

import keras
import numpy as np
import tensorflow as tf

import xaiaudio as xa

LABELS = ("a", "b", "c")
PATCHES = xa.LogMel(frames=24, bands=16)
SOUNDS = xa.WaveFrontend.of(8_000, samples=2_000)
CHUNKS, CHUNK = 20, 100

#: Where class a listens: cells of a patch, and samples of a sound.
CELLS = (slice(4, 9), slice(10, 14))
SAMPLES = slice(400, 700)


def softmax(logits):
    """Return the softmax over the last axis, by its definition."""
    powers = np.exp(logits - logits.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def weights(what):
    """Return the weights of all cells (or of the power of all chunks) for the three classes."""
    if what == "patches":
        made = np.zeros((*PATCHES.patch_shape, 3), np.float32)
        made[(*CELLS, 0)] = 0.2
        made[15:20, 2:6, 1] = 0.2
        return made.reshape(-1, 3)
    made = np.zeros((CHUNKS, 3), np.float32)
    made[SAMPLES.start // CHUNK : SAMPLES.stop // CHUNK, 0] = 20
    made[12:15, 1] = 20
    return made


def plain_logits(what, given):
    """Return the logits (n, 3) of patches or of sounds, one after the other, in float64."""
    found = []
    for one in np.asarray(given, np.float64):
        if what == "patches":
            found.append(one.reshape(-1) @ weights(what))
        else:
            power = [np.mean(one[k * CHUNK : (k + 1) * CHUNK] ** 2) for k in range(CHUNKS)]
            found.append(np.array(power) @ weights(what))
    return np.array(found)


def frontend(what):
    """Return the front end."""
    return PATCHES if what == "patches" else SOUNDS


def some(what, count=4, seed=0):
    """Return patches or sounds of noise."""
    rng = np.random.default_rng(seed)
    if what == "patches":
        return rng.normal(-3, 1, (count, *PATCHES.patch_shape)).astype("float32")
    return rng.normal(0, 0.1, (count, SOUNDS.samples)).astype("float32")


def planted():
    """Return a sound of faint noise with a burst where class a listens."""
    wave = some("sounds", 1)[0] * 0.1
    wave[SAMPLES] *= 50
    return wave


def shape_of(what):
    """Return the shape of one input."""
    return PATCHES.patch_shape if what == "patches" else (SOUNDS.samples,)


def function_of(what, batch=None, frames=False):
    """Return a `tf.Module` whose `score` gives probabilities."""

    class Network(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((batch, *shape_of(what)), name="sound")])
        def score(self, sound):
            rows = -1 if batch is None else batch
            if what == "patches":
                cells = tf.reshape(sound, (rows, len(weights(what))))
            else:
                cut = tf.reshape(sound, (rows, CHUNKS, CHUNK))
                cells = tf.reduce_mean(cut * cut, axis=2)
            return {"scores": tf.nn.softmax(tf.matmul(cells, self.kernel)), "cells": cells}

    made = Network()
    made.kernel = tf.Variable(weights(what))
    return made


def write_tflite(path, what, batch=None):
    """Write a TFLite file that gives the scores."""
    network = function_of(what, batch)

    @tf.function(input_signature=network.score.input_signature)
    def scores(sound):
        return network.score(sound)["scores"]

    convert = tf.lite.TFLiteConverter.from_concrete_functions
    path.write_bytes(convert([scores.get_concrete_function()], network).convert())


def write_savedmodel(path, what, batch=None):
    """Write a SavedModel with two outputs, scores and cells."""
    network = function_of(what, batch)
    tf.saved_model.save(network, str(path), signatures=network.score)


def write_onnx(path, what, batch=None):
    """Write an ONNX file with two outputs, scores and cells."""
    from onnx import TensorProto, helper, numpy_helper

    constants = {"kernel": weights(what), "flat": np.array([-1, len(weights(what))])}
    constants |= {"cut": np.array([-1, CHUNKS, CHUNK]), "last": np.array([2])}
    nodes = {
        "patches": [helper.make_node("Reshape", ["sound", "flat"], ["cells"])],
        "sounds": [
            helper.make_node("Reshape", ["sound", "cut"], ["chunks"]),
            helper.make_node("Mul", ["chunks", "chunks"], ["squares"]),
            helper.make_node("ReduceMean", ["squares", "last"], ["cells"], keepdims=0),
        ],
    }[what]
    nodes += [
        helper.make_node("MatMul", ["cells", "kernel"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["scores"], axis=-1),
    ]
    size = batch or "n"
    tensors = {"sound": shape_of(what), "scores": (3,), "cells": (len(weights(what)),)}
    ports = {
        name: helper.make_tensor_value_info(name, TensorProto.FLOAT, (size, *shape))
        for name, shape in tensors.items()
    }
    graph = helper.make_graph(
        nodes,
        "small",
        [ports["sound"]],
        [ports["scores"], ports["cells"]],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())


def write_keras(path):
    """Write a file of Keras, of patches."""
    dense = keras.layers.Dense(3, activation="softmax", use_bias=False)
    network = keras.Sequential([keras.Input((24, 16)), keras.layers.Flatten(), dense])
    dense.set_weights([weights("patches")])
    network.save(path)


def opened(kind, what, folder):
    """Return the classifier of one kind: the first word says which, `of-one` a fixed batch."""
    about = {"labels": LABELS, "frontend": frontend(what)}
    kind, _, one = kind.partition(" ")
    batch = 1 if one else None
    path = folder / f"small.{kind}"
    if kind == "function":
        return xa.AudioClassifier.from_function(
            lambda given: softmax(plain_logits(what, given)),
            LABELS,
            frontend=frontend(what),
            name="small",
        )
    if kind == "tflite":
        write_tflite(path, what, batch)
    elif kind == "onnx":
        write_onnx(path, what, batch)
        about["output_name"] = "scores"
    elif kind == "savedmodel":
        path = folder / "small"
        write_savedmodel(path, what, batch)
        about["output_name"] = "scores"
    else:
        write_keras(path)
    return xa.load_model(path, **about)


def module(score, spec=((None, 4), tf.float32)):
    """Return a module whose one function is `score`."""
    made = tf.Module()
    made.score = tf.function(score, input_signature=[tf.TensorSpec(*spec, name="sound")])
    return made


def saved_module(path, score):
    """Write a SavedModel of a function of (n, 4)."""
    made = module(score)
    tf.saved_model.save(made, str(path), signatures=made.score)
    return path


def onnx_file(path, inputs, nodes=None, initial=()):
    """Write an ONNX file of inputs (name, type, shape), by default of their identity."""
    from onnx import TensorProto, helper

    ports = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs]
    nodes = nodes or [helper.make_node("Identity", [inputs[0][0]], ["y"])]
    end = helper.make_tensor_value_info("y", inputs[0][1], None)
    graph = helper.make_graph(nodes, "net", ports, [end], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    assert TensorProto
    return path


def framed(waves):
    """Return logits (n, 20, 3), of each chunk."""
    power = np.square(waves.reshape(-1, CHUNKS, CHUNK)).mean(axis=2)
    return power[..., None] * np.array([1.0, 2.0, -1.0])


def framed_model(function=framed, outputs="logits", labels=LABELS, **about):
    """Return the classifier of a function of sounds."""
    about = {"frontend": SOUNDS, "name": "mine"} | about
    return xa.AudioClassifier.from_function(function, labels, outputs=outputs, **about)
