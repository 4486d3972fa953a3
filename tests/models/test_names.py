"""The public names of xaiaudio.models stay what they are, whatever was imported before."""

import importlib
import inspect
from pathlib import Path

import xaiaudio.models as public
from xaiaudio import models

FOLDER = Path(models.__file__).parent


def test_no_module_bears_a_public_name():
    assert not {path.stem for path in FOLDER.glob("*.py")} & set(models._HOMES)


def test_names_are_functions_and_classes_after_every_module_was_imported():
    for path in FOLDER.glob("*.py"):
        if path.stem != "__init__":
            importlib.import_module(f"xaiaudio.models.{path.stem}")
    for name in models._HOMES:
        found = getattr(public, name)
        assert inspect.isfunction(found) or inspect.isclass(found), name
