"""Where the book's files are, and which of its pages are chapters with code."""

from __future__ import annotations

import hashlib
import json
import os
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import cache
from ..datasets.registry import SETS, STEMS
from ..errors import XaiAudioError, meant
from ..files import whole
from ..imports import PACKAGE, closure
from ..models.backbones import BACKBONES
from .profiles import profile
from .rounding import ROUNDINGS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..types import PathLike


@dataclass(frozen=True)
class Page:
    """A page of the book.

    Attributes
    ----------
    name : str
        As `_toc.yml` has it.
    path : Path
        The MyST Markdown file.
    text : str
        Its content.
    """

    name: str
    path: Path
    text: str

    @property
    def has_code(self) -> bool:
        """Whether the page is a notebook: whether it has a code cell."""
        return any(line.lstrip().startswith("```{code-cell}") for line in self.text.splitlines())

    @property
    def first(self) -> bool:
        """Whether the page asks to be executed before the others.

        It does so with ``xaiaudio: {first: true}`` in its front matter.
        """
        return self._asks("first")

    @property
    def early(self) -> bool:
        """Whether the page needs nothing of those that are :attr:`first`, and may run beside them.

        It says so with ``xaiaudio: {early: true}`` in its front matter.
        """
        return self._asks("early")

    def _asks(self, what):
        return bool((front_matter(self.text).get("xaiaudio") or {}).get(what))


@dataclass(frozen=True)
class Project:
    """One build of the book: its sources, a profile, a seed, and where the results go.

    Attributes
    ----------
    root : Path
        The folder with `_toc.yml` and `book/`.
    profile : str
    seed : int
    only : tuple of str
        The chapters to work on; empty for all.
    rounding : str
        A name from :data:`xaiaudio.publishing.rounding.ROUNDINGS`; empty for the machine's own way.
    """

    root: Path
    profile: str = "mini"
    seed: int = 0
    only: tuple[str, ...] = ()
    rounding: str = ""

    @property
    def build(self) -> Path:
        """Where everything is written that can be made again."""
        return self.root / "_build"

    @property
    def home(self) -> Path:
        """The part of `build` that belongs to this profile, seed and rounding."""
        home = self.build / self.profile
        home = home if self.seed == 0 else home / f"seed-{self.seed}"
        return home / f"rounding-{self.rounding}" if self.rounding else home

    @property
    def executed(self) -> Path:
        """The folder of the executed notebooks."""
        return self.home / "executed"

    @property
    def baselines(self) -> Path:
        """The folder of the numbers that this profile is compared with."""
        return self.root / "tests" / "baselines" / self.profile

    def pages(self) -> list[Page]:
        """Read the pages that `_toc.yml` lists, in its order."""
        pages = []
        for name in toc_names(self.root / "_toc.yml"):
            path = self.root / "book" / f"{name}.md"
            try:
                text = path.read_text(encoding="utf-8")
            except OSError as error:
                raise XaiAudioError(
                    f"_toc.yml lists '{name}', but {path} cannot be read: write it or take it "
                    "off the list."
                ) from error
            pages.append(Page(name, path, text))
        return pages

    def chapters(self) -> list[Page]:
        """Read the pages that are executed.

        Raises
        ------
        XaiAudioError
            If `only` names a page that is none of them.
        """
        chapters = [page for page in self.pages() if page.has_code]
        names = [page.name for page in chapters]
        for name in self.only:
            if name not in names:
                raise XaiAudioError(
                    f"The book has no chapter {name!r}{meant(name, names)}: it has "
                    f"{', '.join(names)}."
                )
        return [page for page in chapters if not self.only or page.name in self.only]


def find(
    profile: str = "mini", seed: int = 0, root: PathLike | None = None, only: Sequence[str] = ()
) -> Project:
    """Find the book around the working directory, or the one this package lies in.

    Parameters
    ----------
    profile : str
    seed : int
    root : path, optional
        The folder that holds `_toc.yml`, if it is to be no other.
    only : sequence of str
        The chapters to work on; empty for all.

    Returns
    -------
    Project

    Raises
    ------
    XaiAudioError
        If there is no book.
    """
    here = Path.cwd()
    places = [Path(root)] if root else [here, *here.parents, *Path(__file__).resolve().parents]
    for place in places:
        if (place / "_toc.yml").is_file() and (place / "book").is_dir():
            return Project(place.resolve(), str(profile), int(seed), tuple(only))
    raise XaiAudioError(
        f"There is no book (_toc.yml and book/) in {places[0]}: "
        "run this in a clone of the project's repository."
    )


