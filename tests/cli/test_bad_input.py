"""Whatever people hand in: the message names it and says what to do, and nothing is left behind."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from commands import call, complaint, left, noise, run, sound

import xaiaudio as xa
from xaiaudio import audio

FAST = ("-m", "occlusion", "--set", "occlusion.mask=0.5", "--set", "occlusion.stride=0.5")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def _broken(kind, folder):
    path = folder / f"{kind}.wav"
    if kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("This is no sound.\n" * 50)
    elif kind == "cut off":
        whole = sound(folder / "whole.wav")
        path.write_bytes(whole.read_bytes()[:20])
    elif kind == "no samples":
        sound(path, np.zeros(0))
    elif kind == "nan":
        wave = noise()
        wave[16_000] = np.nan
        sound(path, wave, subtype="FLOAT")
    elif kind == "folder":
        path.mkdir()
    return path  # "missing" is never made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("missing", "no file"),
        ("empty", "empty (0 bytes)"),
        ("text", "cannot be read as sound"),
        ("cut off", "cannot be read as sound"),
        ("no samples", "no samples"),
        ("nan", "NaN or infinite samples, the first at 1.000 s"),
        ("folder", "is a folder"),
    ],
)
def test_unreadable_sounds(tmp_path, out, kind, told):
    path = _broken(kind, tmp_path)
    done = run("explain", path, "--out", out)
    assert done.returncode == 1 and not done.stdout
    message = complaint(done.stderr)
    assert str(path) in message and told in message
    assert not out.exists()


@pytest.mark.slow
def test_one_bad_file_does_not_keep_the_others_from_being_explained(capsys, tmp_path, out):
    good, bad = sound(tmp_path / "good.wav"), _broken("text", tmp_path)
    short = sound(tmp_path / "short.wav", noise(0.2))
    status, said, err = call(capsys, "explain", bad, good, short, "--out", out, *FAST)
    assert status == 1
    assert f"{good}:" in said
    assert str(bad) in err and f"{short} lasts 0.20 s" in err
    assert "2 of 3 sounds could not be explained." in err
    names = {name.split(".")[0].split("-")[0] for name in left(out)}
    assert names == {"good", "index", "summary"}


@pytest.mark.slow
@pytest.mark.parametrize("rate", [100, 8000, 11_025, 96_000])
def test_odd_sample_rates_are_converted(capsys, tmp_path, out, rate):
    path = sound(tmp_path / "odd.wav", np.resize(noise(3, rate=rate), 3 * rate), rate=rate)
    status, said, err = call(capsys, "explain", path, "--out", out, *FAST, "--overlap", "0")
    assert status == 0, err
    assert "(of 3 patches" in said


@pytest.mark.slow
def test_stereo_is_mixed_down(capsys, tmp_path, out):
    wave = noise(1.0)
    both = sound(tmp_path / "both.wav", np.stack([wave, wave], axis=1))
    one = sound(tmp_path / "one.wav", wave)
    status, _, err = call(capsys, "explain", both, one, "--out", out, *FAST)
    assert status == 0, err
    maps = [xa.Explanation.load(out / f"{name}-occlusion.npz").maps for name in ("both", "one")]
    np.testing.assert_allclose(maps[0], maps[1], atol=1e-4)


@pytest.mark.slow
def test_a_clip_shorter_than_a_patch_is_refused_or_padded(capsys, tmp_path, out):
    path = sound(tmp_path / "click.wav", noise(0.5))
    status, _, err = call(capsys, "explain", path, "--out", out, *FAST)
    assert status == 1
    message = complaint(err)
    assert str(path) in message and "--pad" in message and "0.50 s" in message
    assert not left(out)
    status, said, err = call(capsys, "explain", path, "--out", out, *FAST, "--pad")
    assert status == 0, err
    assert "(of 1 patch:" in said
    kept, rate = soundfile.read(out / "click-occlusion-kept.mp3")
    assert len(kept) / rate < 0.8  # the silence that was added is not played


@pytest.mark.slow
def test_silence_is_called_silence(capsys, tmp_path, out):
    path = sound(tmp_path / "silence.wav", np.zeros(32_000))
    status, _, err = call(capsys, "explain", path, "--out", out, *FAST, "-m", "gradcam")
    assert status == 1 and "is silent" in err and "silence.wav" in err
    assert not left(out)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--target", "Trombone"], "Dog bark"),
        (["--method", "crystal-ball"], "gradcam"),
        (["--method", "lime", "--set", "lime.luck=7"], "samples"),
        (["--method", "lime", "--set", "lime.samples=many"], "samples is 'many'"),
        (["--method", "lime", "--set", "occlusion.mask=0.1"], "--method occlusion"),
        (["--set", "samples=3"], "METHOD.OPTION=VALUE"),
        (["--keep", "0"], "share above 0"),
        (["--mixer", "words"], "one of none, time, bands, harmonic"),
        (["--model", "nowhere.keras"], "nowhere.keras"),
        (["--labels", "nowhere.txt"], "nowhere.txt"),
        (["--ends-in", "logits"], "lite knows its labels, its front end and its end"),
        (["--activation", "sigmoid"], "activation (--activation)"),
        (["--repeat-channels"], "channels (--repeat-channels)"),
        (["--sample-rate", "16000"], "sample_rate (--sample-rate)"),
        (["--seconds", "2"], "add --sample-rate"),
        (["--seconds", "-2", "--sample-rate", "16000"], "seconds is -2.0"),
    ],
)
def test_wrong_choices_say_what_there_is(capsys, tmp_path, out, arguments, told):
    path = sound(tmp_path / "a.wav")
    status, said, err = call(capsys, "explain", path, "--out", out, *arguments)
    assert (status, said) == (1, "")
    assert told in complaint(err)
    assert not out.exists()


@pytest.mark.slow
def test_a_sound_that_may_not_be_read_does_not_stop_the_others(capsys, tmp_path, out, monkeypatch):
    good, locked = sound(tmp_path / "good.wav"), sound(tmp_path / "locked.wav")
    may = os.access

    def access(place, mode, **more):
        return str(place) != str(locked) and may(place, mode, **more)

    def opened(place, *arguments):
        if str(place) == str(locked):
            raise PermissionError(errno.EACCES, "Permission denied", str(place))
        return open(place, *arguments)

    # For the superuser, who runs some tests, no file is locked.
    monkeypatch.setattr(os, "access", access)
    monkeypatch.setattr(audio, "open", opened, raising=False)
    status, said, err = call(capsys, "explain", good, locked, "--out", out, *FAST)
    assert status == 1 and f"{good}: " in said
    assert f"xaiaudio: Could not read {locked}: Permission denied." in err
    assert (out / "good.html").exists() and not (out / "locked.html").exists()


@pytest.mark.slow
def test_channels_that_cancel_are_said_in_one_line(capsys, tmp_path, out):
    wave = noise(1.5)
    path = sound(tmp_path / "both.wav", np.stack([wave, -wave], axis=1))
    status, _, err = call(capsys, "explain", path, "--out", out, *FAST)
    assert status == 1 and "silent" in err  # the mean is silence: there is nothing to explain
    warning = [line for line in err.splitlines() if line.startswith("Warning: ")]
    assert len(warning) == 1 and f"channels of {path} cancel" in warning[0]
    status, _, err = call(capsys, "explain", path, "--out", out, *FAST, "--channel", "1")
    assert status == 0 and "Warning" not in err


# From the moment that results are written, the system lets this process write no more than 30 kB
# to any file: a disk that fills up half-way.
_FILLING = """
import resource, sys
from xaiaudio import cli
from xaiaudio.pages.clip import ExplainedClip
write = ExplainedClip.write
def limited(self, *given):
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, 30_000))
    return write(self, *given)
