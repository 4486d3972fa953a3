"""Where the book's files are, and which of its pages are chapters with code."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from ..errors import XaiAudioError

#: Environment variables that change what the chapters compute.
RELEVANT = ("XAIAUDIO_ESC10", "XAIAUDIO_VGGISH", "XAIAUDIO_YAMNET", "XAIAUDIO_AUDIOMNIST")

#: The part of the package that no chapter uses: a change there executes nothing again.
_PUBLISHING = ("publishing",)


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
        """Whether the page asks to be executed before the others, alone.

        It does so with ``xaiaudio: {first: true}`` in its front matter.
        """
        return bool((front_matter(self.text).get("xaiaudio") or {}).get("first"))


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
    """

    root: Path
    profile: str = "mini"
    seed: int = 0
    only: tuple[str, ...] = ()

    @property
    def build(self) -> Path:
        """Where everything is written that can be made again."""
        return self.root / "_build"

    @property
    def home(self) -> Path:
        """The part of `build` that belongs to this profile and seed."""
        home = self.build / self.profile
        return home if self.seed == 0 else home / f"seed-{self.seed}"

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
                raise XaiAudioError(f"The book has no chapter {name!r}: it has {', '.join(names)}.")
        return [page for page in chapters if not self.only or page.name in self.only]


def find(profile="mini", seed=0, root=None, only=()) -> Project:
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


def chapter_key(project, chapter, package) -> str:
    """Hash everything that the result of a chapter depends on.

    Parameters
    ----------
    project : Project
    chapter : Page
    package : str
        From :func:`package_key`.

    Returns
    -------
    str
    """
    parts = [chapter.name, chapter.text, package, project.profile, str(project.seed)]
    parts += [f"{name}={os.environ.get(name, '')}" for name in RELEVANT]
    return digest("\0".join(parts).encode())


def package_key(project) -> str:
    """Hash the package and the lock file.

    Parameters
    ----------
    project : Project

    Returns
    -------
    str
    """
    package = Path(__file__).resolve().parents[1]
    files = [
        path
        for path in sorted(package.rglob("*"))
        if path.is_file()
        and "__pycache__" not in path.parts
        and path.suffix not in (".pyc", ".partial")
        and path.relative_to(package).parts[0] not in _PUBLISHING
    ]
    return files_key([*files, project.root / "requirements.lock"], package)


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
    """Read a JSON file that this package wrote; `default` if it is not there or is damaged."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return default


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
    partial = path.with_name(path.name + ".partial")
    try:
        partial.write_text(text, encoding="utf-8")
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path


def write_json(path, data, indent=1) -> Path:
    """Write JSON in one step; see :func:`write_text`."""
    return write_text(path, json.dumps(data, indent=indent, ensure_ascii=False) + "\n")
