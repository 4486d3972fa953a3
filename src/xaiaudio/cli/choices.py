"""What the commands ask for alike: the network, what is not known of it, and ``--set``."""

from __future__ import annotations

import ast
import functools
import inspect
import json
from collections.abc import Callable
from contextlib import nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from ..errors import XaiAudioError
from .console import note, quiet_libraries

MAX_LABELS = 1 << 20  # bytes
# For a first look: half of the library's own samples is enough, and twice as fast.
QUICK = {"shapley": {"samples": 256}, "rise": {"samples": 512}}


class End(StrEnum):
    """What a network gives."""

    probabilities = "probabilities"
    logits = "logits"


class Activation(StrEnum):
    """What makes probabilities of logits."""

    softmax = "softmax"
    sigmoid = "sigmoid"


class Precision(StrEnum):
    """Numbers in which a network is asked about many changed patches."""

    float32 = "float32"
    auto = "auto"
    bfloat16 = "bfloat16"


Model = Annotated[
    str,
    typer.Option(
        help="lite, yamnet, music, or a .keras file of xaiaudio train; or your own + --labels: "
        ".keras, .h5, .tflite, .onnx, or a SavedModel folder."
    ),
]
Labels = Annotated[
    Path | None,
    typer.Option(
        help="Text file, one class per line, for a network that has none.", readable=False
    ),
]
EndsIn = Annotated[
    End | None,
    typer.Option(help="What your network gives, where its layers do not say."),
]
ItsActivation = Annotated[
    Activation | None,
    typer.Option("--activation", help="What makes probabilities of your network's logits."),
]
RepeatChannels = Annotated[
    bool,
    typer.Option("--repeat-channels", help="Give both channels of your network the same patch."),
]
SampleRate = Annotated[
    int | None,
    typer.Option(min=1, metavar="HERTZ", help="Of your network, where it takes samples."),
]
Seconds = Annotated[
    float | None,
    typer.Option(help="Length of its sounds, where it takes samples and any number of them."),
]
FrontEnd = Annotated[
    str | None,
    typer.Option(
        "--front-end",
        help="Of your network, where it takes log-mel patches: vggish, yamnet, or a JSON file with "
        "the settings of xaiaudio.LogMel. Default: vggish.",
    ),
]
OutputName = Annotated[
    str | None,
    typer.Option(help="Name or number of the output to take, where a TFLite, ... has several."),
]
Span = Annotated[
    str | None,
    typer.Option(
        metavar="FROM:TO", help="Seconds in each segment that count, where it answers per frame."
    ),
]


Signature = Annotated[
    str | None,
    typer.Option(help="Name of the signature to call, where a SavedModel has several."),
]
Target = Annotated[str | None, typer.Option(help="Class to explain. Default: the predicted one.")]
Overlap = Annotated[
    float, typer.Option(min=0.0, max=0.95, help="Share of a patch that the next one repeats.")
]
Channel = Annotated[
    int | None, typer.Option(min=0, help="Channel to take, from 0. Default: the mean of all.")
]
Pad = Annotated[
    bool, typer.Option("--pad", help="Lengthen sounds shorter than a patch with silence.")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="METHOD.OPTION=VALUE", help="Option of a method; repeat for several."
    ),
]


def about_network(
    labels: Labels = None,
    ends_in: EndsIn = None,
    activation: ItsActivation = None,
    repeat_channels: RepeatChannels = False,
    sample_rate: SampleRate = None,
    seconds: Seconds = None,
    front_end: FrontEnd = None,
    output_name: OutputName = None,
    span: Span = None,
    signature: Signature = None,
) -> dict[str, Any]:
    """Return what `load_model` is to be told of a network, by its names."""
    about: dict[str, Any] = {"labels": read_labels(labels)}
    about |= {"outputs": ends_in and str(ends_in), "activation": activation and str(activation)}
    about["channels"] = "repeat" if repeat_channels else None
    if seconds is not None and sample_rate is None:
        raise XaiAudioError("--seconds is for networks that take samples: add --sample-rate.")
    if seconds is not None and not 0 < seconds < float("inf"):
        raise XaiAudioError(f"--seconds is {seconds}: it must be a number above 0.")
    about |= {"sample_rate": sample_rate, "seconds": seconds, "output_name": output_name}
    about |= {"frontend": read_front_end(front_end), "span": read_span(span)}
    return about | {"signature": signature}


