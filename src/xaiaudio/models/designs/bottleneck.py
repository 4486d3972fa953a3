"""A concept bottleneck: named qualities in the middle, and nothing else on the way to the class.

A small network reads a patch and says how bright it is, how rough, how steep its attack, ... It
learns these qualities from librosa's measurements of the waveform, and never sees a label. A linear
layer, fitted afterwards, leads from the qualities to the classes. So whatever the answer rests on
has a name and a unit, and can be corrected by hand.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from ... import cache
from ...errors import XaiAudioError
from ..training import fitting
from ..training.steps import in_batches
from . import qualities
from .base import SelfExplaining
from .evidence import Evidence
from .logistic import logistic
from .registry import register

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...frontend import LogMel
    from ...patches import Patches
    from ..backbones import Backbone
    from .lessons import Lessons

# Training patches that stand for a quality, each of another clip.
_PLACES = 3
# Statistics that hardly vary (a band that is always silent) must not be blown up.
_FLOOR = 0.1


@dataclass(frozen=True)
class Options:
    """How the bottleneck is built and trained.

    Attributes
    ----------
    named : bool
        False is a control: in place of the qualities, as many random weighted sums of the patch's
        statistics, which mean nothing.
    joint : float
        Weight of the classes' error while the qualities are learnt. Above 0, the labels can leak
        into the middle: the numbers keep their names but begin to serve the classes.
    hidden : int
        Units between the statistics of the patch and the qualities.
    dropout : float
        Share of these that is left out at each step of the training.
    epochs, batch, rate, patience
        See `fitting.Settings`.
    overlap : float
        Of the patches that it learns from.
    seed : int
        Decides the weights that it begins with, the order of the patches, and the validation.
    """

    named: bool = True
    joint: float = 0.0
    hidden: int = 128
    dropout: float = 0.3
    epochs: int = 40
    batch: int = 64
    rate: float = 2e-3
    patience: int = 8
    overlap: float = 0.5
    seed: int = 0

    def __post_init__(self):
        fitting.Settings(self.epochs, self.batch, self.rate, self.patience, self.seed)
        if isinstance(self.hidden, bool) or not isinstance(self.hidden, int) or self.hidden < 1:
            raise XaiAudioError(f"hidden is {self.hidden!r}: a whole number from 1 on is needed.")
        for name, most in (("overlap", 1.0), ("dropout", 1.0), ("joint", float("inf"))):
            value = getattr(self, name)
            if not isinstance(value, (int, float)) or not 0 <= value < most:
                raise XaiAudioError(
                    f"{name} is {value!r}: a number from 0 on, below {most:g}, is needed."
                )


@register(
    "concepts",
    options=Options,
    summary="named qualities, measured by librosa, in the middle; a linear layer from there",
    paper="Koh et al., Concept Bottleneck Models, ICML 2020",
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None
) -> SelfExplaining:
    """Train it; the backbone lends its front end only.

    Needs the clips' waveforms.
    """
    pictures = keras.Input((*lessons.frontend.patch_shape, 1))
    found = in_batches(keras.Model(pictures, _statistics(pictures)))(lessons.patches[..., None])
    means, spreads = _moments(found, _FLOOR)
    if options.named:
        plain = measure(lessons)
        wanted = qualities.to_scale(plain)
    else:
        wanted = plain = _random_sums((found - means) / spreads, options.seed)
    centres, widths = _moments(wanted)
    keras.utils.set_random_seed(options.seed)
    network = build(
        lessons.frontend, wanted.shape[1], len(lessons.labels), options, (means, spreads)
    )
    goals = ((wanted - centres) / widths).astype(np.float32)
    history = _learn(network, found, goals, lessons, options, progress)
    scales = {"centres": centres.tolist(), "widths": widths.tolist()}
    return SelfExplaining.from_network(
        network,
        lessons.labels,
        lessons.frontend,
        _evidence(plain, lessons, options.named),
        design="concepts",
        options={**asdict(options), **scales},
        history=history,
    )


def build(
    frontend: LogMel,
    count: int,
    classes: int,
    options: Options | None = None,
    moments: tuple[np.ndarray, np.ndarray] | None = None,
) -> keras.Model:
    """Return the network, untrained.

    Parameters
    ----------
    frontend : LogMel
    count, classes : int
        How many qualities and classes.
    options : Options, optional
    moments : tuple of ndarray, optional
        Means and standard deviations of the patches' statistics; 0 and 1 unless given.
    """
    options = options or Options()
    layers = keras.layers
    inputs = keras.Input((*frontend.patch_shape, 1))
    tensor = _statistics(inputs)
    means, spreads = moments or (np.zeros(tensor.shape[1]), np.ones(tensor.shape[1]))
    tensor = layers.Normalization(
        mean=means.tolist(), variance=np.square(spreads).tolist(), name="standardised"
    )(tensor)
    tensor = layers.Dense(options.hidden, activation="relu", name="hidden")(tensor)
    tensor = layers.Dropout(options.dropout, seed=options.seed)(tensor)
    parts = layers.Dense(count, name="parts")(tensor)
    return keras.Model(inputs, layers.Dense(classes, name="logits")(parts), name="concepts")


def _statistics(inputs):
    """Return what the network reads of a patch: five numbers a band, (n, 5 * bands)."""
    ops = keras.ops
    tensor = ops.squeeze(inputs, axis=-1)
    change = tensor[:, 1:] - tensor[:, :-1]
    # A constant band has no slope in a plain standard deviation.
    found = [
        ops.mean(tensor, axis=1),
        ops.sqrt(ops.var(tensor, axis=1) + 1e-6),
        ops.max(tensor, axis=1),
        ops.sqrt(ops.var(change, axis=1) + 1e-6),
        ops.max(change, axis=1),
    ]
    return keras.layers.Concatenate(name="statistics")(found)


def measure(lessons: Lessons) -> np.ndarray:
    """Return the measured qualities of all patches in plain units, float64 (n, qualities).

    Raises
    ------
    XaiAudioError
        If there are no clips, or the patches last less than half a second.
    """
    if not lessons.clips:
        raise XaiAudioError(
            "The design 'concepts' measures waveforms, but was given a table of patches without "
            "their clips: give the clips."
        )
    clips = lessons.clips

    def of_clip(number):
        first = tuple(map(int, lessons.first[lessons.clip == number]))
        clip = clips[number]
        return _measured(clip, cache.sum_of(clip.path), first, lessons.frontend)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return np.concatenate(list(pool.map(of_clip, range(len(clips)))))


@functools.lru_cache(maxsize=4096)
def _measured(clip, content, first, frontend) -> np.ndarray:
    """Measure the patches of a clip, once a process: networks of several seeds ask for the same."""
    return qualities.measure_patches(clip.load(frontend.sample_rate), np.array(first), frontend)


def _moments(values, floor: float = 0.0):
    """Return means and standard deviations of columns, these at least a share of their mean."""
    spreads = values.std(axis=0)
    return values.mean(axis=0), np.maximum(spreads, max(floor * float(spreads.mean()), 1e-6))


def _random_sums(statistics, seed) -> np.ndarray:
    """Return as many random sums of a patch's statistics as there are qualities."""
    rng = np.random.default_rng([seed, 5])
    return statistics @ rng.normal(size=(statistics.shape[1], len(qualities.QUALITIES)))


