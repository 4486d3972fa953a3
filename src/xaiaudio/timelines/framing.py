"""From blocks of a sound to its patches, a batch at a time, as the front end makes them of it."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator

import numpy as np

from .. import filterbank
from ..frontend import LogMel
from ..patches import Patches, levels
from ..wave_frontend import WaveFrontend

# Patches in a batch.
BATCH = 128


def patches_of(
    blocks: Iterable[np.ndarray],
    frontend: LogMel,
    *,
    batch: int = BATCH,
    loudest: float | None = None,
) -> Iterator[tuple[Patches, np.ndarray]]:
    """Cut patches out of a sound that comes in blocks.

    Put together they are ``frontend(wave)`` of the whole sound. A sound shorter than a patch gives
    none.

    Parameters
    ----------
    blocks : iterable of ndarray of float32, each (samples,)
        Mono, at the front end's rate.
    frontend : LogMel or WaveFrontend
        With the overlap that the patches are cut with.
    batch : int
        Patches at once.
    loudest : float, optional
        What the loudest cell of the whole sound sums up to, see :func:`loudest_of`; needed where
        the decibels of a cell depend on it.

    Yields
    ------
    patches : Patches
        `starts` are frames of the whole sound; `length` is that of the whole sound up to here.
    wave : ndarray of float32, shape (samples,)
        What they were made of, with what a centred front end adds to the sound's ends.
    """
    step, count = frontend.patch_hop * frontend.hop, 0
    inner = dataclasses.replace(frontend, centred=False) if frontend.centred else frontend
    needed = (batch - 1) * step + inner.min_samples
    held = np.zeros(0, np.float32)
    for block in _lengthened(blocks, frontend):
        held = np.concatenate([held, block])
        while len(held) >= needed:
            yield _made(held[:needed], frontend, inner, count, loudest)
            held, count = held[batch * step :], count + batch
    # The last segment of samples may end in silence; the first one may not.
    seen = inner.window + (inner.frames - 1) * inner.hop if count else inner.min_samples
    if len(held) >= seen:
        held = np.pad(held, (0, max(0, inner.min_samples - len(held))))
        yield _made(held, frontend, inner, count, loudest)


def needs_loudest(frontend: LogMel) -> bool:
    """Tell whether a cell's value depends on the loudest cell of the whole sound."""
    return frontend.decibels and (frontend.ref == "max" or frontend.top_db is not None)


def loudest_of(blocks: Iterable[np.ndarray], frontend: LogMel) -> float:
    """Return what the loudest cell of a sound that comes in blocks sums up to."""
    highest, held = 0.0, np.zeros(0, np.float32)
    for block in _lengthened(blocks, frontend):
        held = np.concatenate([held, block])
        if len(held) >= frontend.window:
            sums = filterbank.sums_of_windows(held, frontend)
            highest = max(highest, float(sums.max(initial=0)))
            held = held[len(sums) * frontend.hop :]
    return highest


def _made(wave, frontend, inner, count, loudest) -> tuple[Patches, np.ndarray]:
    if isinstance(frontend, WaveFrontend):
        patches = frontend(wave)
        return _moved(patches, frontend, count), wave
    sums = filterbank.sums_of_windows(wave, inner)
    if loudest is None:
        rows = frontend.compress(sums)
    else:  # a row that holds the loudest cell of all, for the time of the comparison
        row = np.full((1, sums.shape[1]), loudest, sums.dtype)
        rows = frontend.compress(np.concatenate([sums, row]))[:-1]
    values = frontend.cut(rows.astype(np.float32, copy=False))
    starts = np.arange(len(values)) * frontend.patch_hop
    # What was added before the sound is no part of how loud it is.
    loud = levels(wave[frontend.samples_before :], starts, frontend)
    made = Patches(values, frontend, starts, len(rows), loud)
    return _moved(made, frontend, count), wave


def _moved(patches: Patches, frontend, count: int) -> Patches:
    """Say where in the whole sound the patches lie."""
    before = count * frontend.patch_hop
    starts, length = patches.starts + before, patches.length + before
    return dataclasses.replace(patches, starts=starts, length=length)


def _lengthened(blocks: Iterable[np.ndarray], frontend) -> Iterator[np.ndarray]:
    """Add what a centred front end adds to both ends of a sound, as `filterbank.lengthened`."""
    if not frontend.centred:
        yield from blocks
        return
    before, after = frontend.samples_before, frontend.window - frontend.samples_before
    room = max(before, after) + 1
    held, begun = np.zeros(0, np.float32), False
    for block in blocks:
        held = np.concatenate([held, block])
        if len(held) < 2 * room:
            continue
        if not begun:
            held = np.pad(held, (before, 0), mode=frontend.pad_mode)
            begun = True
        yield held[:-room]
        held = held[-room:]
    ends = (0 if begun else before, after)
    yield np.pad(held, ends, mode=frontend.pad_mode) if len(held) else held
