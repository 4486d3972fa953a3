"""What the commands ask for alike: ``--labels`` and ``--set``."""

from __future__ import annotations

import ast
from pathlib import Path

from ..errors import XaiAudioError

MAX_LABELS = 1 << 20  # bytes
# For a first look: half of the library's own samples is enough, and twice as fast.
QUICK = {"lime": {"samples": 500}}


def read_labels(path: Path | None) -> list[str] | None:
    """Return the classes that a text file names, one per line; None without a file."""
    if path is None:
        return None
    if path.exists() and not path.is_file():
        raise XaiAudioError(f"{path} is no regular file: name a text file with one class per line.")
    try:
        if path.stat().st_size > MAX_LABELS:
            raise XaiAudioError(
                f"{path} has more than {MAX_LABELS >> 20} MB: is it a list of labels?"
            )
        # Windows' Notepad begins a file with a mark, which is not part of the first label.
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise XaiAudioError(
            f"Could not read the labels in {path}: {reason}. Name a text file with one class per "
            "line."
        ) from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise XaiAudioError(f"{path} holds no labels: write one class per line.")
    return names


def read_options(given, methods) -> dict[str, dict]:
    """Read ``method.option=value``; a value is a Python literal or else a text."""
    options = {name: dict(quick) for name, quick in QUICK.items() if name in methods}
    for text in given:
        name, equals, value = text.partition("=")
        method, dot, option = name.partition(".")
        if not (equals and dot and option):
            raise XaiAudioError(
                f"--set {text} is not understood: write METHOD.OPTION=VALUE, such as "
                "lime.samples=500."
            )
        if method not in methods:
            raise XaiAudioError(
                f"--set {text} is for {method!r}, but the methods are {', '.join(methods)}: add "
                f"--method {method}."
            )
        try:
            parsed = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            parsed = value
        options.setdefault(method, {})[option] = parsed
    return options
