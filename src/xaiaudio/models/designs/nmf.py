"""Parts that add up: a sound's energy, shared out among the spectra of all classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from ... import nmf, stft
from ...errors import XaiAudioError
from ..training.steps import in_batches, loss_and_accuracy
from .base import SelfExplaining
from .evidence import Evidence
from .logistic import logistic
from .registry import register

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from numpy.typing import ArrayLike

    from ...frontend import LogMel
    from ..backbones import Backbone
    from .lessons import Lessons

# Blocks of a class that its spectra are learnt from at most, and patches that the last layer is.
BLOCKS = 1_000
PATCHES = 4_000
# The least share of a spectrum in any of its cells: so all energy can be explained.
FLOOR = 1e-5
# What the last layer's weights may cost; validation chooses.
_PRICES = (0.3, 1.0, 3.0, 10.0, 30.0)
# How the shares, which are small numbers, are made larger before their weights are paid for.
_SCALE = 10.0
HEADS = ("fitted", "own")
# Updates are layers of the graph, one behind the other.
MOST_ROUNDS = 5_000
# What a model is divided by at least: well below silence, which is 1e-12 to the power of 2 at most.
_TINY = 1e-30


@dataclass(frozen=True)
class Options:
    """How to train it.

    Attributes
    ----------
    components : int
        Spectra of each class.
    span : int
        Frames that a spectrum lasts. With 1 it is a spectrum, with more a short spectrogram.
    exponent : float
        Magnitudes are raised to this power: below 1, faint parts count for more.
    rounds : int
        Updates, in training and of the activations in use.
    head : {"fitted", "own"}
        ``"own"``: energy that a class's spectra take speaks for this class, and all energy counts
        as much; one factor is fitted. ``"fitted"``: how much the energy that a spectrum takes
        speaks for and against each class is learnt.
    overlap : float
        Of the patches.
    seed : int
    """

    components: int = 8
    span: int = 12
    exponent: float = 0.5
    rounds: int = 100
    head: str = "fitted"
    overlap: float = 0.5
    seed: int = 0

    def __post_init__(self):
        for name in ("components", "span", "rounds"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise XaiAudioError(f"{name} is {value!r}: a whole number from 1 on is needed.")
        if self.rounds > MOST_ROUNDS:
            raise XaiAudioError(f"rounds is {self.rounds}: {MOST_ROUNDS} are the most.")
        if not 0 < self.exponent <= 2:
            raise XaiAudioError(f"exponent is {self.exponent}: it must be above 0 and up to 2.")
        if self.head not in HEADS:
            raise XaiAudioError(f"head is {self.head!r}: it must be one of {', '.join(HEADS)}.")


@keras.saving.register_keras_serializable("xaiaudio")
class EnergyShares(keras.layers.Layer):
    """How much of each spectrum is in each block of a patch, by Kullback-Leibler updates.

    From magnitudes (n, frames, bands, 1) to activations (n, blocks, count). The spectra sum to one
    each, so that after any update the activations of a block sum to its magnitudes.

    Parameters
    ----------
    count : int
        Spectra.
    span : int
        Frames of each; the last block is filled up with silence.
    rounds : int
        Updates, from equal shares on.
    """

    def __init__(self, count: int, span: int = 1, rounds: int = 100, **options: Any):
        super().__init__(**options)
        if not 0 <= rounds <= MOST_ROUNDS:
            raise XaiAudioError(f"rounds is {rounds!r}: a number up to {MOST_ROUNDS} is needed.")
        self.count, self.span, self.rounds = count, span, rounds

    def build(self, input_shape: tuple) -> None:
        """Make room for the spectra: (span * bands, count)."""
        cells = self.span * input_shape[2]
        self.spectra = self.add_weight(
            shape=(cells, self.count), name="spectra", trainable=False, initializer="ones"
        )

    def call(self, magnitudes: Any) -> Any:
        """Return the activations."""
        ops = keras.ops
        frames, bands = magnitudes.shape[1:3]
        missing = -frames % self.span
        values = ops.pad(magnitudes[..., 0], ((0, 0), (0, missing), (0, 0)))
        values = ops.reshape(values, (-1, self.span * bands))
        spectra, across = self.spectra, ops.transpose(self.spectra)
        even = ops.sum(values, axis=1, keepdims=True) / self.count
        heights = even * ops.ones((1, self.count))
        for _ in range(self.rounds):
            ratio = values / ops.maximum(ops.matmul(heights, across), _TINY)
            heights = heights * ops.matmul(ratio, spectra)
        return ops.reshape(heights, (-1, (frames + missing) // self.span, self.count))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        """Return (n, blocks, count)."""
        return (input_shape[0], -(-input_shape[1] // self.span), self.count)

    def get_config(self) -> dict[str, Any]:
        """Return the parameters."""
        return {
            **super().get_config(),
            "count": self.count,
            "span": self.span,
            "rounds": self.rounds,
        }


@register(
    "nmf",
    options=Options,
    summary="shares of the energy that the spectra of each class take",
    paper="P. Smaragdis and J. C. Brown, WASPAA 2003",
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None = None
) -> SelfExplaining:
    """Learn the spectra of each class, and what their shares of the energy speak for.

    Parameters
    ----------
    lessons : Lessons
    backbone : Backbone
        Not used: the front end of the lessons is all that it needs.
    options : Options
    progress : bool, optional
        Not used: it takes seconds.
    """
    spectra = learnt_spectra(lessons, options)
    network = build(lessons.frontend, spectra, len(lessons.labels), options)
    weights, bias, price = _head(network, lessons, options)
    dense = network.get_layer("logits")
    dense.set_weights([weights] if options.head == "own" else [weights, bias])
    return SelfExplaining.from_network(
        network,
        lessons.labels,
        lessons.frontend,
        evidence(spectra, lessons, options),
        design="nmf",
        options=vars(options),
        history={"price": price},
    )


def magnitudes(patches: np.ndarray, frontend: LogMel, exponent: float = 0.5) -> np.ndarray:
    """Return what the network writes as sums: the magnitudes that patches stand for, to a power.

    Parameters
    ----------
    patches : ndarray of float, shape (..., frames, bands)
    frontend : LogMel
    exponent : float

    Returns
    -------
    ndarray of float32, the same shape
        Not negative.
    """
    heights = np.maximum(frontend.expand(np.asarray(patches, np.float32)), 0)
    return (heights**exponent).astype(np.float32)


def learnt_spectra(lessons: Lessons, options: Options) -> np.ndarray:
    """Return the spectra of all classes, one after the other.

    Returns
    -------
    ndarray of float32, shape (span * bands, classes * components)
        Each column sums to 1.
    """
    rng = np.random.default_rng([options.seed, 3])
    (patches, targets), _ = lessons.split(lessons.patches, lessons.targets)
    found = []
    for number in range(len(lessons.labels)):
        those = patches[targets == number]
        those = those[rng.permutation(len(those))[:BLOCKS]]
        heights = magnitudes(those, lessons.frontend, options.exponent)
        blocks = blocks_of(heights, options.span).reshape(-1, options.span * heights.shape[-1])
        blocks = blocks[blocks.any(axis=1)]
        if not len(blocks):
            raise XaiAudioError(
                f"The clips of {lessons.labels[number]!r} to learn from are silent: no spectrum of "
                "theirs can be learnt."
            )
        blocks = blocks[rng.permutation(len(blocks))[:BLOCKS]]
        found.append(
            nmf.kl_factorised(
                blocks.T,
                options.components,
                rounds=options.rounds,
                seed=options.seed + number,
                floor=FLOOR / blocks.shape[1],
            )[0]
        )
    return np.concatenate(found, axis=1)


def blocks_of(values: np.ndarray, span: int) -> np.ndarray:
    """Cut (n, frames, bands) into blocks (n, blocks, span, bands); silence fills up the last."""
    count, frames, bands = values.shape
    if frames % span:
        values = np.pad(values, ((0, 0), (0, -frames % span), (0, 0)))
    return values.reshape(count, -1, span, bands)


def build(frontend: LogMel, spectra: np.ndarray, classes: int, options: Options) -> keras.Model:
    """Return the network from patches to logits, its last layer not trained yet.

    Parameters
    ----------
    frontend : LogMel
        How its rows become magnitudes is a part of the network.
    spectra : ndarray of float, shape (span * bands, count)
        Each column sums to 1.
    classes : int
    options : Options
    """
    ops = keras.ops
    patch = keras.Input((*frontend.patch_shape, 1), name="patch")
    # LogMel.expand in the graph.
    if frontend.decibels:
        ref = 1.0 if frontend.ref == "max" else max(frontend.amin, float(frontend.ref))
        rate, shift, lost = np.log(10) * frontend.power / 20, np.log(ref), 0.0
    else:
        rate, shift, lost = 1.0, 0.0, frontend.offset
    heights = ops.exp(patch * float(rate / frontend.scale) + float(shift)) - float(lost)
    # No gradient is infinite where nothing sounds.
    heights = ops.power(ops.maximum(heights, 1e-12), options.exponent)
    layer = EnergyShares(spectra.shape[1], options.span, options.rounds, name="activations")
    active = layer(heights)
    layer.spectra.assign(spectra)
    taken = ops.sum(active, axis=1)
    whole = ops.sum(heights, axis=(1, 2))
    parts = keras.layers.Identity(name="parts")(taken / whole)
    dense = keras.layers.Dense(classes, use_bias=options.head != "own", name="logits")
    return keras.Model(patch, dense(parts), name="nmf")


def taken(network: keras.Model, patches: np.ndarray) -> np.ndarray:
    """Return the share of each spectrum in patches: what the layer ``parts`` gives, to rounding.

    Patches that overlap share blocks: each block is asked for once.

    Parameters
    ----------
    network : keras.Model
        Of :func:`build`.
    patches : ndarray of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, count)
    """
    layer = network.get_layer("activations")
    heights = in_batches(keras.Model(network.inputs, layer.input))(patches[..., None])
    blocks = blocks_of(heights[..., 0], layer.span)
    numbers: dict[bytes, int] = {}
    rows = [numbers.setdefault(block.tobytes(), len(numbers)) for each in blocks for block in each]
    _, first = np.unique(rows, return_index=True)
    block = keras.Input((*blocks.shape[2:], 1))
    ask = in_batches(keras.Model(block, layer(block)), size=1024)
    active = ask(blocks.reshape(-1, *blocks.shape[2:], 1)[first])
    summed = active[rows].reshape(*blocks.shape[:2], -1).sum(axis=1)
    return summed / heights.sum(axis=(1, 2))


def _head(network, lessons, options) -> tuple[np.ndarray, np.ndarray, float]:
    """Return weights (count, classes) and bias (classes,) of the last layer, and their price.

    Validation chooses the price; then all clips are learnt from.
    """
    order = np.random.default_rng([options.seed, 4]).permutation(len(lessons))
    chosen = np.sort(order[:PATCHES])
    parts = taken(network, lessons.patches[chosen])
    wanted, held_out = lessons.targets[chosen], lessons.validation[chosen]
    classes = len(lessons.labels)
    if options.head == "own":
        own = np.eye(classes).repeat(options.components, axis=0)
        factors = np.geomspace(0.5, 100, 40)
        costs = [_cost(factor * parts @ own, wanted) for factor in factors]
        return factors[np.argmin(costs)] * own, np.zeros(classes), float(np.min(costs))
    costs = []
    for price in _PRICES:
        weights, bias = _logistic(parts[~held_out], wanted[~held_out], classes, price)
        costs.append(_cost(parts[held_out] @ weights + bias, wanted[held_out]))
    price = _PRICES[int(np.argmin(costs))]
    return *_logistic(parts, wanted, classes, price), price


def _logistic(taken, wanted, classes, price) -> tuple[np.ndarray, np.ndarray]:
    weights = np.zeros((taken.shape[1], classes))
    bias = np.full(classes, -20.0)  # a class that nothing was learnt of
    learnt = np.unique(wanted)
    found, bias[learnt] = logistic(_SCALE * taken, wanted, freedom=price)
    weights[:, learnt] = _SCALE * found
    return weights, bias


def _cost(logits, truth) -> float:
    return loss_and_accuracy(logits, truth)[0]


def evidence(spectra: np.ndarray, lessons: Lessons, options: Options) -> list[Evidence]:
    """Return what the parts are: spectra, the mean over their frames."""
    bands = lessons.frontend.bands
    means = spectra.reshape(options.span, bands, -1) ** (1 / options.exponent)
    means = means.mean(axis=0).T
    made = []
    for number, spectrum in enumerate(means):
        label = lessons.labels[number // options.components]
        name = f"{label} {number % options.components + 1}"
        heights = (spectrum / spectrum.max()).astype(np.float32)
        made.append(Evidence(name, label, spectrum=heights))
    return made


def activations(model: SelfExplaining, patches: np.ndarray) -> np.ndarray:
    """Return how much of each spectrum is in each block of patches, float32 (n, blocks, count)."""
    model.check_design("nmf")
    layer = model.logits_network.get_layer("activations")
    return model.inner("activations", lambda: layer.output, patches)


def masks(model: SelfExplaining, patches: np.ndarray) -> np.ndarray:
    """Return the share of each cell that each part of the network takes.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"nmf"``.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, parts, frames, bands)
        They sum to 1 in each cell.
    """
    active = activations(model, patches)
    layer = model.logits_network.get_layer("activations")
    frames, bands = model.frontend.patch_shape
    found = []
    for heights in active:
        shares = nmf.shares(np.asarray(layer.spectra.numpy()), heights.T)
        cells = shares.reshape(layer.count, layer.span, bands, -1)
        cells = cells.transpose(0, 3, 1, 2).reshape(layer.count, -1, bands)
        found.append(cells[:, :frames].astype(np.float32))
    return np.stack(found)


def sounds(model: SelfExplaining, wave: ArrayLike, groups: Sequence[Iterable[int]]) -> np.ndarray:
    """Return what groups of parts take of a sound.

    Each cell of the sound's Fourier transform is shared out by :func:`masks`, so that groups which
    hold each part once sum to the sound, but for what lies behind its last whole patch: there, the
    shares are those of the last frame.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"nmf"``.
    wave : array_like of float, shape (samples,)
        At the front end's rate, one patch long or more.
    groups : sequence of iterables of int
        The parts of each group, by their numbers.

    Returns
    -------
    ndarray of float32, shape (groups, samples)
    """
    frontend = model.frontend
    whole = masks(model, frontend(wave, overlap=0.0).values)
    parts = whole.transpose(1, 0, 2, 3).reshape(whole.shape[1], -1, frontend.bands)
    spectrum = stft.analyse(np.asarray(wave), frontend)
    rows = stft.rows_of(len(wave), parts.shape[1], frontend)
    found = []
    for group in groups:
        mask = stft.to_stft(parts[list(group)].sum(axis=0), frontend)[rows]
        found.append(stft.synthesise(spectrum * mask, len(wave), frontend))
    return np.array(found, np.float32).reshape(len(found), len(wave))
