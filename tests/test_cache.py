"""What a stored result depends on, and how it is kept."""

import builtins
import hashlib
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from xaiaudio import cache, imports
from xaiaudio.errors import DamagedError, XaiAudioError

FILES = {
    "__init__.py": (
        "import lazy_loader as _lazy\n"
        "__getattr__, __dir__, __all__ = _lazy.attach(\n"
        "    __name__, submodules=['rooms'], submod_attrs={'low': ['deep']}\n"
        ")\n"
    ),
    "low.py": "deep = 1\n",
    "alone.py": "from os import path\n",
    "inside.py": "def f():\n    from .low import deep\n    return deep\n",
    "rooms/__init__.py": "from .one import first\n\ndef own():\n    from ..low import deep\n",
    "rooms/one.py": "first = 1\n",
    "rooms/two.py": "from ..inside import f\n",
    "rooms/list.txt": "x",
    "table.py": "FILES = ('rooms.two', 'no.such')\n",
}


@pytest.fixture(autouse=True)
def real_closure(monkeypatch):
    """The tests of publishing have another, which stays to the end of the session."""
    monkeypatch.setattr(cache, "closure", imports.closure)


@pytest.fixture
def package(tmp_path):
    root = tmp_path / "toy"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def names(package, *modules, code=()):
    found = imports.closure(*modules, code=code, root=package)
    return [path.relative_to(package).as_posix() for path in found]


def test_imports_count_wherever_they_stand(package):
    assert names(package, "alone") == ["alone.py"]
    assert names(package, "inside") == ["inside.py", "low.py"]


def test_what_only_type_checkers_import_does_not_count(package):
    text = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from . import low\n"
    (package / "checked.py").write_text(text)
    assert names(package, "checked") == ["checked.py"]
    (package / "else.py").write_text(text.replace("TYPE_CHECKING:", "len('a'):"))
    assert names(package, "else") == ["else.py", "low.py"]


def test_what_is_imported_imports_in_turn_and_data_files_count(package):
    assert names(package, "rooms.two") == ["inside.py", "low.py", "rooms/list.txt", "rooms/two.py"]


def test_modules_listed_by_name_count(package):
    assert "rooms/two.py" in names(package, "table")
    (package / "table.py").write_text("FILES = ('alone', *('low', 'rooms.two'))\n")
    imports._uses.cache_clear()
    imports._closure.cache_clear()
    assert {"alone.py", "low.py", "rooms/two.py"} <= set(names(package, "table"))


def test_a_list_of_modules_that_cannot_be_read_is_told(package):
    (package / "counted.py").write_text("FILES = tuple(range(3))\n")
    with pytest.raises(ValueError, match="FILES"):
        names(package, "counted")


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("import toy as t\nt.deep", ["low.py"]),
        ("from toy import deep", ["low.py"]),
        ("import toy\nx = toy.deep.real", ["low.py"]),
        ("import toy as t\nt.rooms.first", ["rooms/list.txt", "rooms/one.py"]),
        ("from toy import rooms\nrooms.first", ["rooms/list.txt", "rooms/one.py"]),
        ("import toy.rooms.one", ["rooms/list.txt", "rooms/one.py"]),
        ("from toy.rooms import one as o", ["rooms/list.txt", "rooms/one.py"]),
        ("import numpy as np\nnp.deep", []),
        ("from toy import rooms", []),
    ],
)
def test_a_name_leads_to_the_module_that_defines_it(package, code, wanted):
    assert names(package, code=[code]) == wanted


def test_what_a_package_defines_itself_is_in_its_init(package):
    found = names(package, code=["from toy.rooms import own"])
    assert found == ["low.py", "rooms/__init__.py", "rooms/list.txt", "rooms/one.py"]


def test_a_package_as_a_value_and_what_is_no_python_depend_on_all(package):
    rooms = names(package, code=["from toy import rooms\nprint(rooms)"])
    assert {"rooms/one.py", "rooms/two.py", "rooms/__init__.py"} <= set(rooms)
    everything = names(package, code=["%magic and ("])
    assert set(everything) == set(FILES)


