"""Files and folders that are opened, and those that are none."""

import foreign
import pytest

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import open_network
from xaiaudio.models.adapters import opening


@pytest.mark.slow
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


def test_a_path_tells_whether_keras_wrote_it(tmp_path):
    for name in ("net.tflite", "net.onnx", "gone.onnx"):
        assert opening.is_foreign(tmp_path / name)
    (tmp_path / "saved").mkdir()
    for name in ("net.keras", "net.h5", "net.pb", "saved"):
        assert not opening.is_foreign(tmp_path / name)
    (tmp_path / "saved" / "saved_model.pb").write_bytes(b"")
    assert opening.is_foreign(tmp_path / "saved")


@pytest.mark.parametrize(
    "outputs, activation, wanted",
    [
        (None, None, "probabilities"),
        ("probabilities", None, "probabilities"),
        ("logits", None, "logits"),
        (None, "softmax", "logits"),
        (None, "sigmoid", "sigmoid"),
        ("logits", "sigmoid", "sigmoid"),
    ],
)
def test_what_a_network_ends_in(outputs, activation, wanted):
    assert opening._end(outputs, activation) == wanted


def test_ends_that_contradict_each_other():
    with pytest.raises(XaiAudioError, match="Probabilities take no activation"):
        opening._end("probabilities", "softmax")
    with pytest.raises(XaiAudioError, match="activation is 'relu': it must be"):
        opening._end(None, "relu")


@pytest.mark.slow
def test_another_file_or_another_way_of_asking_is_another_network(tmp_path):
    path = tmp_path / "net.tflite"
    foreign.write_tflite(path, "patches")
    asked = {"labels": foreign.LABELS, "frontend": foreign.PATCHES}
    first = xa.load_model(path, **asked).identity
    assert xa.load_model(path, **asked).identity == first
    other = xa.LogMel(frames=24, bands=16, fmax=4_000.0)
    assert xa.load_model(path, **{**asked, "frontend": other}).identity != first
    folder = tmp_path / "saved"
    (folder / "deep").mkdir(parents=True)
    sums = [opening._digest(folder)]
    for name, content in (("a", b"1"), ("deep/b", b"2"), ("deep/b", b"3")):
        (folder / name).write_bytes(content)
        sums.append(opening._digest(folder))
    assert len(set(sums)) == 4
