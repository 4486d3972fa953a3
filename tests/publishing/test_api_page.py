"""The API pages name what a reader can call of the methods and the measures, each thing once."""

import ast
import inspect
import re
from pathlib import Path

import pytest

import xaiaudio as xa

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "xaiaudio"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("api*.md")}
PAGE = "\n".join(PAGES.values())

# Rooms behind the doors: the modules beside them are what a reader calls.
INNER = {
    "explainers.checks",
    "evaluate.benchmark.row_cache",
    "evaluate.benchmark.context",
    "evaluate.benchmark.card_entries",
    "evaluate.metrics.cost",
}


def named(kind):
    """Names after a directive, without the package's."""
    found = re.findall(rf"^\.\. {kind}:: xaiaudio(?:::|\.)(\S+)$", PAGE, flags=re.MULTILINE)
    return [name.replace("::", ".") for name in found]


def modules():
    for package in ("evaluate", "explainers", "probes"):
        for path in sorted((PACKAGE / package).rglob("*.py")):
            name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
            if path.stem != "__init__" and name not in INNER and ".lrp." not in name:
                yield name


def public(module):
    """Functions and classes that a module defines for others; a registered one goes by its name."""
    tree = ast.parse((PACKAGE / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith("_"):
            marks = [ast.unparse(mark) for mark in node.decorator_list]
            if not any("register(" in mark for mark in marks):
                yield node.name


@pytest.mark.slow
@pytest.mark.parametrize("module", list(modules()))
def test_every_public_name_is_on_the_page(module):
    single = {name.split(".")[-1] for name in named("auto(?:function|class)")}
    tops = {"explainers.base", "explainers.explanation", "explainers.registry"}
    for name in public(module):
        told = f"{module}.{name}" in named("auto(?:function|class)")
        # `xa.explain` stands there as what it is called.
        told = told or module in named("automodule") or (module in tops and name in single)
        assert told, f"{module}.{name}"


def test_relevance_propagation_is_there_by_its_package():
    assert "explainers.lrp" in named("automodule")


def test_the_overview_leads_to_every_page():
    listed = set(re.findall(r"{doc}`(api-[a-z]+)`", PAGES["api"]))
    assert listed == set(PAGES) - {"api"} and len(listed) > 3


def test_nothing_is_named_twice():
    single, whole = named("auto(?:function|class)"), named("automodule")
    assert len(set(single)) == len(single) and len(set(whole)) == len(whole)
    assert not [name for name in single if name.rpartition(".")[0] in whole]


def test_every_name_on_the_page_exists():
    for name in [*named("auto(?:function|class)"), *named("automodule")]:
        module, _, last = name.rpartition(".")
        files = [PACKAGE / f"{name.replace('.', '/')}{end}" for end in (".py", "/__init__.py")]
        if any(file.exists() for file in files):
            continue
        folder = PACKAGE / module.replace(".", "/")
        file = folder / "__init__.py" if folder.is_dir() else folder.with_suffix(".py")
        assert re.search(rf"\b{last}\b", file.read_text(encoding="utf-8")), name


def called():
    """Each function and method that the pages show, with the names of what holds it."""
    pages, single = set(named("automodule")), named("auto(?:function|class)")
    alone = {name.rpartition(".")[2] for name in single}
    figures = set(exported("plots"))
    for path in sorted(PACKAGE.rglob("*.py")):
        module = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        module = module.removesuffix(".__init__")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            name = getattr(node, "name", "_")
            drawn = module.startswith("plots.") and name in figures
            if name.startswith("_") or not (module in pages or name in alone or drawn):
                continue
            if isinstance(node, ast.FunctionDef):
                yield f"{module}.{name}", node
            elif isinstance(node, ast.ClassDef):
                for part in node.body:
                    if isinstance(part, ast.FunctionDef) and not part.name.startswith("_"):
                        yield f"{module}.{name}.{part.name}", part


def exported(package):
    tree = ast.parse((PACKAGE / package / "__init__.py").read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    raise AssertionError(f"{package} does not say what it exports")


def unsaid(function):
    """Names of the parameters without a type, and "return" if that is missing."""
    given = function.args
    several = [each for each in (given.vararg, given.kwarg) if each]
    parameters = [*given.posonlyargs, *given.args, *given.kwonlyargs, *several]
    names = [each.arg for each in parameters if each.annotation is None]
    return [name for name in names if name not in ("self", "cls")] + (
        ["return"] if function.returns is None else []
    )


def test_what_lacks_a_type_is_seen():
    text = "def f(self, a, b: int, *c, d=1, **e): pass"
    assert unsaid(ast.parse(text).body[0]) == ["a", "d", "c", "e", "return"]


@pytest.mark.slow
def test_all_that_the_pages_show_says_its_types():
    shown = dict(called())
    assert {"plots.maps.plot", "explainers.base.explain", "frontend.LogMel.cut"} <= set(shown)
    assert {name: unsaid(node) for name, node in shown.items() if unsaid(node)} == {}


@pytest.mark.parametrize("method", ["__init__", "__call__"])
def test_classes_of_the_first_facade_say_the_types_that_they_take(method):
    for name in xa.__all__:
        function = vars(thing).get(method) if isinstance(thing := getattr(xa, name), type) else None
        if function is not None:
            _, *parameters = inspect.signature(function).parameters.values()
            assert not [each.name for each in parameters if each.annotation is each.empty], name
