import dataclasses
import errno
import http.server
import os
import threading
from pathlib import Path

import hub_modules
import numpy as np
import pytest
import tensorflow as tf
import tflite_files

import xaiaudio as xa
from xaiaudio import cache
from xaiaudio.datasets import download
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import backbone
from xaiaudio.models.networks import audioset, yamnet


def stored(network, **changes):
    """Arrays in the layout of the ``.npz`` file, from a network's weights."""
    arrays = {}
    for layer in network.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            scope = layer.name.replace("_", "/", 1)
            if "depthwise" in scope:
                kernel = kernel[..., 0].transpose(2, 0, 1)
            elif "pointwise" in scope:
                kernel = kernel[0, 0].T
            else:
                kernel = kernel[:, :, 0].transpose(2, 0, 1)
            arrays[f"{scope}/kernel"], arrays[f"{scope}/bias"] = kernel, bias
    return {**arrays, **changes}


@pytest.mark.slow
def test_weights_from_a_file_or_its_folder(tmp_path):
    network = yamnet.network("relu6")
    np.savez(tmp_path / "yamnet.npz", **stored(network))
    patches = np.random.default_rng(0).normal(-2, 2, (2, 96, 64, 1)).astype(np.float32)
    for source in (tmp_path, tmp_path / "yamnet.npz"):
        found = backbone("yamnet", source)
        np.testing.assert_allclose(found.network(patches), network(patches), atol=1e-6)
        assert found.network.output_shape == (None, 1024)


@pytest.mark.slow
def test_a_layer_of_another_shape_is_named(tmp_path):
    wrong = stored(yamnet.network(), **{"layer7/pointwise_conv/kernel": np.zeros((3, 3), "f4")})
    np.savez(tmp_path / "yamnet.npz", **wrong)
    with pytest.raises(XaiAudioError, match="layer7_pointwise_conv"):
        backbone("yamnet", tmp_path)


def test_files_that_are_no_weights(tmp_path):
    with pytest.raises(XaiAudioError, match="XAIAUDIO_YAMNET"):
        backbone("yamnet", tmp_path / "none.npz")
    (tmp_path / "a.npz").write_bytes(b"nonsense")
    with pytest.raises(XaiAudioError, match="no .npz of weights"):
        backbone("yamnet", tmp_path)
    np.savez(tmp_path / "a.npz", x=np.array([object()]))
    with pytest.raises(XaiAudioError, match="no .npz of weights"):
        backbone("yamnet", tmp_path)
    np.savez_compressed(tmp_path / "a.npz", x=np.random.default_rng(0).random(500))
    packed = bytearray((tmp_path / "a.npz").read_bytes())
    packed[200:300] = bytes(100)
    (tmp_path / "a.npz").write_bytes(packed)
    with pytest.raises(XaiAudioError, match="no .npz of weights"):
        backbone("yamnet", tmp_path)
    (tmp_path / "b.npz").write_bytes(b"")
    with pytest.raises(XaiAudioError, match="name one of them"):
        backbone("yamnet", tmp_path)


@pytest.fixture(scope="module")
def drawn():
    """YAMNet with classes and random weights with which each layer matters."""
    network = yamnet.network("relu6", classes=True)
    random = np.random.default_rng(0)
    for layer in network.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            fan = 9 if "depthwise" in layer.name else np.prod(kernel.shape[:-1])
            kernel = random.normal(0, np.sqrt(2.5 / fan), kernel.shape)
            layer.set_weights([kernel, random.normal(0, 0.1, bias.shape)])
    return network


@pytest.fixture(scope="module")
def packed(drawn, tmp_path_factory):
    """The same in a TFLite file of eight bits, and the kernels that it stands for."""
    layers, meant = tflite_files.of_yamnet(drawn)
    path = tmp_path_factory.mktemp("phone") / yamnet.FILE.name
    return tflite_files.write(path, layers, labels=audioset.classes()), layers, meant


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XAIAUDIO_YAMNET", raising=False)
    return tmp_path / "home"


@pytest.fixture
def served(packed):
    """Serve the file at an address, and count how often it is asked for."""
    data, asked = packed[0].read_bytes(), []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // (2 if "cut" in self.path else 1)])

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()


def patches():
    wave = np.random.default_rng(3).normal(0, 0.1, 40_000).astype(np.float32)
    return xa.LogMel.yamnet()(wave)


@pytest.mark.slow
def test_from_the_address_to_the_scores(drawn, packed, served, home, monkeypatch):
    """Fetched once, checked, unpacked: the scores are those of the weights that eight bits keep."""
    path, _, meant = packed
    address, asked = served
    here = dataclasses.replace(yamnet.FILE, address=f"{address}/phone", sha256=cache.sum_of(path))
    monkeypatch.setattr(yamnet, "FILE", here)
    model = xa.load_model("yamnet")
    assert asked == ["/phone"] and (home / "networks" / yamnet.FILE.name).exists()
    wanted = yamnet.network("relu6", classes=True)
    for layer in wanted.layers:
        if layer.weights:
            layer.set_weights([meant[layer.name], drawn.get_layer(layer.name).get_weights()[1]])
    given = model.scores(patches())
    np.testing.assert_allclose(given, wanted(patches()[..., None]), atol=1e-5)
    assert given.shape == (4, 521) and np.ptp(given) > 0.2  # or the test would see little
    assert not np.allclose(given, drawn(patches()[..., None]), atol=1e-5)
    assert model.labels == audioset.classes() and model.has_logits
    assert "CC BY 4.0" in model.attribution and model.frontend == xa.LogMel.yamnet()
    # It is in the cache now, and the backbone reads the same file.
    monkeypatch.setattr(download, "download", None)
    np.testing.assert_array_equal(xa.load_model("yamnet").scores(patches()), given)
    found = backbone("yamnet", path)
    embedding = found.network(patches()[..., None]).numpy()
    kernel, bias = model.network.get_layer("fc_logits").get_weights()
    np.testing.assert_allclose(1 / (1 + np.exp(-(embedding @ kernel + bias))), given, atol=1e-5)


