"""What a file is, by its first bytes: for messages about files that hold no sound we can read."""

from __future__ import annotations

import shlex
from pathlib import Path

# First bytes, what such a file is, and what to do with it; an empty cure is ffmpeg's.
_KINDS = (
    (b"\x00\x05\x16\x07", "macOS's companion of a file (AppleDouble)", "take the file without ._"),
    (b"PK\x03\x04", "a zip archive", "unpack it"),
    (b"\x1f\x8b", "a gzip archive", "unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"%PDF", "a PDF document", "name a sound"),
    (b"\x89PNG", "a picture (PNG)", "name a sound"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "name a sound"),
    (b"GIF8", "a picture (GIF)", "name a sound"),
    (b"MThd", "notes without sound (MIDI)", "play it with a synthesizer and record that"),
    (b"\x93NUMPY", "a NumPy array", "write it with xaiaudio.save_audio"),
    (b"\x89HDF", "an HDF5 file", "name a sound"),
    (b"RIFF", "a damaged WAV file", ""),
    (b"RIFX", "a damaged WAV file", ""),
    (b"RF64", "a damaged WAV file", ""),
    (b"fLaC", "a damaged FLAC file", ""),
    (b"OggS", "a damaged Ogg file, or one of another codec", ""),
    (b"ID3", "a damaged MP3 file", ""),
    (b"FORM", "an AIFF file, damaged or of another codec", ""),
    (b"caff", "a CAF file, damaged or of another codec", ""),
    (b"\x1a\x45\xdf\xa3", "a WebM or Matroska file, damaged or of another codec", ""),
    (b"\x30\x26\xb2\x75", "a WMA file, damaged, protected or of another codec", ""),
    (b"#!AMR", "a damaged AMR file", ""),
    (b"#!SILK", "a SILK file of a messenger", "convert it with a SILK decoder"),
)


def describe(path: Path, head: bytes) -> str:
    """Say in one sentence what a file is that cannot be read as sound, and what to do.

    Parameters
    ----------
    path : Path
    head : bytes
        The file's first kilobytes.
    """
    what, cure = _kind(head)
    cure = cure or convert(path)
    return f"{path} cannot be read as sound: it is {what}. {cure[0].upper()}{cure[1:]}."


def convert(path: Path) -> str:
    """Return the advice to convert a file, with ffmpeg's command, as the rest of a sentence."""
    name = path.name.encode("utf-8", "replace").decode()
    wav = f"{Path(name).stem}{'-converted' if path.suffix.lower() == '.wav' else ''}.wav"
    wav = f"./{wav}" if wav.startswith("-") else wav  # else ffmpeg takes it for an option
    return f"if a player plays it, convert it (ffmpeg -i {shlex.quote(name)} {shlex.quote(wav)})"


def _kind(head: bytes) -> tuple[str, str]:
    for magic, what, cure in _KINDS:
        if head.startswith(magic):
            return what, cure
    if head[4:8] == b"ftyp":
        return "an MP4 (m4a) file, damaged, protected or of another codec", ""
    if not head.strip(b"\0"):
        return "filled with zeros", "it was perhaps never fully copied"
    try:
        text = head.decode("utf-8").lstrip("\ufeff \t\r\n").lower()
    except UnicodeDecodeError:
        return "another kind of file, or damaged", ""
    if text.startswith(("<!doctype html", "<html")):
        return "a web page (HTML)", "download the sound itself"
    if text.startswith("#extm3u"):
        return "a playlist", "name a sound"
    if text.isprintable() or not any(letter < " " and letter not in "\t\r\n" for letter in text):
        return "text", "name a sound"
    return "another kind of file, or damaged", ""
