"""Rows whose labels break careless formats, and readers that know only the formats' rules."""

import json

import numpy as np

from xaiaudio import exports

# All that breaks a format: its separators, quotes, formulas, other scripts, nothing at all.
LABELS = [
    "Dog bark",
    "a\tb",
    "two\nlines\r\nand more",
    'say "yes", or no',
    "=HYPERLINK(1)",
    "+1",
    "-1",
    "@sum",
    "Glocke ü 鐘 \u2028",
    "\\ backslash",
    "bad \udcff byte",
    "",
]


def rows_of_labels():
    """Rows, not in the order of time."""
    return [
        {
            "class": label,
            "start_s": 3.0 - number / 10,
            "end_s": np.float32(4.0),
            "low_hz": 125.5,
            "high_hz": 1000 + number,
            "relevance": -0.25 * number,
            "unit": "logit",
        }
        for number, label in enumerate(LABELS)
    ]


def shown(label):
    """A label with its bytes that are no UTF-8 replaced."""
    return label.encode("utf-8", "replace").decode()


def written(tmp_path, name, rows, **options):
    return exports.write(tmp_path / name, rows, **options).read_bytes()


def audacity(data):
    """Read a label track as Audacity does: by lines, and in these by tabs."""
    found = []
    for line in data.decode("utf-8").split("\n")[:-1]:
        fields = line.split("\t")
        if fields[0] == "\\":
            assert len(fields) == 3 and len(found[-1]) == 3
            found[-1] += (float(fields[1]), float(fields[2]))
            continue
        assert len(fields) == 3, line
        found.append((float(fields[0]), float(fields[1]), fields[2]))
    return found


def raven(data):
    """Read a selection table: a line of titles, then as many fields in every line."""
    lines = data.decode("utf-8").split("\n")
    assert lines.pop() == ""
    titles = lines[0].split("\t")
    rows = [dict(zip(titles, line.split("\t"), strict=True)) for line in lines[1:]]
    needed = ["Selection", "View", "Channel", "Begin Time (s)", "End Time (s)"]
    assert titles[:7] == [*needed, "Low Freq (Hz)", "High Freq (Hz)"]
    return rows


def strict_json(data):
    def refuse(constant):
        raise AssertionError(constant)

    return json.loads(data.decode("utf-8"), parse_constant=refuse)
