"""Sets with a name: each is a module that can load, and has a place of one's own."""

import importlib
import inspect
from types import SimpleNamespace

import numpy as np
import pytest

from xaiaudio.audio import save_audio
from xaiaudio.datasets import registry


@pytest.mark.parametrize("name", registry.SETS)
def test_a_set_is_a_module_that_loads_with_or_without_a_bar(name):
    entry = registry.SETS[name]
    module = importlib.import_module(f"xaiaudio.datasets.{entry.module}")
    taken = inspect.signature(module.load).parameters
    assert taken["progress"].default is True
    needed = [one for one in taken.values() if one.default is inspect.Parameter.empty]
    assert not needed and entry.summary
    # The module reads the variable that the table tells.
    assert getattr(module, "VARIABLE", entry.variable) == entry.variable


def test_variables_and_modules_are_each_ones_own():
    for what in ("module", "summary", "variable"):
        told = [getattr(entry, what) for entry in registry.SETS.values() if getattr(entry, what)]
        assert len(set(told)) == len(told)


def test_a_place_is_what_the_variable_names(monkeypatch):
    monkeypatch.setenv("XAIAUDIO_ESC10", "/somewhere")
    monkeypatch.delenv("XAIAUDIO_FSDD", raising=False)
    assert registry.place("esc10") == "/somewhere"
    assert registry.place("fsdd") == registry.place("synthetic") == ""


@pytest.mark.parametrize("progress", [True, False])
def test_a_name_is_loaded_from_its_module(monkeypatch, progress):
    asked = []

    def module(name):
        return SimpleNamespace(load=lambda **options: asked.append((name, options)) or "clips")

    monkeypatch.setattr(registry.importlib, "import_module", module)
    assert registry.load("synthetic", progress=progress) == "clips"
    assert asked == [("xaiaudio.datasets.events", {"progress": progress})]


def test_what_is_no_name_is_a_folder(tmp_path):
    for name in ("dog/1.wav", "dog/2.wav", "rain/3.wav"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_audio(tmp_path / name, np.zeros(160))
    for folder in (tmp_path, str(tmp_path)):
        assert registry.load(folder).counts() == {"dog": 2, "rain": 1}
