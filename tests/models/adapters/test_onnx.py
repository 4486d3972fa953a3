"""ONNX files: what they may take, and where their weights may lie."""

import builtins

import foreign
import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.models import open_network
from xaiaudio.models.adapters.base import one_input


def test_inputs_of_onnx_that_are_no_sound(tmp_path):
    pytest.importorskip("onnx")
    one, two = ("x", 1, ("n", 4)), ("state", 1, (2,))
    with pytest.raises(XaiAudioError, match=r"takes 2 inputs, x \(any, 4\), state \(2\)"):
        open_network(foreign.onnx_file(tmp_path / "net.onnx", [one, two]))
    with pytest.raises(XaiAudioError, match="does not say of which shape x is"):
        open_network(foreign.onnx_file(tmp_path / "net.onnx", [("x", 1, None)]))
    with pytest.raises(XaiAudioError, match="takes 0 inputs: one is needed"):
        one_input("net", [])
    with pytest.raises(XaiAudioError, match="type tensor.int64.: floats are needed"):
        open_network(foreign.onnx_file(tmp_path / "net.onnx", [("x", 7, ("n", 4))]))
    halves = open_network(foreign.onnx_file(tmp_path / "net.onnx", [("x", 10, ("n", 4))]))
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
    path = foreign.onnx_file(
        tmp_path / "inner" / "net.onnx", [("x", 1, ("n", 4))], nodes, [outside]
    )
    with pytest.raises(XaiAudioError, match="onnxruntime cannot read"):
        open_network(path)


def test_without_onnxruntime_the_extra_is_named(tmp_path, monkeypatch):
    path = foreign.onnx_file(tmp_path / "net.onnx", [("x", 1, ("n", 4))])
    real = builtins.__import__

    def none(name, *given, **more):
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *given, **more)

    monkeypatch.setattr(builtins, "__import__", none)
    with pytest.raises(XaiAudioError, match=r"pip install 'xaiaudio\[onnx\]'"):
        open_network(path)
