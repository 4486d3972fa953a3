"""Sets of sounds on the command line: whatever the registry holds."""

import sys
from types import ModuleType

import numpy as np
import pytest
from commands import call

import xaiaudio as xa
from xaiaudio.audio import save_audio
from xaiaudio.datasets import registry
from xaiaudio.datasets.base import Clip, ClipSet


@pytest.fixture
def tiny(monkeypatch, tmp_path):
    """A set that somebody adds: a module, and a line in the registry."""
    module = ModuleType("xaiaudio.datasets.tiny")

    def load(*, progress=True):
        clips = []
        for label in ("low", "high"):
            path = save_audio(tmp_path / f"{label}.wav", np.zeros(16_000, "float32"))
            clips.append(Clip(path, label, None, "CC0"))
        return ClipSet("tiny", tuple(clips), ("low", "high"))

    module.load = load
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setitem(registry.SETS, "tiny", registry.Entry("tiny", "two sounds of nothing"))
    return tmp_path


def test_a_set_of_the_registry_is_known_to_all_commands(capsys, tiny):
    status, out, _ = call(capsys, "data", "list")
    assert status == 0 and "two sounds of nothing" in out
    status, out, _ = call(capsys, "data", "info", "tiny")
    assert status == 0 and f"Files: {tiny}" in "".join(out.splitlines())
    status, out, _ = call(capsys, "data", "fetch", "tiny")
    assert status == 0 and f"tiny is complete: {tiny}" in "".join(out.splitlines())
    assert len(xa.datasets.load("tiny")) == 2


def test_a_set_that_is_made_has_no_mirror(capsys, tiny):
    status, _, error = call(capsys, "data", "fetch", "tiny", "--url", "https://example.org/a.zip")
    assert status == 1 and "tiny is made here" in error


def test_what_is_downloaded_is_asked_for_at_the_mirror(capsys, tmp_path, monkeypatch):
    from xaiaudio.datasets import fsdd

    asked = []
    monkeypatch.setattr(fsdd, "fetch", lambda **given: asked.append(given["url"]) or tmp_path)
    status, out, _ = call(capsys, "data", "fetch", "fsdd", "--url", "https://example.org/a.zip")
    assert status == 0 and "fsdd is complete" in out
    assert asked == ["https://example.org/a.zip"]


@pytest.mark.parametrize(
    "words", [("data", "fetch"), ("data", "info"), ("train",), ("evaluate",)], ids=" ".join
)
def test_the_help_names_every_set(capsys, words):
    status, out, _ = call(capsys, *words, "--help")
    assert status == 0 and all(name in out for name in registry.SETS)
