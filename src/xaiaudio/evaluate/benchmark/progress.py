"""A progress bar on stderr that leaves room for the bars of what it waits for."""

from __future__ import annotations

import contextlib
import sys

WIDTH = 30


@contextlib.contextmanager
def bar(steps: int, wanted: bool | None):
    """Yield a function to call with a step's name when it begins; it moves a bar if one is wanted.

    The bar is a line of its own: the bars of the methods come and go below it.

    Parameters
    ----------
    steps : int
    wanted : bool or None
        None shows the bar on a terminal only.
    """
    if wanted is False or (wanted is None and not sys.stderr.isatty()):
        yield lambda name: None
        return
    done = -1

    def draw(name):
        up = "\x1b[1A\r\x1b[2K" if done else ""
        full = WIDTH * done // max(steps, 1)
        line = f"[{'#' * full}{'.' * (WIDTH - full)}] {done} of {steps} {name}"
        print(f"{up}{line}", file=sys.stderr, flush=True)

    def begin(name):
        nonlocal done
        done += 1
        draw(name)

    yield begin
    done += 1
    draw("")
