"""Many questions to the network: curves of deletion and insertion, and a correlation of drops.

All of them are sweeps of masked patches through the one engine of
:mod:`xaiaudio.explainers.engines.perturbation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers.engines.masks import Coalitions, Ranks
from ...explainers.engines.perturbation import engine_of, filling, silence_of
from ...explainers.engines.precision import asker, precision_of
from ...explainers.engines.segments import grid as grid_segments
from .registry import FAITHFUL, register

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...explainers.explanation import Explanation
    from ...models.classifier import AudioClassifier

_PETSIUK = "Petsiuk et al., RISE, BMVC 2018"


@dataclass(frozen=True)
class Curve:
    """How the explained class's probability goes as cells go or come.

    Attributes
    ----------
    fractions : ndarray of float, shape (s + 1,)
        Share of the cells that are hidden (deletion) or shown (insertion), from 0 to 1. Cells of
        padding do not count and stay as they are.
    scores : ndarray of float, shape (n, s + 1)
        Probability of the explained class.
    area : ndarray of float, shape (n,)
        Area under each curve, by trapezoids; 0 to 1.
    """

    fractions: np.ndarray
    scores: np.ndarray
    area: np.ndarray


def deletion(
    model: AudioClassifier,
    result: Explanation,
    *,
    steps: int = 20,
    fill: str | float = "silence",
    precision: str = "float32",
    progress: bool | None = None,
) -> Curve:
    """Hide the most relevant cells first, and watch the score fall.

    Parameters
    ----------
    model : AudioClassifier
    result : Explanation
    steps : int
        Points of the curve after the first. At each, an equal share of the cells goes.
    fill : {"silence", "mean"} or float
        What stands in a hidden cell.
    precision : {"float32", "auto", "bfloat16"}
        Numbers in which the network is asked, see :func:`.precision.precision_of`.
    progress : bool or None
        Show a progress bar; None shows one on a terminal only.

    Returns
    -------
    Curve
        A good map has a small area.

    Raises
    ------
    XaiAudioError
        If `steps` is no whole number from 1 up to the number of cells, or `fill` is none of these.

    References
    ----------
    Petsiuk, Das and Saenko 2018, RISE; Samek et al. 2017, Evaluating the visualization of what a
    deep neural network has learned.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.deletion import deletion
    >>> model = xa.load_model("lite")
    >>> result = xa.explain(model, np.zeros((1, 96, 64)), method="gradcam")
    >>> deletion(model, result, steps=4).fractions
    array([0.  , 0.25, 0.5 , 0.75, 1.  ])
    """
    return _curve(model, result, _first(_counts(result, steps)), fill, precision, progress)


def insertion(
    model: AudioClassifier,
    result: Explanation,
    *,
    steps: int = 20,
    fill: str | float = "silence",
    precision: str = "float32",
    progress: bool | None = None,
) -> Curve:
    """Begin with nothing, show the most relevant cells first, and watch the score rise.

    Parameters
    ----------
    model, result, steps, fill, precision, progress
        As for :func:`deletion`.

    Returns
    -------
    Curve
        A good map has a large area.

    References
    ----------
    Petsiuk, Das and Saenko 2018, RISE.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.deletion import insertion
    >>> model = xa.load_model("lite")
    >>> result = xa.explain(model, np.zeros((1, 96, 64)), method="gradcam")
    >>> insertion(model, result, steps=4).scores.shape
    (1, 5)
    """
    return _curve(model, result, _last(_counts(result, steps)), fill, precision, progress)


@dataclass(frozen=True)
class Drops:
    """What it costs to hide random parts of patches. No map has a hand in it.

    Attributes
    ----------
    segments : ndarray of int, shape (frames, bands)
        The rectangle of each cell, from 0.
    hidden : ndarray of bool, shape (m, rectangles)
        Which rectangles each of the m sets hides.
    drops : ndarray of float, shape (n, m, classes)
        How far each class's logit falls.
    """

    segments: np.ndarray
    hidden: np.ndarray
    drops: np.ndarray


def drops_of(
    model: AudioClassifier,
    patches: ArrayLike,
    *,
    subsets: int = 200,
    grid: tuple[int, int] = (12, 8),
    share: float = 0.2,
    fill: str | float = "silence",
    seed: int = 0,
    precision: str = "float32",
    progress: bool | None = None,
) -> Drops:
    """Hide random parts of patches and ask the network again, for :func:`mu_fidelity`.

    Parameters
    ----------
    model : AudioClassifier
    patches : ndarray of float, shape (n, frames, bands)
    subsets, grid, share, fill, seed, precision, progress
        As for :func:`mu_fidelity`.

    Returns
    -------
    Drops

    Raises
    ------
    XaiAudioError
        If there are fewer than two subsets or `share` is not between 0 and 1.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.deletion import drops_of
    >>> model = xa.load_model("lite")
    >>> drops_of(model, np.zeros((1, 96, 64)), subsets=20).drops.shape
    (1, 20, 10)
    """
    if isinstance(subsets, bool) or not isinstance(subsets, int) or subsets < 2:
        raise XaiAudioError(f"subsets is {subsets!r}: a whole number from 2 on is needed.")
    if not 0 < share < 1:
        raise XaiAudioError(f"share is {share!r}: a number between 0 and 1 is needed.")
    if getattr(patches, "waves", None) is None:
        patches = np.asarray(patches, np.float32)
    segments = grid_segments(patches.shape[1:], *grid)
    hidden = _subsets(subsets, int(segments.max()) + 1, share, seed)
    base = filling(patches, fill, silence_of(model))
    numbers = precision_of(model, precision, np.asarray(patches), "logits")
    answers = engine_of(model, "logits", numbers)(
        patches, base, Coalitions(segments[None], ~hidden[None]), progress=progress
    )
    return Drops(segments, hidden, asker(model, "logits", numbers)(patches)[:, None] - answers)


def mu_fidelity(
    model: AudioClassifier,
    result: Explanation,
    *,
    subsets: int = 200,
    grid: tuple[int, int] = (12, 8),
    share: float = 0.2,
    fill: str | float = "silence",
    seed: int = 0,
    precision: str = "float32",
    drops: Drops | None = None,
    progress: bool | None = None,
) -> np.ndarray:
    """Correlate what hiding random parts costs with what the map says of these parts.

    Parameters
    ----------
    model : AudioClassifier
    result : Explanation
    subsets : int
        Random sets of hidden rectangles, the same for all patches.
    grid : tuple of int
        Rows in time and columns in frequency that the patch is cut into.
    share : float
        Share of the rectangles that each set hides.
    fill : {"silence", "mean"} or float
    seed : int
    precision : {"float32", "auto", "bfloat16"}
        Numbers in which the network is asked, see :func:`.precision.precision_of`.
    drops : Drops, optional
        The answers for these patches, if :func:`drops_of` has asked already: they serve any number
        of methods. `subsets` to `precision` are then not looked at.
    progress : bool or None

    Returns
    -------
    ndarray of float, shape (n,)
        Pearson's correlation between the drop of the explained class's logit and the sum of the map
        over the hidden cells; 0 where either of them never changes.

    Raises
    ------
    XaiAudioError
        If there are fewer than two subsets or `share` is not between 0 and 1.

    References
    ----------
    Bhatt, Weller and Moura 2020, Evaluating and aggregating feature-based model explanations;
    Fel et al. 2021 name it MuFidelity.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.deletion import mu_fidelity
    >>> model = xa.load_model("lite")
    >>> result = xa.explain(model, np.zeros((1, 96, 64)), method="occlusion")
    >>> mu_fidelity(model, result, subsets=20).shape
    (1,)
    """
    if drops is None:
        drops = drops_of(
            model,
            result.inputs,
            subsets=subsets,
            grid=grid,
            share=share,
            fill=fill,
            seed=seed,
            precision=precision,
            progress=progress,
        )
    falls = drops.drops[np.arange(len(result)), :, result.targets]
    count = drops.hidden.shape[1]
    places = drops.segments.ravel()
    sums = np.stack([np.bincount(places, cells.ravel(), count) for cells in result.maps])
    return _correlation(falls, sums @ drops.hidden.T.astype(float))


def _counts(result, steps) -> np.ndarray:
    cells = result.maps[0].size
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= cells:
        raise XaiAudioError(f"steps is {steps!r}: a whole number from 1 to {cells} is needed.")
    return np.round(np.linspace(0, cells, steps + 1)).astype(int)


def _first(counts) -> np.ndarray:
    """Return the ranks that deletion hides at each step: the first ones."""
    return np.stack([0 * counts, counts], axis=1)


def _last(counts) -> np.ndarray:
    """Return the ranks that insertion still hides at each step: the last ones."""
    return np.stack([counts, np.full_like(counts, counts[-1])], axis=1)


def _curve(model, result, bounds, fill, precision, progress) -> Curve:
    return _drawn(result, bounds, _asked(model, result, bounds, fill, precision, progress))


def _asked(model, result, bounds, fill, precision, progress) -> np.ndarray:
    """Ask about patches with the ranks between each two bounds hidden: (n, bounds, classes)."""
    base = filling(result.patches, fill, silence_of(model))
    masks = Ranks(_in_turn(result), bounds)
    numbers = precision_of(model, precision, result.patches, "scores")
    return engine_of(model, "scores", numbers)(result.inputs, base, masks, progress=progress)


def _drawn(result, bounds, answers) -> Curve:
    scores = answers[np.arange(len(result)), :, result.targets].astype(np.float64)
    moved = np.abs(bounds - bounds[0]).sum(axis=1)
    fractions = moved / moved[-1]
    return Curve(fractions, scores, np.trapezoid(scores, fractions, axis=1))


def _in_turn(result) -> np.ndarray:
    """Rank the cells; where some are padding, those with sound alone, spread over all ranks.

    So padding is never hidden, and each share of a curve is one of the cells with sound.
    """
    if result.sound is None:
        return ranks(result.maps)
    padded = np.broadcast_to(result.padding[:, :, None], result.maps.shape)
    cells, bands = result.maps[0].size, result.maps.shape[2]
    places = ranks(np.where(padded, -np.inf, result.maps))
    spread = places * cells // (np.maximum(result.sound, 1) * bands)[:, None, None]
    return np.where(padded, cells, spread)


def ranks(maps: ArrayLike) -> np.ndarray:
    """Rank the cells of each map, the highest first; of equal cells the one stored first.

    Parameters
    ----------
    maps : ndarray of float, shape (n, h, w)

    Returns
    -------
    ndarray of int, shape (n, h, w)

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.deletion import ranks
    >>> ranks(np.array([[[1.0, 3.0, 2.0]]])).tolist()
    [[[2, 0, 1]]]
    """
    flat = np.asarray(maps).reshape(len(maps), -1)
    order = np.argsort(-flat, axis=1, kind="stable")
    places = np.empty_like(order)
    np.put_along_axis(places, order, np.arange(order.shape[1])[None], axis=1)
    return places.reshape(np.shape(maps))


def _subsets(count, segments, share, seed) -> np.ndarray:
    """Draw sets of equally many segments, bool (count, segments)."""
    size = min(max(1, round(share * segments)), segments - 1)
    order = np.argsort(np.random.default_rng(seed).random((count, segments)), axis=1)
    hidden = np.zeros((count, segments), bool)
    np.put_along_axis(hidden, order[:, :size], True, axis=1)
    return hidden


def _correlation(first, second) -> np.ndarray:
    """Pearson's correlation of the rows of two arrays (n, m); 0 where a row is constant."""
    first, second = (np.asarray(part, np.float64) for part in (first, second))
    first, second = (part - part.mean(axis=1, keepdims=True) for part in (first, second))
    lengths = np.sqrt((first**2).sum(axis=1) * (second**2).sum(axis=1))
    products = (first * second).sum(axis=1)
    return np.divide(products, lengths, out=np.zeros_like(products), where=lengths > 1e-12)


