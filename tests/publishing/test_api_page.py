"""The API pages name what a reader can call of the methods and the measures, each thing once."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "xaiaudio"
PAGES = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "book").glob("api*.md")}
PAGE = "\n".join(PAGES.values())

# Rooms behind the doors: the modules beside them are what a reader calls.
INNER = {
    "explainers.checks",
    "evaluate.benchmark.row_cache",
    "evaluate.benchmark.context",
    "evaluate.metrics.cost",
}


def named(kind):
    """Names after a directive, without the package's."""
    found = re.findall(rf"^\.\. {kind}:: xaiaudio(?:::|\.)(\S+)$", PAGE, flags=re.MULTILINE)
    return [name.replace("::", ".") for name in found]


def modules():
    for package in ("evaluate", "explainers"):
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


@pytest.mark.parametrize("module", list(modules()))
def test_every_public_name_is_on_the_page(module):
    single = {name.split(".")[-1] for name in named("auto(?:function|class)")}
    tops = {"explainers.base", "explainers.registry"}
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
