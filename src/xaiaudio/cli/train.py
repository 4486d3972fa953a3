"""``xaiaudio train`` and ``xaiaudio pretrain``: networks for sounds of one's own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from ..clock import counted
from ..datasets.registry import SETS
from ..errors import XaiAudioError
from .choices import read_options
from .console import (
    check_folder,
    note,
    note_all,
    note_passed_over,
    say,
    start_tensorflow,
    table,
    watched,
)

_TRAIN_EPILOG = """\b
Examples:
  xaiaudio train my_sounds --out mine.keras
  xaiaudio train my_sounds --freeze              faster, often better with few sounds
  xaiaudio train esc10 --backbone yamnet --freeze
  xaiaudio train esc10 --backbone yamnet --design pecmae
  xaiaudio explain knock.wav --model mine.keras

With --design the network explains itself: its answer is a sum of parts. It is compared
with a plain layer on the same backbone. Some take minutes. There are pecmae, protopnet,
audioprotopnet, protoconcepts, hierarchy, apnet, local, concepts, nmf, attention and
asymmetry; a --set that one does not have is answered with those that it has.

A folder holds one folder per class with sounds in it. The last fifth of each class
(fold 5) is held out to test the network on. Sounds that cannot be read are named and
left out."""

_PRETRAIN_EPILOG = """\b
Examples:
  xaiaudio pretrain --out lite.keras
  xaiaudio explain dog.wav --model lite.keras

