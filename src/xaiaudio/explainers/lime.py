"""LIME: switch segments of the patch on and off, and fit a small linear model to the answers."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from .engines import designs, surrogate, switching
from .engines.components import mixtures
from .engines.perturbation import engine_of
from .engines.switching import SegmentOptions, Solver, is_count
from .registry import Found, register

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..models.classifier import AudioClassifier
    from .engines.components import Components
    from .engines.designs import Design
    from .engines.surrogate import Fit


@dataclass(frozen=True)
class Options(SegmentOptions):
    """Options of LIME, beside those of :class:`.switching.SegmentOptions`.

    Where all coalitions are asked about, each stands for its share of the samples.

    Attributes
    ----------
    draws : {"orthogonal", "complements", "independent"}
        How the coalitions are drawn, see :func:`.designs.draw`. Independent draws are those of the
        package lime, which takes 1000; the others need fewer for the same stability.
    features : int or None
        Keep the strongest so many segments only, the rest of the map is 0. None keeps all.
    kernel_width : float
        How fast a coalition's weight falls with its cosine distance from the whole patch.
    """

    draws: str = "orthogonal"
    features: int | None = None
    kernel_width: float = 0.25

    def __post_init__(self):
        super().__post_init__()
        designs.check_draws(self.draws)
        if not (self.features is None or is_count(self.features, 1)):
            raise XaiAudioError(f"features is {self.features!r}: a number from 1 up, or None.")
        if not (isinstance(self.kernel_width, Real) and 0 < self.kernel_width < np.inf):
            raise XaiAudioError(f"kernel_width is {self.kernel_width!r}: it must be above 0.")


@register(
    "lime",
    options=Options,
    summary="Weights of a linear model fitted to the logits with segments switched off.",
    paper="Ribeiro, Singh & Guestrin 2016, 'Why Should I Trust You?'",
    many_targets=True,
)
def lime(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> Found:
    """Compute maps (n, k, frames, bands) of the surrogate's weights for `targets` (n, k).

    With independent draws the same as `lime.lime_image.LimeImageExplainer(random_state=seed)` for
    each patch with these segments, as long as the coalitions are drawn. The report says of each
    map how it was found, see :func:`report_of`.
    """
    return Found(*switching.solved(classifier, patches, targets, options, SOLVER))


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
        `segments`, `grid` and `fill` do not count: the components settle what the parts are, and
        what is left where one is switched off.

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
    chosen = switching.drawn(counts, options, SOLVER)
    masks = mixtures(components, chosen[0].present)
    wholes = np.stack([one.whole for one in components])
    answers = engine_of(classifier, options.output)(wholes, None, masks)
    fits = switching.fitted(chosen, answers, targets, options, SOLVER)
    return np.stack([fit.weights for fit in fits])


def design_of(count: int, options: Options) -> Design:
    """Return the coalitions of `count` parts that LIME asks about."""
    return designs.draw(count, options.samples, options.seed, options.draws)


def surrogates(design: Design, answers: np.ndarray, options: Options) -> Fit:
    """Fit LIME's linear model to each column of answers.

    Parameters
    ----------
    design : Design
    answers : ndarray of float, shape (m, k)
        To its coalitions.
    options : Options

    Returns
    -------
    Fit
        The weight of each part, 0 for those not chosen.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.explainers import lime
    >>> from xaiaudio.explainers.engines import designs
    >>> design = designs.draw(4, 2000)
    >>> found = lime.surrogates(design, design.present @ [[1.0], [2], [0], [-1]], lime.Options())
    >>> found.weights.round(2).tolist()
    [[0.96, 1.93, -0.01, -0.98]]
    """
    # Fewer rows than samples: each stands for several draws, and the ridge must feel as many.
    share = options.samples / len(design)
    closeness = share * surrogate.kernel(design.present, options.kernel_width)
    if options.features is None or options.features >= design.present.shape[1]:
        return surrogate.fit(design, answers, closeness)
    return _chosen_only(design, answers, closeness, options.features)


def _chosen_only(design, answers, closeness, features) -> Fit:
    """Fit to the strongest parts alone, as the package lime chooses them for each answer."""
    from lime.lime_base import LimeBase

    base = LimeBase(None)
    shape = answers.shape[1], design.present.shape[1]
    weights, errors = np.zeros(shape), np.zeros(shape)
    intercepts, r2 = [], []
    for number, column in enumerate(np.asarray(answers, np.float64).T):
        used = base.feature_selection(design.present, column, closeness, features, "auto")
        one = dataclasses.replace(design, present=design.present[:, used])
        fitted = surrogate.fit(one, column[:, None], closeness)
        weights[number, used] = fitted.weights[0]
        errors[number, used] = fitted.errors[0]
        intercepts.append(fitted.intercepts[0])
        r2.append(fitted.r2[0])
    total = float(closeness.sum())
    return surrogate.Fit(weights, np.array(intercepts), np.array(r2), errors, total)


def report_of(design: Design, fit: Fit, options: Options) -> dict[str, np.ndarray]:
    """Return how weights were found, one number for each of k answers.

    Parameters
    ----------
    design : Design
    fit : Fit
    options : Options

    Returns
    -------
    dict of str to ndarray of shape (k,)
        ``samples`` coalitions that the network was asked about, of which ``rows`` are different;
        ``kernel_width``; ``alpha``, the penalty on the squared weights, beside ``total_weight``,
        the sum of the rows' weights; ``r2``, the weighted share of the answers' variance that the
        linear model explains, NaN if there is none; ``stability``, the correlation to be expected
        with the weights of another seed, see :func:`.surrogate.stability`. NaN if there are too few
        samples to tell.
    """
    numbers = {
        "samples": len(design),
        "rows": design.distinct,
        "kernel_width": options.kernel_width,
        "alpha": surrogate.ALPHA,
        "total_weight": fit.total,
    }
    same = {name: np.full(len(fit.r2), number, float) for name, number in numbers.items()}
    return same | {"r2": fit.r2, "stability": fit.stability}


#: How LIME draws, fits and reports.
SOLVER = Solver(design_of, surrogates, report_of)


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
    segments = switching.segments_of(patches, options)
    counts = switching.counts_of(segments)
    # Where all coalitions are asked about, there is no order of drawing: such a number of samples
    # is a question of its own.
    drawn = [number for number in samples if number < 2 ** min(counts)]
    asked = {number: max(drawn) if number in drawn else number for number in samples}
    maps = {}
    for most in sorted(set(asked.values())):
        chosen = switching.drawn(counts, dataclasses.replace(options, samples=most), SOLVER)
        answers = switching.ask(classifier, patches, segments, chosen, options)
        for number in (number for number in asked if asked[number] == most):
            settings = dataclasses.replace(options, samples=number)
            firsts = {id(one): one.first(number) for one in chosen}
            fewer = [firsts[id(one)] for one in chosen]
            fits = switching.fitted(fewer, answers, targets, settings, SOLVER)
            maps[number] = switching.painted(fits, segments)
    return np.stack([maps[number] for number in samples])
