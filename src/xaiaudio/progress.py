"""The one progress bar: on standard error, gone when the work is done."""

from __future__ import annotations

import contextlib
import threading

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)

# A terminal holds one display at a time: bars within bars are lines of it.
_LOCK = threading.Lock()
_OPEN: list[Progress] = []
_USERS = [0]


@contextlib.contextmanager
def bar(
    total: int | None,
    wanted: bool | None = None,
    title: str = "Asking the network",
    *,
    notebook: bool = False,
    size: bool = False,
    console: Console | None = None,
):
    """Yield a function that moves a bar on, or does nothing if no bar is wanted.

    Parameters
    ----------
    total : int or None
        Steps, or bytes; None if unknown.
    wanted : bool or None
        None shows the bar on a terminal only, True everywhere, False nowhere.
    title : str
    notebook : bool
        With None, show it in a notebook too.
    size : bool
        True if bytes are counted.
    console : rich.console.Console, optional
        By default standard error.

    Yields
    ------
    callable
        ``step(steps=1, text="", done=None, total=None)``: `steps` more are done, or `done` in all;
        `text` stands beside the bar.

    Examples
    --------
    >>> with bar(3, False) as step:
    ...     for _ in range(3):
    ...         step()
    """
    inside = notebook and wanted is None and _in_notebook()
    console = console or _console(bool(wanted) or inside, inside)
    if wanted is False or not console.is_terminal:
        yield lambda *_, **__: None
        return
    with _display(console, 1 if inside else 10) as display:
        # As fields, not as markup: what is shown may hold square brackets.
        task = display.add_task("", total=total, title=title, text="", size=size)

        def step(steps=1, text="", done=None, total=None):
            counted = {"completed": done} if done is not None else {"advance": steps}
            if total is not None:
                counted["total"] = total
            display.update(task, text=text, **counted)

        try:
            yield step
        finally:
            display.remove_task(task)


@contextlib.contextmanager
def _display(console, rate):
    """Yield the display that is on, or a new one; whoever leaves last takes it away."""
    with _LOCK:
        if not _OPEN:
            _OPEN.append(
                Progress(
                    TextColumn("{task.fields[title]}", markup=False),
                    BarColumn(bar_width=30),
                    _Count(),
                    TextColumn("{task.fields[text]}", markup=False),
                    TimeRemainingColumn(),
                    console=console,
                    transient=True,
                    refresh_per_second=rate,
                )
            )
            _OPEN[0].start()
        _USERS[0] += 1
        display = _OPEN[0]
    try:
        yield display
    finally:
        with _LOCK:
            _USERS[0] -= 1
            if not _USERS[0]:
                _OPEN.pop().stop()


class _Count(ProgressColumn):
    """How many of how many: bytes as sizes."""

    def __init__(self):
        super().__init__()
        self._columns = MofNCompleteColumn(), DownloadColumn()

    def render(self, task):
        """Return the text."""
        return self._columns[bool(task.fields["size"])].render(task)


def _console(forced: bool, notebook: bool) -> Console:
    # In a notebook rich asks for ipywidgets. A line of a terminal needs none, if it is short and is
    # not written too often; on standard error it is no part of a chapter's results.
    return Console(
        stderr=True,
        force_jupyter=False,
        force_terminal=forced or None,
        width=110 if notebook else None,
    )


def _in_notebook() -> bool:
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    return getattr(get_ipython(), "kernel", None) is not None
