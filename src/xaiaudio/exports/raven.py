"""Selection tables of Raven: tab-separated, one line of titles, sorted by the begin time."""

from __future__ import annotations

from typing import Any

from ..errors import XaiAudioError
from .rows import columns_of, one_line

# What Raven asks for, by our names; all else follows as columns of ours.
_PLACES = {
    "start_s": "Begin Time (s)",
    "end_s": "End Time (s)",
    "low_hz": "Low Freq (Hz)",
    "high_hz": "High Freq (Hz)",
}


def encode(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a selection table of the first channel's spectrogram.

    Raises
    ------
    XaiAudioError
        If a row has no place in time and frequency.
    """
    for name in _PLACES:
        if any(row.get(name) is None for row in rows):
            raise XaiAudioError(
                f"Raven's selections are boxes in time and frequency, but a row has no {name}: "
                "give low and high, in hertz."
            )
    rows = sorted(rows, key=lambda row: (row["start_s"], row["low_hz"]))
    own = [name for name in columns_of(rows) if name not in _PLACES]
    titles = ["Selection", "View", "Channel", *_PLACES.values(), *map(_title, own)]
    lines = [titles] + [
        [str(number), "Spectrogram 1", "1"]
        + [f"{row[name]:.6f}" for name in _PLACES]
        + [one_line(row.get(name)) for name in own]
        for number, row in enumerate(rows, 1)
    ]
    return "".join("\t".join(line) + "\n" for line in lines).encode("utf-8")


def _title(name: str) -> str:
    return one_line(name).replace("_", " ").capitalize()
