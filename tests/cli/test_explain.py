"""``xaiaudio explain``: what it prints and what it writes."""

import base64
import io
import re
import signal
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
from commands import QUICK, RATE, call, complaint, noise, sound

import xaiaudio as xa
from xaiaudio.cli import explain
from xaiaudio.cli.explain import _answer, _stems
from xaiaudio.pages.mixer import CUTS


class Page(HTMLParser):
    """What a page holds."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data):
        self.words += data

    def all(self, name):
        return [attributes for tag, attributes in self.tags if tag == name]


@pytest.fixture
def clip(tmp_path):
    return sound(tmp_path / "noise.wav")


@pytest.mark.slow
def test_explain_writes_picture_sounds_maps_and_page(capsys, tmp_path, clip):
    out = tmp_path / "out"
    status, said, _ = call(
        capsys, "explain", clip, "--out", out, "--method", "gradcam", *QUICK, "--overlap", "0"
    )
    assert status == 0
    names = {path.name for path in out.iterdir()}
    assert names == {
        "noise.html",
        "noise.png",
        *(
            f"noise-{method}{end}"
            for method in ("gradcam", "occlusion")
            for end in (".npz", "-kept.mp3", "-removed.mp3")
        ),
    }
    model = xa.load_model("lite")
    wave = xa.load_audio(clip)
    expected = model.predict_clip(wave, overlap=0)
    assert f"{clip}: {expected.label} (of 2 patches" in said
    assert f"{expected.label} {expected.shares[expected.label]:.0%}" in said
    # The maps are those of the library.
    saved = xa.Explanation.load(out / "noise-occlusion.npz")
    patches = model.frontend.with_overlap(0)(wave)
    again = xa.explain(model, patches, expected.label, "occlusion", mask=0.5, stride=0.5)
    np.testing.assert_allclose(saved.maps, again.maps, atol=1e-6)
    assert saved.target_labels == [expected.label] * 2
    decoded, rate = soundfile.read(out / "noise-gradcam-kept.mp3")
    assert rate == RATE and len(decoded) == pytest.approx(len(wave), abs=3000)


@pytest.mark.slow
def test_the_page_holds_everything_and_reaches_for_nothing(capsys, tmp_path, clip):
    call(capsys, "explain", clip, "--out", tmp_path, "--method", "gradcam", *QUICK)
    text = (tmp_path / "noise.html").read_text("utf-8")
    page = Page(text)
    images, players = page.all("img"), page.all("audio")
    assert len(images) == 1 + 1 + 2  # the mixer's, all methods together, then each
    for image in images:
        assert image["src"].startswith("data:image/png;base64,")
        assert len(image["alt"]) > 30
    assert len(players) == 1 + 2 * 3
    for player in players:
        assert player["src"].startswith("data:audio/mpeg;base64,")
        assert player["preload"] == "none" and player["aria-label"]
    # Scripts of its own: they let one sound play at a time, and mix the parts.
    scripts = page.all("script")
    assert scripts and all("src" not in script for script in scripts) and not page.all("link")
    # Addresses may be named in the text; nothing is loaded from one.
    assert not re.search(r"(src|href|url\()[\"'= (]*(https?:)?//", text)
    assert page.all("html")[0]["lang"] == "en"
    assert "width=device-width" in page.all("meta")[1]["content"]
    assert "prefers-color-scheme: dark" in text
    assert "of the energy" in page.words
    assert (tmp_path / "noise.html").stat().st_size < 4_000_000


@pytest.mark.slow
def test_the_player_plays_the_clip(capsys, tmp_path, clip):

    call(capsys, "explain", clip, "--out", tmp_path, *QUICK)
    page = Page((tmp_path / "noise.html").read_text("utf-8"))
    data = base64.b64decode(page.all("audio")[0]["src"].partition(",")[2])
    decoded, rate = soundfile.read(io.BytesIO(data))
    assert len(decoded) / rate == pytest.approx(2, abs=0.2)


@pytest.mark.slow
def test_another_class_can_be_explained(capsys, tmp_path, clip):
    answer = xa.load_model("lite").predict_clip(xa.load_audio(clip)).label
    other = "Rooster" if answer != "Rooster" else "Rain"
    status, said, _ = call(capsys, "explain", clip, "--out", tmp_path, "--target", other, *QUICK)
    assert status == 0 and f"explained: {other}" in said
    assert set(xa.Explanation.load(tmp_path / "noise-occlusion.npz").target_labels) == {other}


@pytest.mark.slow
def test_files_of_the_same_name_do_not_overwrite_each_other(capsys, tmp_path):
    files = [sound(tmp_path / name) for name in ("a/x.wav", "b/x.wav", "b/x.flac")]
    out = tmp_path / "out"
    status, _, _ = call(capsys, "explain", *files, "--out", out, *QUICK)
    assert status == 0
    assert {path.name for path in out.glob("*.html")} == {
        *("x.html", "x-2.html", "x-3.html", "index.html")
    }


@pytest.mark.slow
def test_a_network_of_ones_own_with_labels(capsys, tmp_path, clip):
    import keras

    inputs = keras.Input((96, 64, 1))
    features = keras.layers.Conv2D(4, 3, strides=2, activation="relu")(inputs)
    pooled = keras.layers.GlobalAveragePooling2D()(features)
    answer = keras.layers.Dense(2, activation="softmax")(pooled)
    keras.Model(inputs, answer).save(tmp_path / "mine.keras")
    (tmp_path / "labels.txt").write_text("\ufeffknock\r\n\r\nwhistle\r\n", encoding="utf-8")
    with_labels = ("--labels", tmp_path / "labels.txt", "--target", "whistle")
    status, said, err = call(
        capsys,
        "explain",
        clip,
        "--model",
        tmp_path / "mine.keras",
        *with_labels,
        "--out",
        tmp_path / "out",
        "-m",
        "gradcam",
    )
    assert status == 0, err
    assert "knock" in said or "whistle" in said
    saved = xa.Explanation.load(tmp_path / "out" / "noise-gradcam.npz")
    assert saved.labels == ("knock", "whistle")


@pytest.mark.slow
def test_ctrl_c_ends_with_130_and_leaves_nothing_half_written(tmp_path):
    long = sound(tmp_path / "long.wav", noise(120))
    out = tmp_path / "out"
    process = subprocess.Popen(
        [sys.executable, "-m", "xaiaudio", "explain", long, "--out", out, "-m", "lime"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # A job that a shell started in the background never hears Ctrl-C: undo that.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    for line in process.stderr:
        if "lime ..." in line:
            break
    time.sleep(1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped." in err and "Traceback" not in err
    assert not out.exists() or not list(out.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("chosen, unit", [((), "logit"), (("scores",), "probability")])
def test_explain_follows_the_logit_unless_told_otherwise(capsys, tmp_path, clip, chosen, unit):
    more = [word for name in chosen for word in ("--set", f"occlusion.output={name}")]
    status, _, _ = call(capsys, "explain", clip, "--out", tmp_path, *QUICK, *more)
    assert status == 0
    assert xa.Explanation.load(tmp_path / "noise-occlusion.npz").unit == unit
    assert f"The largest effect on the {unit} is" in (tmp_path / "noise.html").read_text()


@pytest.mark.slow
def test_another_output_is_refused_once(capsys, tmp_path, clip):
    given = ("--out", tmp_path, *QUICK, "--set", "occlusion.output=loss")
    status, said, err = call(capsys, "explain", clip, clip, *given)
    assert status == 1 and not said
    assert err.count("output is 'loss': it must be one of") == 1


@pytest.mark.slow
def test_a_method_that_is_trained_first_says_how(capsys, tmp_path, clip):
    status, _, err = call(capsys, "explain", clip, "--out", tmp_path / "out", "-m", "l2i")
    assert status == 1
    assert "l2i has to be trained first: Explainer.fit('l2i', model, clips)" in err
    assert "Traceback" not in err


@pytest.mark.slow
def test_classes_that_do_not_exclude_each_other_are_told_one_by_one(capsys, tmp_path):
    """By --top, with what of the sound the network cannot hear."""
    import keras

    patch = keras.Input((12, 8, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(patch)
    last = keras.layers.Dense(3, activation="sigmoid")
    network = keras.Model(patch, last(pooled))
    last.set_weights([np.zeros((1, 3)), np.array([2.0, 1.0, -2.0])])
    model = xa.AudioClassifier.from_keras(
        network, ["Hum", "Rain", "Bell"], xa.LogMel(frames=12, bands=8)
    )
    file = model.save(tmp_path / "several.keras")
    t = np.arange(48_000) / 48_000
    wave = 0.3 * np.sin(2 * np.pi * 1000 * t) + 0.1 * np.sin(2 * np.pi * 15_000 * t)
    sound = tmp_path / "bat.wav"
    soundfile.write(sound, wave, 48_000)
    asked = ("explain", sound, "--model", file, "--method", "occlusion", "--mixer", "none")
    status, said, _ = call(capsys, *asked, "--out", tmp_path / "out")
    assert status == 0
    lines = said.splitlines()
    assert lines[0] == f"{sound}: Hum (88%) and Rain (73%); explained:"
    assert re.fullmatch(r"  Hum \(88% from 0.01 to 0.13 s, heard for \d.\d\d s\)", lines[1])
    assert lines[2].startswith("  Rain (73% ") and "vote" not in said
    unheard = "10% of the sound's energy lies above 7500 Hz, where the network hears nothing."
    assert lines[3] == f"  {unheard}"
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"bat-occlusion.npz", "bat--rain-occlusion.npz", "bat--rain.png"} <= names
    status, said, _ = call(capsys, *asked, "--top", "1", "--out", tmp_path / "one")
    assert status == 0 and "  Rain" not in said
    status, _, told = call(capsys, *asked, "--target", "Bel", "--out", tmp_path / "none")
    assert status == 1 and "did you mean 'Bell'?" in told


def test_the_command_names_the_cuts_of_the_page():
    assert explain.CUTS == CUTS


def test_names_of_results_differ_whatever_the_case_and_leave_room_for_endings():
    files = [Path(name) for name in ("a/x.wav", "b/X.wav", "x-2.flac", "index.wav", "ü" * 200)]
    stems = _stems(files)
    assert stems[:4] == ["x", "X-2", "x-2-2", "index-2"]
    assert len({stem.lower() for stem in stems}) == 5 and len(stems[4].encode()) <= 180
    assert set(stems[4]) == {"ü"}  # no letter is cut in two


@pytest.mark.slow
@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--keep", "nan"), "share above 0"),
        (("--keep", "1.5"), "share above 0"),
        (("--threshold", "0"), "above 0 and up to 1"),
        (("--mixer", "words"), "one of none, time, bands, harmonic"),
    ],
)
def test_numbers_that_make_no_sense_are_told_at_once(capsys, clip, words, told):
    status, said, err = call(capsys, "explain", clip, *words)
    assert (status, said) == (1, "") and told in complaint(err)


def test_an_answer_names_the_best_shares_and_what_had_no_vote():
    shares = {"Rain": 0.25, "Dog": 0.5, "Sea": 0.25, "Clock": 0.0}
    prediction = SimpleNamespace(label="Dog", shares=shares, voted=np.array([1, 1, 1, 1]), quiet=2)
    clip = SimpleNamespace(tags=None, prediction=prediction, target="Rain")
    assert _answer(clip) == (
        "Dog (of 4 patches: Dog 50%, Rain 25%, Sea 25%); 2 silent, without a vote; explained: Rain"
    )
    prediction.quiet, clip.target = 0, "Dog"
    assert _answer(clip) == "Dog (of 4 patches: Dog 50%, Rain 25%, Sea 25%)"
