"""Patches altered while a network learns from them: each time it meets one, it is another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from ...frontend import LogMel


class Alterations:
    """Alter a batch of patches and the targets that go with them, inside a compiled step.

    A patch is taken as a loop and begins somewhere in it; it is louder or softer; up to some bands
    and up to some frames become its mean (SpecAugment: Park et al., 2019); and it is mixed with
    another one, as its targets are (mixup: Zhang et al., 2018).

    Parameters
    ----------
    frontend : LogMel
        That of the patches.
    gain_db : float
        Up to so many decibels up or down. A cell does not fall below what silence gives.
    bands, frames : float
        The largest share of the bands, and of the frames, that is masked.
    mixup : float
        Parameter of the beta distribution that the shares of a mixture are drawn from; 0 for none.
    seed : int
        Decides all that is drawn.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.training.augmenting import Alterations
    >>> alter = Alterations(xa.LogMel.vggish(), seed=1)
    >>> patches, targets = alter(np.zeros((4, 96, 64), "float32"), np.eye(4, dtype="float32"))
    >>> targets.shape, bool(np.allclose(np.sum(targets, axis=1), 1))
    (TensorShape([4, 4]), True)
    """

    def __init__(
        self,
        frontend: LogMel,
        *,
        gain_db: float = 10.0,
        bands: float = 1 / 8,
        frames: float = 1 / 6,
        mixup: float = 0.3,
        seed: int = 0,
    ):
        unit = frontend.scale * (1.0 if frontend.decibels else math.log(10) / 20)
        # A logarithm of powers moves by twice as much.
        unit *= 1 if frontend.decibels else frontend.power
        self.gain, self.floor = gain_db * unit, float(frontend.silence)
        self.masked = {1: round(frames * frontend.frames), 2: round(bands * frontend.bands)}
        self.mixup = mixup
        self.random = keras.random.SeedGenerator(seed)

    def __call__(self, patches: Any, targets: Any) -> tuple[Any, Any]:
        """Return altered patches (n, frames, bands) and targets (n, classes), float32."""
        count = keras.ops.shape(patches)[0]
        patches = self._turned(patches, count)
        patches = keras.ops.maximum(patches + self._draw(count, -self.gain, self.gain), self.floor)
        for axis, longest in self.masked.items():
            patches = self._masked(patches, count, axis, longest)
        return self._mixed(patches, targets, count) if self.mixup else (patches, targets)

    def _draw(self, count, low, high):
        return keras.random.uniform((count, 1, 1), low, high, seed=self.random)

    def _turned(self, patches, count):
        """Begin each patch elsewhere, as if its end were its beginning."""
        size = patches.shape[1]
        start = keras.ops.cast(self._draw(count, 0, size)[:, :, 0], "int32")
        order = (keras.ops.arange(size)[None] + start) % size
        return keras.ops.take_along_axis(patches, order[:, :, None], axis=1)

    def _masked(self, patches, count, axis, longest):
        """Put the patch's mean in place of a stretch of frames (axis 1) or bands (axis 2)."""
        size = patches.shape[axis]
        width = keras.ops.floor(self._draw(count, 0, longest + 1))
        start = keras.ops.floor(self._draw(count, 0, 1) * (size - width + 1))
        cells = keras.ops.arange(size, dtype="float32")
        cells = cells[None, :, None] if axis == 1 else cells[None, None]
        inside = keras.ops.logical_and(cells >= start, cells < start + width)
        return keras.ops.where(inside, keras.ops.mean(patches, (1, 2), keepdims=True), patches)

    def _mixed(self, patches, targets, count):
        share = keras.random.beta((count, 1), self.mixup, self.mixup, seed=self.random)
        other = keras.random.shuffle(keras.ops.arange(count), seed=self.random)
        mixed = [
            part * weight + keras.ops.take(part, other, axis=0) * (1 - weight)
            for part, weight in ((patches, share[:, :, None]), (targets, share))
        ]
        return mixed[0], mixed[1]
