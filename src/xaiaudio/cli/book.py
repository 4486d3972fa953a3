"""``xaiaudio book``: every chapter executed, checked and rendered."""

from __future__ import annotations

import importlib.util
from typing import Annotated

import typer

from ..errors import XaiAudioError

_EPILOG = """\b
Examples:
  xaiaudio book                          offline, on synthetic sounds
  xaiaudio book --profile esc10-yamnet   on the recordings of ESC-10
  xaiaudio book --only gradcam           one chapter, while you write it
  xaiaudio book --renew-baselines        write the recorded numbers anew

Run it in a clone of the repository. A second run does nothing twice."""

# What the extra [book] brings, by the names they are imported under.
_NEEDED = ("papermill", "jupytext", "jupyter_book", "myst_nb", "sphinx_exercise", "ipykernel")


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("book", short_help="Execute, check and render the book.", epilog=_EPILOG)(book)


def book(
    profile: Annotated[str, typer.Option(help="mini, esc10-yamnet or esc10-vggish.")] = "mini",
    seed: Annotated[int, typer.Option(min=0, help="Another seed gives another training run.")] = 0,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Chapters at a time. Default: what the machine bears.")
    ] = None,
    check: Annotated[bool, typer.Option(help="Compare the figures with the baselines.")] = True,
    render: Annotated[bool, typer.Option(help="Render the pages.")] = True,
    renew_baselines: Annotated[
        bool,
        typer.Option(
            "--renew-baselines",
            help="Run with several seeds and roundings, and write baselines.",
        ),
    ] = False,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Execute and check this chapter alone, without pages. May be repeated."),
    ] = None,
    due: Annotated[
        bool,
        typer.Option(
            "--due", help="Only the chapters that changed since --note, and a share of the others."
        ),
    ] = False,
    note: Annotated[
        bool, typer.Option("--note", help="Write down that the numbers agree, for --due.")
    ] = False,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=1,
            help="With --due: do not begin a chapter that would end after so many minutes. "
            "Those left are named, and remain due.",
        ),
    ] = None,
    seeds: Annotated[
        int,
        typer.Option(
            min=1, help="Runs for --renew-baselines; 1 adds --roundings to the baselines there are."
        ),
    ] = 3,
    roundings: Annotated[
        int,
        typer.Option(min=0, help="More runs for --renew-baselines that round otherwise, up to 3."),
    ] = 2,
) -> None:
    """Run the book: execute its chapters, check the figures, render the pages."""
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        raise XaiAudioError(
            f'The book needs {missing[0]}, which is not installed: pip install "xaiaudio[book]".'
        )
    from .. import publishing

    if renew_baselines:
        publishing.renew_baselines(
            profile, seeds=seeds, roundings=roundings, workers=workers, only=only or ()
        )
    else:
        publishing.build(
            profile,
            seed=seed,
            check=check,
            workers=workers,
            render=render,
            only=only or (),
            due=due,
            note=note,
            minutes=minutes,
        )
