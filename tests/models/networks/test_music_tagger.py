import dataclasses
import http.server
import os
import threading
from pathlib import Path

import h5py
import librosa
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import cache
from xaiaudio.datasets import download
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import backbone
from xaiaudio.models.networks import music_tagger as tagger

# The author's own example and the scores that he publishes for it, highest first.
EXAMPLE = "choi_example_cute_melgram.npy"
PUBLISHED = {
    "jazz": 0.444,
    "instrumental": 0.151,
    "folk": 0.103,
    "Hip-Hop": 0.103,
    "ambient": 0.077,
}


def drawn(seed=0):
    """Random weights, with which each layer matters."""
    rng = np.random.default_rng(seed)
    arrays = {}
    for layer, name, shape in tagger.shapes():
        fan = np.prod(shape[1:]) if len(shape) == 4 else shape[0]
        values = (
            rng.normal(0, 1.5 / np.sqrt(fan), shape)
            if len(shape) > 1
            else rng.normal(0, 0.1, shape)
        )
        if name == "gamma":
            values = 1 + values
        elif name == "running_std":
            values = 1 + rng.random(shape)
        arrays.setdefault(layer, {})[name] = values.astype(np.float32)
    arrays["bn_0_freq"]["running_std"] *= 900
    return arrays


def write(path, arrays):
    """An HDF5 file in the author's layout."""
    with h5py.File(path, "w") as file:
        for layer, stored in arrays.items():
            for name, values in stored.items():
                ending = ":0" if layer.startswith("gru") else "_1:0"
                file[f"{layer}/{layer}_{name}{ending}"] = values
    return path


def defined(arrays, melgram):
    """The author's network, bands first, written down once more: (96, 1366) to 50 scores."""

    def norm(x, stored, axis):
        shape = [-1 if a == axis else 1 for a in range(x.ndim)]
        gamma, beta, mean, variance = (stored[part].reshape(shape) for part in tagger._NORM)
        return gamma * (x - mean) / np.sqrt(variance + 1e-6) + beta

    def sigmoid(x):
        return np.clip(0.2 * x + 0.5, 0, 1)

    x = np.pad(melgram, ((0, 0), (37, 37)))
    x = norm(x, arrays["bn_0_freq"], 1)[None]  # (channels, bands, frames)
    for number, pool in enumerate((2, 3, 4, 4), 1):
        stored = arrays[f"conv{number}"]
        padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
        high, wide = x.shape[1:]
        x = stored["b"][:, None, None] + sum(
            np.tensordot(stored["W"][:, :, i, j], padded[:, i : i + high, j : j + wide], 1)
            for i in range(3)
            for j in range(3)
        )
        x = norm(x, arrays[f"bn{number}"], 0)
        x = np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
        high, wide = (size // pool for size in x.shape[1:])
        x = x[:, : high * pool, : wide * pool]
        x = x.reshape(len(x), high, pool, wide, pool).max(axis=(2, 4))
    x = x[:, 0].T
    for layer in ("gru1", "gru2"):
        w, state, states = arrays[layer], np.zeros(32), []
        for row in x:
            z = sigmoid(row @ w["W_z"] + state @ w["U_z"] + w["b_z"])
            r = sigmoid(row @ w["W_r"] + state @ w["U_r"] + w["b_r"])
            new = np.tanh(row @ w["W_h"] + (r * state) @ w["U_h"] + w["b_h"])
            state = z * state + (1 - z) * new
            states.append(state)
        x = np.stack(states)
    return 1 / (1 + np.exp(-(x[-1] @ arrays["output"]["W"] + arrays["output"]["b"])))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("XAIAUDIO_MUSIC", raising=False)
    return tmp_path / "home"


@pytest.fixture
def server():
    """Serves bytes at an address."""
    running = []

    def serve(data):
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200 if self.path == "/tagger.h5" else 404)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *args):
                pass

        one = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=one.serve_forever, daemon=True).start()
        running.append(one)
        return f"http://127.0.0.1:{one.server_port}/tagger.h5"

    yield serve
    for one in running:
        one.shutdown()
        one.server_close()


@pytest.mark.slow
def test_from_the_address_to_the_scores(home, server, tmp_path, monkeypatch):
    arrays = drawn()
    data = write(tmp_path / "made.h5", arrays).read_bytes()
    address = server(data)
    summed = cache.sum_of(tmp_path / "made.h5")
    here = dataclasses.replace(tagger.FILE, address=address, sha256=summed)
    monkeypatch.setattr(tagger, "FILE", here)
    model = xa.load_model("music")
    assert (home / "networks" / tagger.FILE.name).read_bytes() == data
    melgram = np.random.default_rng(1).normal(-29, 30, (96, 1366)).astype(np.float32)
    scores = model.scores(melgram.T[None])[0]
    wanted = defined(arrays, melgram)
    np.testing.assert_allclose(scores, wanted, atol=2e-5)
    assert np.ptp(wanted) > 0.1  # or the test would see little
    assert model.labels == tagger.TAGS and model.has_logits
    logits = model.logits(melgram.T[None])[0]
    np.testing.assert_allclose(logits, np.log(wanted / (1 - wanted)), atol=2e-4)
    # It is in the cache now, and the embedding comes from the same file.
    monkeypatch.setattr(download, "download", None)
    found = backbone("music")
    assert found.network.output_shape == (None, 32) and found.frontend == model.frontend


