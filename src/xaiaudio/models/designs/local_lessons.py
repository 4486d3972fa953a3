"""Sounds placed over each other while a network learns, and who sounds in each step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras

from ...datasets.scenes import AUDIBLE_DB

if TYPE_CHECKING:
    from ...frontend import LogMel

# How often a patch is heard from its beginning to its end, and how often it is alone.
WHOLE, ALONE = 0.4, 0.3

# Up to so many decibels louder or softer.
GAIN_DB = 10.0


class Overlaps:
    """Place two sounds of a batch over each other, each from one time to another.

    A patch becomes a loop that begins somewhere, is made louder or softer, and is heard from one
    step to another only. Over it comes another patch of the batch, made so too. Their magnitudes
    are added up, and so the phases are left out of account. A class sounds in a step if its own
    patch is heard there, and comes within 25 dB of its loudest frame.

    Parameters
    ----------
    frontend : LogMel
    step : int
        Frames.
    seed : int
        Decides all that is drawn.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.designs.local_lessons import Overlaps
    >>> overlap = Overlaps(xa.LogMel.vggish(), 8, seed=1)
    >>> patches, targets = np.zeros((4, 96, 64), "float32"), np.eye(4, dtype="float32")
    >>> placed, sounding = overlap(patches, targets, training=True)
    >>> tuple(sounding.shape)
    (4, 12, 4)
    """

    def __init__(self, frontend: LogMel, step: int, seed: int = 0):
        # What a decibel is in the units of a patch.
        log = math.log(10) / 20
        self.decibel = frontend.scale * (1.0 if frontend.decibels else frontend.power * log)
        self.factor = log / self.decibel  # of patches, to get the logarithm of magnitudes
        self.floor, self.step = float(frontend.silence), step
        self.steps = -(-frontend.frames // step)
        self.random = keras.random.SeedGenerator(seed)

    def __call__(self, patches: Any, targets: Any, training: bool) -> tuple[Any, Any]:
        """Return patches (n, frames, bands) and who sounds in each step, (n, steps, classes)."""
        if not training:
            return patches, self._sounding(patches, targets)
        count = keras.ops.shape(patches)[0]
        one, first = self._placed(patches, targets, count, 0.0)
        other = keras.random.shuffle(keras.ops.arange(count), seed=self.random)
        two, second = self._placed(
            keras.ops.take(patches, other, axis=0), keras.ops.take(targets, other, axis=0),
            count, ALONE,
        )  # fmt: skip
        both = keras.ops.logaddexp(one * self.factor, two * self.factor) / self.factor
        # Two silences are no louder than one.
        both = keras.ops.where(
            keras.ops.minimum(one, two) <= self.floor, keras.ops.maximum(one, two), both
        )
        return both, keras.ops.maximum(first, second)

    def _draw(self, count, low=0.0, high=1.0):
        return keras.random.uniform((count, 1), low, high, seed=self.random)

    def _placed(self, patches, targets, count, absent):
        """Turn, amplify and cut patches; return them and who sounds in their steps."""
        size = patches.shape[1]
        turn = keras.ops.cast(self._draw(count, 0, size), "int32")
        order = (keras.ops.arange(size)[None] + turn) % size
        patches = keras.ops.take_along_axis(patches, order[:, :, None], axis=1)
        gain = self._draw(count, -GAIN_DB, GAIN_DB)[:, :, None] * self.decibel
        patches = keras.ops.maximum(patches + gain, self.floor)
        sounding = self._sounding(patches, targets)
        ends = self._draw(count, 0, self.steps + 1), self._draw(count, 0, self.steps + 1)
        start, end = (
            keras.ops.floor(pick(*ends)) for pick in (keras.ops.minimum, keras.ops.maximum)
        )
        whole = self._draw(count) < WHOLE
        steps = keras.ops.arange(self.steps, dtype="float32")[None]
        heard = keras.ops.logical_or(whole, keras.ops.logical_and(steps >= start, steps < end))
        heard = keras.ops.logical_and(heard, self._draw(count) >= absent)
        frames = keras.ops.repeat(heard, self.step, axis=1)[:, :size, None]
        patches = keras.ops.where(frames, patches, self.floor)
        return patches, sounding * keras.ops.cast(heard, "float32")[:, :, None]

    def _sounding(self, patches, targets):
        """Say for each step whether its loudest frame is within reach of the patch's loudest."""
        energy = keras.ops.logsumexp(2 * self.factor * patches, axis=2)
        energy = keras.ops.pad(
            energy, ((0, 0), (0, self.steps * self.step - patches.shape[1])), constant_values=-1e9
        )
        energy = keras.ops.max(keras.ops.reshape(energy, (-1, self.steps, self.step)), axis=2) * (
            10 / math.log(10)
        )
        loud = energy > keras.ops.max(energy, axis=1, keepdims=True) - AUDIBLE_DB
        return keras.ops.cast(loud, "float32")[:, :, None] * targets[:, None]
