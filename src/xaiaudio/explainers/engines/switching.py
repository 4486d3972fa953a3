"""Segments of patches switched on and off, and what methods make of the answers: LIME, Shapley."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import XaiAudioError
from . import coalitions
from . import segments as cut
from .fills import filling, plain, silence_of
from .masks import Coalitions
from .perturbation import check_output
from .precision import check_precision, precision_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from ...models.classifier import AudioClassifier
    from .designs import Design
    from .surrogate import Fit

SEGMENTS = ("grid", "superpixels")


@dataclass(frozen=True)
class SegmentOptions:
    """Options of methods that switch segments.

    Attributes
    ----------
    segments : {"grid", "superpixels"}
        Rectangles, or shapes that follow the sound (SLIC).
    grid : pair of int
        Parts in time and frequency; superpixels aim at the same number of segments.
    samples : int
        Coalitions of segments asked about, at most. If there are no more than that altogether, each
        is asked about once: the answer has no chance in it.
    fill : str, float or sequence of float
        What stands in a segment that is switched off, see :func:`.fills.filling`: by default its
        own mean.
    seed : int
    output : {"logits", "scores"}, optional
        What the network is asked for. By default the logits, and the probabilities of classifiers
        that give nothing else.
    precision : {"float32", "auto", "bfloat16"}
        Numbers in which the network is asked. ``"auto"`` takes bfloat16, about twice as fast, where
        the processor has it and the network's answers hardly change, see
        :func:`.precision.precision_of`. A result's options say what was taken.
    """

    segments: str = "grid"
    grid: tuple[int, int] = (7, 7)
    samples: int = 256
    fill: str | float | tuple = "segment"
    seed: int = 0
    output: str | None = None
    precision: str = "float32"

    def __post_init__(self):
        if self.segments not in SEGMENTS:
            raise XaiAudioError(f"segments is {self.segments!r}: it must be one of {SEGMENTS}.")
        check_drawn(self)
        object.__setattr__(self, "fill", plain(self.fill))
        check_output(self.output)
        check_precision(self.precision)


@dataclass(frozen=True)
class Solver:
    """How a method chooses coalitions, and makes weights of the answers to them.

    Attributes
    ----------
    draw : callable
        Of a number of parts and the method's options: a `Design`.
    fit : callable
        Of a design, the answers (m, k) to it and the options: a `Fit`.
    report : callable
        Of a design, a fit and the options: what there is to say of the weights, arrays (k,) by
        name.
    """

    draw: Callable[[int, Any], Design]
    fit: Callable[[Design, np.ndarray, Any], Fit]
    report: Callable[[Design, Fit, Any], dict[str, np.ndarray]]


def solved(
    classifier: AudioClassifier,
    patches: np.ndarray,
    targets: np.ndarray,
    options: SegmentOptions,
    solver: Solver,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return maps (n, k, frames, bands) of the weights of segments, and their report (n, k).

    Parameters
    ----------
    classifier : AudioClassifier
    patches : ndarray of float32, shape (n, frames, bands)
    targets : ndarray of int, shape (n, k)
    options : SegmentOptions
    solver : Solver
    """
    segments = segments_of(patches, options)
    chosen = drawn(counts_of(segments), options, solver)
    answers = ask(classifier, patches, segments, chosen, options)
    fits = fitted(chosen, answers, targets, options, solver)
    return painted(fits, segments), reported(chosen, fits, options, solver)


def segments_of(patches: np.ndarray, options: SegmentOptions) -> np.ndarray:
    """Return segment numbers (n, frames, bands), each patch's from 0 without gaps."""
    if options.segments == "grid":
        one = cut.grid(patches.shape[1:], *options.grid)
        return np.broadcast_to(one, patches.shape)
    values = np.asarray(patches)
    return np.stack([cut.superpixels(patch, np.prod(options.grid)) for patch in values])


def counts_of(segments: np.ndarray) -> list[int]:
    """Return how many segments each patch has."""
    return [int(count) for count in segments.max(axis=(1, 2)) + 1]


def drawn(counts: Sequence[int], options: Any, solver: Solver) -> list[Design]:
    """Draw the coalitions of each input; those with as many parts share one design."""
    made = {count: solver.draw(count, options) for count in set(counts)}
    return [made[count] for count in counts]


