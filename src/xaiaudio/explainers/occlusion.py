"""Occlusion: cover a part of the patch and see how far the class score falls."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from tf_keras_vis import ModelVisualization

from ..errors import XaiAudioError
from .engines.fills import filling, plain, silence_of
from .engines.masks import Boxes
from .engines.perturbation import Engine, check_output
from .engines.precision import check_precision, precision_of
from .engines.tiles import hidden
from .registry import register

if TYPE_CHECKING:
    from ..models.classifier import AudioClassifier


@dataclass(frozen=True)
class Options:
    """Options of occlusion.

    Attributes
    ----------
    mask, stride : float or pair of float
        Size of the mask and the step between its positions as fractions of the patch, one for
        both axes or (time, frequency). The stride must not be larger than the mask.
    fill : {"mean", "band-mean", "minimum", "silence"}, float or sequence of float
        What stands in the covered cells, see :func:`.fills.filling`.
    output : {"logits", "scores"}, optional
        Whether the drop is one in the logit or in probability. A probability near 1 hardly falls
        as long as the class stays the winner; a logit has no such ceiling. By default the logit,
        and the probability of classifiers that give nothing else.
    precision : {"float32", "auto", "bfloat16"}
        Numbers in which the network is asked. ``"auto"`` takes bfloat16, about twice as fast, where
        the processor has it and the network's answers hardly change, see
        :func:`.precision.precision_of`. A result's options say what was taken.
    """

    mask: float | tuple[float, float] = 0.2
    stride: float | tuple[float, float] = 0.1
    fill: str | float | tuple = "mean"
    output: str | None = None
    precision: str = "float32"

    def __post_init__(self):
        _pairs(self.mask, self.stride)
        object.__setattr__(self, "fill", plain(self.fill))
        check_output(self.output)
        check_precision(self.precision)


@register(
    "occlusion",
    options=Options,
    summary="How far the class's logit drops when a part of the patch is covered.",
    paper="Zeiler & Fergus 2014, Visualizing and Understanding Convolutional Networks",
    many_targets=True,
)
def occlusion(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> np.ndarray:
    """Compute maps (n, k, frames, bands) of the drop in the output of `targets` (n, k)."""
    sweep = Sweep(patches.shape[1:], options.mask, options.stride)
    fill = filling(patches, options.fill, silence_of(classifier))
    precision = precision_of(classifier, options.precision, patches, options.output)
    answers = hidden(classifier, patches, fill, sweep.boxes, options.output, precision)
    chosen = np.take_along_axis(answers, targets[:, None, :], axis=2)
    return sweep.maps(np.moveaxis(chosen, 2, 1))


class Occlusion(ModelVisualization):
    """Occlusion sensitivity for any Keras model of image-like inputs, tf-keras-vis's way.

    A rectangle moves over the input; what it covers is replaced. The drop in the score belongs to
    the cells covered, and a cell that several positions cover gets the mean of their drops. The
    last position of each row and column is moved back to the edge, so that every cell of an input
    of any shape is covered.

    Parameters
    ----------
    model : keras.Model
        One input (h, w) or (h, w, channels) and one output (classes).
    model_modifier, clone
        As in every class of tf-keras-vis.

    References
    ----------
    M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional Networks", ECCV 2014.

    Examples
    --------
    >>> import keras, numpy as np
    >>> from tf_keras_vis.utils.scores import CategoricalScore
    >>> x = keras.Input((8, 6, 1))
    >>> model = keras.Model(x, keras.layers.Dense(3)(keras.layers.Flatten()(x)))
    >>> Occlusion(model)(CategoricalScore([1]), np.ones((2, 8, 6, 1)), mask=0.5).shape
    (2, 8, 6)
    """

    def __init__(self, model, model_modifier=None, clone=True):
        super().__init__(model, model_modifier, clone)
        if len(self.model.inputs) != 1 or len(self.model.outputs) != 1:
            raise XaiAudioError("Occlusion takes a model with one input and one output.")
        self._engine = Engine(lambda inputs: self.model(inputs, training=False))

    def __call__(self, score, seed_input, mask=0.2, stride=0.1, fill="mean") -> np.ndarray:
        """Return the maps (n, h, w) of the drop in `score`.

        Parameters
        ----------
        score : tf_keras_vis.utils.scores.Score or callable
            Takes the model's output (n, classes) and returns n scores.
        seed_input : array_like, shape (n, h, w, ...) or (h, w, ...)
        mask, stride : float or pair of float
            As in :class:`Options`.
        fill : "mean" or float
        """
        (score,) = self._get_scores_for_multiple_outputs(score)
        (inputs,) = self._get_seed_inputs_for_multiple_inputs(seed_input)
        inputs = np.asarray(inputs, np.float32)
        if inputs.ndim < 3:
            raise XaiAudioError(f"Occlusion takes inputs (n, h, w, ...), not {inputs.shape}.")
        sweep = Sweep(inputs.shape[1:3], mask, stride)
        answers = self._engine(inputs, filling(inputs, fill), sweep.boxes)
        values = [
            np.asarray(self._mean_score_value(score(tf.constant(answer))))
            for answer in np.moveaxis(answers, 1, 0)
        ]
        return sweep.maps(np.stack(values, axis=1))


class Sweep:
    """The positions of a mask over a patch, and the way from its scores to a map.

    Parameters
    ----------
    shape : tuple of int
        (h, w) of the patch.
    mask, stride : float or pair of float
        As in :class:`Options`.

    Attributes
    ----------
    boxes : Boxes
        First a box that covers nothing, then every position, row by row.
    """

    def __init__(self, shape, mask, stride):
        fractions = _pairs(mask, stride)
        spans = [_spans(length, *pair) for length, pair in zip(shape, fractions, strict=True)]
        self._covers = [_covers(length, span) for length, span in zip(shape, spans, strict=True)]
        rows, columns = spans
        positions = np.concatenate(
            [np.repeat(rows, len(columns), axis=0), np.tile(columns, (len(rows), 1))], axis=1
        )
        self.boxes = Boxes(np.concatenate([np.zeros((1, 4), int), positions]))

    def maps(self, scores: np.ndarray) -> np.ndarray:
        """Average the drops of all positions over each cell.

        Parameters
        ----------
        scores : ndarray of float, shape (..., m)
            The score for each of `boxes`.

        Returns
        -------
        ndarray of float32, shape (..., h, w)
        """
        rows, columns = self._covers
        drops = scores[..., :1] - scores[..., 1:].astype(np.float64)
        drops = drops.reshape(*drops.shape[:-1], len(rows), len(columns))
        # The positions are a product of rows and columns, and so is the number that cover a cell.
        rows, columns = rows / rows.sum(axis=0), columns / columns.sum(axis=0)
        return (rows.T @ drops @ columns).astype(np.float32)


def _spans(length, mask, stride) -> np.ndarray:
    """First and last-plus-one cell (positions, 2) of a mask moved along one axis."""
    size = max(1, round(mask * length))
    step = max(1, round(stride * length))
    starts = np.unique(np.append(np.arange(0, length - size, step), length - size))
    return np.stack([starts, starts + size], axis=1)


def _covers(length, spans) -> np.ndarray:
    """Whether each position covers each cell: float (positions, length)."""
    cells = np.arange(length)
    return ((cells >= spans[:, :1]) & (cells < spans[:, 1:])).astype(float)


def _pairs(mask, stride) -> list[tuple[float, float]]:
    """Check the two options and return (mask, stride) of each axis."""
    masks, strides = _two("mask", mask), _two("stride", stride)
    for size, step in zip(masks, strides, strict=True):
        if step > size:
            raise XaiAudioError(
                f"stride {step:g} is larger than mask {size:g}: cells between two positions would "
                "never be covered. Make the stride at most the mask."
            )
    return list(zip(masks, strides, strict=True))


def _two(name, value) -> tuple[float, float]:
    values = (value, value) if isinstance(value, Real) else value
    try:
        first, second = values
        fine = all(isinstance(x, Real) and 0 < x <= 1 for x in (first, second))  # type: ignore[operator]
    except (TypeError, ValueError):
        fine = False
    if not fine:
        raise XaiAudioError(
            f"{name} is {value!r}: it must be a fraction of the patch, above 0 and at most 1, "
            "or a pair (time, frequency) of them."
        )
    return float(first), float(second)
