"""Weights out of TensorFlow Lite files: what was put in, by hand or by the converter."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import tflite_files

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.networks import tflite


def dense(kernel, bias=None, **more):
    bias = np.zeros(len(kernel), np.float32) if bias is None else bias
    return {"kind": "dense", "kernel": kernel, "bias": bias, "activation": "linear", **more}


@pytest.mark.slow
def test_eight_bits_by_their_scales(tmp_path):
    random = np.random.default_rng(0)
    few = random.integers(-128, 128, (3, 5)).astype(np.int8)
    several = dense(few, scale=np.array([0.5, 2, 8], np.float32), axis=0, zero=[1, 0, -3])
    unsigned = dense(few.view(np.uint8), scale=np.float32(0.25), zero=7)
    bare = dense(few.astype(np.float32), np.array([1, 2, 3], np.float32))
    path = tflite_files.write(tmp_path / "a.tflite", [several, unsigned, bare])
    first, second, third = tflite.read(path)
    for out in range(3):
        for place in range(5):
            scale, zero = ((0.5, 1), (2, 0), (8, -3))[out]
            assert first.kernel[place, out] == scale * (int(few[out, place]) - zero)
            assert second.kernel[place, out] == 0.25 * (int(few.view(np.uint8)[out, place]) - 7)
    np.testing.assert_array_equal(third.kernel, few.T)
    assert third.bias.tolist() == [1, 2, 3]
    assert [layer.kind for layer in (first, second, third)] == ["dense"] * 3


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Statistics for quantized inputs")
def test_a_converted_network_comes_back_within_half_a_step(tmp_path):
    """What TensorFlow's own converter packs: one scale for each channel, on its own axis."""
    network = keras.Sequential(
        [
            keras.layers.Input((8, 6, 2)),
            keras.layers.Conv2D(5, 3, strides=2, activation="relu6"),
            keras.layers.DepthwiseConv2D(2, activation="relu"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )
    random = np.random.default_rng(0)
    channels = (-1, 2, None)  # each of them has a scale of its own
    for layer, axis in zip([la for la in network.layers if la.weights], channels, strict=True):
        weights = [random.normal(0, 1, w.shape) for w in layer.get_weights()]
        if axis is not None:
            along = np.moveaxis(weights[0], axis, -1)
            along *= np.logspace(-1, 1, along.shape[-1])
        layer.set_weights(weights)
    converter = tf.lite.TFLiteConverter.from_keras_model(network)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = lambda: (
        [random.normal(0, 1, (1, 8, 6, 2)).astype(np.float32)] for _ in range(4)
    )
    path = tmp_path / "small.tflite"
    path.write_bytes(converter.convert())
    found = tflite.read(path)
    assert [layer.kind for layer in found] == ["conv", "depthwise", "dense"]
    assert [layer.activation for layer in found] == ["relu6", "relu", "linear"]
    assert [layer.stride for layer in found] == [2, 1, 1]
    wanted = [layer.get_weights() for layer in network.layers if layer.weights]
    for layer, (kernel, bias), axis in zip(found, wanted, channels, strict=True):
        assert layer.kernel.shape == kernel.shape
        kept = None if axis is None else tuple(k for k in range(kernel.ndim) if k != axis % 4)
        step = np.abs(kernel).max(axis=kept, keepdims=True) / 127
        assert 0.1 < (np.abs(layer.kernel - kernel) / step).max() <= 0.51
        np.testing.assert_allclose(layer.bias, bias, atol=1e-2)


def test_labels_behind_the_graph(tmp_path):
    layers = [dense(np.ones((2, 2), np.float32))]
    path = tflite_files.write(tmp_path / "a.tflite", layers, labels=["cat, big", "dog"])
    assert tflite.labels(path) == ("cat, big", "dog")
    assert len(tflite.read(path)) == 1
    assert tflite.labels(tflite_files.write(tmp_path / "b.tflite", layers)) == ()


def test_what_is_no_such_file(tmp_path):
    with pytest.raises(XaiAudioError, match="Could not read .*none.tflite: No such file"):
        tflite.read(tmp_path / "none.tflite")
    path = tmp_path / "a.tflite"
    for data in (b"", b"nonsense", b"\xff\xff\xff\x7fTFL3" + bytes(range(200))):
        path.write_bytes(data)
        with pytest.raises(XaiAudioError, match="damaged or no TensorFlow Lite file"):
            tflite.read(path)


@pytest.mark.slow
def test_damaged_files_are_read_or_refused_in_one_line(tmp_path):
    few = np.random.default_rng(0).integers(-9, 9, (4, 6)).astype(np.int8)
    layer = dense(few, scale=np.full(4, 0.5, np.float32))
    whole = tflite_files.write(tmp_path / "a.tflite", [layer]).read_bytes()
    random, refused = np.random.default_rng(1), 0
    for _ in range(200):
        data = bytearray(whole)
        for place in random.integers(8, len(data), 3):
            data[place] = random.integers(256)
        (tmp_path / "b.tflite").write_bytes(bytes(data[: random.integers(8, len(data))]))
        try:
            tflite.read(tmp_path / "b.tflite")
        except XaiAudioError as error:
            refused += "\n" not in str(error)
    assert refused > 100
