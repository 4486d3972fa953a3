"""Small archives for tests: folders of short sounds."""

import errno
import os
from pathlib import Path

import numpy as np
import soundfile

RATE = 16_000


def hiss(seed, seconds=1.2, level=0.1):
    wave = np.random.default_rng(seed).normal(0, level, round(seconds * RATE))
    return np.clip(wave, -1, 1).astype("float32")


def archive(folder, *, classes=("hiss", "hum"), each=4, first=0):
    """Write classes of short noises, with a hum in the second half of the classes."""
    for number, name in enumerate(classes):
        (folder / name).mkdir(parents=True, exist_ok=True)
        for index in range(first, first + each):
            wave = hiss(100 * number + index)
            if number >= len(classes) / 2:
                wave += 0.3 * np.sin(2 * np.pi * 400 / RATE * np.arange(len(wave))).astype("f4")
            soundfile.write(folder / name / f"{index:02d}.wav", wave, RATE)
    return folder


def in_order(table):
    """Return a table's rows sorted, as bytes."""
    names = sorted(table)
    columns = [np.asarray(table[name]) for name in names]
    rows = [
        b"|".join(
            np.asarray(value).tobytes() if not isinstance(value, str) else value.encode()
            for value in row
        )
        for row in zip(*columns, strict=True)
    ]
    return sorted(rows)


# What the small archive of the tests of the corpus is asked for.
ASKED = {"methods": ["gradcam", "input-x-gradient"], "clips": 3}


def same(found, whole):
    """Check that two archives hold the same rows and maps."""
    assert in_order(found.clips) == in_order(whole.clips) and len(whole.clips["file"])
    assert in_order(found.bad) == in_order(whole.bad)
    for method in whole.methods:
        ours, theirs = (np.concatenate(list(each.maps(method))) for each in (found, whole))
        np.testing.assert_array_equal(ours, theirs)


def closed(monkeypatch, *folders):
    """Let some folders refuse to be listed, as root too is refused by some file systems."""
    real = os.scandir

    def scandir(path):
        if Path(path) in folders:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path)

    monkeypatch.setattr(os, "scandir", scandir)
