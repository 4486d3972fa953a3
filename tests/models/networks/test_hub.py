import dataclasses
import http.server
import importlib
import tarfile
import threading
import time
from pathlib import Path

import hub_modules
import keras
import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.datasets import download
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models import backbone
from xaiaudio.models.networks import hub, vggish, yamnet


@pytest.mark.slow
def test_yamnet(tmp_path):
    module = hub_modules.YAMNet()
    tf.saved_model.save(module, str(tmp_path))
    found = backbone("yamnet", tmp_path)
    assert found.frontend == LogMel.yamnet()
    wanted = module(tf.constant(hub_modules.sound()))[1].numpy()
    hub_modules.assert_same(found.network, found.frontend, hub_modules.sound(), wanted)
    assert found.network.get_layer("layer14_pointwise_conv").output.shape[1:] == (3, 2, 1024)


# The small variant below runs the same code as VGGish itself, in a hundredth of the time.
class Small(tf.Module):
    def __init__(self, names=None, last_relu=False):
        super().__init__()
        random = np.random.default_rng(1)
        shapes = {
            "vggish/conv1/weights": (3, 3, 1, 4),
            "vggish/conv1/biases": (4,),
            "vggish/conv2/weights": (3, 3, 4, 4),
            "vggish/conv2/biases": (4,),
            "vggish/fc/weights": (4, 8),
            "vggish/fc/biases": (8,),
        }
        self.used = [
            tf.Variable(random.normal(0, 0.5, s).astype("f4"), name=n, trainable=False)
            for n, s in zip(names or shapes, shapes.values(), strict=True)
        ]
        self._variables = list(self.used)
        self.last_relu = last_relu

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32)])
    def __call__(self, wave):
        x = tf.signal.frame(hub_modules.log_mel(wave, 0.01), 96, 96, axis=0)[..., None]
        for k in (0, 2):
            x = tf.nn.relu(tf.nn.conv2d(x, self.used[k], 1, "SAME") + self.used[k + 1])
        x = tf.reduce_mean(x, (1, 2)) @ self.used[4] + self.used[5]
        return tf.nn.relu(x) if self.last_relu else x


def small_twin():
    def build(arrays):
        patch = keras.layers.Input((96, 64, 1))
        tensor = patch
        for name in ("conv1", "conv2"):
            tensor = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name=name)(tensor)
        tensor = keras.layers.GlobalAveragePooling2D()(tensor)
        network = keras.Model(patch, keras.layers.Dense(8, name="fc")(tensor))
        for name in ("conv1", "conv2", "fc"):
            parts = [arrays[f"vggish/{name}/{part}"] for part in ("weights", "biases")]
            network.get_layer(name).set_weights(parts)
        return network

    slots = [
        hub.Slot(name.split("/")[1], name, shape)
        for name, shape in {
            "vggish/conv1/weights": (3, 3, 1, 4),
            "vggish/conv1/biases": (4,),
            "vggish/conv2/weights": (3, 3, 4, 4),
            "vggish/conv2/biases": (4,),
            "vggish/fc/weights": (4, 8),
            "vggish/fc/biases": (8,),
        }.items()
    ]
    return hub.Twin(tuple(slots), build, LogMel.vggish())


def loaded(module, tmp_path):
    tf.saved_model.save(module, str(tmp_path))
    return hub.fetch(str(tmp_path), "XAIAUDIO_VGGISH")


@pytest.mark.slow
@pytest.mark.parametrize("last_relu", [False, True])
@pytest.mark.parametrize(
    "names",
    [
        None,
        [f"Variable_{k}" for k in range(6)],
        ["b", "a", "c", "d", "f", "e"],
        ["vggish/fc/weights", "vggish/fc/biases", "vggish/conv2/weights"]
        + ["vggish/conv1/biases", "vggish/conv1/weights", "vggish/conv2/biases"],
        ["vggish/conv1/weights", "vggish/conv2/biases", "vggish/conv2/weights"]
        + ["vggish/conv1/biases", "vggish/fc/weights", "vggish/fc/biases"],
    ],
    ids=["right", "anonymous", "other", "shuffled", "biases swapped"],
)
def test_names_help_but_shape_and_order_are_enough(names, last_relu, tmp_path):
    module = Small(names, last_relu)
    network = hub.twin_of(loaded(module, tmp_path), small_twin(), "here")
    hub_modules.assert_same(
        network,
        LogMel.vggish(),
        hub_modules.sound(),
        module(tf.constant(hub_modules.sound())).numpy(),
    )
    assert isinstance(network.layers[-1], keras.layers.ReLU) == last_relu


@pytest.mark.slow
def test_right_names_in_another_order(tmp_path):
    module = Small()
    module._variables = module._variables[::-1]
    network = hub.twin_of(loaded(module, tmp_path), small_twin(), "here")
    hub_modules.assert_same(
        network,
        LogMel.vggish(),
        hub_modules.sound(),
        module(tf.constant(hub_modules.sound())).numpy(),
    )