def _learn(network, found, goals, lessons, options, progress) -> dict:
    """Train all from the statistics on, then fit the last layer anew; return the course."""
    parts, last = network.get_layer("parts").output, network.get_layer("logits")
    head = keras.Model(network.get_layer("statistics").output, [parts, network.outputs[0]])

    def losses(statistics, wanted, classes, training):
        told, logits = head(statistics, training=training)
        terms = {"qualities": keras.ops.mean(keras.ops.square(told - wanted))}
        if options.joint:
            wrong = keras.losses.sparse_categorical_crossentropy(classes, logits, from_logits=True)
            terms["classes"] = options.joint * keras.ops.mean(wrong)
        return terms

    variables = [
        variable
        for layer in (network.get_layer("hidden"), network.get_layer("parts"), last)
        for variable in layer.trainable_variables
        if options.joint or layer is not last
    ]
    learnt, checked = lessons.split(found, goals, lessons.targets)
    settings = fitting.Settings(
        options.epochs, options.batch, options.rate, options.patience, options.seed
    )
    course = fitting.train(
        losses, variables, learnt, checked, settings, progress=progress, title="concepts"
    )
    told = np.asarray(head(found, training=False)[0])
    last.set_weights(_linear(told, lessons.targets))
    history = {name: np.asarray(values).tolist() for name, values in course.items()}
    validated = lessons.validation
    history["r2"] = explained(told[validated], goals[validated]).tolist()
    return history


