"""What a module of the package uses, read from its text: nothing is imported or run.

Names that come through a package lead to the module that defines them, so that a change elsewhere
in the package does not count. An import counts wherever it stands, also inside a function.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).resolve().parent

# How things are kept, shown and complained of: no result depends on it.
_APART = frozenset(("cache", "errors", "files", "imports", "progress"))

# Endings of files that are no part of the package: compiled, or being written.
_NEVER = (".py", ".pyc", ".partial")


def closure(*modules, code=(), root=ROOT) -> tuple[Path, ...]:
    """List the files of the package that modules, or pieces of code outside it, depend on.

    Parameters
    ----------
    *modules : str
        Names within the package: ``"models.training.transfer"``.
    code : iterable of str
        Python code that imports the package. A piece that is no Python depends on all of it.
    root : Path
        The package's folder.

    Returns
    -------
    tuple of Path
        The modules themselves, what they import, and so on. A module listed by name in a constant
        ``FILES`` counts, and so do data files (weights, lists) in the folder of a module. An
        ``__init__.py`` counts only where something is defined in it. What merely keeps and shows
        results (the cache, progress bars) never counts.

    Examples
    --------
    >>> [path.name for path in closure("audio")]
    ['audio.py', 'chunks.py', 'clock.py', 'containers.py', 'decoding.py', 'signatures.py']
    """
    return _closure(modules, tuple(code), root)


# All that is read is read once a process, as Python does: what a process computes comes from the
# code that it imported.
@functools.cache
def _closure(modules, code, root) -> tuple[Path, ...]:
    package = Package(root)
    waiting = [name for name in modules if package.file(name)]
    for piece in code:
        waiting += package.used_by(piece)
    seen = set()
    while waiting:
        name = waiting.pop()
        if name not in seen and name not in _APART:
            seen.add(name)
            waiting += package.uses(name)
    files = {package.file_of(name) for name in seen}
    folders = {file.parent for file in files} - {package.root}
    files.update(path for folder in folders for path in _data_files(folder))
    return tuple(sorted(files))


def _data_files(folder):
    for path in folder.iterdir():
        if path.is_file() and path.suffix not in _NEVER and not path.name.startswith("."):
            yield path


class Package:
    """A package's modules by their names within it; the package itself is the empty name."""

    def __init__(self, root):
        self.root = Path(root)

    def file(self, name: str) -> Path | None:
        """Return the file of a module or package, or None."""
        return _file(self.root, name)

    def file_of(self, name: str) -> Path:
        """Return the file of a module or package that is there."""
        file = self.file(name)
        if file is None:
            raise LookupError(f"There is no module {name!r} in {self.root}.")
        return file

    def is_package(self, name: str) -> bool:
        """Whether a name is that of a package."""
        file = self.file(name)
        return file is not None and file.name == "__init__.py"

    def uses(self, name: str) -> frozenset[str]:
        """Return the modules that a module imports."""
        return _uses(self.root, name)

    def used_by(self, code: str) -> frozenset[str]:
        """Return the modules that a piece of code outside the package imports."""
        try:
            tree = ast.parse(code)
        except SyntaxError:
            return self.everything("")
        return frozenset(_Reader(self, None).read(tree))

    def named(self, package: str, name: str) -> set[str]:
        """Return the modules and packages that a name taken from a package may mean."""
        parts = set(_exports(self.root, package).get(name, ()))
        if self.file(inner := _join(package, name)):
            parts.add(inner)
        return parts or {package}

    def everything(self, package: str) -> frozenset[str]:
        """Return all modules of a package and of the packages in it."""
        folder = self.file_of(package).parent
        names = set()
        for path in folder.rglob("*.py"):
            parts = path.relative_to(self.root).with_suffix("").parts
            names.add(".".join(part for part in parts if part != "__init__"))
        return frozenset(names)


#: This package.
PACKAGE = Package(ROOT)


@functools.cache
def _file(root, name) -> Path | None:
    path = root.joinpath(*filter(None, name.split(".")))
    for file in (path / "__init__.py", path.with_name(path.name + ".py")):
        if file.is_file():
            return file
    return None


