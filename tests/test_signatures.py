"""What a file is by its first bytes, and what can be done with it."""

import shlex
from pathlib import Path

import pytest
import soundfile
from commands import sound

from xaiaudio import signatures
from xaiaudio.signatures import convert, describe


@pytest.mark.parametrize("magic, what, cure", signatures._KINDS)
def test_each_kind_is_told_with_a_cure(magic, what, cure):
    told = describe(Path("x.wav"), magic + bytes(range(256)))
    assert told.startswith(f"x.wav cannot be read as sound: it is {what}. ")
    rest = told.split(f"{what}. ")[1]
    if cure:
        assert rest == f"{cure[0].upper()}{cure[1:]}."
    else:
        assert rest.startswith("If a player plays it, convert it (ffmpeg -i x.wav ")


def test_no_kind_hides_another():
    for place, (magic, what, _) in enumerate(signatures._KINDS):
        for other, told, _ in signatures._KINDS[:place]:
            assert not magic.startswith(other) or what == told


REAL = {"WAV": "WAV", "RF64": "WAV", "FLAC": "FLAC", "OGG": "Ogg", "AIFF": "AIFF", "CAF": "CAF"}


@pytest.mark.parametrize("kind, what", REAL.items())
def test_real_files_are_known_by_their_beginning(tmp_path, kind, what):
    path = tmp_path / "x"
    if kind not in soundfile.available_formats():
        pytest.skip(f"libsndfile writes no {kind}")
    sound(path, format=kind)
    assert what in describe(path, path.read_bytes()[:4096])


@pytest.mark.parametrize(
    "head, what",
    [
        (b"\x00\x00\x00\x20ftypM4A ", "an MP4"),
        (bytes(300), "filled with zeros"),
        (b"", "filled with zeros"),
        (b"\xef\xbb\xbf  <!DOCTYPE html>", "a web page"),
        (b"\n<HTML lang=en>", "a web page"),
        (b"#EXTM3U\n#EXTINF", "a playlist"),
        ("Zeit, Höhe\r\n\t1".encode(), "text"),
        (b"abc\x07def", "another kind of file"),
        (b"\xff\xfe\xfd", "another kind of file"),
    ],
)
def test_what_has_no_signature_is_known_by_what_is_in_it(head, what):
    assert f"it is {what}" in describe(Path("x"), head)


@pytest.mark.parametrize("name", ["a b.m4a", "it's.wma", "$(rm x).ogg", "-x.mp3", "a;b.caf"])
def test_the_command_is_safe_to_paste(name):
    command = convert(Path("folder") / name).split("convert it (")[1][:-1]
    words = shlex.split(command)
    wav = Path(name).stem + ".wav"
    assert words == ["ffmpeg", "-i", name, f"./{wav}" if wav[0] == "-" else wav]


def test_a_wav_is_not_written_over_itself():
    assert convert(Path("A.WAV")).endswith("(ffmpeg -i A.WAV A-converted.wav)")


def test_names_that_are_no_text_are_told():
    assert "caf?.m4a" in convert(Path("caf\udce9.m4a"))