@pytest.mark.slow
def test_something_else_is_not_kept(home, server):
    address = server(b"<html>Sign in</html>")
    with pytest.raises(XaiAudioError, match="another SHA-256 sum.*XAIAUDIO_MUSIC"):
        tagger.FILE.fetch(address, progress=False)
    assert not list(home.rglob("*.h5"))
    with pytest.raises(XaiAudioError, match="status 404.*XAIAUDIO_MUSIC"):
        tagger.FILE.fetch(address.replace("tagger", "other"), progress=False)
    with pytest.raises(XaiAudioError, match="no connection"):
        tagger.FILE.fetch("http://127.0.0.1:9/tagger.h5", progress=False)


@pytest.mark.slow
def test_a_damaged_copy_in_the_cache_is_fetched_again(home, server, tmp_path, monkeypatch):
    address = server(b"weights")
    (tmp_path / "made.h5").write_bytes(b"weights")
    made = dataclasses.replace(tagger.FILE, sha256=cache.sum_of(tmp_path / "made.h5"))
    path = made.fetch(address, progress=False)
    path.write_bytes(b"weight?")
    assert made.fetch(address, progress=False).read_bytes() == b"weights"


def test_a_file_or_the_only_one_of_a_folder(tmp_path):
    arrays = drawn()
    path = write(tmp_path / "mine.h5", arrays)
    assert tagger._file(str(tmp_path)) == tagger._file(str(path)) == path
    found = tagger.read(path)
    for layer, name, _ in tagger.shapes():
        np.testing.assert_array_equal(found[layer][name], arrays[layer][name])
    path.with_name("other.h5").touch()
    with pytest.raises(XaiAudioError, match="holds 2 .h5 files.*XAIAUDIO_MUSIC"):
        tagger._file(str(tmp_path))


@pytest.mark.slow
def test_arrays_that_are_missing_or_wrong_are_named(tmp_path):
    path = tmp_path / "a.h5"
    wrong = drawn()
    wrong["conv3"]["W"] = wrong["conv3"]["W"][:, :, :2]
    with pytest.raises(XaiAudioError, match=r"array W of its layer conv3.*\(128, 128, 2, 3\)"):
        tagger.read(write(path, wrong))
    wrong = drawn()
    del wrong["gru2"]["U_r"]
    with pytest.raises(XaiAudioError, match="layer gru2 has no array U_r"):
        tagger.read(write(path, wrong))
    wrong = drawn()
    wrong["output"]["b"][3] = np.nan
    with pytest.raises(XaiAudioError, match="b of the layer output holds NaN"):
        tagger.read(write(path, wrong))
    wrong = drawn()
    wrong["bn4"]["beta"] = np.zeros(128, int)
    with pytest.raises(XaiAudioError, match="beta of its layer bn4 is int64"):
        tagger.read(write(path, wrong))
    path.write_bytes(b"nonsense")
    for bad in (path, tmp_path / "none.h5"):
        with pytest.raises(XaiAudioError, match="no HDF5 file.*XAIAUDIO_MUSIC"):
            tagger.read(bad)


def test_links_to_other_files_are_refused(tmp_path):
    write(tmp_path / "whole.h5", drawn())
    path = write(tmp_path / "a.h5", drawn())
    with h5py.File(path, "a") as file:
        del file["conv1/conv1_W_1:0"]
        file["conv1/conv1_W_1:0"] = h5py.ExternalLink("whole.h5", "conv1/conv1_W_1:0")
    with pytest.raises(XaiAudioError, match="conv1 has no array W"):
        tagger.read(path)


def test_nothing_is_said_of_a_network_that_knows_itself():
    with pytest.raises(XaiAudioError, match="music knows its labels"):
        xa.load_model("music", labels=["a"])


def test_the_front_end_is_the_authors():
    frontend = tagger.BACKBONES["music"].frontend()
    rng = np.random.default_rng(0)
    wave = (rng.normal(0, 0.1, 349_440) * np.linspace(1e-3, 1, 349_440)).astype(np.float32)
    powers = librosa.feature.melspectrogram(y=wave, sr=12_000, n_fft=512, hop_length=256, n_mels=96)
    wanted = librosa.power_to_db(powers**2, ref=1.0)
    found = frontend(wave)
    assert found.shape == (1, 1366, 96)
    np.testing.assert_allclose(found.values[0].T, wanted, atol=1e-3)
    assert wanted.min() == wanted.max() - 80  # the rise of the noise reaches that far
    assert frontend.silence == -100


@pytest.mark.skipif("XAIAUDIO_MUSIC" not in os.environ, reason="XAIAUDIO_MUSIC names no weights")
def test_the_published_scores():
    path = tagger._file(os.environ["XAIAUDIO_MUSIC"])
    example = Path(path).with_name(EXAMPLE)
    if not example.exists():
        pytest.skip(f"no {EXAMPLE} beside the weights")
    assert cache.sum_of(path) == tagger.FILE.sha256
    melgram = np.load(example)[0, 0]
    assert melgram.min() == pytest.approx(melgram.max() - 80)
    scores = xa.load_model("music").scores(melgram.T[None])[0]
    order = np.argsort(-scores)[: len(PUBLISHED)]
    found = {tagger.TAGS[number]: round(float(scores[number]), 3) for number in order}
    assert found == PUBLISHED
