"""LIME: switch segments of the patch on and off, and fit a small linear model to the answers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from .engines import segments as cut
from .engines.components import mixtures
from .engines.masks import Coalitions
from .engines.perturbation import check_output, engine_of, filling, silence_of
from .registry import register

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models.classifier import AudioClassifier
    from .engines.components import Components

SEGMENTS = ("grid", "superpixels")


@dataclass(frozen=True)
class Options:
    """Options of LIME.

    Attributes
    ----------
    segments : {"grid", "superpixels"}
        Rectangles, or shapes that follow the sound (SLIC).
    grid : pair of int
        Parts in time and frequency; superpixels aim at the same number of segments.
    samples : int
        Coalitions of segments asked about. If there are no more than that altogether, each is
        asked about once and stands for its share of the samples: the answer has no chance in it.
    fill : {"segment", "mean", "silence"} or float
        What stands in a segment that is switched off: its own mean, the patch's mean, silence or a
        number.
    features : int or None
        Keep the strongest so many segments only, the rest of the map is 0. None keeps all.
    kernel_width : float
        How fast a coalition's weight falls with its cosine distance from the whole patch.
    seed : int
    output : {"logits", "scores"}, optional
        What the linear model is fitted to. By default the logits, and the probabilities of
        classifiers that give nothing else.
    """

    segments: str = "grid"
    grid: tuple[int, int] = (7, 7)
    samples: int = 1000
    fill: str | float = "segment"
    features: int | None = None
    kernel_width: float = 0.25
    seed: int = 0
    output: str | None = None

    def __post_init__(self):
        if self.segments not in SEGMENTS:
            raise XaiAudioError(f"segments is {self.segments!r}: it must be one of {SEGMENTS}.")
        if not (np.shape(self.grid) == (2,) and all(_counts(x, 1) for x in self.grid)):
            raise XaiAudioError(f"grid is {self.grid!r}: it must be two numbers, such as (7, 7).")
        if not _counts(self.samples, 2):
            raise XaiAudioError(f"samples is {self.samples!r}: it must be a number from 2 up.")
        if not (self.features is None or _counts(self.features, 1)):
            raise XaiAudioError(f"features is {self.features!r}: a number from 1 up, or None.")
        if not (isinstance(self.kernel_width, Real) and 0 < self.kernel_width < np.inf):
            raise XaiAudioError(f"kernel_width is {self.kernel_width!r}: it must be above 0.")
        if not (_counts(self.seed, 0) and self.seed < 2**32):
            raise XaiAudioError(f"seed is {self.seed!r}: it must be a whole number from 0 up.")
        check_output(self.output)


@register(
    "lime",
    options=Options,
    summary="Weights of a linear model fitted to the logits with segments switched off.",
    paper="Ribeiro, Singh & Guestrin 2016, 'Why Should I Trust You?'",
    many_targets=True,
)
def lime(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> np.ndarray:
    """Compute maps (n, k, frames, bands) of the surrogate's weights for `targets` (n, k).

    The same as `lime.lime_image.LimeImageExplainer(random_state=seed)` for each patch with these
    segments, as long as the coalitions are drawn: the neighbourhood is drawn in its order and the
    surrogate is fitted by the lime package. Only the forward passes are ours.
    """
    segments = segments_of(patches, options)
    chosen = [coalitions(count, options.samples, options.seed) for count in _counts_of(segments)]
    answers = _ask(classifier, patches, segments, chosen, options)
    weights = _weights(chosen, answers, targets, segments, options)
    return cut.paint(weights, segments)


def weigh(
    classifier: AudioClassifier,
    components: Sequence[Components],
    targets: np.ndarray,
    options: Options,
) -> np.ndarray:
    """Return the surrogate's weights of components, such as the sources of sounds.

    Parameters
    ----------
    classifier : AudioClassifier
        That takes such inputs: patches, or sounds.
    components : sequence of Components
        Of n inputs, each with as many parts.
    targets : ndarray of int, shape (n, k)
    options : Options
        `samples`, `features`, `kernel_width`, `seed` and `output` count. What a part leaves when it
        is switched off is settled by the components.

    Returns
    -------
    ndarray of float, shape (n, k, parts)

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers import lime
    >>> from xaiaudio.explainers.engines.components import Components
    >>> model, halves = xa.load_model("lite"), np.repeat([[0], [1]], 48, axis=0) * np.ones(64, int)
    >>> parts = Components.of_patch(np.zeros((96, 64)), halves, fill=-4.6)
    >>> lime.weigh(model, [parts], np.array([[0, 1]]), lime.Options()).shape
    (1, 2, 2)
    """
    counts = [len(one) for one in components]
    if len(set(counts)) != 1:
        raise XaiAudioError(f"The inputs have different numbers of parts: {counts}.")
    chosen = [coalitions(count, options.samples, options.seed) for count in counts]
    masks = mixtures(components, [present for present, _ in chosen])
    wholes = np.stack([one.whole for one in components])
    answers = engine_of(classifier, options.output)(wholes, None, masks)
    return np.stack(
        [
            surrogates(present, answer, target, state, options)
            for (present, state), answer, target in zip(chosen, answers, targets, strict=True)
        ]
    )


def coalitions(count: int, samples: int, seed: int) -> tuple[np.ndarray, np.random.RandomState]:
    """Choose coalitions of `count` segments, the whole patch first.

    Returns
    -------
    present : ndarray of int, shape (m, count)
        1 where a segment stays: all 2**count of them if they are no more than `samples`, else
        `samples` random rows.
    state : numpy.random.RandomState
        The generator after the draw, for the surrogate.
    """
    count = int(count)  # 2**64 of a NumPy integer would be 0
    state = np.random.RandomState(seed)  # lime's own generator, in lime's order of draws
    if 2**count <= samples:
        rows = np.arange(2**count - 1, -1, -1)
        return rows[:, None] >> np.arange(count) & 1, state
    state.randint(0, 1000)  # lime draws a seed for its segmentation first
    present = state.randint(0, 2, samples * count).reshape(samples, count)
    present[0] = 1
    return present, state


def surrogates(
    present: np.ndarray,
    answers: np.ndarray,
    targets: np.ndarray,
    state: np.random.RandomState,
    options: Options,
) -> np.ndarray:
    """Fit lime's linear model to each target's answers.

    Parameters
    ----------
    present : ndarray of int, shape (m, count)
    answers : ndarray of float, shape (m, classes)
    targets : ndarray of int, shape (k,)
    state : numpy.random.RandomState
    options : Options

    Returns
    -------
    ndarray of float, shape (k, count)
        The weight of each segment, 0 for those not chosen.
    """
    from lime.lime_base import LimeBase
    from sklearn.metrics import pairwise_distances

    distances = pairwise_distances(present, present[:1], metric="cosine").ravel()
    # Fewer rows than samples: each stands for several draws, and the ridge must feel as many.
    share = options.samples / len(present)
    base = LimeBase(
        lambda d: share * np.sqrt(np.exp(-(d**2) / options.kernel_width**2)), random_state=state
    )
    features = options.features or present.shape[1]
    weights = np.zeros((len(targets), present.shape[1]))
    for row, target in zip(weights, targets, strict=True):
        found = base.explain_instance_with_data(present, answers, distances, target, features)[1]
        numbers, values = zip(*found, strict=True)
        row[list(numbers)] = values
    return weights


def segments_of(patches: np.ndarray, options: Options) -> np.ndarray:
    """Return segment numbers (n, frames, bands), each patch's from 0 without gaps."""
    if options.segments == "grid":
        one = cut.grid(patches.shape[1:], *options.grid)
        return np.broadcast_to(one, patches.shape)
    values = np.asarray(patches)
    return np.stack([cut.superpixels(patch, np.prod(options.grid)) for patch in values])


