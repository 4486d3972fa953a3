"""Where the commands write: results to standard output, the rest to standard error."""

from __future__ import annotations

import sys


def say(text: str) -> None:
    """Print a result."""
    print(text)


def note(text: str) -> None:
    """Print what is going on."""
    print(text, file=sys.stderr)


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
