"""``xaiaudio evaluate``: which explanation deserves belief, on one's own network and sounds."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ..audio import load_audio
from ..errors import XaiAudioError
from .console import note, say, start_tensorflow, table, watched
from .explain import _labels, _options

_EPILOG = """\b
Examples:
  xaiaudio evaluate                              the shipped network on generated sounds
  xaiaudio evaluate my_sounds --model mine.keras
  xaiaudio evaluate my_sounds --model mine.keras -m gradcam -m lime --clips 20
  xaiaudio evaluate my_sounds --set lime.samples=500 --out measured

One patch of each clip is explained: the loudest, or the one with most of the event
where the event is known. Clips that the network names wrongly are left out. The folder
--out gets leaderboard.html (open it in a browser), leaderboard.png and leaderboard.csv.
Each finished method is kept there too: stopped with Ctrl-C, the same command goes on
where it was.

How to read it: `chance` is a random map, `energy` the spectrogram itself, `oracle` the
true event. A method that does no better than chance by a measure tells you nothing
there. No measure is the truth: read several."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "evaluate", short_help="Measure the methods on a network: a leaderboard.", epilog=_EPILOG
    )(evaluate)


def evaluate(
    sounds: Annotated[
        str,
        typer.Argument(
            metavar="[FOLDER]",
            help="A folder with one folder per class, or synthetic, or esc10.",
        ),
    ] = "synthetic",
    model: Annotated[
        str, typer.Option(help="lite, or a .keras file: of xaiaudio train, or your own + --labels.")
    ] = "lite",
    labels: Annotated[
        Path | None,
        typer.Option(help="Text file, one class per line, for a .keras file that has none."),
    ] = None,
    methods: Annotated[
        list[str] | None,
        typer.Option("--methods", "--method", "-m", help="Repeat for several. Default: all."),
    ] = None,
    clips: Annotated[int, typer.Option(min=1, help="Most clips to measure on.")] = 40,
    settings: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="METHOD.OPTION=VALUE", help="Option of a method; repeat for several."
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides what is left to chance.")] = 0,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(
        "evaluated"
    ),
) -> None:
    """Measure the explanation methods on a network and sounds, and rank them."""
    if out.exists() and not out.is_dir():
        raise XaiAudioError(f"--out is {out}, which is a file: name a folder.")
    names = _labels(labels)
    from .. import datasets

    found = datasets.load(sounds, progress=watched())
    if found.name == "synthetic" or all(clip.fold for clip in found):
        # What a network of `xaiaudio train` has not seen comes first.
        found = _held_out_first(found)
    for clip in found[:clips]:
        load_audio(clip.path)
    start_tensorflow()
    from .. import evaluate as measuring
    from .. import models
    from ..explain.registry import methods as known
    from ..leaderboard_page import write

    every = list(known())
    chosen = list(dict.fromkeys(methods)) if methods else every
    options = _options(settings or [], chosen)
    classifier = models.load_model(model, labels=names)
    note(f"{sounds}: {len(chosen)} methods on up to {clips} clips ...")
    board = measuring.leaderboard(
        classifier,
        found,
        chosen,
        limit=clips,
        options=options,
        seed=seed,
        cache=out / "rows",
        progress=watched() or None,
    )
    written = write(board, out)
    head, *rows = board.table()
    table(head, rows)
    for row in board.rows:
        if row.error:
            note(f"{row.name}: {row.error}")
    if board.left_out:
        say(f"Left out, as {board.network} names them wrongly: {board.left_out} clips.")
    say(f"Measured on {board.cases} clips.")
    for path in written:
        say(f"  {path}")


def _held_out_first(clips):
    """Order clips so that the fold which training holds out comes first."""
    from dataclasses import replace

    return replace(clips, clips=tuple(sorted(clips.clips, key=lambda clip: clip.fold != 5)))
