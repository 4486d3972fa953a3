"""Imports point towards the sound: the way of the data, never back."""

import ast
import re
from pathlib import Path

import pytest

import xaiaudio

ROOT = Path(xaiaudio.__file__).parent

# From the ground up; a room imports from the floors below it, and within itself.
FLOORS = (
    ("chunks", "errors", "types"),
    (
        "clock",
        "collector",
        "files",
        "filterbank",
        "imports",
        "progress",
        "signatures",
        "containers",
    ),
    ("cache", "decoding", "nmf", "stft"),
    ("audio", "patches", "frontend_settings"),
    ("frontend", "streaming", "synthesis"),
    ("wave_frontend", "unheard"),
    ("datasets",),
    ("models",),
    ("explainers",),
    ("sonify", "evaluate", "plots", "exports"),
    ("corpus", "probes", "timelines"),
    ("pages",),
    ("publishing",),
    ("cli",),
)
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}

# What a room does without: methods read no file, figures call no network.
NEVER = {
    "explainers": {"audio", "datasets"},
    "plots": {"audio", "datasets", "models", "tensorflow", "keras"},
    "synthesis": {"tensorflow", "keras"},
}
# Packages within a room that are about what the rest of it does without: sounds with a gradient.
BUT_FOR = {"synthesis/ddsp": {"tensorflow"}}


def rooms():
    return sorted({path.stem for path in ROOT.iterdir() if path.suffix == ".py" or path.is_dir()})


def runtime(tree):
    """Walk a module without what only type checkers read."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        yield node
        yield from runtime(node)


def imported(path):
    """Return the rooms and the top-level packages that a module imports, wherever it does."""
    package = (ROOT.name, *path.relative_to(ROOT).parts[:-1])
    for node in runtime(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.partition(".")[0]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1]
            parts = (*base[1:], *(node.module or "").split("."))
            parts = tuple(part for part in parts if part)
            yield from [parts[0]] if parts else [alias.name for alias in node.names]


def modules(room):
    path = ROOT / f"{room}.py"
    return [path] if path.exists() else sorted((ROOT / room).rglob("*.py"))


def test_every_room_has_its_floor():
    assert {room for room in rooms() if not room.startswith("_")} - {"py"} == set(FLOOR)


@pytest.mark.slow
@pytest.mark.parametrize("room", list(FLOOR))
def test_a_room_imports_from_below(room):
    for path in modules(room):
        for other in set(imported(path)) & set(FLOOR) - {room}:
            assert FLOOR[other] < FLOOR[room], f"{path.relative_to(ROOT)} imports {other}"


@pytest.mark.slow
@pytest.mark.parametrize("room", list(NEVER))
def test_a_room_does_without(room):
    for path in modules(room):
        allowed = BUT_FOR.get(path.parent.relative_to(ROOT).as_posix(), set())
        assert not set(imported(path)) & (NEVER[room] - allowed), path.relative_to(ROOT)


def test_the_rest_of_synthesis_does_not_reach_for_the_gradient():
    for path in modules("synthesis"):
        if path.parent.name != "ddsp":
            text = path.read_text(encoding="utf-8")
            asked = [node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)]
            names = [
                part
                for node in asked
                for name in (node.module or "", *(alias.name for alias in node.names))
                for part in name.split(".")
            ]
            assert "ddsp" not in names, path


# What one module does for all others, by the names that give it away; some do it to other ends.
ONE_OF_EACH = {
    r"_keras_history|_inbound_nodes\[": {"models/graph.py"},
    r"\bWeakKeyDictionary\b": {"models/caching.py"},
    r"\bFileLock\b": {"cache.py"},
    r"^from rich\.progress|\btqdm\b": {"progress.py"},
    r"\bplatformdirs\b": {"cache.py"},
    r"\bos\.fsync\b": {"files.py", "corpus/tables.py"},  # a folder of maps is whole as a folder
}


@pytest.mark.slow
@pytest.mark.parametrize("names", list(ONE_OF_EACH))
def test_there_is_one_of_each(names):
    found = {
        path.relative_to(ROOT).as_posix()
        for path in ROOT.rglob("*.py")
        if re.search(names, path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert found == ONE_OF_EACH[names]