@pytest.mark.slow
@pytest.mark.parametrize(
    "module",
    ["models.training.transfer", "datasets.events", "datasets.esc10", "evaluate.metrics.registry"],
)
def test_nothing_that_python_imports_is_forgotten(module):
    code = (
        f"import sys, xaiaudio.{module} as m\n"
        "getattr(m, 'measures', int)()\n"
        "for m in list(sys.modules.values()):\n"
        "    if m.__name__.startswith('xaiaudio.'): print(m.__file__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {line for line in done.stdout.splitlines() if not line.endswith("__init__.py")}
    apart = {str(imports.ROOT / f"{name}.py") for name in imports._APART}
    assert len(loaded) > 2
    assert loaded - apart <= set(map(str, imports.closure(module)))


def test_a_key_is_of_parts_modules_and_bytes(tmp_path):
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("a")
    two.write_text("a")
    key = cache.key({"a": 1, "b": 2})
    assert key == cache.key({"b": 2, "a": 1})
    assert len({key, cache.key({"a": 1, "b": 3}), cache.key({"a": 1, "b": 2}, 0)}) == 3
    assert cache.key(0, files=[one]) == cache.key(0, files=[two]) != cache.key(0)
    assert cache.key(0, files=[one, two]) != cache.key(0, files=[one])
    assert cache.key(0, modules=["audio"]) != cache.key(0, modules=["frontend"])
    code = ["import xaiaudio as xa\nxa.load_audio"]
    assert cache.key(0, code=code) == cache.key(0, modules=["audio"])
    with pytest.raises(XaiAudioError, match="Could not read .*three"):
        cache.key(0, files=[tmp_path / "three"])


def test_a_changed_file_is_noticed_and_an_unchanged_one_not_read_again(tmp_path, monkeypatch):
    path = tmp_path / "sound"
    path.write_bytes(b"1234")
    first = cache.sum_of(path)
    opened = []

    def noted(*arguments):
        opened.append(arguments)
        return builtins.open(*arguments)

    monkeypatch.setattr(cache, "open", noted, raising=False)
    assert cache.sum_of(path) == first and not opened
    path.write_bytes(b"1235")
    os.utime(path, ns=(1, 1))
    assert cache.sum_of(path) != first and len(opened) == 1


def test_sums_of_arrays_know_type_shape_and_values():
    arrays = [np.zeros(4), np.zeros((2, 2)), np.zeros(4, "f4"), np.ones(4), np.zeros(0)]
    assert len({cache.sum_of_arrays([array]) for array in arrays}) == 5
    assert cache.sum_of_arrays([np.arange(6)[::2]]) == cache.sum_of_arrays([np.array([0, 2, 4])])


class Store:
    """Numbers in text files, and a count of how often one was made."""

    def __init__(self):
        self.made = []

    def build(self, path, folder=None):
        self.made.append(folder)
        path.write_text("42")

    @staticmethod
    def load(path):
        text = path.read_text()
        if not text.isdigit():
            raise XaiAudioError(f"{path} is no number.")
        return int(text)


@pytest.fixture
def store():
    return Store()


def ask(path, store, **options):
    return cache.artifact(path, store.build, store.load, **options)


def test_what_is_there_is_not_made_again(tmp_path, store):
    path = tmp_path / "new" / "a.txt"
    assert [ask(path, store) for _ in range(3)] == [42] * 3
    assert len(store.made) == 1
    assert sorted(p.name for p in path.parent.iterdir()) == ["a.lock", "a.txt"]


def test_a_complete_cache_is_neither_locked_nor_written(tmp_path, store):
    (tmp_path / "a.txt").write_text("7")
    assert ask(tmp_path / "a.txt", store) == 7
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("damage", ["", "4x"])
def test_what_is_damaged_is_made_anew_with_a_line(tmp_path, store, capsys, damage):
    (tmp_path / "a.txt").write_text(damage)
    assert ask(tmp_path / "a.txt", store) == 42
    (line,) = capsys.readouterr().err.splitlines()
    assert "a.txt is damaged and is made anew" in line
    assert len(store.made) == 1


def test_what_cannot_be_loaded_when_just_made_is_an_error(tmp_path, store):
    store.build = lambda path: path.write_text("x")
    with pytest.raises(XaiAudioError, match="no number"):
        ask(tmp_path / "a.txt", store)


def test_an_interrupted_build_leaves_its_checkpoints_and_nothing_else(tmp_path, store):
    def interrupted(path, folder):
        folder.mkdir()
        path.write_text("4")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache.artifact(tmp_path / "a.txt", interrupted, store.load, resume=True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.lock", "a.resume"]
    assert ask(tmp_path / "a.txt", store, resume=True) == 42
    assert store.made == [tmp_path / "a.resume"]
    assert not (tmp_path / "a.resume").exists()


def test_damaged_checkpoints_are_thrown_away_and_other_errors_are_not(tmp_path, store, capsys):
    (tmp_path / "a.resume").mkdir()

    def build(path, folder):
        if folder.exists():
            raise DamagedError("The checkpoint is damaged.")
        path.write_text("8")

    assert cache.artifact(tmp_path / "a.txt", build, store.load, resume=True) == 8
    assert "started anew" in capsys.readouterr().err

    def offline(path, folder):
        folder.mkdir()
        raise XaiAudioError("No network.")

    with pytest.raises(XaiAudioError, match="No network"):
        cache.artifact(tmp_path / "b.txt", offline, store.load, resume=True)
    assert (tmp_path / "b.resume").is_dir()


@pytest.mark.slow
def test_of_two_who_ask_one_makes_and_the_other_loads(tmp_path, store):
    made, build = threading.Event(), store.build

    def slow(path):
        made.wait(5)
        build(path)

    store.build = slow
    found = []
    both = [
        threading.Thread(target=lambda: found.append(ask(tmp_path / "a.txt", store)))
        for _ in range(2)
    ]
    for one in both:
        one.start()
    time.sleep(0.2)
    made.set()
    for one in both:
        one.join(10)
    assert found == [42, 42]
    assert len(store.made) == 1


def test_a_place_that_cannot_be_written_to_is_said_in_words(tmp_path, store):
    (tmp_path / "file").write_text("")
    with pytest.raises(XaiAudioError, match="Could not write to .*XAIAUDIO_HOME"):
        ask(tmp_path / "file" / "a.txt", store)


def test_sums_tell_folders_apart_by_names_and_bytes(tmp_path):
    folder = tmp_path / "sounds"
    (folder / "dog").mkdir(parents=True)
    file = folder / "dog" / "1.wav"
    file.write_text("12")
    before = cache.sums_in(folder)
    assert before == [["dog/1.wav", hashlib.sha256(b"12").hexdigest()]]
    about = file.stat()
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns + 10**9))
    assert cache.sums_in(folder) == before  # touched, not changed
    file.write_text("13")
    assert cache.sums_in(folder) != before
    assert cache.sums_in(tmp_path / "none") == [[".", ""]]
    assert cache.files_in(file) == [file]


def test_who_does_not_wait_is_told(tmp_path):
    place = tmp_path / "folder" / ".lock"
    with (
        cache.lock(place),
        pytest.raises(XaiAudioError, match="somebody works"),
        cache.lock(place, busy="somebody works on it"),
    ):
        pass
    with cache.lock(place, busy="nobody does"):
        assert place.parent.is_dir()
