"""The steps of a build, each ending in an error that says what to do."""

from __future__ import annotations

import signal
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .. import cache
from . import baselines, execute, fail, gate, notebooks, report, site, site_gate

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from .project import Project


@contextmanager
def lock(project):
    """Let one build at a time work on a profile."""
    project.home.mkdir(parents=True, exist_ok=True)
    busy = (
        f"Another build of the profile '{project.profile}' is running in {project.root}: "
        "wait for it."
    )
    with cache.lock(project.build / f"{project.profile}.lock", busy=busy, advice=""):
        yield


@contextmanager
def terminable():
    """Treat a polite request to end (SIGTERM) like Ctrl-C, so that kernels are ended too."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(*_):
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def say_due(project, console):
    """Say which chapters are due."""
    names = project.only or [chapter.name for chapter in project.chapters()]
    console.print(f"Due: {', '.join(names)}.", highlight=False, soft_wrap=True)


def run_chapters(project, workers, console, budget=None):
    """Execute what changed, as far as there is time."""
    runs = execute.execute(project, workers=workers, console=console, budget=budget)
    if not any(run.fresh for run in runs):
        console.print(f"All {len(runs)} chapters are up to date.", highlight=False)
    return runs


def say_left(budget, runs, console):
    """Say which chapters were not run for want of time."""
    if not budget.left:
        return
    console.print(
        f"{len(budget.left)} of {len(budget.left) + len(runs)} chapters were NOT RUN, as "
        f"{budget.minutes:g} minutes are too short here. Nothing is known of them, and they remain "
        f"due: {', '.join(budget.left)}.",
        highlight=False,
        soft_wrap=True,
    )


def check_notebooks(project):
    """Hold the executed notebooks to what they must have."""
    pages = {
        chapter.name: notebooks.read(execute.notebook_path(project, chapter.name))
        for chapter in project.chapters()
    }
    problems = gate.check_notebooks(pages)
    if problems:
        fail("The executed chapters are not complete:", problems)


def compare(project, console) -> bool:
    """Compare with the baselines; return whether there are any.

    A profile that was never measured has none: somebody who runs it first must get the book.
    """
    old = project.home / "regression.html"
    old.unlink(missing_ok=True)
    if not project.baselines.is_dir():
        console.print(
            f"There are no baselines for the profile '{project.profile}': nothing was compared. "
            f"'make baselines PROFILE={project.profile}' makes them."
        )
        return False
    names = [chapter.name for chapter in project.chapters()]
    differences = baselines.check(project, names)
    page = report.write_report(project, differences) if differences else None
    broken, drifted = baselines.sort_out(project, differences)
    if broken:
        fail(
            f"{len(broken)} recorded values are not what they were; see {page}\n"
            f"If this is meant: make baselines PROFILE={project.profile}{_untold(project)}",
            broken,
        )
    if drifted:
        console.print(
            "The training went otherwise here than for the baselines, as it does on another kind "
            f"of processor: {len(drifted)} recorded values lie beyond what another seed changes. "
            f"They are in {page}",
            highlight=False,
            soft_wrap=True,
        )
    else:
        console.print("All recorded numbers agree with the baselines.")
    return True


def _untold(project) -> str:
    """Say that values may be another network's, where the training was not looked at."""
    training = baselines.FINGERPRINT[0]
    if baselines.course(project) is not None or not baselines.load(project, training):
        return ""
    return (
        f"\nThe chapter '{training}' was not run here, so it is not known whether the training "
        "goes as it did for the baselines. On another kind of processor it does not, and then "
        f"single values may differ: run it too, --only {training}."
    )


def render(project: Project, console: Console) -> tuple[Path, bool]:
    """Render the pages and check them."""
    folder, fresh = site.build_site(project, console=console)
    problems = site_gate.check_site(folder)
    if problems:
        # So that the next build does not take these pages for good ones.
        (project.home / "html" / site.STAMP).unlink(missing_ok=True)
        fail(f"The pages in {folder} are not whole:", problems)
    return folder / "index.html", fresh


def tell(report, console):
    """Say how long each chapter took and where the book is."""
    from rich.table import Table

    if report.executed:
        table = Table("chapter", "seconds", title="Run times")
        for name in sorted(report.seconds, key=lambda n: -report.seconds[n]):
            if name in report.executed:
                table.add_row(name, f"{report.seconds[name]:.0f}")
        console.print(table)
    if report.page:
        note = "" if report.rendered else " (unchanged)"
        console.print(f"The book: {report.page}{note}", highlight=False, soft_wrap=True)
