"""``xaiaudio explain``: sounds in, pictures, sounds, maps and pages out."""

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
    load_network,
    read_options,
    takes_network,
)
from .console import check_folder, note, quiet_libraries, say, start_tensorflow
from .long import Stretch, answer_of, idle, readable
from .writing import Dpi, Figures, KeptAs, Sound, Summary, Tables, gather, outputs_of, write

METHODS = ("gradcam", "occlusion", "lime")
# As pages.mixer has them, which takes seconds to import.
CUTS = ("none", "time", "bands", "harmonic")

_EPILOG = """\b
Examples:
  xaiaudio explain dog.wav
  xaiaudio explain dog.wav --method lime --set lime.samples=2000
  xaiaudio explain dog.wav --method occlusion --set occlusion.output=scores
  xaiaudio explain *.wav --target "Dog bark" --keep 0.2 --out maps
  xaiaudio explain dog.wav --model yamnet --top 2
  xaiaudio explain recordings/ --table raven --sound wav
  xaiaudio explain knock.wav --model mine.keras --labels labels.txt
  xaiaudio explain field.wav --top 12 --threshold 0.7
  xaiaudio explain field.wav --from 12:03 --to 12:09
  xaiaudio explain knock.wav --model of_samples.onnx --labels labels.txt --sample-rate 16000

For each sound the folder gets NAME.html (open it in a browser), NAME.png, and for each
method NAME-METHOD.npz (xaiaudio.Explanation.load reads it), NAME-METHOD-kept.mp3 and
NAME-METHOD-removed.mp3. Of several sounds, or a folder, index.html leads to their pages and
summary.csv lists them. --table adds NAME-METHOD.csv, .json, .parquet, .labels.txt (Audacity) or
.selections.txt (Raven): boxes in seconds and hertz around the strongest tenth of the cells, or
the share that --keep says. --sound wav keeps the file's rate and channels; what lies above the
network's highest frequency is in the removed sound.

The page has a mixer of the sound's parts, and under each sound what the network hears in it. A
sound of a minute or more becomes a timeline: NAME.html shows what is heard when and explains the
surest events, NAME-events.csv lists all of them; --table adds other formats. LIME draws 256 samples
unless --set says otherwise. Occlusion and LIME explain the logit, or the probability with
output=scores. The network `lite` ships along, knows the ten classes of ESC-10 and needs no
internet; `yamnet` knows AudioSet's 521 and is fetched once (4 MB). Several of its classes can be
true at once: the surest few are explained, and the files of all but the first have names such as
NAME--CLASS-METHOD."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command(
        "explain", short_help="Explain sounds: maps, sounds, a page for each.", epilog=_EPILOG
    )(explain)


@takes_network
def explain(
    files: Annotated[
        list[Path],
        # Not checked by typer: one file that may not be read must not stop the others.
        typer.Argument(
            help="Sounds: WAV, FLAC, OGG, MP3, M4A, ...; any rate, any channels. Of a folder all.",
            readable=False,
        ),
    ],
    model: Model = "lite",
    method: Annotated[
        list[str] | None,
        typer.Option(
            "--method",
            "-m",
            help=f"Explanation method; repeat for several. Default: {', '.join(METHODS)}.",
        ),
    ] = None,
    target: Target = None,
    overlap: Overlap = 0.5,
    channel: Channel = None,
    pad: Pad = False,
    keep: Annotated[
        float | None,
        typer.Option(help="Share of the cells in the kept sound. Default: weigh by relevance."),
    ] = None,
    settings: Settings = None,
    mixer: Annotated[
        str,
        typer.Option(
            metavar="PARTS",
            help="What the page's mixer switches: parts in time, bands, harmonic, or none.",
        ),
    ] = "time",
    begin: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help="Begin there: seconds, m:ss or h:mm:ss."),
    ] = None,
    stop: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="End there, written likewise.")
    ] = None,
    as_timeline: Annotated[
        bool | None,
        typer.Option(
            "--timeline/--no-timeline",
            help="What is heard when, and why, event by event. Default: of sounds of a minute or "
            "more.",
        ),
    ] = None,
    top: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="How many to explain, the surest first: classes where several can be heard at "
            "once (default 3), or events of a timeline (default 8).",
        ),
    ] = None,
    threshold: Annotated[
        float,
        typer.Option(
            help="Score above which a class is heard: an event, or one of several at once."
        ),
    ] = 0.5,
    floor: Annotated[
        float,
        typer.Option(max=0, metavar="DB", help="Softer sound, in dB of full scale, is no event."),
    ] = -90.0,
    out: Annotated[Path, typer.Option("--out", "-o", help="Folder for the results.")] = Path(
        "explained"
    ),
    sound: KeptAs = Sound.mp3,
    table: Tables = None,
    figure: Figures = None,
    dpi: Dpi = 130,
    *,
    about: dict[str, Any],
) -> None:
    """Explain what a network listens to in sounds: picture, sounds and a page for each."""
    methods = list(dict.fromkeys(method or METHODS))
    options = read_options(settings or [], methods)
    _check_keep(keep)
    _check_mixer(mixer)
    _check_threshold(threshold)
    check_folder(out)
    files, several = gather(files, out)
    stretch = Stretch.of(begin, stop, channel)
    good = readable(files, stretch, as_timeline)
    if not good:
        raise typer.Exit(1)
    # A sound that is long by itself is never shorter than a patch.
    for line in idle(good, sound, pad and bool(as_timeline)):
        note(line)
    start_tensorflow()
    from ..pages.clip import explain_clip
    from ..pages.long_sound import explain_long

    outputs = outputs_of(table, figure, dpi, sound, keep)
    classifier = load_network(model, about)
    _check_choices(classifier, target, methods, options)
    summary = Summary(files, several, out, outputs)
    done = 0
    for (file, long), stem in zip(good.items(), _stems(good), strict=True):
        name = _shown(file.name)
        asked: dict[str, Any] = {"methods": methods, "target": target, "overlap": overlap}
        asked |= {"keep": keep, "options": options}
        try:
            if long:
                note(f"{file}: timeline, {', '.join(methods)} ...")
                clip: Any = explain_long(
                    classifier,
                    file,
                    name,
                    threshold=threshold,
                    floor=floor,
                    top=8 if top is None else top,
                    unheard=_not_heard(file, classifier.frontend, stretch),
                    **stretch.options,
                    **asked,
                )
            else:
                wave = _wave(file, classifier.frontend, stretch, pad)
                note(f"{file}: {', '.join(methods)} ...")
                clip = explain_clip(
                    classifier,
                    wave,
                    name,
                    pad=pad,
                    mix=mixer,
                    top=3 if top is None else top,
                    threshold=threshold,
                    unheard=_not_heard(file, classifier.frontend, stretch),
                    begins=stretch.start or 0.0,
                    **asked,
                )
            page = write(clip, file, stretch, out, stem, outputs)
        except XaiAudioError as error:
            note(f"xaiaudio: {_named(file, error)}")
            summary.fail(file, error)
            continue
        summary.add(clip, file, page)
        for failed, reason in clip.failed.items():
            note(f"{file}: left out {failed}. {reason}")
        # Methods that nobody asked for may be left out; one that was asked for may not.
        done += not (clip.failed and method)
        say(f"{file}: {answer_of(clip) if long else _answer(clip)}")
        if clip.unheard and clip.unheard.worth_saying:
            say(f"  {clip.unheard}")
        say(f"  {page}")
    summary.finish(channel)
    if done < len(files):
        if len(files) > 1:
            note(f"{len(files) - done} of {len(files)} sounds could not be explained.")
        raise typer.Exit(1)


def _shown(name: str) -> str:
    """Return a file's name without the bytes that are no UTF-8."""
    return name.encode("utf-8", "replace").decode()