It needs ESC-10: xaiaudio data fetch, or XAIAUDIO_ESC10 naming a copy."""


def add_to(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(
        "train", short_help="Teach a network the classes of a folder.", epilog=_TRAIN_EPILOG
    )(train)
    app.command(
        "pretrain", short_help="Train the network lite on ESC-10.", epilog=_PRETRAIN_EPILOG
    )(pretrain)


_Seed = Annotated[int, typer.Option(min=0, help="Decides what is left to chance.")]
_Out = Annotated[Path, typer.Option("--out", "-o", help="The network's file.")]


def train(
    context: typer.Context,
    sounds: Annotated[
        str, typer.Argument(help=f"A folder with one folder per class, or {', '.join(SETS)}.")
    ],
    backbone: Annotated[str, typer.Option(help="lite, yamnet or vggish.")] = "lite",
    freeze: Annotated[
        bool, typer.Option("--freeze", help="Train the new last layer alone.")
    ] = False,
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Default: 5, or 20 with --freeze.")
    ] = None,
    batch_size: Annotated[int, typer.Option(min=1, help="Patches per step.")] = 128,
    learning_rate: Annotated[float, typer.Option(help="Of the first epoch.")] = 1e-3,
    halve_every: Annotated[
        int | None,
        typer.Option(min=1, help="Epochs until the rate halves. Default: 2, or 8 with --freeze."),
    ] = None,
    overlap: Annotated[
        float, typer.Option(min=0.0, max=0.95, help="Share of a patch that the next one repeats.")
    ] = 0.75,
    fold: Annotated[int, typer.Option(min=1, help="The fold to hold out.")] = 5,
    seed: _Seed = 0,
    resume: Annotated[
        Path | None,
        typer.Option(help="Folder for checkpoints: an interrupted run goes on from there."),
    ] = None,
    design: Annotated[
        str | None,
        typer.Option(help="A network that explains itself, such as pecmae or protopnet."),
    ] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="DESIGN.OPTION=VALUE", help="An option of the design."),
    ] = None,
    out: _Out = Path("model.keras"),
) -> None:
    """Teach a network the classes of a folder of sounds."""
    _check_out(out)
    if resume is not None:
        check_folder(resume, "--resume")
    given = {} if design is None else _of_design(context, design, settings or [])
    if design is None and settings:
        raise XaiAudioError("--set is for an option of a design: add --design.")
    clips = _clips(sounds)
    parts = clips.split(fold)
    start_tensorflow()
    taught, tested = (counted(len(part), "clip") for part in parts)
    begun = f"{sounds}: training {design or 'a network'} on {backbone} with {taught}, {tested}"
    if design is not None:
        note(f"{begun} held out ...")
        _train_design(design, parts, fold, backbone, given, out)
        return
    from .. import models
    from ..models.training.transfer import choose

    options = {
        "epochs": epochs,
        "batch_size": batch_size,
        "learning_rate": learning_rate,
        "halve_every": halve_every,
        "seed": seed,
    }
    choose(freeze, **options)  # a wrong one is found before the sounds are read
    base = models.backbone(backbone)
    note(f"{begun} held out ...")
    learnt, held_out = _tables(parts, base.frontend.with_overlap(overlap))
    model = models.transfer(
        base,
        learnt,
        held_out,
        overlap=overlap,
        freeze=freeze,
        resume=resume,
        progress=watched(),
        **options,
    )
    model.name = out.stem
    model.save(out)
    _report(models.test(model, held_out), fold)
    say(f"The network is in {out}. Use it: xaiaudio explain FILE --model {out}")


# Options of `train` that a design has under --set, or not at all.
_PLAIN = ("freeze", "epochs", "batch_size", "learning_rate", "halve_every", "resume")


def _of_design(context, design, settings) -> dict:
    """Return the options that were given for a design; refuse those that are not for one."""

    def typed(name):
        source = context.get_parameter_source(name)
        return source is not None and source.name == "COMMANDLINE"

    for name in _PLAIN:
        if typed(name):
            option = name.replace("_", "-")
            raise XaiAudioError(
                f"--{option} is not for a design: its own options go by --set, such as "
                f"--set {design}.batch=64."
            )
    given = {name: context.params[name] for name in ("seed", "overlap") if typed(name)}
    given |= read_options(settings, (design,), design=True).get(design, {})
    start_tensorflow()
    from ..models.designs import registry

    registry.find(design).parse(given)  # a wrong one is found before the sounds are read
    return given


def _clips(sounds):
    from .. import datasets

    clips = datasets.load(sounds, progress=watched())
    if len(clips.labels) < 2:
        found = "one class only" if clips.labels else "no classes"
        raise XaiAudioError(
            f"{sounds} has {found}: put the sounds into one folder per class, two at least."
        )
    note_passed_over(clips)
    return clips


def _train_design(design, parts, fold, backbone, given, out) -> None:
    """Train a network that explains itself, and a plain layer on the same backbone beside it."""
    from .. import models
    from ..models.designs import comparison, registry

    entry = registry.find(design)
    chosen = entry.parse(given)
    base = models.backbone(backbone)
    learnt, held_out = _tables(parts, base.frontend.with_overlap(chosen.overlap))
    if entry.prepare is not None:  # what cannot be tested on is found before the training
        held_out, _ = entry.prepare(held_out, base, chosen.seed)
    model = models.train_design(design, learnt, base, progress=watched(), **given)
    model.name = out.stem
    model.save(out)
    twins = []
    if entry.prepare is None:  # others answer another question, which no plain layer does
        about = {"overlap": chosen.overlap, "seed": chosen.seed}
        twins = [models.transfer(base, learnt, freeze=True, progress=watched(), **about)]
    _report(models.test(model, held_out), fold)
    rows = [comparison.price(model, held_out, design)]
    rows += [comparison.price(twin, held_out, "plain") for twin in twins]
    columns = ("network", "clips right", "patches right", "seconds", "weights", "parts", "needed")
    table(columns, [_row(row) for row in rows])
    plain = " plain: a layer on the same backbone." if twins else ""
    say(f"needed: parts that make up nine tenths of a decision.{plain}")
    say(f"The network is in {out}. Use it: xaiaudio explain FILE --model {out}")


def _row(row):
    counts = (str(row.parts), f"{row.per_decision:g}") if row.parts else ("–", "–")
    accuracies = (f"{row.clip_accuracy:.1%}", f"{row.patch_accuracy:.1%}")
    return (row.name, *accuracies, f"{row.seconds:.0f}", f"{row.weights:,}", *counts)


def _tables(parts, frontend):
    """Cut the clips to learn from and those held out into patches, without the bad ones."""
    from ..models.training.tables import patch_table

    tables = [patch_table(part, frontend, leave_out=True) for part in parts]
    note_all("Left out", (reason for one in tables for _, reason in one.left_out))
    for clip, reason in tables[0].left_out:
        if clip.label not in tables[0].truth:
            raise XaiAudioError(f"No sound of {clip.label!r} is left to learn from. {reason}")
    return tables


def pretrain(
    epochs: Annotated[
        int | None, typer.Option(min=1, help="Default: as for the shipped network.")
    ] = None,
    seed: _Seed = 0,
    out: _Out = Path("lite.keras"),
) -> None:
    """Train the network `lite` from nothing on ESC-10, folds 1 to 4: minutes on a CPU."""
    _check_out(out)
    from .. import datasets

    clips = datasets.load("esc10", progress=watched())
    start_tensorflow()
    from .. import models

    chosen = {} if epochs is None else {"epochs": epochs}
    _, tested = models.pretrain(clips, out, seed=seed, progress=watched(), **chosen)
    _report(tested, 5)
    say(f"The network is in {out}. Use it: xaiaudio explain FILE --model {out}")


def _check_out(out: Path) -> None:
    """Find out before the training, not after it, that its end cannot be written."""
    if out.suffix != ".keras":
        raise XaiAudioError(f"--out is {out}: the name must end in .keras.")
    if out.is_dir():
        raise XaiAudioError(f"--out is {out}, which is a folder: name a file.")
    place = next(parent for parent in out.absolute().parents if os.path.lexists(parent))
    if not place.is_dir() or not os.access(place, os.W_OK):
        raise XaiAudioError(f"--out is {out}, but {place} cannot be written to: choose another.")


def _report(found, fold: int) -> None:
    """Say how the network does on clips it has not seen."""
    rows = [
        (label, int(count), "–" if count == 0 else f"{recall:.0%}")
        for label, count, recall in zip(
            found.labels, found.confusion.sum(axis=1), found.recall, strict=True
        )
    ]
    table(("class", "held-out clips", "correct"), rows)
    say(
        f"Held out (fold {fold}): {found.clip_accuracy:.1%} of clips and "
        f"{found.patch_accuracy:.1%} of patches right."
    )
