"""What settings a front end can have, and checks of them and of what it is given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import filterbank
from .errors import XaiAudioError

if TYPE_CHECKING:
    from typing import Any

    from .frontend import LogMel

# Sounds that were added up go over 1; from the first to the second are whole numbers made floats.
_FAR_TOO_LOUD = (1000.0, 2.0**32)
# Settings from files, which must not fill the memory of who opens them.
_MOST = {"bands": 4096, "frames": 1 << 20, "fft": 1 << 20, "hop": 1 << 20, "sample_rate": 1e6}
# Options that other people's front ends bring, where they are words or one of two values.
_CHOICES = {
    "power": (1, 2),
    "decibels": (False, True),
    "mel_scale": ("htk", "slaney"),
    "norm": (None, "slaney"),
    "triangles": ("mel", "hertz"),
    "centred": (False, True),
    "pad_mode": ("constant", "reflect"),
}
OPTIONAL = {*_CHOICES, "ref", "amin", "top_db", "scale", "hann"}
LIBROSA = {
    "sample_rate": 22_050,
    "fft": 2048,
    "hop": 512,
    "bands": 128,
    "fmin": 0.0,
    "power": 2,
    "decibels": True,
    "mel_scale": "slaney",
    "norm": "slaney",
    "triangles": "hertz",
    "centred": True,
}


def check(frontend: LogMel) -> None:
    """Raise XaiAudioError for settings that make no sense, naming the first."""
    for name in ("sample_rate", "window", "hop", "fft", "bands", "frames"):
        check_count(name, getattr(frontend, name))
    for name in ("fmin", "fmax", "offset", "overlap", "scale"):
        _check_number(name, getattr(frontend, name))
    if frontend.fft < frontend.window or frontend.fft % 2:
        raise XaiAudioError(
            f"fft is {frontend.fft}: it must be even and at least window ({frontend.window})."
        )
    if frontend.hann is not None:
        check_count("hann", frontend.hann)
        if frontend.hann > frontend.window:
            raise XaiAudioError(
                f"hann is {frontend.hann}: it must be at most window ({frontend.window})."
            )
    if not 0 <= frontend.fmin < frontend.fmax <= frontend.sample_rate / 2:
        raise XaiAudioError(
            f"The bands go from {frontend.fmin} to {frontend.fmax} Hz: 0 <= fmin < fmax <= "
            f"{frontend.sample_rate / 2} (half the sample rate) must hold."
        )
    for name, known in _CHOICES.items():
        _check_choice(name, getattr(frontend, name), known)
    _check_decibels(frontend)
    if not (np.diff(filterbank.mel_points(frontend)) > 0).all():
        raise XaiAudioError(
            f"{frontend.bands} bands do not fit between {frontend.fmin} and {frontend.fmax} Hz."
        )
    # Beyond these, the logarithm of 32-bit numbers is no longer finite.
    if not 1e-30 <= frontend.offset <= 1e30:
        raise XaiAudioError(f"offset is {frontend.offset}: it must be above 0, from 1e-30 to 1e30.")
    if not 1e-6 <= frontend.scale <= 1e6:
        raise XaiAudioError(f"scale is {frontend.scale}: it must be above 0, from 1e-6 to 1e6.")
    if not 0 <= frontend.overlap < 1:
        raise XaiAudioError(f"overlap is {frontend.overlap}: it must be at least 0 and below 1.")


def _check_decibels(frontend) -> None:
    options: dict[str, Any] = {
        "ref": frontend.ref,
        "amin": frontend.amin,
        "top_db": frontend.top_db,
    }
    for name, value in options.items():
        if (name, value) in (("ref", "max"), ("top_db", None)):
            continue
        _check_number(name, value)
        # Beyond these, 32-bit numbers hold no decibels.
        if not 1e-30 <= value <= 1e30:
            raise XaiAudioError(f"{name} is {value}: it must be above 0, from 1e-30 to 1e30.")
    if frontend.decibels and frontend.ref == "max" and frontend.top_db is None:
        raise XaiAudioError(
            "ref is 'max' and top_db is None: silence would have another value in each sound. "
            "Give top_db a number (200 lifts no cell of common sounds)."
        )


def check_file(config: dict, known: set[str]) -> None:
    """Raise XaiAudioError for unknown settings, and for ones far beyond all use."""
    unknown = sorted(set(config) - known)
    if unknown:
        raise XaiAudioError(f"A front end has no setting {unknown[0]!r}.")
    for name, most in _MOST.items():
        if isinstance(config.get(name), (int, float)) and config[name] > most:
            raise XaiAudioError(
                f"{name} is {config[name]}, but a front end in a file has at most {most}: "
                "the file is damaged."
            )
    if isinstance(rate := config.get("sample_rate"), (int, float)) and rate < 100:
        raise XaiAudioError(f"sample_rate is {rate}: the file is damaged.")


def check_count(name, value) -> None:
    """Raise XaiAudioError unless a value is a whole number above 0."""
    if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < 1:
        raise XaiAudioError(f"{name} is {value!r}: it must be a whole number of at least 1.")


def _check_number(name, value) -> None:
    number = isinstance(value, (int, float, np.integer, np.floating))
    if not number or isinstance(value, bool) or not np.isfinite(value):
        raise XaiAudioError(f"{name} is {value!r}: it must be a number.")


def _check_choice(name, value, known) -> None:
    # True and 1.0 equal 1, but files and messages should show one of the values themselves.
    if not any(type(value) is type(choice) and value == choice for choice in known):
        names = " or ".join(repr(choice) for choice in known)
        raise XaiAudioError(f"{name} is {value!r}: it must be {names}.")


def check_wave(wave) -> np.ndarray:
    """Return a sound as float32 (samples,), or say what is wrong with it."""
    wave = np.asarray(wave)
    if wave.ndim != 1 or wave.size == 0:
        raise XaiAudioError(
            f"The sound has the shape {wave.shape}: a mono waveform (samples,) is needed."
        )
    if wave.dtype.kind != "f":
        raise XaiAudioError(
            f"The sound's samples are {wave.dtype}: floats in [-1, 1] are needed, as load_audio "
            "returns them."
        )
    with np.errstate(over="ignore"):
        wave = wave.astype(np.float32)
    peak = np.abs(wave).max()
    if _FAR_TOO_LOUD[0] < peak <= _FAR_TOO_LOUD[1]:
        raise XaiAudioError(
            f"The sound's samples go up to {peak:.4g}: floats in [-1, 1] are needed. Whole numbers "
            "of 16 bits become such when they are divided by 32768."
        )
    if not np.isfinite(peak):
        raise XaiAudioError("The sound holds samples that are NaN, infinite or far too large.")
    return wave
