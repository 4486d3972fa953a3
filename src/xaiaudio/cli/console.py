"""Where the commands write: results to standard output, the rest to standard error."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

from ..errors import XaiAudioError


def say(text: str) -> None:
    """Print a result."""
    print(text)


def note(text: str) -> None:
    """Print what is going on."""
    print(text, file=sys.stderr)


def check_folder(out: Path) -> None:
    """Complain of a folder that cannot be written to now, not after minutes of work."""
    there = next(place for place in (out, *out.absolute().parents) if os.path.exists(place))
    if not there.is_dir():
        what = "which is" if there == out else f"but {there} is"
        raise XaiAudioError(f"--out is {out}, {what} a file: name a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise XaiAudioError(
            f"--out is {out}, but nothing can be written to {there}: name another folder."
        )


def watched() -> bool:
    """Tell whether somebody watches, so that a progress bar makes sense."""
    return sys.stderr.isatty()


def table(columns, rows, title: str | None = None) -> None:
    """Print a table. In a pipe it is as wide as it needs to be."""
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    made = Table(title=title, box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for column in columns:
        made.add_column(column, overflow="fold")
    for row in rows:
        # As Text: square brackets in a file's name are no markup.
        made.add_row(*(Text(str(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(made)


@contextlib.contextmanager
def quiet_libraries():
    """Silence what libraries write straight to file descriptor 2, which no setting stops.

    Whatever goes wrong in Python is still raised.
    """
    sys.stderr.flush()
    with open(os.devnull, "wb") as nowhere:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)


def start_tensorflow() -> None:
    """Import TensorFlow without its start-up chatter about processors and graphics cards."""
    with quiet_libraries():
        import tensorflow

        tensorflow.constant(0)  # the devices are only looked for now
