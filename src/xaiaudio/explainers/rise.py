"""RISE: hide random soft patterns, and see how the network answers where a place is heard."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from .engines import designs
from .engines.masks import Soft
from .engines.perturbation import check_output, engine_of, filling, silence_of
from .engines.precision import check_precision, precision_of
from .engines.switching import check_drawn
from .registry import Found, register

if TYPE_CHECKING:
    from ..models.classifier import AudioClassifier

# Masks whose cells are in memory at a time.
_CHUNK = 256


@dataclass(frozen=True)
class Options:
    """Options of RISE.

    Attributes
    ----------
    grid : pair of int
        Steps in time and frequency of the coarse grid at whose points sound is kept or hidden.
    samples : int
        Masks.
    draws : {"orthogonal", "complements", "independent"}
        How the points that are kept are drawn, see :func:`.designs.draw`. Each is kept in half of
        the masks. Independent draws are those of the paper, which takes thousands; a mask and its
        complement have the same shift.
    fill : {"mean", "silence"} or float
        What fades in where sound is hidden: the patch's mean, silence or a number.
    seed : int
    output : {"logits", "scores"}, optional
        What the network is asked for. By default the logits, and the probabilities of classifiers
        that give nothing else.
    precision : {"float32", "auto", "bfloat16"}
        Numbers in which the network is asked. ``"auto"`` takes bfloat16, about twice as fast, where
        the processor has it and the network's answers hardly change, see
        :func:`.precision.precision_of`. A result's options say what was taken.
    """

    grid: tuple[int, int] = (7, 7)
    samples: int = 1024
    draws: str = "orthogonal"
    fill: str | float = "mean"
    seed: int = 0
    output: str | None = None
    precision: str = "float32"

    def __post_init__(self):
        check_drawn(self)
        designs.check_draws(self.draws)
        check_output(self.output)
        check_precision(self.precision)


@register(
    "rise",
    options=Options,
    summary="Mean logit with a place heard, less the mean over all random soft masks.",
    paper="Petsiuk, Das & Saenko 2018, RISE: Randomized Input Sampling for Explanation",
    many_targets=True,
)
def rise(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> Found:
    """Compute maps (n, k, frames, bands) for `targets` (n, k).

    A cell's value is the mean of the answers, each weighted with how much of the cell its mask
    keeps, less the mean of all answers: positive where sound speaks for the class. The paper leaves
    the mean in, and divides by the share of a cell that masks keep on average over all seeds; here
    it is the share that these masks keep.

    The report says how many ``samples`` there were, of which ``rows`` are different before they are
    shifted; the ``mean`` answer; and ``stability``, the correlation to be expected with the map of
    another seed. It follows from that of the maps of either half of the masks (C. Spearman;
    W. Brown, British Journal of Psychology 1910), and is too low where half an orthogonal design
    does worse than half of what a whole one does. NaN if all masks were drawn together.
    """
    shape = patches.shape[1:]
    masks, groups = masks_of(shape, options)
    fill = filling(patches, options.fill, silence_of(classifier))
    precision = precision_of(classifier, options.precision, patches, options.output)
    answers = engine_of(classifier, options.output, precision)(patches, fill, masks)
    wanted = np.take_along_axis(answers, targets[:, None], axis=2).astype(np.float64)  # (n, m, k)
    wanted = np.moveaxis(wanted, 2, 1)  # (n, k, m)
    # Halves that are whole designs, where there are so many.
    late = groups - groups[0] > (groups.max() - groups[0]) / 2
    sums, kept = _sums(masks, late, wanted, shape)
    mean = wanted.mean(axis=-1)
    maps = sum(sums) / np.maximum(sum(kept), 1e-9) - mean[..., None, None]
    report = {
        "samples": np.full(targets.shape, len(masks), float),
        "rows": np.full(targets.shape, len(np.unique(masks.points, axis=0)), float),
        "mean": mean,
        "stability": np.full(targets.shape, np.nan),
    }
    if late.any() and not late.all():
        means = [wanted[..., late == half].mean(axis=-1)[..., None, None] for half in (0, 1)]
        report["stability"] = _expected(
            *(
                one / np.maximum(weight, 1e-9) - mean
                for one, weight, mean in zip(sums, kept, means, strict=True)
            )
        )
    return Found(maps, report)


def masks_of(shape: tuple[int, int], options: Options) -> tuple[Soft, np.ndarray]:
    """Draw soft masks for patches of a shape, and which of them were drawn together (samples,).

    Parameters
    ----------
    shape : pair of int
    options : Options

    Examples
    --------
    >>> masks, groups = masks_of((96, 64), Options(samples=100))
    >>> masks.points.shape, masks.cells((96, 64), 0, 100).shape
    ((100, 9, 9), (100, 96, 64))
    """
    parts, grid = np.array(shape), np.array(options.grid)
    if (grid > parts).any():
        raise XaiAudioError(
            f"A patch of {shape[0]} x {shape[1]} cells has no grid of {options.grid[0]} x "
            f"{options.grid[1]} steps: choose fewer."
        )
    steps = -(-parts // grid)
    across = grid + 2  # one more point than steps, and one for the shift
    design = designs.draw(int(across.prod()), options.samples + 1, options.seed, options.draws)
    first = 0 if design.complete else 1  # the mask that hides nothing is none of RISE's
    present, groups = design.present[first:], design.groups[first:]
    rng = np.random.default_rng((options.seed, 1))
    shifts = rng.integers(0, steps, (groups.max() + 1, 2))[groups]
    return Soft(present.reshape(-1, *across), shifts, tuple(steps.tolist())), groups


def _sums(masks, late, answers, shape):
    """Add up the answers times the masks, and the masks, for those that are late or not."""
    sums = np.zeros((2, *answers.shape[:2], *shape))
    kept = np.zeros((2, *shape))
    for start in range(0, len(masks), _CHUNK):
        last = min(start + _CHUNK, len(masks))
        cells = masks.cells(shape, start, last)
        for half in (0, 1):
            inside = late[start:last] == half
            kept[half] += cells[inside].sum(axis=0)
            sums[half] += np.tensordot(answers[..., start:last][..., inside], cells[inside], 1)
    return sums, kept


def _expected(first, second) -> np.ndarray:
    """Return the correlation (n, k) to be expected of two maps of twice as many masks."""
    first, second = (one - one.mean(axis=(2, 3), keepdims=True) for one in (first, second))
    length = np.sqrt((first**2).sum(axis=(2, 3)) * (second**2).sum(axis=(2, 3)))
    flat = length <= 1e-12
    alike = (first * second).sum(axis=(2, 3)) / np.where(flat, 1, length)
    alike = np.maximum(alike, 0)
    return np.where(flat, np.nan, 2 * alike / (1 + alike))