def toc_names(path) -> list[str]:
    """List the pages of a `_toc.yml`, root first.

    Parameters
    ----------
    path : path

    Returns
    -------
    list of str
    """
    import yaml

    try:
        toc = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        names = [toc["root"]]
        for part in toc.get("parts") or [toc]:
            names += [chapter["file"] for chapter in part.get("chapters") or []]
    except (OSError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
        raise XaiAudioError(f"{path} is not a table of contents: {error}.") from error
    return names


def front_matter(text) -> dict:
    """Read the YAML block at the head of a Markdown file.

    Parameters
    ----------
    text : str

    Returns
    -------
    dict
        Empty if there is none.
    """
    import yaml

    if not text.startswith("---\n") or "\n---" not in text[4:]:
        return {}
    try:
        return yaml.safe_load(text[4:].split("\n---", 1)[0]) or {}
    except yaml.YAMLError:
        return {}


def chapter_key(project, chapter) -> str:
    """Name the result of a chapter after everything that it depends on.

    That is its text, the parts of the package that its code uses, the profile's sounds and network,
    the seed, the lock file, and whatever copies of sounds and networks lie on this machine.

    Parameters
    ----------
    project : Project
    chapter : Page

    Returns
    -------
    str
    """
    about, where = chapter_parts(project, chapter)
    used = set(closure(*where["modules"], code=where["code"]))
    rounding = [ROUNDINGS[project.rounding]] if project.rounding else []
    return cache.key([*about, project.seed, _local_copies(used), *rounding], **where)


def chapter_parts(project, chapter) -> tuple[list, dict]:
    """Return what a chapter depends on in the repository, for a :func:`xaiaudio.cache.key`."""
    code = code_of(chapter.text)
    lock = project.root / "requirements.lock"
    where = {
        "modules": {*profile(project.profile).modules, *_named_in(code)},
        "code": [code],
        "files": [lock] if lock.is_file() else [],
    }
    return [chapter.name, chapter.text, project.profile], where


def code_of(text) -> str:
    r"""Return the code of a MyST notebook, without cell options and without what is no Python.

    Parameters
    ----------
    text : str

    Returns
    -------
    str
        Cell after cell; ``%pip`` and the like become ``pass``.

    Examples
    --------
    >>> code_of("Words.\n\n```{code-cell} ipython3\n:tags: [x]\n\n%pip install y\n1 + 1\n```\n")
    '\npass\n1 + 1\n'
    """
    cells = re.findall(r"^ *```\{code-cell\}[^\n]*\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    options = re.compile(r"\A(---\n.*?^---\n|(:[^\n]*\n)*)", re.DOTALL | re.MULTILINE)
    code = "".join(options.sub("", textwrap.dedent(cell), count=1) for cell in cells)
    return re.sub(r"^([ \t]*)[%!].*$", r"\1pass", code, flags=re.MULTILINE)


def _named_things():
    """Yield name, module and environment variable of what may be had by its name."""
    for room, table in (("datasets", SETS), ("models", BACKBONES)):
        for name, entry in table.items():
            yield name, f"{room}.{entry.module}", entry.variable


def _named_in(code) -> set[str]:
    """Return the modules of the sets and backbones that code asks for by their names."""
    return {module for name, module, _ in _named_things() if f'"{name}"' in code}


def _local_copies(used) -> dict:
    """Say what the copies hold that environment variables name, where they are used."""
    copies = {}
    named = [(module, variable) for _, module, variable in _named_things()]
    for module, variable in [*named, ("datasets.stems", STEMS)]:
        place = os.environ.get(variable, "")
        if place and PACKAGE.file(module) in used:
            copies[variable] = place if "://" in place else cache.sums_in(place)
    return copies


def files_key(files, base) -> str:
    """Hash files, by name and content; a missing file counts as empty.

    Parameters
    ----------
    files : iterable of Path
    base : Path
        Names are taken relative to it where they lie in it.

    Returns
    -------
    str
    """
    total = hashlib.sha256()
    for path in files:
        name = path.relative_to(base) if path.is_relative_to(base) else path.name
        content = path.read_bytes() if path.is_file() else b""
        total.update(f"{name}\0{digest(content)}\n".encode())
    return total.hexdigest()


def digest(content: bytes) -> str:
    """Return the SHA-256 sum of some bytes, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def read_json(path, default=None):
    """Read a JSON file that this package wrote.

    Parameters
    ----------
    path : path
    default
        Returned if the file is not there, is damaged, or holds another type than this.
    """
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return default
    fits = default is None or isinstance(content, type(default))
    return content if fits else default


def write_text(path, text) -> Path:
    """Write a text file in one step: it is there whole or not at all.

    Parameters
    ----------
    path : path
        Its folder is made if needed.
    text : str

    Returns
    -------
    Path
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")
    return path


def write_json(path, data, indent=1) -> Path:
    """Write JSON in one step; see :func:`write_text`."""
    return write_text(path, json.dumps(data, indent=indent, ensure_ascii=False) + "\n")