def takes_network(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of :func:`about_network`, behind ``--model``.

    It is called with what they come to, as `about`, in their place.
    """
    ours = inspect.signature(about_network, eval_str=True).parameters
    signature = inspect.signature(command, eval_str=True)
    listed: list[inspect.Parameter] = []
    for name, parameter in signature.parameters.items():
        listed += [parameter] if name != "about" else []
        listed += ours.values() if name == "model" else []

    @functools.wraps(command)
    def with_network(**given) -> None:
        told = {name: given.pop(name) for name in ours}
        command(**given, about=about_network(**told))

    # What typer reads the options from.
    with_network.__signature__ = signature.replace(parameters=listed)  # type: ignore[attr-defined]
    with_network.__annotations__ = {one.name: one.annotation for one in listed}
    return with_network


def read_front_end(name: str | None):
    """Return a front end by its name, or as a JSON file describes it; None without a name."""
    from ..frontend import LogMel
    from ..wave_frontend import from_config

    if name in (None, "vggish", "yamnet"):
        return name and getattr(LogMel, name)()
    path = Path(name)
    if path.exists() and not (path.is_file() and path.stat().st_size <= MAX_LABELS):
        raise XaiAudioError(f'{path} is no small text file: give one such as {{"bands": 40}}.')
    try:
        config = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        reason = getattr(error, "strerror", None) or "it is no JSON"
        raise XaiAudioError(
            f"Could not read the front end in {name}: {reason}. Give vggish, yamnet, or a JSON "
            'file such as {"bands": 40, "frames": 50}.'
        ) from error
    if not isinstance(config, dict):
        raise XaiAudioError(f'{name} holds no settings: write them as {{"bands": 40, ...}}.')
    return from_config(config)


def read_span(text: str | None) -> tuple[float, float] | None:
    """Return the two times of ``from:to``, in seconds; None without a text."""
    if text is None:
        return None
    start, _, stop = text.partition(":")
    try:
        return float(start), float(stop)
    except ValueError as error:
        raise XaiAudioError(
            f"--span {text} is not understood: write FROM:TO in seconds, such as 0.2:0.5."
        ) from error


def load_network(model: str, about: dict[str, Any]):
    """Load a network, and say what was changed to make it take patches."""
    from .. import models

    # TFLite says on its own that it is there.
    with quiet_libraries() if Path(model).suffix == ".tflite" else nullcontext():
        classifier = models.load_model(model, **about)
    for change in classifier.changes:
        note(change)
    return classifier


def read_labels(path: Path | None) -> list[str] | None:
    """Return the classes that a text file names, one per line; None without a file."""
    if path is None:
        return None
    if path.exists() and not path.is_file():
        raise XaiAudioError(f"{path} is no regular file: name a text file with one class per line.")
    try:
        if path.stat().st_size > MAX_LABELS:
            raise XaiAudioError(
                f"{path} has more than {MAX_LABELS >> 20} MB: is it a list of labels?"
            )
        # Windows' Notepad begins a file with a mark, which is not part of the first label.
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no UTF-8 text"
        raise XaiAudioError(
            f"Could not read the labels in {path}: {reason}. Name a text file with one class per "
            "line."
        ) from error
    names = [line.strip() for line in lines if line.strip()]
    if not names:
        raise XaiAudioError(f"{path} holds no labels: write one class per line.")
    return names


def read_options(given, methods, design: bool = False) -> dict[str, dict]:
    """Read ``method.option=value``; a value is a Python literal or else a text.

    With `design`, the one method is a design, and is called so in messages.
    """
    example = f"{methods[0]}.seed=1" if design else "lime.samples=500"
    options = {name: dict(quick) for name, quick in QUICK.items() if name in methods}
    for text in given:
        name, equals, value = text.partition("=")
        method, dot, option = name.partition(".")
        if not (equals and dot and option):
            raise XaiAudioError(
                f"--set {text} is not understood: write {'DESIGN' if design else 'METHOD'}"
                f".OPTION=VALUE, such as {example}."
            )
        if method not in methods and design:
            raise XaiAudioError(
                f"--set {text} is for {method!r}, but the design is {methods[0]}: write "
                f"--set {methods[0]}.{option}={value}."
            )
        if method not in methods:
            raise XaiAudioError(
                f"--set {text} is for {method!r}, but the methods are {', '.join(methods)}: add "
                f"--method {method}."
            )
        try:
            parsed = ast.literal_eval(value)
        except (ValueError, SyntaxError):
            parsed = value
        options.setdefault(method, {})[option] = parsed
    return options