@pytest.mark.slow
def test_the_methods_that_look_inside_take_it(packed):
    model = yamnet.classifier(packed[0])
    for method in ("gradcam", "lrp", "guided-backprop", "integrated-gradients"):
        result = xa.explain(model, patches()[:1], "dog", method)
        assert result.maps.shape == (1, 96, 64) and np.abs(result.maps).max() > 0


@pytest.mark.slow
def test_nothing_half_fetched_stays(served, home, monkeypatch):
    address, _ = served
    # The file is whole, but it is not Google's.
    with pytest.raises(XaiAudioError, match="not YAMNet .another SHA-256 sum.*XAIAUDIO_YAMNET"):
        yamnet.FILE.fetch(f"{address}/phone", progress=False)
    with pytest.raises(XaiAudioError, match="(ended after|no connection).*XAIAUDIO_YAMNET"):
        yamnet.FILE.fetch(f"{address}/cut", progress=False)
    nobody = dataclasses.replace(yamnet.FILE, address="http://127.0.0.1:9/phone")
    monkeypatch.setattr(yamnet, "FILE", nobody)
    with pytest.raises(XaiAudioError, match="no connection.*XAIAUDIO_YAMNET") as caught:
        xa.load_model("yamnet")
    assert "\n" not in str(caught.value)
    assert [path.suffix for path in home.rglob("*") if path.is_file()] in ([], [".lock"])


@pytest.mark.slow
def test_a_full_disk(served, home, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(XaiAudioError, match="No space left on device. Make room.*XAIAUDIO_HOME"):
        yamnet.FILE.fetch(f"{served[0]}/phone", progress=False)
    assert [path.suffix for path in home.rglob("*") if path.is_file()] in ([], [".lock"])


@pytest.mark.slow
def test_from_a_hub_module_with_its_classes(tmp_path, monkeypatch):
    module = hub_modules.YAMNet()
    tf.saved_model.save(module, str(tmp_path))
    monkeypatch.setenv("XAIAUDIO_YAMNET", str(tmp_path))
    model = xa.load_model("yamnet")
    wave = np.random.default_rng(3).normal(0, 0.1, 40_000).astype(np.float32)
    wanted = module(tf.constant(wave))[0].numpy()
    given = model.scores(model.frontend(wave))
    np.testing.assert_allclose(given, wanted[: len(given)], atol=1e-4)
    assert np.ptp(given) > 0.1 and model.labels == audioset.classes()


@pytest.mark.slow
def test_files_that_are_of_another_network(packed, tmp_path):
    _, layers, _ = packed
    path = tmp_path / "other.tflite"
    without = tflite_files.write(path, layers[:-1])
    with pytest.raises(XaiAudioError, match="is a TFLite file, but not YAMNet"):
        yamnet.read_tflite(without)
    strides = [dict(layer, stride=1) if k == 4 else layer for k, layer in enumerate(layers)]
    with pytest.raises(XaiAudioError, match="is a TFLite file, but not YAMNet"):
        yamnet.read_tflite(tflite_files.write(path, strides))
    named = tflite_files.write(path, layers, labels=audioset.classes()[::-1])
    with pytest.raises(XaiAudioError, match="has other classes than AudioSet's"):
        yamnet.read_tflite(named)


@pytest.mark.slow
def test_weights_without_the_classes_are_a_backbone_only(drawn, tmp_path):
    np.savez(tmp_path / "yamnet.npz", **stored(yamnet.network("relu6")))
    with pytest.raises(XaiAudioError, match="layer fc are missing"):
        yamnet.classifier(tmp_path)


def test_nothing_is_said_of_a_network_that_knows_itself():
    with pytest.raises(XaiAudioError, match="yamnet knows its labels"):
        xa.load_model("yamnet", labels=["a"])


@pytest.mark.slow
@pytest.mark.skipif(
    not {"XAIAUDIO_YAMNET", "XAIAUDIO_ESC10"} <= os.environ.keys(),
    reason="the real weights and recordings are not here",
)
def test_scores_agree_with_the_network_for_phones():
    from xaiaudio import datasets

    (file,) = Path(os.environ["XAIAUDIO_YAMNET"]).parent.glob("*.tflite")
    assert cache.sum_of(file) == yamnet.FILE.sha256
    model = yamnet.classifier(file)
    phone = tf.lite.Interpreter(str(file), num_threads=2)
    phone.allocate_tensors()
    slot, answer = phone.get_input_details()[0], phone.get_output_details()[0]
    agreement, apart = [], []
    for clip in list(datasets.load("esc10", progress=False))[::20]:
        wave = clip.load()[:15_600]
        phone.set_tensor(slot["index"], wave.reshape(slot["shape"]))
        phone.invoke()
        wanted = phone.get_tensor(answer["index"]).ravel()
        given = model.scores(model.frontend(wave))[0]
        agreement.append(np.corrcoef(given, wanted)[0, 1])
        apart.append(np.abs(given - wanted).max())
    print(
        f"\n{len(agreement)} clips: correlation {np.median(agreement):.4f} (median), "
        f"{min(agreement):.4f} (least); largest difference of a score {np.median(apart):.3f} "
        f"(median), {max(apart):.3f} (most)"
    )
    assert len(agreement) == 20
    assert np.median(agreement) >= 0.99
