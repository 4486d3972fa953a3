"""``xaiaudio evaluate``: which explanation to trust, on one's own network and sounds."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from ..clock import counted
from ..datasets.base import FOLDS
from ..datasets.registry import SETS
from ..errors import XaiAudioError
from .choices import (
    Model,
    Precision,
    Settings,
    load_network,
    read_options,
    takes_network,
)
from .console import check_folder, note, note_passed_over, say, start_tensorflow, table, watched

# Root mean square of a sound that is too soft to be mixed: -74 dB of full scale.
QUIET = 2e-4

_WAYS = {"higher": " ↑", "lower": " ↓", "neither": ""}

_EPILOG = """\b
Examples:
  xaiaudio evaluate                              the shipped network on generated sounds
  xaiaudio evaluate my_sounds --model mine.keras
  xaiaudio evaluate my_sounds --model mine.keras -m gradcam -m lime --clips 20
  xaiaudio evaluate my_sounds --model mine.keras --mix 10
  xaiaudio evaluate my_sounds --set lime.samples=500 --out measured
  xaiaudio evaluate my_sounds --model mine.keras -m lime --card lime.md

The folder has one folder per class, named as the network's classes; a folder of sounds
alone is explained for the classes that the network predicts. One patch of each clip is
explained: the loudest, or the one with most of the event where the event is known. Left
out are clips that the network misclassifies, and sounds that cannot be read, are silent
or shorter than a patch.

It is not known where in your recordings the sound is, so the measures against the truth
have no answer, unless you --mix: each sound is laid over a recording of another class.

A network with a front end of its own must be saved by AudioClassifier.save, which
keeps the front end and the labels in the file.

The folder --out gets leaderboard.html (open it in a browser), leaderboard.png and
leaderboard.csv. Each finished method is kept there too: stopped with Ctrl-C, the same
command goes on where it was. Twice the clips take twice the time; RISE, Shapley values
and LIME take most of it. Changed patches are asked about in bfloat16, where the processor
has it and the network's answers hardly change; the results say so. --precision float32 is
exact, the same on every processor, and takes about twice the time.

How to read it: `chance` is a random map, `uniform` the same everywhere, `centre` highest
in the middle, `energy` the spectrogram itself, `oracle` the true event. A method that
does no better than chance by a measure tells you nothing there. No measure is the truth:
read several.

--card writes what belongs with the maps in a report: network, sounds, options, each
measure beside the random map, and what was not shown. It names the clips and shows the
command as you typed it. With --hide-names, no file names a clip or the folder: the card
has fingerprints of the clips in their place."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "evaluate", short_help="Measure the methods on a network: a leaderboard.", epilog=_EPILOG
    )(evaluate)


@takes_network
def evaluate(
    context: typer.Context,
    sounds: Annotated[
        str,
        typer.Argument(
            metavar="[FOLDER]",
            help=f"A folder with one folder per class, or {', '.join(SETS)}.",
        ),
    ] = "synthetic",
    model: Model = "lite",
    methods: Annotated[
        list[str] | None,
        typer.Option("--methods", "--method", "-m", help="Repeat for several. Default: all."),
    ] = None,
    clips: Annotated[int, typer.Option(min=1, help="Most clips to measure on.")] = 40,
    settings: Settings = None,
    mix: Annotated[
        float | None,
        typer.Option(
            min=-60,
            max=60,
            metavar="DB",
            help="Mix each sound over one of another class, so much louder: its place is known.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides what is left to chance.")] = 0,
    precision: Annotated[
        Precision,
        typer.Option(help="Numbers in which changed patches are asked: auto is faster, if it can."),
    ] = Precision.auto,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(
        "evaluated"
    ),
    card: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Also write a card for a report, .md or .html."),
    ] = None,
    hide_names: Annotated[
        bool, typer.Option("--hide-names", help="Write no names of clips or of their folder.")
    ] = False,
    *,
    about: dict[str, Any],
) -> None:
    """Measure the explanation methods on a network and sounds, and rank them."""
    check_folder(out)
    if card is not None:
        _check_card(card)
    from .. import datasets

    found = datasets.load(sounds, progress=watched())
    note_passed_over(found)
    folder_name = found.name
    start_tensorflow()
    from .. import evaluate as measuring
    from ..explainers.registry import methods as known
    from ..pages.card import write as write_card
    from ..pages.leaderboard import write

    every = list(known())
    chosen = list(dict.fromkeys(methods)) if methods else every
    options = read_options(settings or [], chosen)
    classifier = load_network(model, about)
    if mix is None:
        found = _held_out_first(found)
    else:
        found = _mixed(found, mix, clips, classifier.frontend, seed)
    note(f"{sounds}: {counted(len(chosen), 'method')} on up to {counted(clips, 'clip')} ...")
    cases = measuring.cases_of(classifier, found, clips)
    board = measuring.leaderboard(
        classifier,
        cases,
        chosen,
        options=options,
        seed=seed,
        precision=precision.value,
        cache=out / "rows",
        progress=watched() or None,
    )
    hidden = sounds if hide_names and Path(sounds).is_dir() else None
    if hide_names:
        cases, board = _nameless(cases, board, folder_name if hidden else None)
    written = write(board, out)
    if card is not None:
        about = {"file": model if Path(model).is_file() else None, "hide_names": hide_names}
        again = _typed(context, hidden)
        made = measuring.card(classifier, cases, board, again=again, **about)
        written.append(write_card(made, card))
    for names in _families(board):
        _, *rows = board.table(names)
        heads = [f"{one.title}{_WAYS[one.better]}" for one in map(board.measure, names)]
        table(["method", *heads], rows, board.measure(names[0]).family)
    for row in board.rows:
        if row.error:
            note(f"{row.name}: {row.error}")
    for reason in cases.unusable:
        note(f"Left out: {reason}")
    if board.left_out:
        say(f"Left out, as {board.network} misclassifies them: {counted(board.left_out, 'clip')}.")
    shorter = "" if board.precision == "float32" else f", in {board.precision}"
    say(f"Measured on {counted(board.cases, 'clip')}{shorter}.")
    for path in written:
        say(f"  {path}")


