"""The command line ``xaiaudio``: what the chapters do, from a terminal.

Exit status: 0 when all went well, 1 for something the user can put right (one or two lines on
standard error), 2 for a mistyped command, 130 after Ctrl-C.
"""

from __future__ import annotations

import errno
import os
import sys
from typing import Annotated

import typer

from ..errors import XaiAudioError
from . import book, corpus, data, evaluate, explain, methods, train
from .console import note, open_closed_streams, warnings_in_lines

app = typer.Typer(
    name="xaiaudio",
    help="What do audio classifiers listen to? Look at it, listen to it, measure it.",
    epilog="""\b
Examples:
  xaiaudio explain dog.wav             explain a sound with the network that ships along
  xaiaudio explain *.wav --out maps    many sounds: pictures, sounds and a page for each
  xaiaudio evaluate my_sounds/         measure which explanations can be trusted
  xaiaudio corpus explain recordings/  explain a whole archive; see also corpus report
  xaiaudio methods                     the explanation methods and their options
  xaiaudio train my_sounds/            teach a network the classes of your own folder
  xaiaudio book                        run every chapter and render the book

`xaiaudio COMMAND --help` tells more about one command.""",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _top(
    version: Annotated[bool, typer.Option("--version", help="Print the version.")] = False,
) -> None:
    if version:
        from .. import __version__

        typer.echo(f"xaiaudio {__version__}")
        raise typer.Exit


explain.add_to(app)
evaluate.add_to(app)
corpus.add_to(app)
train.add_to(app)
data.add_to(app)
methods.add_to(app)
book.add_to(app)


def main(arguments=None) -> int:
    """Run a command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those that the program was called with.
    """
    open_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # names of files may hold anything
            stream.reconfigure(errors="backslashreplace")
    arguments = sys.argv[1:] if arguments is None else list(arguments)
    try:
        if "" in arguments:  # it would be taken for the folder that one is in
            raise XaiAudioError("One of the arguments is empty: is a shell variable not set?")
        with warnings_in_lines():
            status = _run(arguments)
        sys.stdout.flush()
    except XaiAudioError as error:
        return _complain(str(error))
    except MemoryError:
        return _complain("There is not enough memory: take fewer or shorter sounds.")
    except OSError as error:
        if error.errno is None:
            raise
        return _complain(_os_trouble(error))
    if status == 130:
        print("Stopped.", file=sys.stderr)
    return status


def _run(arguments) -> int:
    try:
        app(arguments, prog_name="xaiaudio")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else int(end.code is not None)
    except KeyboardInterrupt:
        return 130
    return 0


def _complain(message: str) -> int:
    # What is left unwritten would raise once more at the interpreter's end.
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    note(f"xaiaudio: {message}")
    return 1


def _os_trouble(error: OSError) -> str:
    where = f" {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"Could not write{where}: the disk is full. Make room and run the command again."
    return f"Could not read or write{where}: {error.strerror}."


def help_text() -> str:
    """Return the help texts of all commands, one after the other."""
    top = typer.main.get_command(app)
    return "\n\n".join(_helps(top, None, "xaiaudio"))


def _helps(command, parent, name):
    context = command.make_context(
        name, [], parent=parent, resilient_parsing=True, terminal_width=88, max_content_width=88
    )
    yield command.get_help(context)
    for inner in getattr(command, "commands", {}).values():
        yield from _helps(inner, context, inner.name)