def _answer(clip) -> str:
    if clip.tags is not None:
        return _tagged(clip)
    prediction = clip.prediction
    best = sorted(prediction.shares.items(), key=lambda item: -item[1])[:3]
    shares = ", ".join(f"{label} {share:.0%}" for label, share in best if share)
    voted = counted(int(prediction.voted.sum()), "patch", "patches")
    text = f"{prediction.label} (of {voted}: {shares})"
    if prediction.quiet:
        text += f"; {prediction.quiet} silent, without a vote"
    if clip.target != prediction.label:
        text += f"; explained: {clip.target}"
    return text


def _tagged(clip) -> str:
    """Return the answer of a network that can hear several classes at once, class by class."""
    from ..pages.tag_table import sentence

    text = f"{sentence(clip.tags)}; explained:"
    if clip.tags.quiet:
        text = f"{counted(clip.tags.quiet, 'patch', 'patches')} silent; {text}"
    tags = {tag.label: tag for tag in clip.tags}
    return "\n".join([text, *(f"  {tags[label]}" for label in clip.targets)])


def _not_heard(file: Path, frontend, stretch: Stretch):
    """Measure what the front end cannot hear of a file."""
    from ..unheard import unheard

    with quiet_libraries():
        return unheard(file, frontend, **stretch.options)


def _wave(file: Path, frontend, stretch: Stretch, pad: bool):
    with quiet_libraries():
        wave = stretch.read(file, frontend.sample_rate)
    if len(wave) < frontend.min_samples and not pad:
        part = stretch.start is not None or stretch.end is not None
        raise XaiAudioError(
            f"{file} {'from --from to --to ' if part else ''}lasts "
            f"{len(wave) / frontend.sample_rate:.2f} s, but one patch takes "
            f"{frontend.min_samples / frontend.sample_rate:.2f} s: add --pad to lengthen it with "
            "silence."
        )
    return wave


def _named(file: Path, error: XaiAudioError) -> str:
    """Make sure that a message says which file it is about."""
    return str(error) if str(file) in str(error) else f"{file}: {error}"


def _stems(files) -> list[str]:
    """Name each file's results after it, with a number if two have the same name."""
    stems, taken = [], {"index"}  # the summary's page
    for file in files:
        # Room for the methods' names below the 255 bytes that most file systems allow.
        base = file.stem.encode("utf-8", "replace")[:180].decode("utf-8", "ignore")
        stem, number = base, 1
        while stem.lower() in taken:
            number += 1
            stem = f"{base}-{number}"
        taken.add(stem.lower())
        stems.append(stem)
    return stems


def _check_keep(keep: float | None) -> None:
    if keep is not None and not 0 < keep <= 1:
        raise XaiAudioError(f"--keep is {keep}: it must be a share above 0 and up to 1.")


def _check_threshold(threshold: float) -> None:
    if not 0 < threshold <= 1:
        raise XaiAudioError(f"--threshold is {threshold}: it must be above 0 and up to 1.")


def _check_mixer(mixer: str) -> None:
    if mixer not in CUTS:
        raise XaiAudioError(f"--mixer is {mixer!r}: it must be one of {', '.join(CUTS)}.")


def _check_choices(classifier, target, methods, options) -> None:
    """Complain of a wrong class, method or option once, not for each file."""
    from ..explainers import registry

    if target is not None:
        classifier.index(target)
    for name in methods:
        registry.find(name).parse(options.get(name, {}))
