"""A small archive with bad files in it, and its results: explained once, for all who only look."""

import shutil

import numpy as np
import pytest
import soundfile
from small_archives import ASKED, RATE, archive, hiss

import xaiaudio as xa


@pytest.fixture(scope="session")
def sounds(tmp_path_factory):
    """Twelve sounds, three of them bad."""
    folder = archive(tmp_path_factory.mktemp("sounds"))
    (folder / "hum" / "text.wav").write_text("no sound")
    soundfile.write(folder / "hiss" / "silent.wav", np.zeros(2 * RATE), RATE)
    soundfile.write(folder / "short [1].wav", hiss(1, seconds=0.2), RATE)
    soundfile.write(folder / "alone.wav", hiss(1), RATE)
    (folder / "notes.txt").write_text("no sound by its name")
    return folder


@pytest.fixture(scope="session")
def whole(sounds, tmp_path_factory):
    """The same archive explained in one go, in this process."""
    out = tmp_path_factory.mktemp("whole") / "out"
    xa.corpus.run(xa.corpus.plan(sounds, out, **ASKED), workers=0)
    return xa.corpus.read(out)


@pytest.fixture
def mine(sounds, tmp_path):
    return shutil.copytree(sounds, tmp_path / "mine")  # with the times of the files
