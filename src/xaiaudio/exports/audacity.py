r"""Label tracks of Audacity: start, end and label, separated by tabs; a second line has the band.

A line that begins with ``\`` belongs to the one above it and holds the lower and the upper
frequency. Times are in seconds and frequencies in hertz, with a point whatever the language.
"""

from __future__ import annotations

from typing import Any

from ..errors import XaiAudioError
from .rows import one_line


def encode(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a label track, in the order of time.

    Tabs and ends of lines in a label become spaces. A share or a score is part of the label, and so
    is the name of a part.
    """
    return "".join(map(_lines, sorted(rows, key=_place))).encode("utf-8")


def _place(row) -> tuple[float, float]:
    missing = [name for name in ("start_s", "end_s") if row.get(name) is None]
    if missing:
        raise XaiAudioError(f"A label needs a place in time, but a row has no {missing[0]}.")
    return row["start_s"], row["end_s"]


def _lines(row: dict[str, Any]) -> str:
    texts = [one_line(row.get(name)) for name in ("class", "part")]
    share = row.get("score") if row.get("share") is None else row["share"]
    texts.append("" if share is None else f"{share:.0%}")
    label = ", ".join(filter(None, texts))
    lines = f"{row['start_s']:.6f}\t{row['end_s']:.6f}\t{label}\n"
    if row.get("low_hz") is not None and row.get("high_hz") is not None:
        lines += f"\\\t{row['low_hz']:.6f}\t{row['high_hz']:.6f}\n"
    return lines