def ask(
    classifier: AudioClassifier,
    patches: np.ndarray,
    segments: np.ndarray,
    chosen: Sequence[Design],
    options: SegmentOptions,
) -> np.ndarray:
    """Ask about the coalitions of each patch, once about those drawn twice: (n, m, classes)."""
    fill = _filling(classifier, patches, segments, options)
    found = {id(one): np.unique(one.present, axis=0, return_inverse=True) for one in chosen}
    masks = _stacked(segments, [found[id(one)][0] for one in chosen])
    precision = precision_of(classifier, options.precision, patches, options.output)
    grid = options.grid if options.segments == "grid" else None
    answers = coalitions.answered(classifier, patches, fill, masks, grid, options.output, precision)
    places = np.zeros((len(chosen), max(map(len, chosen))), int)
    for row, one in zip(places, chosen, strict=True):
        row[: len(one)] = found[id(one)][1].ravel()
    return np.take_along_axis(answers, places[:, :, None], axis=1)


def fitted(
    chosen: Sequence[Design], answers: np.ndarray, targets: np.ndarray, options: Any, solver: Solver
) -> list[Fit]:
    """Return a fit with k answers for each of n inputs, all that share a design in one solve.

    Parameters
    ----------
    chosen : sequence of Design
        One an input, as :func:`drawn` returns them.
    answers : ndarray of float, shape (n, m, classes)
    targets : ndarray of int, shape (n, k)
    options : object
        The method's.
    solver : Solver
    """
    k = targets.shape[1]
    wanted = np.take_along_axis(answers, targets[:, None], axis=2)  # (n, m, k)
    if not np.isfinite(wanted).all():
        raise XaiAudioError(
            "The network gave NaN or infinity where parts were hidden: try another fill, then "
            "check the network's weights."
        )
    fits: list = [None] * len(chosen)
    for design in {id(one): one for one in chosen}.values():
        numbers = [number for number, one in enumerate(chosen) if one is design]
        columns = np.moveaxis(wanted[numbers, : len(design)], 0, 1).reshape(len(design), -1)
        found = solver.fit(design, columns, options)
        for place, number in enumerate(numbers):
            fits[number] = found[place * k : (place + 1) * k]
    return fits


def reported(
    chosen: Sequence[Design], fits: Sequence[Fit], options: Any, solver: Solver
) -> dict[str, np.ndarray]:
    """Return what there is to say of the fits of n inputs, arrays (n, k) by name."""
    reports = [solver.report(*pair, options) for pair in zip(chosen, fits, strict=True)]
    return {name: np.stack([one[name] for one in reports]) for name in reports[0]}


def painted(fits: Sequence[Fit], segments: np.ndarray) -> np.ndarray:
    """Return maps (n, k, frames, bands) of the weights of each patch's segments."""
    weights = np.zeros((len(fits), len(fits[0].weights), segments.max() + 1))
    for row, fit in zip(weights, fits, strict=True):
        row[:, : fit.weights.shape[1]] = fit.weights
    return cut.paint(weights, segments)


def check_drawn(options: Any) -> None:
    """Raise XaiAudioError unless the options `grid`, `samples` and `seed` make sense."""
    if not (np.shape(options.grid) == (2,) and all(is_count(x, 1) for x in options.grid)):
        raise XaiAudioError(f"grid is {options.grid!r}: it must be two numbers, such as (7, 7).")
    if not is_count(options.samples, 2):
        raise XaiAudioError(f"samples is {options.samples!r}: it must be a number from 2 up.")
    if not (is_count(options.seed, 0) and options.seed < 2**32):
        raise XaiAudioError(f"seed is {options.seed!r}: it must be a whole number from 0 up.")


def is_count(value: object, least: int) -> bool:
    """Tell whether a value is a whole number, and no less than that."""
    return isinstance(value, Integral) and int(value) >= least


def _filling(classifier, patches, segments, options) -> np.ndarray:
    return filling(
        patches, options.fill, silence_of(classifier), segments=segments, seed=options.seed
    )


def _stacked(segments, present) -> Coalitions:
    """Bring each patch's coalitions to one array; a patch with fewer gets unread rows."""
    if all(rows is present[0] for rows in present):
        return Coalitions(segments, present[0][None].astype(bool))
    samples, count = (max(rows.shape[axis] for rows in present) for axis in (0, 1))
    stacked = np.ones((len(present), samples, count), bool)
    for whole, rows in zip(stacked, present, strict=True):
        whole[: rows.shape[0], : rows.shape[1]] = rows
    return Coalitions(segments, stacked)