def _nameless(cases, board, folder: str | None):
    """Return cases and leaderboard, for files that name no clip, nor the folder if it is given."""

    def said(text):
        for path in paths:
            text = text.replace(path, "a clip")
        return text

    paths = [str(clip.path) for clip in cases.clips]
    rows = [
        replace(row, error=said(row.error), notes={key: said(row.notes[key]) for key in row.notes})
        for row in board.rows
    ]
    left = len(board.unusable)
    unusable = (f"{counted(left, 'sound')}, with the names hidden.",) if left else ()
    name = cases.dataset.removesuffix(folder) + "a folder" if folder else cases.dataset
    board = replace(board, dataset=name, rows=tuple(rows), unusable=unusable)
    return replace(cases, dataset=name), board


def _check_card(path: Path) -> None:
    """Find out before the work, not after it, that a card cannot be written."""
    from ..pages.card import check_path

    place = next(
        parent for parent in check_path(path).absolute().parents if os.path.lexists(parent)
    )
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise XaiAudioError(f"--card is {path}, but nothing can be written to {place}.")


def _said(value, hidden: str | None) -> str:
    """Return a word of the command; of a folder that is hidden, and what is in it, FOLDER."""
    if hidden is None or not (value == hidden or isinstance(value, Path)):
        return str(value)
    path, folder = Path(os.path.abspath(value)), Path(os.path.abspath(hidden))
    return str("FOLDER" / path.relative_to(folder)) if path.is_relative_to(folder) else str(value)


def _typed(context, hidden: str | None = None) -> str:
    """Return the command with all its options that are not the defaults."""
    words = ["xaiaudio", "evaluate"]
    for option in context.command.params:
        value = context.params.get(option.name)
        if value is None or value == option.get_default(context):
            continue
        if option.param_type_name == "argument":
            words.append(_said(value, hidden))
        elif getattr(option, "is_flag", False):
            words.append(option.opts[0])
        else:
            for one in value if isinstance(value, (list, tuple)) else [value]:
                words += [option.opts[0], _said(one, hidden)]
    return shlex.join(words)


def _families(board) -> list[list[str]]:
    """Group the measures that have an answer: a table of all would be too wide to read."""
    families: dict[str, list[str]] = {}
    for one in board.measures:
        if any(np.isfinite(board.mean(row.name, one.name)) for row in board.rows):
            families.setdefault(one.family, []).append(one.name)
    return list(families.values())


def _held_out_first(clips):
    """Order clips so that those which `xaiaudio train` holds out come first."""
    if not all(clip.fold for clip in clips):
        return clips
    return replace(clips, clips=tuple(sorted(clips.clips, key=lambda clip: clip.fold != FOLDS)))


def _can_be_mixed(clip, frontend) -> bool:
    """Tell whether a sound holds an event, and say why if not."""
    try:
        wave = clip.load(frontend.sample_rate)
    except XaiAudioError as error:
        note(f"Left out: {error}")
        return False
    if len(wave) < max(frontend.min_samples, frontend.sample_rate):
        note(f"Left out: {clip.path} is too short to be mixed.")
    elif np.sqrt(np.mean(np.square(wave, dtype=float))) < QUIET:
        note(f"Left out: {clip.path} is silent.")
    else:
        return True
    return False


def _mixed(clips, ratio, limit, frontend, seed):
    """Lay sounds over sounds of other classes: twice as many as wanted, for some are misnamed."""
    from ..datasets.mixtures import mixtures

    held_out = replace(clips, clips=tuple(clip for clip in clips if clip.fold == FOLDS))
    if len(held_out) >= limit and len({clip.label for clip in held_out}) > 1:
        clips = held_out
    clips = replace(clips, clips=tuple(clip for clip in clips if _can_be_mixed(clip, frontend)))
    classes = max(len({clip.label for clip in clips}), 1)
    return mixtures(
        clips,
        snrs=(ratio,),
        per_class=-(-2 * limit // classes),
        frontend=frontend.with_overlap(0),
        seed=seed,
    )
