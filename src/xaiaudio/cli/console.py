"""Where the commands write: results to standard output, the rest to standard error."""

from __future__ import annotations

import contextlib
import os
import re
import sys
import warnings
from pathlib import Path

from .. import collector
from ..errors import XaiAudioError, XaiAudioWarning
from ..files import check_name

# What a terminal obeys or what turns text around: a name that holds it must not reach the terminal.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def visible(text) -> str:
    r"""Return a text with its control characters written out (``\x1b``), but for line ends.

    Names of files and labels may hold any, and are parts of results and messages.
    """
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(text))


def say(text: str) -> None:
    """Print a result."""
    print(visible(text))


def note(text: str) -> None:
    """Print what is going on."""
    print(visible(text), file=sys.stderr)


def note_all(title: str, texts, most: int = 10) -> None:
    """Print what is going on with several things: the first ones, and how many more."""
    texts = list(texts)
    for text in texts[:most]:
        note(f"{title}: {text}")
    if len(texts) > most:
        note(f"{title}: {len(texts) - most} more.")


def note_passed_over(clips) -> None:
    """Say which files of a set's folder are not taken for sounds."""
    names = [f"{path.parent.name}/{path.name}" for path in clips.passed_over]
    if names:
        shown = ", ".join(names[:5]) + (", ..." if len(names) > 5 else "")
        files = "1 file that is" if len(names) == 1 else f"{len(names)} files that are"
        note(f"Passed over: {files} no sound by name, no file, or too deep ({shown}).")


@contextlib.contextmanager
def warnings_in_lines():
    """Print each warning once, as one line, without the place in the code that it comes from."""
    seen = set()

    def show(message, category, *place, **more) -> None:
        text = " ".join(str(message).split())
        # Deprecations are for those who write the code.
        if text not in seen and not issubclass(category, DeprecationWarning | FutureWarning):
            seen.add(text)
            note(f"Warning: {text}")

    with warnings.catch_warnings():
        warnings.simplefilter("always", XaiAudioWarning)
        warnings.showwarning = show
        yield


def open_closed_streams() -> None:
    """Let the standard streams that were closed (``>&-``) lead to nowhere.

    Otherwise the next file that is opened takes their place, and is written into.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
            os.set_inheritable(number, True)
        if getattr(sys, name) is None:
            setattr(sys, name, open(number, "w" if number else "r", closefd=False))  # noqa: SIM115


def check_folder(folder: Path, option: str = "--out") -> None:
    """Complain of a folder that cannot be written to now, not after minutes of work."""
    check_name(folder)
    there = next(place for place in (folder, *folder.absolute().parents) if os.path.lexists(place))
    if not there.is_dir():
        what = "which is" if there == folder else f"but {there} is"
        kind = "a file" if os.path.exists(there) else "a link that leads nowhere"
        raise XaiAudioError(f"{option} is {folder}, {what} {kind}: name a folder.")
    if not os.access(there, os.W_OK | os.X_OK):
        raise XaiAudioError(
            f"{option} is {folder}, but nothing can be written to {there}: name another folder."
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
        made.add_column(visible(column), overflow="fold")
    for row in rows:
        # As Text: square brackets in a file's name are no markup.
        made.add_row(*(Text(visible(cell)) for cell in row))
    Console(width=None if sys.stdout.isatty() else 160, highlight=False).print(made)


@contextlib.contextmanager
def quiet_libraries():
    """Silence what libraries write straight to file descriptor 2, which no setting stops.

    Whatever goes wrong in Python is still raised, and our own warnings are shown afterwards.
    """
    sys.stderr.flush()
    with open(os.devnull, "wb") as nowhere, warnings.catch_warnings(record=True) as caught:
        kept = os.dup(2)
        os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            os.close(kept)
    for one in caught:
        if issubclass(one.category, XaiAudioWarning):
            warnings.warn_explicit(one.message, one.category, one.filename, one.lineno)


def start_tensorflow() -> None:
    """Import TensorFlow without its start-up chatter about processors and graphics cards."""
    with quiet_libraries(), _without("sklearn"), collector.paused():
        import keras  # noqa: F401
        import tensorflow

        tensorflow.constant(0)  # the devices are only looked for now


@contextlib.contextmanager
def _without(package: str):
    """Let imports do as if a package were not installed.

    Keras imports all of scikit-learn for wrappers that no command uses, and does without where it
    is not there; that is a fifth of the start. Whoever asks for the package later gets it.
    """
    if package in sys.modules:
        yield
        return
    sys.modules[package] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[package]