ExplainedClip.write = limited
sys.exit(cli.main(sys.argv[1:]))
"""


@pytest.mark.slow
def test_a_disk_that_fills_up_while_a_clip_is_written(tmp_path, out):
    path = sound(tmp_path / "a.wav")
    done = subprocess.run(
        [sys.executable, "-c", _FILLING, "explain", path, "--out", out, *FAST],
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 1
    message = complaint(done.stderr)
    assert str(out) in message and "File too large" in message and "--out" in message
    assert left(out) == []


@pytest.mark.slow
def test_a_full_disk_is_named(capsys, tmp_path, out, monkeypatch):
    path = sound(tmp_path / "a.wav")
    real = Path.write_bytes

    def full(self, data):
        if self.suffix == ".mp3":
            real(self, data[:100])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(self))
        return real(self, data)

    monkeypatch.setattr(Path, "write_bytes", full)
    status, _, err = call(capsys, "explain", path, "--out", out, *FAST)
    assert status == 1
    message = complaint(err)
    assert "No space left on device" in message and str(path) in message
    assert left(out) == []


def _network(tmp_path, build):
    import keras

    inputs = keras.Input((96, 64, 1))
    path = tmp_path / "mine.keras"
    keras.Model(inputs, build(inputs)).save(path)
    (tmp_path / "labels.txt").write_text("knock\nwhistle\n")
    return ("--model", path, "--labels", tmp_path / "labels.txt")


@pytest.mark.slow
def test_a_network_without_convolutions_has_no_gradcam(capsys, tmp_path, out):
    import keras

    def dense(inputs):
        return keras.layers.Dense(2, activation="softmax")(keras.layers.Flatten()(inputs))

    network = _network(tmp_path, dense)
    path = sound(tmp_path / "a.wav")
    status, _, err = call(capsys, "explain", path, *network, "--out", out, "-m", "gradcam")
    assert status == 1
    assert "convolution" in err and str(path) in err and "Traceback" not in err
    assert not left(out)
    # What only asks for answers treats it all the same.
    status, _, err = call(capsys, "explain", path, *network, "--out", out, *FAST)
    assert status == 0, err


@pytest.mark.slow
def test_a_network_in_a_network_is_flattened_and_explained(capsys, tmp_path, out):
    import keras

    def nested(inputs):
        inside = keras.Input((96, 64, 1))
        layers = keras.layers.Conv2D(4, 3, strides=4, activation="relu")(inside)
        base = keras.Model(inside, layers, name="base")
        pooled = keras.layers.GlobalAveragePooling2D()(base(inputs))
        return keras.layers.Dense(2, activation="softmax")(pooled)

    network = _network(tmp_path, nested)
    path = sound(tmp_path / "a.wav")
    status, _, err = call(capsys, "explain", path, *network, "--out", out, "-m", "gradcam")
    assert status == 0, err
    (maps,) = out.glob("*.npz")
    found = xa.Explanation.load(maps)
    wave = xa.load_audio(path, sample_rate=16_000)
    # The same layers one after the other, with the same weights.
    patch = keras.Input((96, 64, 1))
    features = keras.layers.Conv2D(4, 3, strides=4, activation="relu")(patch)
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    flat = keras.Model(patch, keras.layers.Dense(2, activation="softmax")(pooled))
    flat.set_weights(keras.saving.load_model(network[1]).get_weights())
    model = xa.AudioClassifier.from_keras(flat, ["knock", "whistle"])
    patches = model.frontend(wave, overlap=0.5)
    expected = xa.explain(model, patches, found.target_labels, "gradcam")
    np.testing.assert_allclose(found.maps, expected.maps, atol=1e-5)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 not quite", b"\x80\x04pickle"])
def test_damaged_networks_are_named(capsys, tmp_path, out, content):
    network = tmp_path / "damaged.keras"
    network.write_bytes(content)
    path = sound(tmp_path / "a.wav")
    status, _, err = call(capsys, "explain", path, "--model", network, "--out", out)
    assert status == 1
    assert str(network) in complaint(err)


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["<img src=x onerror=alert(1)>.wav", '" autofocus onfocus="alert(1).wav', "[red]x.wav"]
)
def test_names_of_files_do_nothing_in_the_page_or_the_terminal(capsys, tmp_path, out, name):
    path = sound(tmp_path / "plain.wav").rename(tmp_path / name)
    status, said, err = call(capsys, "explain", path, "--out", out, *FAST)
    assert status == 0, err
    assert str(path) in said
    text = (out / f"{Path(name).stem}.html").read_text("utf-8")
    assert "<img src=x" not in text
    assert 'onfocus="alert' not in text
    assert "<h1>" in text and text.count("<h1>") == 1


@pytest.mark.slow
def test_names_that_are_no_text_are_shown_as_well_as_can_be(capsys, tmp_path, out):
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.wav")
    try:
        sound(tmp_path / "plain.wav").rename(path)
    except OSError:
        pytest.skip("this file system takes only names in UTF-8")
    status, _, err = call(capsys, "explain", path, "--out", out, *FAST)
    assert status == 0, err
    assert (out / "??.html").exists()


@pytest.mark.slow
def test_long_names_leave_room_for_the_endings(capsys, tmp_path, out):
    path = sound(tmp_path / ("n" * 240 + ".wav"))
    status, _, err = call(capsys, "explain", path, "--out", out, *FAST)
    assert status == 0, err


@pytest.mark.parametrize(
    "words", [("explain", ""), ("corpus", "explain", ""), ("explain", "a.wav", "--model", "")]
)
def test_an_empty_argument_is_not_the_folder_that_one_is_in(capsys, tmp_path, monkeypatch, words):
    monkeypatch.chdir(sound(tmp_path / "a.wav").parent)
    status, said, err = call(capsys, *words)
    assert (status, said) == (1, "") and "One of the arguments is empty" in complaint(err)
    assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
