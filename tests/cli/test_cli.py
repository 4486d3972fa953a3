"""The command line: what it prints, what it writes, how it ends."""

import io
import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import soundfile
from commands import RATE, call, complaint, noise, run, sound

import xaiaudio as xa
from xaiaudio import cli
from xaiaudio.cli import methods

ROOT = Path(__file__).parents[2]


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


# A method that is quick.
QUICK = ("--method", "occlusion", "--set", "occlusion.mask=0.5", "--set", "occlusion.stride=0.5")


# What takes a second or more to import, and no help text needs.
SLOW = ("tensorflow", "keras", "matplotlib", "sklearn", "skimage", "pandas", "papermill", "sphinx")


def test_help_teaches():
    done = run("--help")
    assert done.returncode == 0
    assert "xaiaudio explain dog.wav" in done.stdout


@pytest.mark.slow
def test_help_waits_for_no_slow_package():
    code = (
        "import sys; from xaiaudio import cli\n"
        "try: cli.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"sys.exit(', '.join(set({SLOW}) & set(sys.modules)) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "xaiaudio COMMAND --help" in done.stdout
    assert done.returncode == 0, done.stderr


def test_every_command_has_help_with_examples():
    text = cli.help_text()
    for command in ("explain", "train", "pretrain", "methods", "book", "data"):
        part = text[text.index(f"Usage: xaiaudio {command}") :]
        assert f"xaiaudio {command}" in part[part.index("Examples:") :]
    for command in ("fetch", "list", "info"):
        assert f"Usage: xaiaudio data {command}" in text


def test_the_help_of_train_names_the_designs():
    from xaiaudio.models.designs.registry import known

    text = cli.help_text()
    listed = text[text.index("There are pecmae") :].partition(";")[0]
    assert set(re.findall("[a-z]+", listed)) - {"here", "are", "and"} == set(known())


def test_version(capsys):
    status, out, _ = call(capsys, "--version")
    assert (status, out.strip()) == (0, f"xaiaudio {xa.__version__}")


@pytest.mark.parametrize(
    "arguments",
    [
        ["explain"],
        ["explain", "x.wav", "--no-such-option"],
        ["explain", "x.wav", "--overlap", "2"],
        ["no-such-command"],
        ["train"],
        ["book", "--workers", "0"],
    ],
)
def test_mistyped_commands_end_with_2(capsys, arguments):
    status, out, err = call(capsys, *arguments)
    assert status == 2
    assert "Error" in err and not out
    assert "Traceback" not in err


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
    import base64

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


def test_methods_lists_them_all(capsys):
    status, out, _ = call(capsys, "methods")
    assert status == 0
    for name in {**xa.methods(), **xa.methods(trained=True)}:
        assert name in out
    assert "samples=" in out and "components=100" in out


def test_the_table_of_methods_is_what_they_say_of_themselves():
    assert json.loads(methods.LISTED.read_text(encoding="utf-8")) == methods.rows()  # make format


def interrupted_at(module, folder, *command):
    """Run a command to which Ctrl-C comes as it imports a module."""
    (folder / f"{module}.py").write_text("import signal\nsignal.raise_signal(signal.SIGINT)\n")
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": f"{folder}:{os.environ.get('PYTHONPATH', '')}"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def test_ctrl_c_during_the_imports_ends_with_130_and_one_line(tmp_path):
    pyproject = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    module, _, name = pyproject["project"]["scripts"]["xaiaudio"].partition(":")
    script = f"import sys; from {module} import {name}; sys.exit({name}())"
    for start in (("-m", "xaiaudio"), ("-c", script)):
        done = interrupted_at("typer", tmp_path, sys.executable, *start, "--version")
        assert (done.returncode, done.stdout, done.stderr) == (130, "", "Stopped.\n"), start


@pytest.mark.slow
def test_a_table_and_help_start_without_tensorflow():
    code = (
        "import sys; from xaiaudio.cli import main\n"
        "for words in (['--help'], ['methods'], ['data', 'list'], ['explain', '--help']):\n"
        "    assert main(words) == 0, words\n"
        "assert not {'tensorflow', 'keras', 'sklearn'} & set(sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "gradcam" in done.stdout


@pytest.mark.slow
def test_tensorflow_starts_without_scikit_learn_which_is_there_all_the_same():
    code = (
        "import sys; from xaiaudio.cli.console import start_tensorflow\n"
        "start_tensorflow()\n"
        "assert 'keras' in sys.modules and 'sklearn' not in sys.modules\n"
        "import xaiaudio as xa, numpy as np\n"
        "xa.load_model('lite').scores(np.zeros((1, 96, 64)))\n"
        "assert 'sklearn' not in sys.modules and 'scipy.stats' not in sys.modules\n"
        "from sklearn.linear_model import Ridge\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_train_then_explain_with_what_was_learnt(capsys, tmp_path):
    rng = np.random.default_rng(0)
    time_ = np.arange(RATE) / RATE
    for number in range(5):
        tone = 0.3 * np.sin(2 * np.pi * rng.uniform(400, 600) * time_)
        sound(tmp_path / "sounds" / "tone" / f"{number}.wav", tone)
        sound(tmp_path / "sounds" / "hiss" / f"{number}.wav", noise(1.0, seed=number))
    out = tmp_path / "mine.keras"
    rates = ("--learning-rate", "0.05", "--halve-every", "30", "--epochs", "30")
    status, said, err = call(capsys, "train", tmp_path / "sounds", "--freeze", *rates, "--out", out)
    assert status == 0, err
    assert "Held out (fold 5)" in said and "100.0% of clips" in said
    assert xa.load_model(out).labels == ("hiss", "tone")
    assert xa.load_model(out).name == "mine"  # not that of the network it was made from
    status, said, _ = call(
        capsys,
        "explain",
        tmp_path / "sounds" / "tone" / "4.wav",
        "--model",
        out,
        "--out",
        tmp_path / "o",
        *QUICK,
    )
    assert status == 0 and "4.wav: tone" in said


@pytest.mark.slow
def test_train_a_design_and_compare_it(capsys, tmp_path):
    time_ = np.arange(RATE) / RATE
    for number in range(5):
        tone = 0.3 * np.sin(2 * np.pi * (450 + 20 * number) * time_)
        sound(tmp_path / "sounds" / "tone" / f"{number}.wav", tone)
        sound(tmp_path / "sounds" / "hiss" / f"{number}.wav", noise(1.0, seed=number))
    out = tmp_path / "mine.keras"
    options = ("--design", "pecmae", "--set", "pecmae.per_class=2", "--out", out)
    status, said, err = call(capsys, "train", tmp_path / "sounds", *options)
    assert status == 0, err
    assert "training pecmae on lite with 8 clips, 2 clips held out ..." in err
    assert "Held out (fold 5)" in said and "plain" in said
    model = xa.load_model(out)
    assert (model.design, len(model.parts), model.name) == ("pecmae", 4, "mine")


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (["--design", "pecma"], "did you mean 'pecmae'"),
        (["--design", "pecmae", "--epochs", "3"], "--epochs is not for a design"),
        (["--design", "pecmae", "--set", "pecmae.perclass=3"], "did you mean 'per_class'"),
        (["--set", "pecmae.per_class=3"], "add --design"),
        (["--design", "pecmae", "--set", "apnet.seed=3"], "write --set pecmae.seed=3"),
        (["--design", "pecmae", "--set", "seed=3"], "such as pecmae.seed=1"),
        (["--design", "pecmae", "--set", "pecmae.alpha=much"], "a finite number is needed"),
    ],
)
def test_what_a_design_does_not_take(capsys, tmp_path, given, told):
    for label in ("tone", "hiss"):
        sound(tmp_path / "sounds" / label / "1.wav", noise(1.0, seed=1))
    status, _, err = call(
        capsys, "train", tmp_path / "sounds", *given, "--out", tmp_path / "x.keras"
    )
    assert status == 1 and told in err and len(err.strip().splitlines()) <= 2


@pytest.mark.slow
def test_pretrain_writes_a_network(capsys, tmp_path, monkeypatch):
    for label in xa.datasets.CLASSES:
        for fold in range(1, 6):
            path = tmp_path / "esc10" / label / f"{fold}-{fold}-A.wav"
            sound(path, noise(1.0, seed=len(label) + fold))
    monkeypatch.setenv("XAIAUDIO_ESC10", str(tmp_path / "esc10"))
    out = tmp_path / "small.keras"
    status, said, err = call(capsys, "pretrain", "--epochs", "1", "--out", out)
    assert status == 0, err
    assert "of clips" in said
    assert xa.load_model(out).labels == xa.datasets.CLASSES


def test_data_list_and_info(capsys, tmp_path):
    for label, count in (("knock", 3), ("whistle", 2)):
        for number in range(count):
            sound(tmp_path / "mine" / label / f"{number}.wav")
    status, out, _ = call(capsys, "data", "list")
    assert status == 0 and "synthetic" in out and "esc10" in out
    status, out, _ = call(capsys, "data", "info", tmp_path / "mine")
    assert status == 0
    assert re.search(r"knock +3", out) and re.search(r"whistle +2", out) and "all" in out


def test_book_hands_its_options_on(capsys, monkeypatch):
    from xaiaudio import publishing

    asked = {}
    monkeypatch.setattr(publishing, "build", lambda *given, **more: asked.update(more, p=given))
    given = ("--profile", "mini", "--workers", "2", "--no-render", "--due", "--note")
    given += ("--minutes", "30")
    status, _, _ = call(capsys, "book", *given)
    assert status == 0
    assert asked.pop("p") == ("mini",)
    assert asked.pop("due") is True and asked.pop("note") is True
    assert asked.pop("minutes") == 30
    assert asked == {"seed": 0, "check": True, "workers": 2, "only": (), "render": False}
    monkeypatch.setattr(
        publishing, "renew_baselines", lambda *given, **more: asked.update(more, p=given)
    )
    assert call(capsys, "book", "--renew-baselines", "--seeds", "4")[0] == 0
    assert asked["seeds"] == 4


def test_book_without_its_extra_says_how_to_install_it(capsys, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "papermill" else real(name)
    )
    status, _, err = call(capsys, "book")
    assert status == 1
    assert 'pip install "xaiaudio[book]"' in complaint(err)


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
