"""Long sounds on the command line: which become a timeline, and which seconds are meant."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from long_sounds import network, stereo

from xaiaudio import cli
from xaiaudio.cli.long import Stretch, idle, readable
from xaiaudio.errors import XaiAudioError


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    return str(network().save(tmp_path_factory.mktemp("model") / "small.keras"))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("sounds") / "field.wav"
    soundfile.write(path, stereo(61, 8_000), 8_000)
    return path


def explain(file, out, model, *more):
    given = ("explain", str(file), "--model", model, "-m", "gradcam", "--mixer", "none")
    return cli.main([*given, "--out", str(out), *more])


@pytest.mark.slow
def test_a_sound_of_a_minute_becomes_a_timeline(file, model, tmp_path, capfd):
    assert explain(file, tmp_path, model, "--threshold", "0.34", "--top", "1") == 0
    assert "events in 1:01.0, explained:" in capfd.readouterr().out
    made = {path.name for path in tmp_path.iterdir()}
    assert made == {"field.html", "field.png", "field-events.csv"}


@pytest.mark.slow
def test_some_seconds_of_it_are_a_clip(file, model, tmp_path):
    assert explain(file, tmp_path, model, "--from", "0:30", "--to", "32.5") == 0
    page = (tmp_path / "field.html").read_text()
    assert "30.00 s to 32.50 s of the file" in page
    assert not (tmp_path / "field-events.csv").exists()


@pytest.mark.slow
def test_some_seconds_of_it_can_be_a_timeline(file, model, tmp_path):
    assert explain(file, tmp_path, model, "--from", "50", "--timeline", "--threshold", "0.34") == 0
    assert "listened to 50.0 s to 1:01.0" in (tmp_path / "field.html").read_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--from", "1:30"), "lasts 1:01.0: there is nothing from 1:30.0 on"),
        (("--from", "soon"), "--from 'soon' is no time"),
        (("--from", "0:40", "--to", "0:30"), "--to is 30.0 s: it must come after --from, 40.0 s"),
        (("--from", "3", "--to", "3.1"), "from --from to --to lasts 0.10 s, but one patch takes"),
        (("--timeline", "--to", "0.1"), "lasts 0.10 s, but one patch takes 0.26 s"),
        (("--threshold", "1.5"), "--threshold is 1.5"),
    ],
)
def test_mistakes_are_one_line(file, model, tmp_path, capfd, more, message):
    assert explain(file, tmp_path, model, *more) == 1
    said = capfd.readouterr().err
    assert message in said and "Traceback" not in said
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("seconds", "wanted", "long"),
    [(59.9, None, False), (60, None, True), (60, False, False), (1, True, True)],
)
def test_how_long_is_long(tmp_path, seconds, wanted, long):
    soundfile.write(tmp_path / "x.wav", np.zeros(round(seconds * 8_000)), 8_000)
    assert readable([tmp_path / "x.wav"], Stretch(), wanted) == {tmp_path / "x.wav": long}
    assert readable([tmp_path / "x.wav"], Stretch(0.5), None)[tmp_path / "x.wav"] is False


def test_a_file_that_does_not_say_how_long_it_is(tmp_path):
    data = bytearray()
    soundfile.write(tmp_path / "x.flac", np.zeros(61 * 8_000), 8_000)
    data += (tmp_path / "x.flac").read_bytes()
    data[21] &= 0xF0
    data[22:26] = bytes(4)
    (tmp_path / "x.flac").write_bytes(data)
    assert readable([tmp_path / "x.flac"], Stretch(), None) == {tmp_path / "x.flac": True}


def test_files_that_are_no_sounds_are_complained_of_at_once(tmp_path, capfd):
    (tmp_path / "x.wav").write_text("no sound")
    assert readable([tmp_path / "x.wav", tmp_path / "none.wav"], Stretch(), None) == {}
    said = capfd.readouterr().err
    assert "x.wav" in said and "There is no file" in said


def test_a_span_is_what_it_says():
    assert Stretch.of("1:00", "1:02:03", 1) == Stretch(60.0, 3723.0, 1)
    with pytest.raises(XaiAudioError, match="--to is 0.0 s"):
        Stretch.of(None, "0", None)


@pytest.mark.slow
def test_options_that_do_nothing_for_timelines_are_named(file, model, tmp_path, capfd):
    asked = ("--sound", "wav", "--threshold", "0.34", "--top", "1")
    assert explain(file, tmp_path, model, *asked) == 0
    said = [line for line in capfd.readouterr().err.splitlines() if "does nothing" in line]
    assert len(said) == 1 and "field.wav becomes a timeline" in said[0] and "--sound wav" in said[0]
    assert not list(tmp_path.glob("*-kept.*"))


@pytest.mark.slow
def test_padding_does_not_make_a_timeline_of_less_than_a_patch(file, model, tmp_path, capfd):
    cut = ("--timeline", "--to", "0.1", "--pad")
    assert explain(file, tmp_path, model, *cut) == 1
    assert "--pad does nothing there. --no-timeline" in capfd.readouterr().err
    assert explain(file, tmp_path, model, "--no-timeline", *cut[1:]) == 0
    assert "does nothing" not in capfd.readouterr().err


def test_only_timelines_are_spoken_of():
    short, long = Path("a.wav"), Path("b.wav")
    assert idle({short: False}, "wav", True) == idle({long: True}, "mp3", False) == []
    both, _ = idle({short: False, long: True}, "wav", True)
    assert both.startswith("1 of 2 sounds becomes a timeline")