def growing(
    classifier: AudioClassifier,
    patches: np.ndarray,
    targets: np.ndarray,
    options: Options,
    samples: Sequence[int],
) -> np.ndarray:
    """Compute LIME's maps from more and more samples, and ask for each sample once.

    With one seed, the first coalitions are the same however many are drawn.

    Parameters
    ----------
    classifier : AudioClassifier
    patches : ndarray of float32, shape (n, frames, bands)
    targets : ndarray of int, shape (n, k)
    options : Options
        Its `samples` do not count.
    samples : sequence of int
        How many samples to fit to, for each map.

    Returns
    -------
    ndarray of float, shape (len(samples), n, k, frames, bands)
        Each the same as :func:`lime` with ``samples`` set to that number.
    """
    segments = segments_of(patches, options)
    counts = _counts_of(segments)
    # Where all coalitions are asked about, there is no order of drawing: such a number of samples
    # is a question of its own.
    drawn = [number for number in samples if number < 2 ** min(counts)]
    asked = {number: max(drawn) if number in drawn else number for number in samples}
    maps = {}
    for most in sorted(set(asked.values())):
        chosen = [coalitions(count, most, options.seed) for count in counts]
        answers = _ask(classifier, patches, segments, chosen, options)
        for number in (number for number in asked if asked[number] == most):
            settings = dataclasses.replace(options, samples=number)
            weights = _weights(chosen, answers, targets, segments, settings)
            maps[number] = cut.paint(weights, segments)
    return np.stack([maps[number] for number in samples])


def _counts_of(segments) -> list[int]:
    """Return how many segments each patch has."""
    return [int(count) for count in segments.max(axis=(1, 2)) + 1]


def _ask(classifier, patches, segments, chosen, options) -> np.ndarray:
    """Ask about the coalitions of each patch: (n, m, classes)."""
    fill = _filling(classifier, patches, segments, options.fill)
    masks = _stacked(segments, [present for present, _ in chosen])
    return engine_of(classifier, options.output)(patches, fill, masks)


def _weights(chosen, answers, targets, segments, options) -> np.ndarray:
    """Fit a surrogate to the first samples of each patch: (n, k, segments)."""
    weights = np.zeros((*targets.shape, segments.max() + 1))
    for number, (present, state) in enumerate(chosen):
        present = present[: options.samples]
        weights[number, :, : present.shape[1]] = surrogates(
            present, answers[number, : len(present)], targets[number], state, options
        )
    return weights


def _filling(classifier, patches, segments, fill) -> np.ndarray:
    if isinstance(fill, str) and fill == "segment":
        return cut.means(patches, segments)
    if isinstance(fill, str) and fill not in ("mean", "silence"):
        raise XaiAudioError(
            f"fill is {fill!r}: it must be 'segment', 'mean', 'silence' or a number."
        )
    return filling(patches, fill, silence_of(classifier))


def _stacked(segments, present) -> Coalitions:
    """Bring each patch's coalitions to one array; a patch with fewer gets unread rows."""
    if all(rows is present[0] or np.array_equal(rows, present[0]) for rows in present):
        return Coalitions(segments, present[0][None].astype(bool))
    samples, count = (max(rows.shape[axis] for rows in present) for axis in (0, 1))
    stacked = np.ones((len(present), samples, count), bool)
    for whole, rows in zip(stacked, present, strict=True):
        whole[: rows.shape[0], : rows.shape[1]] = rows
    return Coalitions(segments, stacked)


def _counts(value, least) -> bool:
    return isinstance(value, Integral) and value >= least