def _linear(told, targets) -> list[np.ndarray]:
    """Return kernel and bias of the last layer."""
    return [found.astype(np.float32) for found in logistic(told.astype(float), targets)]


def explained(told: ArrayLike, true: ArrayLike) -> np.ndarray:
    """Return R2, which share of each column's variance is told rightly, float64 (columns,).

    1 is perfect, 0 is as good as always telling the mean, and it may be below 0.

    Parameters
    ----------
    told, true : array_like of float, shape (n, columns)

    Examples
    --------
    >>> from xaiaudio.models.designs.bottleneck import explained
    >>> explained([[1, 2], [3, 2]], [[1, 0], [3, 4]]).tolist()
    [1.0, 0.0]
    """
    told, true = np.asarray(told, float), np.asarray(true, float)
    left = np.square(told - true).sum(axis=0)
    return 1 - left / np.maximum(np.square(true - true.mean(axis=0)).sum(axis=0), 1e-12)


def _evidence(plain, lessons, named) -> list[Evidence]:
    """Name the parts; each is heard in the patches of three clips that have most of it."""
    found = []
    for number, column in enumerate(plain.T):
        order = np.argsort(-column, kind="stable")
        _, first = np.unique(lessons.clip[order], return_index=True)
        best = order[np.sort(first)[:_PLACES]]
        name = qualities.QUALITIES[number].name if named else f"random sum {number + 1}"
        found.append(Evidence(name, None, tuple(lessons.place(int(row)) for row in best)))
    return found


def read(model: SelfExplaining, patches: Patches | ArrayLike) -> np.ndarray:
    """Return the qualities that the network reads in patches, in plain units.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"concepts"``.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float64, shape (n, qualities)

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.designs import bottleneck
    >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
    >>> model = xa.models.train_design("concepts", train)  # doctest: +SKIP
    >>> bottleneck.read(model, model.frontend(test[0].load())).shape  # doctest: +SKIP
    (9, 12)
    """
    centres, widths = _scales(model)
    return qualities.from_scale(model.activations(patches) * widths + centres)


def corrected(
    model: SelfExplaining,
    patches: Patches | ArrayLike,
    values: Mapping[str, float | ArrayLike],
) -> np.ndarray:
    """Return the answer after somebody has corrected qualities by hand.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"concepts"``.
    patches : array_like of float, shape (n, frames, bands)
    values : mapping of str to float or array_like of float, shape (n,)
        Name of a quality to its value in plain units, for all patches or for each.

    Returns
    -------
    ndarray of float32, shape (n, classes)
        Probabilities. Without values, they are the model's own scores.

    Raises
    ------
    XaiAudioError
        For an unknown quality, a value that is no number, or another network.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.designs import bottleneck
    >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
    >>> model = xa.models.train_design("concepts", train)  # doctest: +SKIP
    >>> patches = model.frontend(test[0].load())  # doctest: +SKIP
    >>> bottleneck.corrected(model, patches, {"tonality": 30}).sum(axis=1)  # doctest: +SKIP
    """
    centres, widths = _scales(model)
    parts = model.activations(patches).copy()
    for name, given in values.items():
        column = qualities.find(name)
        given = np.asarray(given, float)
        if given.shape not in ((), (len(parts),)) or not np.isfinite(given).all():
            raise XaiAudioError(
                f"{name} is given values of the shape {given.shape}: one finite number, or one for "
                f"each of the {len(parts)} patches, is needed."
            )
        scaled = qualities.QUALITIES[column].to_scale(given)
        parts[:, column] = (scaled - centres[column]) / widths[column]
    logits = parts @ model.weights + model.bias
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def _scales(model) -> tuple[np.ndarray, np.ndarray]:
    if model.design != "concepts" or not model.options.get("named", True):
        raise XaiAudioError(f"{model.name} has no named qualities: train the design 'concepts'.")
    return np.asarray(model.options["centres"]), np.asarray(model.options["widths"])