def _tree(file: Path) -> ast.Module:
    """Read a module, without what only type checkers import: no result depends on it."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not _is_for_checkers(node)]
    return tree


def _is_for_checkers(node) -> bool:
    return isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING")


@functools.cache
def _uses(root, name) -> frozenset[str]:
    package = Package(root)
    tree = _tree(package.file_of(name))
    reader = _Reader(package, name)
    listed = {
        _join(reader.home, file)
        for file in _constant(tree, "FILES")
        if package.file(_join(reader.home, file))
    }
    return frozenset(reader.read(tree) | listed)


@functools.cache
def _exports(root, package) -> dict[str, set[str]]:
    """Where the names that a package's ``__init__`` passes on are defined."""
    here = Package(root)
    tree = _tree(here.file_of(package))
    names: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "attach":
            for option in node.keywords:
                if option.arg == "submod_attrs":
                    for module, given in ast.literal_eval(option.value).items():
                        for name in given:
                            names.setdefault(name, set()).add(_join(package, module))
    reader = _Reader(here, package)
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and (base := reader.base_of(node)) is not None:
            for alias in node.names:
                found = {base}
                if base == package:
                    found = {_join(package, alias.name)}
                elif here.is_package(base):
                    found = here.named(base, alias.name)
                names.setdefault(alias.asname or alias.name, set()).update(found)
    return names


class _Reader(ast.NodeVisitor):
    """Collects what one piece of code imports, and what it takes from the packages it imports."""

    def __init__(self, package: Package, name: str | None):
        self.package, self.name = package, name
        own = name or ""
        inside = name is not None and package.is_package(name)
        self.home: str = own if inside else own.rpartition(".")[0]
        self.bound: dict[str, set[str]] = {}  # local name -> packages it may stand for
        self.found: set[str] = set()

    def read(self, tree) -> set[str]:
        """Return the modules that the code depends on."""
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom):
                self._import_from(node)
        self.visit(tree)
        return self.found - {self.name}

    def base_of(self, node: ast.ImportFrom) -> str | None:
        """Return the module of the package that names are imported from, or None."""
        base: str | None
        if node.level:
            if self.name is None:
                return None
            parts = self.home.split(".") if self.home else []
            base = ".".join(parts[: len(parts) - node.level + 1])
            base = _join(base, node.module or "")
        else:
            base = self._within(node.module or "")
        return base if base is not None and self.package.file(base) else None

    def _within(self, full: str) -> str | None:
        top, _, rest = full.partition(".")
        return rest if top == self.package.root.name else None

    def _import(self, node):
        for alias in node.names:
            name = self._within(alias.name)
            if name is None or not self.package.file(name):
                continue
            if not self.package.is_package(name):
                self.found.add(name)
            if alias.asname:
                self._bind(alias.asname, name)
            else:
                self._bind(self.package.root.name, "")

    def _import_from(self, node):
        base = self.base_of(node)
        if base is None:
            return
        if not self.package.is_package(base):
            self.found.add(base)
            return
        for alias in node.names:
            if alias.name == "*":
                self.found |= self.package.everything(base)
                continue
            for meant in self.package.named(base, alias.name):
                # What a package defines itself is in its __init__; another package is looked into
                # where its names are used.
                if meant == base or not self.package.is_package(meant):
                    self.found.add(meant)
                else:
                    self._bind(alias.asname or alias.name, meant)

    def _bind(self, local, name):
        if self.package.is_package(name):
            self.bound.setdefault(local, set()).add(name)

    def visit_Attribute(self, node):
        """Follow ``a.b.c`` from a package down to the module that defines the last name."""
        chain, root = [], node
        while isinstance(root, ast.Attribute):
            chain.insert(0, root.attr)
            root = root.value
        if isinstance(root, ast.Name) and root.id in self.bound:
            for package in self.bound[root.id]:
                self._follow(package, chain)
        else:
            self.generic_visit(node)

    def visit_Name(self, node):
        """Take all of a package that is used as a value: nobody knows what is asked of it."""
        for package in self.bound.get(node.id, ()):
            if isinstance(node.ctx, ast.Load):
                self.found |= self.package.everything(package)

    def _follow(self, package, chain):
        if not chain:
            self.found |= self.package.everything(package)
            return
        for meant in self.package.named(package, chain[0]):
            if meant != package and self.package.is_package(meant):
                self._follow(meant, chain[1:])
            else:
                self.found.add(meant)


def _constant(tree, name) -> tuple[str, ...]:
    """Return the strings of a constant at the top of a module."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(getattr(t, "id", "") == name for t in node.targets):
            return tuple(_strings(node.value))
    return ()


def _strings(node) -> list[str]:
    """Read a tuple or list of strings, also one that unpacks others."""
    if isinstance(node, ast.Starred):
        return _strings(node.value)
    if isinstance(node, (ast.Tuple, ast.List)):
        return [text for entry in node.elts for text in _strings(entry)]
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    # A list that is passed over would leave results standing that its modules have changed.
    raise ValueError(f"line {node.lineno}: FILES lists its modules as strings, not by code.")


def _join(*parts: str) -> str:
    return ".".join(filter(None, parts))