def corrupted(kind):
    module = Small()
    listed, wrong = list(module.used), module.used[2]
    listed[2:3] = {
        "other values": [tf.Variable(wrong * 1.5, name="vggish/conv2/weights")],
        "NaN": [tf.Variable(wrong * np.nan, name="vggish/conv2/weights")],
        "shape": [tf.Variable(wrong[..., :3], name="vggish/conv2/weights")],
        "missing": [],
    }[kind]
    module._variables = listed
    return module


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["other values", "NaN", "shape", "missing"])
def test_a_corrupted_module_is_refused_and_its_layer_named(kind, tmp_path):
    with pytest.raises(XaiAudioError, match="conv2") as caught:
        hub.twin_of(loaded(corrupted(kind), tmp_path), small_twin(), "here")
    assert "conv1" not in str(caught.value)


@pytest.mark.slow
def test_another_architecture_with_the_same_variables_is_refused(tmp_path):
    twin = small_twin()
    other = dataclasses.replace(twin, frontend=LogMel.yamnet())
    with pytest.raises(XaiAudioError, match="computes something else"):
        hub.twin_of(loaded(Small(), tmp_path), other, "here")


@pytest.mark.slow
def test_a_module_that_takes_no_waveform(tmp_path):
    class Adder(tf.Module):
        @tf.function(input_signature=[tf.TensorSpec((2, 2), tf.float32)])
        def __call__(self, x):
            return x

    with pytest.raises(XaiAudioError, match="does not answer to a waveform"):
        hub.twin_of(loaded(Adder(), tmp_path), small_twin(), "here")


def test_a_folder_that_is_none_or_holds_no_module(tmp_path, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_VGGISH", str(tmp_path / "none"))
    with pytest.raises(XaiAudioError, match="XAIAUDIO_VGGISH"):
        backbone("vggish")
    with pytest.raises(XaiAudioError, match="saved_model.pb"):
        backbone("vggish", tmp_path)
    (tmp_path / "saved_model.pb").write_bytes(b"\x00garbage")
    with pytest.raises(XaiAudioError, match="Could not load"):
        backbone("vggish", tmp_path)


@pytest.mark.slow
def test_without_the_internet_the_message_names_the_variable(tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    for module, variable in ((vggish, "XAIAUDIO_VGGISH"), (yamnet, "XAIAUDIO_YAMNET")):
        monkeypatch.delenv(variable, raising=False)
        monkeypatch.setattr(module, "ADDRESS", "https://127.0.0.1:9/module/1")
        with pytest.raises(XaiAudioError, match=variable):
            module.load()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """Serve a small module as TensorFlow Hub does: whole, byte by byte, or not at all."""
    folder = tmp_path_factory.mktemp("served")
    tf.saved_model.save(Small(), str(folder / "module"))
    with tarfile.open(folder / "module.tar.gz", "w:gz") as archive:
        archive.add(folder / "module", arcname=".")
    data = (folder / "module.tar.gz").read_bytes()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            if "whole" in self.path:
                self.wfile.write(data)
            for place in range(60 if "slow" in self.path else 0):
                self.wfile.write(data[place : place + 1])
                self.wfile.flush()
                time.sleep(0.05)
            if "silent" in self.path:
                time.sleep(3)

        def log_message(self, *args):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as running:
        running.daemon_threads = True
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()


@pytest.mark.slow
def test_a_module_is_fetched_once(server, tmp_path, monkeypatch):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    wave = tf.constant(hub_modules.sound())
    found = hub.fetch(f"{server}/whole", "XAIAUDIO_VGGISH")(wave)
    np.testing.assert_array_equal(found, Small()(wave))
    monkeypatch.setattr(hub, "urlopen", None)
    np.testing.assert_array_equal(hub.fetch(f"{server}/whole", "XAIAUDIO_VGGISH")(wave), found)


@pytest.mark.parametrize("way, told", [("slow", r"only \d+ bytes within"), ("silent", "timed out")])
def test_a_server_that_sends_next_to_nothing_is_not_waited_for(
    server, tmp_path, monkeypatch, way, told
):
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(download, "PATIENCE", 0.3)
    monkeypatch.setattr(hub, "SILENCE", 0.3)
    began = time.monotonic()
    with pytest.raises(XaiAudioError, match=f"{told}.*or set XAIAUDIO_VGGISH"):
        hub.fetch(f"{server}/{way}", "XAIAUDIO_VGGISH")
    assert time.monotonic() - began < 2.5
    assert [path.suffix for path in tmp_path.iterdir()] in ([], [".txt"])


@pytest.mark.slow
def test_junk_that_was_fetched_is_removed_and_a_bad_connection_leaves_the_rest(
    tmp_path, monkeypatch
):
    import tensorflow_hub

    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path))
    address = "https://127.0.0.1:9/module/1"
    (tmp_path / "another").mkdir()

    def load(source):
        hub._fetched(source).mkdir()
        raise OSError("no saved_model.pb")

    monkeypatch.setattr(tensorflow_hub, "load", load)
    with pytest.raises(XaiAudioError, match="is removed; try again, or set XAIAUDIO_YAMNET"):
        hub.fetch(address, "XAIAUDIO_YAMNET")
    assert [path.name for path in tmp_path.iterdir()] == ["another"]
    # It is the folder that TensorFlow Hub itself unpacks to.
    resolver = importlib.import_module("tensorflow_hub.compressed_module_resolver")
    assert hub._fetched(address) == Path(resolver._module_dir(address))


@pytest.mark.slow
def test_unknown_names_and_sources():
    with pytest.raises(XaiAudioError, match="vggish, yamnet, lite"):
        backbone("resnet")
    with pytest.raises(XaiAudioError, match="takes no source"):
        backbone("lite", "somewhere")
