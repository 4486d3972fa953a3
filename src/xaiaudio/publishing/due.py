"""Which chapters are due: those that changed since they were last found right, and some others.

A long profile cannot be run whole each time. ``tests/baselines/PROFILE.checked.json`` says of each
chapter what it depended on when a whole build last found it right. What has changed since is due,
and so is a share of the rest, another one each day.
"""

from __future__ import annotations

import ast
import datetime
import functools
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import cache
from ..imports import ROOT, closure
from . import budget as budgets
from .baselines import FINGERPRINT
from .execute import read_stamp
from .project import chapter_parts, digest, read_json, write_json

if TYPE_CHECKING:
    from .project import Project

#: Every chapter comes at least once in so many days, if one builds daily.
SHARES = 5


# What may have a docstring.
_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def sources(project, chapter) -> str:
    """Name what a chapter depends on in the repository: whatever machine it is run on.

    Its text, the parts of the package that its code uses, the profile, and the lock file. Comments,
    docstrings and line breaks of the package do not count, as no number depends on them.
    """
    about, where = chapter_parts(project, chapter)
    used = closure(*where["modules"], code=where["code"])
    told = [(path.relative_to(ROOT).as_posix(), _meaning(path)) for path in used]
    return cache.key(about, told, files=where["files"])


@functools.cache
def _meaning(path) -> str:
    """Return the sum of a file, of Python of its code alone."""
    content = path.read_bytes()
    if path.suffix == ".py":
        tree = ast.parse(content)
        for node in ast.walk(tree):
            if isinstance(node, _DOCUMENTED) and ast.get_docstring(node, clean=False) is not None:
                node.body[0] = ast.Pass()
        content = ast.unparse(tree).encode()
    return digest(content)


def due(project: Project, day: int | None = None) -> Project:
    """Return the project with only the chapters that are due.

    Parameters
    ----------
    project : Project
    day : int, optional
        Decides which unchanged chapters are due; by default today.

    Returns
    -------
    Project
        Its `only` is empty if all are. The chapter on the training is always due: what the numbers
        of the others are compared with depends on the network that was trained.
    """
    day = datetime.date.today().toordinal() if day is None else day
    known = read_json(path_of(project), {})
    chapters = project.chapters()
    names = [
        chapter.name
        for number, chapter in enumerate(chapters)
        if chapter.name == FINGERPRINT[0]
        or number % SHARES == day % SHARES
        or known.get(chapter.name) != sources(project, chapter)
    ]
    return project if len(names) == len(chapters) else replace(project, only=tuple(names))


def order(project: Project, day: int | None = None) -> list[str]:
    """Name the chapters of a project, the most urgent first.

    The chapter on the training leads, then those that were never found right, then those that
    changed. Of these the ones whose turn it is come before the others, so that within some
    days each was among the first; then the shorter ones, so that many fit into a given time.

    Parameters
    ----------
    project : Project
    day : int, optional
        Decides whose turn it is; by default today.

    Returns
    -------
    list of str
    """
    day = datetime.date.today().toordinal() if day is None else day
    known, seconds = read_json(path_of(project), {}), budgets.expected(project)

    def rank(numbered):
        number, chapter = numbered
        changed = known.get(chapter.name) != sources(project, chapter)
        return (
            chapter.name != FINGERPRINT[0],
            chapter.name in known,
            not changed,
            number % SHARES != day % SHARES,
            seconds.get(chapter.name, 0.0),
            number,
        )

    return [chapter.name for _, chapter in sorted(enumerate(project.chapters()), key=rank)]


def budget(project: Project, minutes: float, day: int | None = None) -> budgets.Budget:
    """Return the time for a build of what is due; what is most urgent then comes first."""
    return budgets.Budget(minutes, budgets.expected(project), order(project, day))


def note(project: Project) -> Path:
    """Write down what the chapters of a project depend on, now that they were found right.

    How long they kept a processor busy is written down beside it.
    """
    stamps = {chapter.name: read_stamp(project, chapter.name) for chapter in project.chapters()}
    budgets.note(project, {name: stamp.get("cpu_seconds", 0) for name, stamp in stamps.items()})
    found = {chapter.name: sources(project, chapter) for chapter in project.chapters()}
    if project.only:
        names = [chapter.name for chapter in replace(project, only=()).chapters()]
        known = read_json(path_of(project), {})
        found = {name: key for name, key in {**known, **found}.items() if name in names}
    return write_json(path_of(project), dict(sorted(found.items())))


def path_of(project: Project) -> Path:
    """Return the file that says when chapters were last found right."""
    return project.baselines.with_name(f"{project.profile}.checked.json")
