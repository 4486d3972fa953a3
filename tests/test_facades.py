"""The public names of a facade stay what they are, whatever was imported before."""

import ast
import importlib
import inspect
import pkgutil

import pytest

FACADES = {
    "xaiaudio.models": [],
    "xaiaudio.evaluate": ["benchmark", "experiments", "metrics"],
    "xaiaudio.probes": [
        "concept_sounds",
        "concepts",
        "influence",
        "planted",
        "planted_copies",
        "sparse",
        "steering",
        "traits",
    ],
    "xaiaudio.timelines": [],
    "xaiaudio.corpus": [],
    "xaiaudio": [
        "corpus",
        "datasets",
        "evaluate",
        "explainers",
        "exports",
        "models",
        "plots",
        "probes",
        "sonify",
        "timelines",
    ],
    "xaiaudio.exports": [],
}


def modules_in(package):
    found = pkgutil.walk_packages(package.__path__, f"{package.__name__}.")
    return [entry.name for entry in found if not entry.name.endswith("__main__")]


@pytest.mark.parametrize("name", list(FACADES))
def test_names_are_functions_and_classes_after_every_module_was_imported(name):
    facade = importlib.import_module(name)
    for module in modules_in(facade):
        importlib.import_module(module)
    for public in facade.__all__:
        found = getattr(facade, public)
        if public in FACADES[name]:
            assert inspect.ismodule(found), public
        else:
            assert inspect.isfunction(found) or inspect.isclass(found), public


@pytest.mark.parametrize("name", list(FACADES))
def test_no_module_beside_a_facade_bears_one_of_its_names(name):
    facade = importlib.import_module(name)
    beside = {entry.name for entry in pkgutil.iter_modules(facade.__path__)}
    assert beside & set(facade.__all__) == set(FACADES[name])


def test_type_checkers_see_the_names_that_are_there():
    facade = importlib.import_module("xaiaudio")
    with open(facade.__file__, encoding="utf-8") as file:
        tree = ast.parse(file.read())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.asname: (node.module, alias.name) for node in block.body for alias in node.names}
    assert set(seen) == set(facade.__all__)
    for public, (module, name) in seen.items():
        holder = importlib.import_module(f"xaiaudio.{module}" if module else f"xaiaudio.{name}")
        assert getattr(facade, public) is (getattr(holder, name) if module else holder)
