"""Files of other libraries: what is refused in them, and what they may hold."""

import builtins
import subprocess
import sys

import foreign
import numpy as np
import pytest
import tensorflow as tf

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import open_network
from xaiaudio.models.adapters.base import one_input


def module(score, spec=((None, 4), tf.float32)):
    """Return a module whose one function is `score`."""
    made = tf.Module()
    made.score = tf.function(score, input_signature=[tf.TensorSpec(*spec, name="sound")])
    return made


def saved(path, score):
    made = module(score)
    tf.saved_model.save(made, str(path), signatures=made.score)
    return path


def writes(x):
    tf.io.write_file("written-by-a-model.txt", "here")
    return x


def calls(x):
    return tf.py_function(lambda y: y, [x], tf.float32)


def prints(x):
    tf.raw_ops.PrintV2(input=tf.constant("here"), output_stream="file://written-by-a-model.txt")
    return x


def loops(x):
    """A file operation two functions deep, in a loop."""
    return tf.while_loop(lambda k, y: k < 1, lambda k, y: (k + 1, writes(y)), [0, x])[1]


@pytest.mark.parametrize(
    "score, operation",
    [
        (writes, "WriteFile"),
        (lambda x: x + tf.cast(tf.strings.length(tf.io.read_file("a")), x.dtype), "ReadFile"),
        (calls, "EagerPyFunc"),
        (prints, "PrintV2"),
        (loops, "WriteFile"),
        (lambda x: x + tf.cast(tf.size(tf.io.matching_files("/*")), x.dtype), "MatchingFiles"),
    ],
)
def test_a_savedmodel_that_does_more_than_compute_is_refused(
    tmp_path, monkeypatch, score, operation
):
    path = saved(tmp_path / "net", score)
    monkeypatch.setattr(tf.saved_model, "load", None)  # it is refused before it is loaded
    with pytest.raises(XaiAudioError, match=f"{operation}.*refused"):
        open_network(path)


def test_a_function_that_is_no_signature_is_looked_at_too(tmp_path):
    made = module(lambda x: x)
    made.other = tf.function(writes, input_signature=[tf.TensorSpec((None, 4), tf.float32)])
    tf.saved_model.save(made, str(tmp_path / "net"), signatures=made.score)
    with pytest.raises(XaiAudioError, match="WriteFile"):
        open_network(tmp_path / "net")


def test_a_savedmodel_without_a_signature(tmp_path):
    made = tf.Module()
    made.score = tf.function(lambda x: x)
    made.score(tf.zeros((1, 4)))
    tf.saved_model.save(made, str(tmp_path / "net"))
    with pytest.raises(XaiAudioError, match="no signature to call: save it with"):
        open_network(tmp_path / "net")


def test_one_of_several_signatures_is_named(tmp_path):
    path, made = tmp_path / "net", tf.Module()
    spec = [tf.TensorSpec((None, foreign.SOUNDS.samples), tf.float32, name="sound")]
    made.same = tf.function(lambda sound: sound[:, :3], input_signature=spec)
    made.twice = tf.function(lambda sound: 2 * sound[:, :3], input_signature=spec)
    tf.saved_model.save(made, str(path), signatures={"same": made.same, "twice": made.twice})
    with pytest.raises(XaiAudioError, match="2 signatures .*--signature.*: same, twice"):
        open_network(path)
    with pytest.raises(XaiAudioError, match="no signature 'twic' .did you mean 'twice'.*same, tw"):
        open_network(path, signature="twic")
    given = foreign.some("sounds", 3)
    np.testing.assert_array_equal(open_network(path, signature="twice")(given), 2 * given[:, :3])
    asked = {"labels": foreign.LABELS, "frontend": foreign.SOUNDS, "outputs": "logits"}
    same, twice = (xa.load_model(path, signature=name, **asked) for name in ("same", "twice"))
    waves = foreign.SOUNDS(given[0])
    np.testing.assert_array_equal(2 * same.logits(waves), twice.logits(waves))
    assert same.identity != twice.identity
    tf.saved_model.save(made, str(tmp_path / "usual"), signatures=made.same)
    both = [open_network(tmp_path / "usual", name)(given) for name in (None, "serving_default")]
    np.testing.assert_array_equal(both, [given[:, :3]] * 2)


