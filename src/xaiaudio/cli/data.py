"""``xaiaudio data``: fetch, list and look at sets of sounds."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..datasets.registry import SETS, module_of, place
from ..errors import XaiAudioError
from .console import note, note_all, note_passed_over, say, table, watched

group = typer.Typer(
    help="Fetch, list and look at sets of sounds.",
    epilog="""\b
Examples:
  xaiaudio data list             what there is, and where
  xaiaudio data fetch            download ESC-10 (41 MB) and check every file
  xaiaudio data info esc10       counts, licences, and whether the copy is the authors'
  xaiaudio data info my_sounds   a folder of your own, as `xaiaudio train` would read it""",
    no_args_is_help=True,
    rich_markup_mode=None,
)


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(group, name="data")


@group.command("fetch", short_help="Download or generate a set.")
def fetch(
    name: Annotated[str, typer.Argument(metavar="SET", help=f"{', '.join(SETS)}.")] = "esc10",
    url: Annotated[
        str | None, typer.Option(help="A mirror of the archive. Default: the authors' own.")
    ] = None,
) -> None:
    """Download a set, or generate it, into the cache; complete what is there already."""
    if name not in SETS:
        raise XaiAudioError(
            f"No set is called {name!r} to be fetched: there are {', '.join(SETS)}."
        )
    module = module_of(name)
    if hasattr(module, "fetch"):
        say(f"{name} is complete: {module.fetch(progress=watched(), url=url)}")
        return
    if url is not None:
        raise XaiAudioError(f"{name} is made here, not downloaded: leave out --url.")
    say(f"{name} is complete: {_folder_of(module.load(progress=watched()))}")


@group.command("list", short_help="List the sets and where they are.")
def list_() -> None:
    """List the sets that can be had by name, and where they are kept."""
    rows = [(name, entry.summary, _place(name)) for name, entry in SETS.items()]
    rows.append(("FOLDER", "your own: one folder per class", "any folder"))
    table(("set", "what it is", "where"), rows)


def _folder_of(clips) -> str:
    """Return the folder that all sounds of a set are in."""
    return os.path.commonpath([clip.path.parent for clip in clips])


def _place(name: str) -> str:
    from .. import cache

    own = place(name)
    if own:
        return f"{own} ({SETS[name].variable})"
    folder = cache.home() / name
    return str(folder) if folder.is_dir() else "not here yet: xaiaudio data fetch " + name


@group.command("info", short_help="Classes, counts and licences of a set.")
def info(
    name: Annotated[
        str,
        typer.Argument(metavar="SET", help=f"{', '.join(SETS)}, or a folder of sounds."),
    ],
) -> None:
    """Tell the classes, counts, folds and licences of a set; check files whose sums are known."""
    from .. import datasets

    if name in SETS and hasattr(module_of(name), "check"):
        _check(name)
    clips = datasets.load(name, progress=watched())
    note_passed_over(clips)
    if name not in SETS:
        clips, reasons = datasets.readable(clips)
        note_all("Left out", reasons)
        if not clips:
            raise XaiAudioError(f"{name} holds no sound that can be read.")
    folds = sorted({clip.fold for clip in clips if clip.fold is not None})
    rows = [
        (label, len(part := clips.of(label)), *_per_fold(part, folds)) for label in clips.labels
    ]
    rows.append(("all", len(clips), *_per_fold(clips, folds)))
    table(("class", "clips", *(f"fold {fold}" for fold in folds)), rows)
    licences = sorted({clip.licence or "unknown" for clip in clips})
    say(f"Licences: {', '.join(licences)}")
    say(f"Files: {_folder_of(clips)}")


def _per_fold(clips, folds) -> list[int]:
    return [sum(clip.fold == fold for clip in clips) for fold in folds]


def _check(name: str) -> None:
    """Compare a copy with the authors' sums, if it is in their layout."""
    from .. import cache

    own = place(name)
    folder = Path(own) if own else cache.home() / name
    if not folder.is_dir():
        raise XaiAudioError(
            f"{name} is not in {folder}: xaiaudio data fetch {name} downloads it, or name a copy "
            f"in {SETS[name].variable}."
        )
    found = module_of(name).check(folder, progress=watched())
    if found.ok:
        say(f"All {found.good} files are the authors'.")
    elif not found.good and not found.changed:
        note(f"{folder} is not in the authors' layout: its files are not checked.")
    else:
        bad = [*found.changed, *found.missing]
        raise XaiAudioError(
            f"{folder}: {len(found.changed)} files differ from the authors', {len(found.missing)} "
            f"are missing, first {bad[0]!r}. Remove them and run xaiaudio data fetch {name}."
        )
