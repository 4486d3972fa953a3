"""``xaiaudio corpus``: archives of any size, explained and summed up."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from ..clock import counted
from ..errors import XaiAudioError
from .choices import (
    Channel,
    Model,
    Overlap,
    Pad,
    Settings,
    Target,
    read_options,
    takes_network,
)
from .console import check_folder, note, note_all, quiet_libraries, say, watched

group = typer.Typer(
    help="Explain whole archives, and see what a network listens to in them.",
    epilog="""\b
Examples:
  xaiaudio corpus explain recordings --out explained
  xaiaudio corpus explain recordings --out explained --method lrp --workers 4
  xaiaudio corpus explain recordings --out explained --scheduler tcp://host:8786
  xaiaudio corpus report explained

It needs more packages: pip install 'xaiaudio[corpus]'""",
    no_args_is_help=True,
    rich_markup_mode=None,
)

_EXPLAIN = """\b
Examples:
  xaiaudio corpus explain recordings --out explained
  xaiaudio corpus explain recordings --out explained --method gradcam --method lrp
  xaiaudio corpus explain recordings --out explained --target Helicopter --workers 8

All sounds of the folder and of those in it are explained, in units of 64 clips. Of each clip
the loudest patch is explained, for the class that the network calls the clip, or for --target.
The folder --out gets plan.json and files.parquet (what is to be done), clips/ (tables in
Parquet: a row for each clip and method), bad/ (files that could not be explained and folders
that could not be read, and why) and maps.zarr (the maps), one file or group a unit.

Stop it, or let the machine crash: the same command goes on with what is missing, and
explains sounds that came since. If sounds, network or settings changed, it says what.

Each worker is a process with one thread and loads the network once. Where the folders are
seen by several machines, start a Dask scheduler there and name it by --scheduler. Whoever
can reach a scheduler can run code on its workers: keep it in your own network."""


def add_to(app: typer.Typer) -> None:
    """Add the group of commands."""
    app.add_typer(group, name="corpus")


@group.command("explain", short_help="Explain all sounds of a folder.", epilog=_EXPLAIN)
@takes_network
def explain(
    folder: Annotated[Path, typer.Argument(help="Holds the sounds.", readable=False)],
    model: Model = "lite",
    method: Annotated[
        list[str] | None,
        typer.Option("--method", "-m", help="Repeat for several. Default: gradcam."),
    ] = None,
    target: Target = None,
    overlap: Overlap = 0.5,
    channel: Channel = None,
    pad: Pad = False,
    settings: Settings = None,
    clips: Annotated[int, typer.Option(min=1, help="Most clips of a unit.")] = 64,
    workers: Annotated[
        int | None,
        typer.Option(min=0, help="Processes. Default: one a core. 0: none but this one."),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option(metavar="ADDRESS", help="A Dask scheduler to use: tcp://host:8786."),
    ] = None,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(
        "explained"
    ),
    *,
    about: dict[str, Any],
) -> None:
    """Explain what a network listens to in all sounds of a folder; go on where it stopped."""
    methods = list(dict.fromkeys(method or ["gradcam"]))
    options = read_options(settings or [], methods)
    if scheduler is not None and workers is not None:
        raise XaiAudioError("--workers are processes of this machine: leave out --scheduler.")
    check_folder(out)
    from .. import corpus

    # TensorFlow may start up here, and says so.
    with quiet_libraries():
        plan = corpus.plan(
            folder,
            out,
            model=model,
            methods={name: options.get(name, {}) for name in methods},
            target=target,
            overlap=overlap,
            channel=channel,
            pad=pad,
            clips=clips,
            about=about,
        )
    note_all("Passed over, for its name is no UTF-8", plan.passed_over)
    if plan.added:
        note(f"{counted(plan.added, 'sound')} came since.")
    waiting = len(plan.waiting())
    parts = f"{counted(len(plan), 'clip')} in {counted(plan.units, 'unit')}"
    note(f"{folder}: {parts}, {waiting} to do.")
    done = corpus.run(
        plan, workers=workers, scheduler=scheduler, progress=watched() or None, tell=note
    )
    if done.units:
        rate = (done.clips + done.bad) / done.seconds
        clips_done = counted(done.clips + done.bad, "clip")
        note(f"{clips_done} in {done.seconds:.1f} s ({rate:.1f} a second).")
    found = corpus.read(out)
    bad = found.bad
    note_all("Bad", bad["reason"])
    explained = counted(len(found.clips["file"]) // len(methods), "clip")
    say(f"{explained} explained, {len(bad['file'])} bad.")
    say(f"  {out}")
    if not len(found.clips["file"]):
        raise typer.Exit(1)


_REPORT = """\b
Examples:
  xaiaudio corpus report explained
  xaiaudio corpus report explained --method lrp --out seen

The folder gets report.html (open it in a browser; its sounds are links into the archive),
classes.csv (relevance by frequency), groups.csv (the group of each clip) and bad.csv.

A class whose maps fall into groups is one of which the network has several reasons. Listen
to the groups: one may be a mark, such as the hum of one recorder."""


@group.command("report", short_help="What a network listens to, class by class.", epilog=_REPORT)
def report(
    explained: Annotated[
        Path, typer.Argument(metavar="OUT", help="The folder that explain wrote.", readable=False)
    ],
    method: Annotated[
        str | None, typer.Option("--method", "-m", help="Default: the first one.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides what is left to chance.")] = 0,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", help="Folder for the report. Default: OUT/report.")
    ] = None,
) -> None:
    """Sum up an explained archive: relevance by frequency, typical and odd clips, groups."""
    from .. import corpus

    found = corpus.read(explained)
    if not len(found.clips["file"]):
        raise XaiAudioError(f"{explained} has no explained clip yet: run xaiaudio corpus explain.")
    folder = explained / "report" if out is None else out
    check_folder(folder)
    from ..pages.archive import write

    method = found.methods[0] if method is None else method
    reports = corpus.by_class(found, method, seed=seed)
    written = write(found, reports, method, folder)
    for one in reports:
        groups = one.groups
        clips = counted(len(one.files), "clip")
        say(f"{one.label}: {clips}, {_groups(groups)}, p = {groups.p_value:.2f}")
        for number, band in enumerate(one.bands):
            size = counted(int((groups.labels == number).sum()), "clip")
            say(
                f"  group {number + 1}: {size}; at "
                f"{band.low:.0f}-{band.high:.0f} Hz {band.share:.0%}, the others {band.others:.0%}"
            )
    for path in written:
        say(f"  {path}")


def _groups(groups) -> str:
    return "one group" if groups.found == 1 else f"{groups.found} groups"
