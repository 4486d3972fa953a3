"""The work of one unit: sounds in, tables and maps out. It runs in a worker."""

from __future__ import annotations

import functools
import json
import os
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import cache
from ..audio import load_audio
from ..errors import XaiAudioError, XaiAudioWarning
from ..explainers.base import Explainer
from ..models.saving import load_model
from ..models.votes import majority, vote_shares, voters
from ..patches import joined
from ..wave_frontend import from_config
from . import plans, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..models.classifier import AudioClassifier
    from ..patches import Patches

# Patches that are named in one go.
GROUP = 512


@dataclass
class Sound:
    """A clip that was read, and what the network says of it."""

    file: str
    size: int
    sha256: str
    seconds: float
    warning: str
    patches: Patches
    label: int = -1
    score: float = 0.0
    votes: float = 0.0


@functools.lru_cache(maxsize=2)
def network(model: str, about: str) -> AudioClassifier:
    """Return a network, loaded once a process; `about` is JSON."""
    told = json.loads(about)
    if "frontend" in told:
        told["frontend"] = from_config(told["frontend"])
    return load_model(model, **told)


@functools.lru_cache(maxsize=2)
def job(
    out: str, _when: int
) -> tuple[plans.ArchiveSettings, AudioClassifier, dict[str, Explainer]]:
    """Return what an archive's plan asks for, with its network, once a process."""
    settings = plans.load(out).settings
    if plans.fingerprint(settings.model) != settings.fingerprint:
        raise XaiAudioError(f"{settings.model} is not the network that {out} was begun with.")
    if plans.code() != settings.code:
        raise XaiAudioError(f"A worker has another xaiaudio than {out} was begun with.")
    classifier = network(settings.model, json.dumps(settings.about))
    methods = {name: Explainer(name, **options) for name, options in settings.methods.items()}
    return settings, classifier, methods


def explain_unit(out: str, unit: int, clips: list[tuple[str, int, int]]) -> dict[str, int]:
    """Explain the sounds of a unit and write what was found.

    Parameters
    ----------
    out : str
        The folder of the results, with its plan.
    unit : int
    clips : list of tuple
        Name, size and time of each.

    Returns
    -------
    dict of str to int
        ``clips`` and ``bad``: how many.
    """
    settings, model, methods = job(out, os.stat(Path(out) / "plan.json").st_mtime_ns)
    bad: dict[str, str] = {}
    good: list[Sound] = []
    sounding = any(method.sounds for method in methods.values())
    for group in _groups(settings, model, clips, bad, sounding):
        good += _named(model, group, bad)
    maps = {name: _maps(settings, model, method, good, bad) for name, method in methods.items()}
    kept = [place for place, sound in enumerate(good) if sound.file not in bad]
    good = [good[place] for place in kept]
    maps = {name: values[kept] for name, values in maps.items()}
    sizes = {name: size for name, size, _ in clips}
    tables.write_unit(
        out,
        unit,
        _rows(settings, model, good, maps, unit),
        {
            "file": list(bad),
            "size": [sizes[name] for name in bad],
            "reason": list(bad.values()),
            "unit": [unit] * len(bad),
        },
        maps,
    )
    return {"clips": len(good), "bad": len(bad)}


def _groups(settings, model, clips, bad, sounding) -> Iterator[list[Sound]]:
    """Read sounds until there are patches enough for the network to be asked about."""
    group: list[Sound] = []
    for name, size, time in clips:
        try:
            group.append(_read(settings, model.frontend, name, size, time, sounding))
        except XaiAudioError as error:
            bad[name] = str(error).replace(settings.folder + os.sep, "")
        if sum(len(sound.patches) for sound in group) >= GROUP:
            yield group
            group = []
    if group:
        yield group


def _read(settings, frontend, name, size, time, sounding) -> Sound:
    path = Path(settings.folder, name)
    try:
        about = path.stat()
    except OSError as error:
        raise XaiAudioError(f"{path}: {error.strerror or error}.") from error
    if (about.st_size, about.st_mtime_ns) != (size, time):
        raise XaiAudioError(f"{path} has changed since it was planned.")
    digest = cache.sum_of(path)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        wave = load_audio(path, sample_rate=frontend.sample_rate, channel=settings.channel)
    told = [str(one.message) for one in caught if issubclass(one.category, XaiAudioWarning)]
    warning = " ".join(told).replace(settings.folder + os.sep, "")
    more = {"sounds": True} if sounding else {}
    patches = frontend(wave, overlap=settings.overlap, pad=settings.pad, **more)
    return Sound(name, size, digest, len(wave) / frontend.sample_rate, warning, patches)


def _named(model, group, bad) -> list[Sound]:
    """Let the network name sounds; of each, only the loudest patch is kept."""
    scores = model.scores(joined([sound.patches for sound in group]))
    ends = np.cumsum([len(sound.patches) for sound in group])
    named = []
    for sound, own in zip(group, np.split(scores, ends[:-1]), strict=True):
        voted = voters(sound.patches.levels)
        if not voted.any():
            bad[sound.file] = f"{sound.file} is silent: there is nothing to name or to explain."
            continue
        sound.label = int(majority(own[voted]))
        sound.score = float(own[voted, sound.label].mean())
        sound.votes = float(vote_shares(own[voted])[sound.label])
        sound.patches = sound.patches[voted].loudest()
        named.append(sound)
    return named


def _maps(settings, model, method, good, bad) -> np.ndarray:
    """Explain sounds in one go; if that fails, one by one, to find those that fail."""
    if not good:
        return np.zeros((0, *model.frontend.patch_shape), np.float32)
    targets = [_target(settings, model, sound) for sound in good]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a map of zeros is seen in the table
        try:
            return method(model, joined([sound.patches for sound in good]), targets).maps
        except XaiAudioError:
            pass
        maps = np.zeros((len(good), *model.frontend.patch_shape), np.float32)
        for place, sound in enumerate(good):
            try:
                maps[place] = method(model, sound.patches, targets[place]).maps[0]
            except XaiAudioError as error:
                bad[sound.file] = f"{sound.file}: {error}"
    return maps


def _target(settings, model, sound) -> int:
    return sound.label if settings.target is None else model.index(settings.target)


def _rows(settings, model, good, maps, unit) -> dict[str, list]:
    """Return the table of clips: a row for each clip and method."""
    rows: dict[str, list] = {name: [] for name in tables.CLIPS}
    for place, sound in enumerate(good):
        for method, values in maps.items():
            start = sound.patches.times(0)[0]
            row = {
                **{"file": sound.file, "size": sound.size, "sha256": sound.sha256},
                **{"folder": Path(sound.file).parent.name, "seconds": sound.seconds},
                **{"class": model.labels[sound.label], "score": sound.score},
                **{"votes": sound.votes, "method": method, "start": float(start)},
                "explained": model.labels[_target(settings, model, sound)],
                "relevance": values[place].mean(axis=0),
                **{"warning": sound.warning, "unit": unit, "place": place},
            }
            for name, value in row.items():
                rows[name].append(value)
    return rows
