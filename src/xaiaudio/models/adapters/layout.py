"""What a network takes, made of sounds or of log-mel patches: axes, channels, lengths."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

import numpy as np

from ...errors import XaiAudioError
from ...frontend import LogMel
from ...wave_frontend import WaveFrontend
from ..checks import check_frontend
from .base import Port

_RATE = (
    "say at which rate, such as load_model(path, labels=..., sample_rate=16000) or on the command "
    "line --sample-rate 16000"
)


def frontend_of(entry: Port, name: str, frontend, sample_rate, seconds) -> LogMel:
    """Return the front end of a network, or say what has to be known for it.

    Parameters
    ----------
    entry : Port
        What the network takes.
    name : str
    frontend : LogMel or None
    sample_rate : int or None
        Of a network that takes samples.
    seconds : float or None
        Length of its sounds, where it leaves the length open.

    Returns
    -------
    LogMel
        A `WaveFrontend` for a network that takes samples.
    """
    frontend = None if frontend is None else check_frontend(frontend)
    if sample_rate is None and seconds is not None:
        raise XaiAudioError(f"{name}: seconds is for networks that take samples: {_RATE}.")
    if frontend is None and sample_rate is None:
        return _usual(entry, name)
    if sample_rate is not None and frontend is not None:
        raise XaiAudioError(
            f"{name}: give a front end or sample_rate, not both; for a network of samples "
            "WaveFrontend.of(sample_rate, seconds)."
        )
    return _of_samples(entry, name, sample_rate, seconds) if frontend is None else frontend


def _usual(entry, name) -> LogMel:
    """Return VGGish's front end for a network that takes its patches."""
    if _patch_order(entry.shape, LogMel.vggish().patch_shape):
        return LogMel.vggish()
    if _samples_of(entry.shape):
        raise XaiAudioError(f"{name} takes {entry}, which are waveforms: {_RATE}.")
    raise XaiAudioError(
        f"{name} takes {entry}: give the front end that it was trained with, frontend=LogMel(...), "
        "or if these are samples, sample_rate."
    )


def _of_samples(entry, name, sample_rate, seconds) -> WaveFrontend:
    lengths = _samples_of(entry.shape)
    if not lengths:
        raise XaiAudioError(
            f"{name} takes {entry}, which are no waveforms: leave out sample_rate, and give "
            "frontend=LogMel(...)."
        )
    if lengths[0] is None and seconds is None:
        raise XaiAudioError(
            f"{name} takes {entry}, sounds of any length: say how long a segment is to be, "
            "seconds=1 (--seconds 1)."
        )
    if seconds is not None:
        return WaveFrontend.of(sample_rate, seconds)
    return WaveFrontend.of(sample_rate, samples=lengths[0])


def arranged(entry: Port, name: str, frontend) -> tuple[Callable, tuple[str, ...]]:
    """Return how sounds or patches become what a network takes, and what is changed, in sentences.

    Parameters
    ----------
    entry : Port
    name : str
    frontend : LogMel

    Returns
    -------
    function : callable
        From sounds (n, samples) or patches (n, frames, bands) to what the network takes, or for a
        network without an axis for the number to n of these.
    changes : tuple of str
    """
    if isinstance(frontend, WaveFrontend):
        return _arranged_samples(entry, name, frontend), ()
    found = _patch_order(entry.shape, frontend.patch_shape)
    if found is None:
        frames, bands = frontend.patch_shape
        raise XaiAudioError(
            f"{name} takes {entry}, but the front end makes patches of ({frames}, {bands}): give a "
            "LogMel with its frames and bands."
        )
    turned, axis, count = found
    changes = [f"{name} takes (bands, frames): the axes of each patch are exchanged."] * turned
    if count > 1:
        changes.append(f"{name} takes {count} channels: each gets the same patch.")

    def arrange(patches):
        made = np.swapaxes(patches, 1, 2) if turned else patches
        return made if axis is None else np.repeat(np.expand_dims(made, axis), count, axis)

    return arrange, tuple(changes)


def _arranged_samples(entry, name, frontend):
    lengths = _samples_of(entry.shape)
    if not lengths:
        raise XaiAudioError(
            f"{name} takes {entry}, which are no waveforms: give frontend=LogMel(...)."
        )
    length, axis = lengths
    if length not in (None, frontend.samples):
        raise XaiAudioError(
            f"{name} takes {length} samples, but the front end cuts segments of "
            f"{frontend.samples}: say seconds={length / frontend.sample_rate:g}, or leave it out."
        )
    return lambda waves: waves if axis is None else np.expand_dims(waves, axis)


def _samples_of(shape):
    """Return the length of the sounds that a shape is of, and the axis of their channel; or ()."""
    if len(shape) in (1, 2):
        return shape[-1], None
    if len(shape) == 3 and shape[2] == 1:
        return shape[1], 2
    if len(shape) == 3 and shape[1] == 1:
        return shape[2], 1
    return ()


def _patch_order(shape, patch):
    """Return how a patch (frames, bands) fits: whether turned, the axis of channels, how many."""
    if len(shape) in (2, 3):
        places = [(shape[-2:], None, 1)]
    elif len(shape) == 4:
        places = [(shape[1:3], 3, shape[3] or 1), (shape[2:], 1, shape[1] or 1)]
    else:
        return None
    for turned, (sizes, axis, count) in product((False, True), places):
        wanted = patch[::-1] if turned else patch
        fits = all(one in (None, two) for one, two in zip(sizes, wanted, strict=True))
        if fits and count in (1, 3):
            return turned, axis, count
    return None