def test_a_signature_is_for_savedmodels(tmp_path):
    foreign.write_tflite(tmp_path / "net.tflite", "patches")
    with pytest.raises(XaiAudioError, match="signature is for the folder of a SavedModel"):
        open_network(tmp_path / "net.tflite", signature="same")


def test_a_folder_that_is_no_savedmodel(tmp_path):
    with pytest.raises(XaiAudioError, match="is a folder, but no SavedModel"):
        xa.load_model(tmp_path, labels="abc")
    with pytest.raises(XaiAudioError, match="lacks saved_model.pb"):
        open_network(tmp_path)
    with pytest.raises(XaiAudioError, match="There is no network"):
        open_network(tmp_path / "none")
    (tmp_path / "net.pt").write_bytes(b"x")
    with pytest.raises(XaiAudioError, match="no .tflite file, no .onnx file"):
        open_network(tmp_path / "net.pt")


@pytest.mark.slow
def test_keras_exports_are_taken(tmp_path):
    import keras

    network = keras.Sequential(
        [
            keras.Input((24, 16, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Reshape((22, 56)),
            keras.layers.LSTM(4),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    network.export(tmp_path / "net", verbose=False)
    model = xa.load_model(
        tmp_path / "net", labels=foreign.LABELS, frontend=foreign.PATCHES, output_name=None
    )
    given = foreign.some("patches")
    wanted = network.predict(given[..., None], verbose=0)
    np.testing.assert_allclose(model.scores(given), wanted, atol=1e-5)


def converted(path, score, spec=((1, 4), tf.float32), **settings):
    made = module(score, spec)
    convert = tf.lite.TFLiteConverter.from_concrete_functions(
        [made.score.get_concrete_function()], made
    )
    for name, value in settings.items():
        setattr(convert, name, value)
    path.write_bytes(convert.convert())
    return path


def test_operations_of_tensorflow_in_tflite_are_refused(tmp_path):
    kinds = tf.lite.OpsSet
    path = converted(
        tmp_path / "net.tflite",
        lambda x: x * tf.linalg.det(tf.reshape(x, (2, 2))),
        target_spec=tf.lite.TargetSpec(supported_ops=[kinds.TFLITE_BUILTINS, kinds.SELECT_TF_OPS]),
    )
    with pytest.raises(XaiAudioError, match="operation FlexMatrixDeterminant.*refused"):
        open_network(path)


def test_whole_numbers_of_tflite_stand_for_floats(tmp_path):
    given = np.random.default_rng(0).uniform(-1, 1, (20, 1, 4)).astype("float32")
    kernel = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
    path = converted(
        tmp_path / "net.tflite",
        lambda x: tf.matmul(x, kernel),
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([one] for one in given),
        inference_input_type=tf.int8,
        inference_output_type=tf.int8,
    )
    network = open_network(path)
    wanted = given[:, 0] @ kernel
    assert np.abs(network(given[:, 0]) - wanted).max() < 0.03 * np.abs(wanted).max()


def test_one_at_once_becomes_any_number_only_where_that_is_the_same(tmp_path):
    apart = open_network(converted(tmp_path / "apart.tflite", lambda x: 2 * x))
    mixed = open_network(converted(tmp_path / "mixed.tflite", lambda x: x * tf.reduce_sum(x)))
    assert apart.input.shape == (None, 4)
    assert mixed.input.shape == (1, 4)
    given = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(apart(given), 2 * given)
    np.testing.assert_allclose(mixed(given), given * given.sum(axis=1, keepdims=True), rtol=1e-5)


def test_a_length_that_is_open_is_set(tmp_path):
    network = open_network(
        converted(
            tmp_path / "net.tflite",
            lambda x: tf.reduce_mean(x, axis=1, keepdims=True),
            ((1, None), tf.float32),
        )
    )
    for length in (5, 9, 5):
        given = np.arange(2 * length, dtype="float32").reshape(2, length)
        np.testing.assert_allclose(network(given), given.mean(axis=1, keepdims=True), rtol=1e-6)


@pytest.mark.slow
def test_damage_in_a_tflite_file_never_ends_the_process(tmp_path):
    """In a process of its own: what a damaged file breaks may be the interpreter itself."""
    foreign.write_tflite(tmp_path / "good.tflite", "patches")
    content = (tmp_path / "good.tflite").read_bytes()
    rng = np.random.default_rng(0)
    for number in range(6):
        damaged = bytearray(content)
        for place in rng.integers(8, len(content), 20):
            damaged[place] = rng.integers(256)
        (tmp_path / f"{number}.tflite").write_bytes(damaged)
    for number, part in enumerate((0.2, 0.5, 0.9)):
        (tmp_path / f"short{number}.tflite").write_bytes(content[: int(part * len(content))])
    program = """
import sys, pathlib
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import open_network
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.tflite")):
    try:
        open_network(path)
    except XaiAudioError:
        pass
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]


def onnx_file(path, inputs, nodes=None, initial=()):
    from onnx import TensorProto, helper

    ports = [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs]
    nodes = nodes or [helper.make_node("Identity", [inputs[0][0]], ["y"])]
    end = helper.make_tensor_value_info("y", inputs[0][1], None)
    graph = helper.make_graph(nodes, "net", ports, [end], initial)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    path.write_bytes(model.SerializeToString())
    assert TensorProto
    return path


def test_inputs_of_onnx_that_are_no_sound(tmp_path):
    pytest.importorskip("onnx")
    one, two = ("x", 1, ("n", 4)), ("state", 1, (2,))
    with pytest.raises(XaiAudioError, match=r"takes 2 inputs, x \(any, 4\), state \(2\)"):
        open_network(onnx_file(tmp_path / "net.onnx", [one, two]))
    with pytest.raises(XaiAudioError, match="does not say of which shape x is"):
        open_network(onnx_file(tmp_path / "net.onnx", [("x", 1, None)]))
    with pytest.raises(XaiAudioError, match="takes 0 inputs: one is needed"):
        one_input("net", [])
    with pytest.raises(XaiAudioError, match="type tensor.int64.: floats are needed"):
        open_network(onnx_file(tmp_path / "net.onnx", [("x", 7, ("n", 4))]))
    halves = open_network(onnx_file(tmp_path / "net.onnx", [("x", 10, ("n", 4))]))
    np.testing.assert_array_equal(halves(np.full((2, 4), 0.5)), np.full((2, 4), 0.5))


@pytest.mark.parametrize("place", ["../weights.bin", "/tmp/weights.bin"])
def test_onnx_takes_no_weights_from_elsewhere(tmp_path, place):
    onnx = pytest.importorskip("onnx")
    (tmp_path / "weights.bin").write_bytes(np.ones(4, "float32").tobytes())
    outside = onnx.TensorProto(name="w", data_type=1, dims=[4], data_location=1)
    for key, value in {"location": place, "offset": "0", "length": "16"}.items():
        outside.external_data.add(key=key, value=value)
    (tmp_path / "inner").mkdir()
    nodes = [onnx.helper.make_node("Mul", ["x", "w"], ["y"])]
    path = onnx_file(tmp_path / "inner" / "net.onnx", [("x", 1, ("n", 4))], nodes, [outside])
    with pytest.raises(XaiAudioError, match="onnxruntime cannot read"):
        open_network(path)


def test_without_onnxruntime_the_extra_is_named(tmp_path, monkeypatch):
    path = onnx_file(tmp_path / "net.onnx", [("x", 1, ("n", 4))])
    real = builtins.__import__

    def none(name, *given, **more):
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *given, **more)

    monkeypatch.setattr(builtins, "__import__", none)
    with pytest.raises(XaiAudioError, match=r"pip install 'xaiaudio\[onnx\]'"):
        open_network(path)
