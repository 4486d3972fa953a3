"""From chapter to book: execute, gate, compare with the baselines, render."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import XaiAudioError

__all__ = ["BuildReport", "build", "renew_baselines"]


@dataclass
class BuildReport:
    """What a build did.

    Attributes
    ----------
    profile : str
    page : Path or None
        The book's first page; None if it was not rendered.
    seconds : dict of str to float
        How long each chapter took when it was last executed.
    executed : list of str
        The chapters that were executed now.
    compared : bool
        Whether the recorded numbers were compared with baselines.
    rendered : bool
        Whether the pages were rendered now.
    left : list of str
        The chapters that were due and not run for want of time.
    """

    profile: str
    page: Path | None = None
    seconds: dict = field(default_factory=dict)
    executed: list = field(default_factory=list)
    compared: bool = False
    rendered: bool = False
    left: list = field(default_factory=list)

    @property
    def did_nothing(self) -> bool:
        """Whether everything was up to date."""
        return not self.executed and not self.rendered


def build(
    profile="mini",
    *,
    seed=0,
    check=True,
    workers=None,
    render=True,
    only=(),
    due=False,
    note=False,
    minutes=None,
    root=None,
    console=None,
) -> BuildReport:
    """Execute what changed, check it, compare it with the baselines and render the book.

    Parameters
    ----------
    profile : str
        A name from :mod:`xaiaudio.publishing.profiles`.
    seed : int
        The baselines are those of seed 0; another seed is not compared.
    check : bool
        Compare with the baselines.
    workers : int, optional
        Chapters to execute at a time; by default as many as cores and memory allow.
    render : bool
        False stops after the comparison.
    only : sequence of str
        The chapters to execute and check; they alone are never rendered.
    due : bool
        Only those that are due, see :mod:`.due`.
    note : bool
        Write down that they were found right, so that they are not due until something changes.
    minutes : float, optional
        How long the chapters may take, with `due`. Those that would end later are not begun: they
        are named, and remain due. The chapter on the training is always run.
    root : path, optional
        The clone of the repository; by default the one around the working directory.
    console : rich.console.Console, optional
        Where to say what is going on; by default standard output.

    Returns
    -------
    BuildReport

    Raises
    ------
    XaiAudioError
        If a chapter fails, a figure lacks something, a number moved, or a page is not whole; and
        if `minutes` are given without `due`.
    KeyboardInterrupt
        On Ctrl-C; finished chapters stay.
    """
    from .profiles import profile as known

    known(profile)
    from rich.console import Console

    from . import due as dues
    from . import steps
    from .project import find

    if minutes is not None and not due:
        raise XaiAudioError("Only a build of what is due may leave chapters out: --due --minutes.")
    console = console or Console()
    project = find(profile, seed, root, only)
    budget = None
    if due:
        budget = dues.budget(project, minutes) if minutes is not None else None
        project = dues.due(project)
        steps.say_due(project, console)
    with steps.lock(project), steps.terminable():
        runs = steps.run_chapters(project, workers, console, budget)
        if budget and budget.left:
            project = replace(project, only=tuple(run.name for run in runs))
        report = BuildReport(profile, seconds={run.name: run.seconds for run in runs})
        report.executed = [run.name for run in runs if run.fresh]
        report.left = budget.left if budget else []
        steps.check_notebooks(project)
        report.compared = check and seed == 0 and steps.compare(project, console)
        if note and report.compared:
            dues.note(project)
        if render and not project.only:
            report.page, report.rendered = steps.render(project, console)
    steps.tell(report, console)
    if budget:
        steps.say_left(budget, runs, console)
    return report


def renew_baselines(
    profile="mini", *, seeds=3, roundings=0, workers=None, only=(), root=None, console=None
) -> list[str]:
    """Run the book with several seeds and roundings, and write its baselines anew.

    Parameters
    ----------
    profile : str
    seeds : int
        How many runs. With 1, values and spreads over seeds stay as they are, and `roundings` are
        measured on top of them.
    roundings : int
        How many more runs with seed 0 that round otherwise, see
        :data:`xaiaudio.publishing.rounding.ROUNDINGS`.
    workers, only, root, console
        As for :func:`build`.

    Returns
    -------
    list of str
        Recorded values that change so much from run to run that their baseline says little.

    Raises
    ------
    XaiAudioError
        As for :func:`build`.
    """
    from .profiles import profile as known

    known(profile)
    from rich.console import Console

    from . import measuring, steps
    from .project import find

    console = console or Console()
    project = find(profile, 0, root, only)
    with steps.lock(project), steps.terminable():
        loose = measuring.renew(
            project, int(seeds), int(roundings), workers=workers, console=console
        )
        steps.check_notebooks(project)
    console.print(
        f"Baselines of {seeds + roundings} runs: {project.baselines}",
        highlight=False,
        soft_wrap=True,
    )
    if loose:
        console.print("These change so much from run to run that they are compared loosely:")
        for name in loose:
            console.print(f"  {name}", highlight=False, markup=False, soft_wrap=True)
    return loose


def fail(head, problems, most=40):
    """Raise the error that lists what is wrong, one line each.

    Parameters
    ----------
    head : str
    problems : list
    most : int
        The rest is only counted.
    """
    lines = [f"  {problem}" for problem in problems[:most]]
    if len(problems) > most:
        lines.append(f"  and {len(problems) - most} more")
    raise XaiAudioError("\n".join([head, *lines]))
