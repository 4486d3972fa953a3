"""Would the map be the same if it were drawn again? Other seeds, and more samples.

Some methods toss coins: which segments to hide, which noise to add. What changes with the coins
says nothing about the network.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers.base import Explainer
from ...explainers.engines import segments as cut
from ...explainers.engines import switching
from .registry import TRUST, register
from .similarity import overlap, rank_correlation

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ...models.classifier import AudioClassifier
    from ...patches import Patches
    from ...types import Targets

GRID = (7, 7)


@dataclass(frozen=True)
class OverSeeds:
    """How alike maps are that differ in nothing but the seed.

    Attributes
    ----------
    seeds : tuple of int
    maps : ndarray of float32, shape (s, n, frames, bands)
    spearman : ndarray of float, shape (pairs, n)
        Rank correlation of the maps of each two seeds.
    overlap : ndarray of float, shape (pairs, n)
        Share of their highest cells that they have in common.
    drawn : bool
        False for a method that draws nothing, and always agrees with itself.
    """

    seeds: tuple[int, ...]
    maps: np.ndarray
    spearman: np.ndarray
    overlap: np.ndarray
    drawn: bool


@dataclass(frozen=True)
class OverSamples:
    """The highest segments of maps from few and from many samples, drawn several times.

    Attributes
    ----------
    samples, seeds : tuple of int
    tops : ndarray of int, shape (s, k, n, top)
        For each seed, number of samples and patch: the segments with the highest means, the
        highest first.
    segments : ndarray of int, shape (n, frames, bands)
    maps : ndarray of float32, shape (s, k, n, frames, bands)
    """

    samples: tuple[int, ...]
    seeds: tuple[int, ...]
    tops: np.ndarray
    segments: np.ndarray
    maps: np.ndarray

    @property
    def agreement(self) -> np.ndarray:
        """Share of the highest segments that each two seeds have in common, (k, pairs, n)."""
        pairs = [shared(a, b) for a, b in itertools.combinations(self.tops, 2)]
        return np.moveaxis(np.array(pairs), 0, 1)

    @property
    def different(self) -> np.ndarray:
        """How many segments are among the highest of any seed, (k, n); `top` if all agree."""
        seeds, *rest, top = self.tops.shape
        named = np.sort(np.moveaxis(self.tops, 0, -1).reshape(*rest, seeds * top), axis=-1)
        return 1 + (np.diff(named, axis=-1) > 0).sum(axis=-1)

    @property
    def enough(self) -> np.ndarray:
        """Fewest samples from which on all seeds agree, (n,); inf where they never do."""
        top = self.tops.shape[-1]
        settled = np.logical_and.accumulate((self.different == top)[::-1])[::-1]
        first = settled.argmax(axis=0)
        return np.where(settled.any(axis=0), np.array(self.samples, float)[first], np.inf)


def over_seeds(
    model: AudioClassifier,
    patches: Patches | ArrayLike,
    targets: Targets = None,
    explainer: str | Explainer = "lime",
    *,
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    share: float = 0.1,
) -> OverSeeds:
    """Explain the same patches with several seeds.

    Parameters
    ----------
    model, patches, targets
        As in :func:`xaiaudio.explain`; the class that is explained is the same for all seeds.
    explainer : str or Explainer
        A method by its name, or with options.
    seeds : sequence of int
        Two or more, all different.
    share : float
        How many cells count as highest, as a share of all.

    Returns
    -------
    OverSeeds
        A method without an option `seed` is run once, for it has no coins to toss; but one patch
        is explained twice, and if the maps differ, all are explained anew for each seed.

    Raises
    ------
    XaiAudioError
        If there are too few seeds or one comes twice, and as :func:`xaiaudio.explain`.

    References
    ----------
    Mishra et al. 2020, Reliable local explanations for machine listening.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.stability import over_seeds
    >>> model = xa.load_model("lite")
    >>> over_seeds(model, np.zeros((1, 96, 64)), None, "gradcam").spearman.min()
    np.float64(1.0)
    """
    seeds = _seeds(seeds)
    explainer = Explainer.of(explainer)
    first = explainer.with_seed(seeds[0])(model, patches, targets)
    classes = first.targets.tolist()
    drawn = explainer.seeded or _differs(explainer(model, first.inputs[:1], classes[:1]), first)
    rest = [
        explainer.with_seed(seed)(model, first.inputs, classes).maps for seed in seeds[1:] if drawn
    ]
    maps = [first.maps, *(rest if drawn else [first.maps] * len(seeds[1:]))]
    pairs = list(itertools.combinations(maps, 2))
    return OverSeeds(
        seeds,
        np.stack(maps),
        np.stack([_ranks_alike(a, b) for a, b in pairs]),
        np.stack([overlap(a, b, share) for a, b in pairs]),
        drawn,
    )


def over_samples(
    model: AudioClassifier,
    patches: Patches | ArrayLike,
    targets: Targets = None,
    explainer: str | Explainer = "lime",
    *,
    samples: Sequence[int] = (50, 100, 200, 500, 1000, 2000),
    seeds: Sequence[int] = (0, 1, 2, 3, 4),
    top: int = 3,
) -> OverSamples:
    """Explain the same patches with more and more samples, and see when the tops stop changing.

    Parameters
    ----------
    model, patches, targets
        As in :func:`xaiaudio.explain`.
    explainer : str or Explainer
        A method with the options `samples` and `seed`. For ``"lime"`` the segments are its own, and
        each sample is asked about once, however many numbers of samples there are. For others they
        are a grid of 7 by 7.
    samples : sequence of int
        Rising.
    seeds : sequence of int
        Two or more, all different.
    top : int
        How many segments count.

    Returns
    -------
    OverSamples

    Raises
    ------
    XaiAudioError
        For a method without these options, and numbers that make no sense.

    References
    ----------
    Mishra et al. 2020, Reliable local explanations for machine listening: more samples, until the
    segments named by repeated runs are always the same.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.stability import over_samples
    >>> model = xa.load_model("lite")
    >>> found = over_samples(
    ...     model,
    ...     np.zeros((1, 96, 64)),
    ...     explainer=xa.Explainer("lime", grid=(3, 2)),
    ...     samples=(10, 20),
    ...     seeds=(0, 1),
    ... )
    >>> found.tops.shape
    (2, 2, 1, 3)
    """
    seeds, samples = _seeds(seeds), tuple(samples)
    if not samples or list(samples) != sorted(set(samples)):
        raise XaiAudioError(f"samples is {samples!r}: it must be rising numbers.")
    explainer = Explainer.of(explainer)
    missing = [name for name in ("samples", "seed") if not explainer.takes(name)]
    if missing:
        raise XaiAudioError(
            f"{explainer.name} has no option {missing[0]!r}: it does not draw samples, so that "
            "there is nothing to count."
        )
    # Checks patches and targets, and says what is wrong with them.
    first = explainer.replace(seed=seeds[0], samples=samples[0])(model, patches, targets)
    if explainer.name == "lime":
        segments, maps = _growing_lime(model, first, samples, seeds, explainer)
    else:
        segments = np.broadcast_to(cut.grid(first.maps.shape[1:], *GRID), first.maps.shape)
        classes = first.targets.tolist()
        maps = np.stack(
            [
                [
                    explainer.replace(seed=seed, samples=count)(model, first.inputs, classes).maps
                    for count in samples
                ]
                for seed in seeds
            ]
        )
    flat = maps.reshape(-1, *first.maps.shape[1:])
    tops = top_segments(flat, np.tile(segments, (len(seeds) * len(samples), 1, 1)), top)
    tops = tops.reshape(len(seeds), len(samples), len(first), top)
    return OverSamples(samples, seeds, tops, np.array(segments), maps)


def top_segments(maps: ArrayLike, segments: ArrayLike, top: int = 3) -> np.ndarray:
    """Name the segments in which maps are highest on average.

    Parameters
    ----------
    maps : array_like of float, shape (n, frames, bands)
    segments : array_like of int, shape (n, frames, bands) or (frames, bands)
        Each patch's numbered from 0 without gaps.
    top : int

    Returns
    -------
    ndarray of int, shape (n, top)
        The highest first; of equal ones the lower number.

    Raises
    ------
    XaiAudioError
        If the shapes do not fit, or there are fewer segments than `top`.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.stability import top_segments
    >>> top_segments([[[0, 1], [2, 3]]], [[0, 1], [0, 1]], 1).tolist()
    [[1]]
    """
    maps, segments = np.asarray(maps, np.float64), np.asarray(segments)
    if maps.ndim != 3 or segments.shape not in (maps.shape, maps.shape[1:]):
        raise XaiAudioError(
            f"The maps have the shape {maps.shape} and the segments {segments.shape}: (n, frames, "
            "bands) both, or the segments without the n."
        )
    segments = np.broadcast_to(segments, maps.shape)
    counts = segments.max(axis=(1, 2)) + 1
    if not 1 <= top <= counts.min():
        raise XaiAudioError(
            f"top is {top}: it must be 1 to {counts.min()}, the number of segments of a patch."
        )
    n, most = len(maps), int(counts.max())
    numbers = (segments + most * np.arange(n)[:, None, None]).ravel()
    sizes = np.bincount(numbers, minlength=n * most)
    sums = np.bincount(numbers, maps.ravel(), n * most)
    means = np.where(sizes > 0, sums / np.maximum(sizes, 1), -np.inf).reshape(n, most)
    # To the float32 that maps are made in: sums in another order must not break a tie.
    return np.argsort(-means.astype(np.float32), axis=1, kind="stable")[:, :top]


def shared(first: ArrayLike, second: ArrayLike) -> np.ndarray:
    """Return the share of the highest segments (..., top) that two have in common, (...)."""
    first, second = np.asarray(first), np.asarray(second)
    return (first[..., :, None] == second[..., None, :]).any(axis=-1).mean(axis=-1)


def _growing_lime(model, first, samples, seeds, explainer):
    from ...explainers import lime

    chosen = explainer.options
    segments = switching.segments_of(first.patches, chosen)
    maps = [
        lime.growing(
            model,
            first.inputs,
            first.targets[:, None],
            dataclasses.replace(chosen, seed=seed),
            samples,
        )[:, :, 0]
        for seed in seeds
    ]
    maps = np.stack(maps).astype(np.float32)
    return segments, np.where(first.padding[:, :, None], np.float32(0), maps)


def _seeds(seeds) -> tuple[int, ...]:
    seeds = tuple(seeds)
    if len(seeds) < 2 or len(set(seeds)) < len(seeds):
        raise XaiAudioError(f"seeds is {seeds!r}: it must be two or more different numbers.")
    return seeds


def _differs(again, first) -> bool:
    """Tell whether the first map is another one when it is made again, rounding apart."""
    scale = np.abs(first.maps[0]).max()
    return not np.allclose(again.maps[0], first.maps[0], rtol=1e-3, atol=1e-6 * scale)


def _ranks_alike(first, second) -> np.ndarray:
    """Return the rank correlation (n,) of each two maps; 1 where they are the same."""
    same = (first == second).all(axis=(1, 2))
    return np.where(same, 1.0, rank_correlation(first, second))


@register(
    "seeds",
    title="seeds",
    family=TRUST,
    unit="rank correlation",
    better="higher",
    low=-1,
    high=1,
    summary="similarity of the maps of two seeds, for methods that draw at random",
    source="Mishra et al., Reliable local explanations for machine listening, IJCNN 2020",
    silent="the method draws nothing that a seed decides, or its maps are flat",
)
def _two_seeds(context):
    """Compare the maps of two seeds; NaN for a method that draws nothing."""
    if not context.row.seeded:
        return context.missing()
    first, second = context.subset_maps, context.re_explain(seed=context.seed + 1)
    # A map that is flat has no ranks, and so no answer.
    flat = (np.ptp(first, axis=(1, 2)) == 0) | (np.ptp(second, axis=(1, 2)) == 0)
    return context.scatter(np.where(flat, np.nan, rank_correlation(first, second)))
