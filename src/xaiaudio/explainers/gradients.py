"""Gradients with respect to the patch: plain, averaged over noise, times the input, over a path.

All of them look at the logits. The functions on networks take inputs of any shape.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError, XaiAudioWarning
from .checks import checked
from .engines.backward import engine_of
from .engines.perturbation import filling, silence_of
from .registry import register

if TYPE_CHECKING:
    import keras
    from numpy.typing import ArrayLike

    from ..models.classifier import AudioClassifier
    from .explanation import Explanation

# How often integrated gradients may take three times as many points.
REFINEMENTS = 5
# Estimated error of a map, as a share of its summed magnitudes, from which it gets more points.
UNSETTLED = 0.1
# Share of the summed magnitudes below which a gap is rounding: the network computes in float32.
ROUNDING = 1e-5


@dataclass(frozen=True)
class SaliencyOptions:
    """Options of saliency.

    Attributes
    ----------
    signed : bool
        False gives magnitudes: how much the score would change, in whichever direction. True gives
        the gradient itself.
    """

    signed: bool = False


@dataclass(frozen=True)
class SmoothOptions(SaliencyOptions):
    """Options of SmoothGrad.

    Attributes
    ----------
    signed : bool
        As in :class:`SaliencyOptions`.
    samples : int
        Noisy copies of each patch.
    noise : float
        Standard deviation of the noise as a share of the patch's range, its loudest minus its
        quietest cell. Pictures bear 0.1 to 0.2 (Smilkov et al. 2017). A log-mel patch bears less:
        with 0.15 most noisy copies are another class to the networks of this package.
    seed : int
        Decides the noise. All patches get the same, each scaled to its range.
    """

    samples: int = 32
    noise: float = 0.05
    seed: int = 0

    def __post_init__(self):
        _check_count("samples", self.samples, 1)
        _check_count("seed", self.seed, 0)
        if not (isinstance(self.noise, Real) and 0 <= self.noise < np.inf):
            raise XaiAudioError(f"noise is {self.noise!r}: it must be a share, such as 0.05.")


@dataclass(frozen=True)
class TimesOptions:
    """Options of input x gradient.

    Attributes
    ----------
    baseline : {"mean", "silence"} or float
        What counts as no input: the gradient is multiplied by the patch minus this. The method's
        inventors have 0, which is no silence in a log-mel patch.
    """

    baseline: str | float = 0.0


@dataclass(frozen=True)
class PathOptions:
    """Options of integrated gradients.

    Attributes
    ----------
    baseline : {"silence", "mean"} or float
        Where the path to the patch begins: in silence, in the patch's mean, or in a number.
    steps : int
        Points on the path at first. A patch whose map does not add up, or still moves, gets three
        times as many, again and again, up to 243 times.
    tolerance : float
        How far the sum of a map may be from the difference of the logits, as a share of it.
    """

    baseline: str | float = "silence"
    steps: int = 16
    tolerance: float = 0.01

    def __post_init__(self):
        _check_count("steps", self.steps, 1)
        if not (isinstance(self.tolerance, Real) and self.tolerance > 0):
            raise XaiAudioError(f"tolerance is {self.tolerance!r}: it must be above 0.")


@register(
    "saliency",
    options=SaliencyOptions,
    summary="How much the class's logit reacts to a small change in each cell.",
    paper="Simonyan, Vedaldi & Zisserman 2014, Deep Inside Convolutional Networks",
    needs="layers with gradients",
)
def saliency(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: SaliencyOptions
) -> np.ndarray:
    """Compute maps (n, frames, bands), the magnitude of dS/dx."""
    found = gradient(classifier.logits_network, classifier.as_input(patches), targets)
    return _sign(found.reshape(patches.shape), options)


@register(
    "smoothgrad",
    options=SmoothOptions,
    summary="The gradient, averaged over noisy copies of the patch.",
    paper="Smilkov et al. 2017, SmoothGrad: removing noise by adding noise",
    needs="layers with gradients",
)
def smoothgrad(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: SmoothOptions
) -> np.ndarray:
    """Compute maps (n, frames, bands), the magnitude of the mean of dS/dx over noisy copies."""
    found = smooth_gradient(
        classifier.logits_network,
        classifier.as_input(patches),
        targets,
        samples=options.samples,
        noise=options.noise,
        seed=options.seed,
    )
    return _sign(found.reshape(patches.shape), options)


@register(
    "input-x-gradient",
    options=TimesOptions,
    summary="Each cell's value times the gradient there.",
    paper="Shrikumar et al. 2016, Not Just a Black Box",
    needs="layers with gradients",
)
def input_x_gradient(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: TimesOptions
) -> np.ndarray:
    """Compute maps (n, frames, bands): (x - baseline) * dS/dx."""
    found = gradient(classifier.logits_network, classifier.as_input(patches), targets)
    return (patches - _baselines(classifier, patches, options)) * found.reshape(patches.shape)


@register(
    "integrated-gradients",
    options=PathOptions,
    summary="Gradients summed on the way from silence to the patch; they add up to its logit.",
    paper="Sundararajan, Taly & Yan 2017, Axiomatic Attribution for Deep Networks",
    needs="layers with gradients",
)
def integrated(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: PathOptions
) -> np.ndarray:
    """Compute maps (n, frames, bands) that sum to S(x) - S(baseline)."""
    found = integrated_gradients(
        classifier.logits_network,
        classifier.as_input(patches),
        targets,
        classifier.as_input(_baselines(classifier, patches, options)),
        steps=options.steps,
        tolerance=options.tolerance,
    )
    return found.reshape(patches.shape)


def gradient(network: keras.Model, inputs: ArrayLike, targets: ArrayLike) -> np.ndarray:
    """Return the gradient of each target's logit with respect to its input.

    Parameters
    ----------
    network : keras.Model
        From inputs of any shape to logits (n, classes). It is compiled once.
    inputs : array_like of float, shape (n, ...)
    targets : array_like of int, shape (n,)

    Returns
    -------
    ndarray of float32, like `inputs`

    Raises
    ------
    XaiAudioError
        If inputs or targets do not fit the network, or it is not differentiable.

    Examples
    --------
    >>> import keras
    >>> x = keras.Input((2,))
    >>> network = keras.Model(x, keras.layers.Dense(1, kernel_initializer="ones")(x))
    >>> gradient(network, [[3.0, 4.0]], [0]).tolist()
    [[1.0, 1.0]]
    """
    inputs, targets = checked(network, inputs, targets)
    return engine_of(network)(inputs, targets).astype(np.float32)


def smooth_gradient(
    network: keras.Model,
    inputs: ArrayLike,
    targets: ArrayLike,
    *,
    samples: int = 32,
    noise: float = 0.05,
    seed: int = 0,
) -> np.ndarray:
    """Return the gradient averaged over noisy copies of each input (Smilkov et al. 2017).

    Parameters
    ----------
    network, inputs, targets
        As in :func:`gradient`.
    samples, noise, seed
        As in :class:`SmoothOptions`.

    Returns
    -------
    ndarray of float32, like `inputs`
        With its sign.

    Raises
    ------
    XaiAudioError
        As for :func:`gradient`, and for numbers that make no sense.
    """
    inputs, targets = checked(network, inputs, targets)
    SmoothOptions(samples=samples, noise=noise, seed=seed)  # complains of what makes no sense
    # Float32 from the start: fifty copies of a second of samples would be long in float64.
    drawn = np.random.default_rng(seed).standard_normal((samples, *inputs.shape[1:]), np.float32)
    axes = tuple(range(1, inputs.ndim))
    scale = noise * np.ptp(inputs, axis=axes, keepdims=True)
    return engine_of(network)(inputs, targets, scale, drawn).astype(np.float32)


def integrated_gradients(
    network: keras.Model,
    inputs: ArrayLike,
    targets: ArrayLike,
    baselines: ArrayLike = 0.0,
    *,
    steps: int = 16,
    tolerance: float = 0.01,
) -> np.ndarray:
    """Return the gradients on the straight way from a baseline to the input, summed up.

    The integral is a sum over the middles of equal steps. Each input whose map does not sum to
    the difference of its logits is given three times as many steps; the old middles are among the
    new ones and are not asked for again. So is each input whose map still moves: its error, about
    inversely proportional to the number of steps, is estimated from a map with a third of them,
    and may be a tenth of the summed magnitudes.

    Parameters
    ----------
    network, inputs, targets
        As in :func:`gradient`.
    baselines : array_like of float
        Like `inputs`, or what broadcasts to it.
    steps, tolerance
        As in :class:`PathOptions`.

    Returns
    -------
    ndarray of float32, like `inputs`
        Positive and negative; sums to S(input) - S(baseline) for each input.

    Raises
    ------
    XaiAudioError
        As for :func:`gradient`, and for numbers that make no sense.

    Warns
    -----
    XaiAudioWarning
        If a map does not add up, or still moves, even with the most steps.

    References
    ----------
    M. Sundararajan, A. Taly and Q. Yan, "Axiomatic Attribution for Deep Networks", ICML 2017.

    Examples
    --------
    >>> import keras
    >>> x = keras.Input((2,))
    >>> network = keras.Model(x, keras.layers.Dense(1, kernel_initializer="ones")(x))
    >>> integrated_gradients(network, [[3.0, 4.0]], [0], baselines=1.0).tolist()
    [[2.0, 3.0]]
    """
    inputs, targets = checked(network, inputs, targets)
    PathOptions(steps=steps, tolerance=tolerance)  # complains of what makes no sense
    starts = np.broadcast_to(np.asarray(baselines, np.float32), inputs.shape)
    engine, ways = engine_of(network), inputs - starts
    rises = engine.scores(inputs, targets) - engine.scores(starts, targets)
    means = np.zeros(inputs.shape)
    rest = np.arange(len(inputs))

    def averaged(points):
        points = points.reshape(-1, *[1] * (inputs.ndim - 1))
        return engine(starts[rest], targets[rest], ways[rest], points)

    # A few points tell how much the map moves when there are more.
    few = max(1, steps // 3)
    before, share = averaged(_middles(few, 0)), few / steps
    for level in range(REFINEMENTS + 1):
        new = averaged(_middles(steps, level))
        # Two thirds of the middles are new from the second level on.
        means[rest] = new if level == 0 else (before + 2 * new) / 3
        maps = means[rest] * ways[rest]
        moved = (means[rest] - before) * ways[rest] * share
        rest = rest[_open(maps, rises[rest], tolerance) | _unsettled(maps, moved)]
        before, share = means[rest], 1 / 3
        if len(rest) == 0:
            break
    else:
        warnings.warn(
            f"Integrated gradients: {len(rest)} of {len(inputs)} maps are further than "
            f"{tolerance:.0%} from the difference of the logits, or still move. Give more steps.",
            XaiAudioWarning,
            stacklevel=2,
        )
    return (means * ways).astype(np.float32)


def completeness(model: AudioClassifier, result: Explanation) -> dict[str, np.ndarray]:
    """Compare the sum of each integrated-gradients map with what it should add up to.

    Parameters
    ----------
    model : AudioClassifier
    result : Explanation
        By ``"integrated-gradients"``, or any other method with an option `baseline`.

    Returns
    -------
    dict of str to ndarray of float, shape (n,)
        ``sum`` of each map, ``difference`` of the logits of patch and baseline, and ``gap``: their
        distance as a share of the difference. Of a padded patch the sum is that of the sound: all,
        if the baseline is silence, but not if it is another.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model = xa.load_model("lite")
    >>> patches = model.frontend(np.sin(np.arange(16000) / 5))
    >>> result = xa.explain(model, patches, "Rain", "integrated-gradients")
    >>> bool(completeness(model, result)["gap"].max() <= 0.01)
    True
    """
    if "baseline" not in result.options:
        raise XaiAudioError(f"{result.method} has no baseline that its maps could add up from.")
    starts = filling(result.patches, result.options["baseline"], silence_of(model), name="baseline")
    rows = np.arange(len(result))
    ends = model.logits(result.patches)[rows, result.targets].astype(np.float64)
    difference = ends - model.logits(starts)[rows, result.targets]
    sums = result.raw.sum(axis=(1, 2), dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        gap = np.abs(sums - difference) / np.abs(difference)
    return {"sum": sums, "difference": difference, "gap": gap}


def _middles(steps, level) -> np.ndarray:
    """Middles of steps * 3**level equal parts of 0 to 1 that the level before did not have."""
    count = steps * 3**level
    numbers = np.arange(count)
    if level:
        numbers = numbers[numbers % 3 != 1]
    return (numbers + 0.5) / count


def _open(maps, rises, tolerance) -> np.ndarray:
    """Tell which maps do not add up yet."""
    axes = tuple(range(1, maps.ndim))
    gaps = np.abs(maps.sum(axis=axes) - rises)
    return gaps > np.maximum(tolerance * np.abs(rises), ROUNDING * np.abs(maps).sum(axis=axes))


def _unsettled(maps, moved) -> np.ndarray:
    """Tell which maps still move by too much."""
    axes = tuple(range(1, maps.ndim))
    return np.abs(moved).sum(axis=axes) > UNSETTLED * np.abs(maps).sum(axis=axes)


def _baselines(classifier, patches, options) -> np.ndarray:
    return filling(patches, options.baseline, silence_of(classifier), name="baseline")


def _sign(gradients, options) -> np.ndarray:
    return gradients if options.signed else np.abs(gradients)


def _check_count(name, value, least) -> None:
    if not (isinstance(value, Integral) and not isinstance(value, bool) and value >= least):
        raise XaiAudioError(f"{name} is {value!r}: it must be a whole number from {least} up.")