@register(
    "deletion",
    title="deletion",
    family=FAITHFUL,
    unit="probability",
    better="lower",
    low=0,
    high=1,
    summary="area under the probability while cells are removed, the most relevant first",
    source=_PETSIUK,
)
def _deletion_area(context):
    return _area(context, _first)


@register(
    "insertion",
    title="insertion",
    family=FAITHFUL,
    unit="probability",
    better="higher",
    low=0,
    high=1,
    summary="area under the probability while cells are put back, the most relevant first",
    source=_PETSIUK,
)
def _insertion_area(context):
    return _area(context, _last)


def _area(context, hidden) -> np.ndarray:
    """Return the areas under a row's curves; their ends are the same for all rows."""
    result = context.result
    counts = _counts(result, min(20, result.maps[0].size))

    def asked(bounds):
        return _asked(context.model, result, bounds, "silence", context.precision, False)

    ends = context.once("ends of curves", lambda: asked(_first(counts)[[0, -1]]))
    first, last = np.split(ends if hidden is _first else ends[:, ::-1], 2, axis=1)
    bounds = hidden(counts)
    between = [asked(bounds[1:-1])] if len(bounds) > 2 else []
    return _drawn(result, bounds, np.concatenate([first, *between, last], axis=1)).area


@register(
    "MuFidelity",
    title="MuFidelity",
    family=FAITHFUL,
    unit="correlation",
    better="higher",
    low=-1,
    high=1,
    summary="correlation of a random part's relevance with what its removal costs",
    source="Bhatt et al., Evaluating and aggregating feature-based explanations, IJCAI 2020",
)
def _mu_fidelity(context):
    drops = context.once("drops", lambda: _drops(context))
    return mu_fidelity(context.model, context.result, drops=drops)


def _drops(context) -> Drops:
    patches = context.cases.patches
    # A small patch has no room for that many rectangles.
    grid = tuple(
        min(wanted, cells) for wanted, cells in zip((12, 8), patches.shape[1:], strict=True)
    )
    options = {"grid": grid, "seed": context.seed, "precision": context.precision}
    return drops_of(context.model, patches, **options, progress=False)
