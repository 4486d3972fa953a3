"""Patches altered while a network learns from nothing, in the graph of the training step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import tensorflow as tf

if TYPE_CHECKING:
    from typing import Any

    from ...frontend import LogMel

GAIN_DB = 10.0
MASKED_BANDS = 8
MASKED_FRAMES = 16
MIXUP = 0.3


class Augmentation:
    """Alters a batch: turned in time, louder or softer, in part blanked, mixed with another.

    The parts of the recipe are those of `xaiaudio.models.pretrain`.

    Parameters
    ----------
    frontend : LogMel
        A gain is a shift of its rows, except near silence.
    seed : int
    """

    def __init__(self, frontend: LogMel, seed: int):
        self.frontend = frontend
        self.random = tf.random.Generator.from_seed(seed + 1)

    def __call__(self, patches: Any, targets: Any) -> tuple[Any, Any]:
        """Return patches (n, frames, bands) and target distributions (n, classes), altered."""
        patches = self._louder(self._turned(patches))
        patches = self._blanked(self._blanked(patches, 2, MASKED_BANDS), 1, MASKED_FRAMES)
        return self._mixed(patches, targets)

    def _turned(self, patches):
        """Turn each patch in time: what leaves at the end comes in at the beginning."""
        count, frames = tf.shape(patches)[0], patches.shape[1]
        start = self.random.uniform((count, 1), 0, frames, tf.int32)
        rows = (start + tf.range(frames)[None]) % frames
        return tf.gather(patches, rows, batch_dims=1)

    def _louder(self, patches):
        frontend, count = self.frontend, tf.shape(patches)[0]
        decibels = self.random.uniform((count, 1, 1), -GAIN_DB, GAIN_DB)
        if frontend.decibels:
            return tf.maximum(patches + frontend.scale * decibels, frontend.silence)
        gain = 10.0 ** (decibels / 20 * frontend.power)
        heights = tf.maximum(tf.exp(patches / frontend.scale) - frontend.offset, 0.0)
        return frontend.scale * tf.math.log(gain * heights + frontend.offset)

    def _blanked(self, patches, axis, longest):
        """Set a stretch of each patch to its mean."""
        count, length = tf.shape(patches)[0], patches.shape[axis]
        width = self.random.uniform((count, 1), 0, min(longest, length) + 1, tf.int32)
        share = self.random.uniform((count, 1))
        first = tf.cast(share * tf.cast(length - width + 1, tf.float32), tf.int32)
        cells = tf.range(length)[None]
        inside = (cells >= first) & (cells < first + width)
        inside = inside[:, None, :] if axis == 2 else inside[:, :, None]
        return tf.where(inside, tf.reduce_mean(patches, axis=(1, 2), keepdims=True), patches)

    def _mixed(self, patches, targets):
        """Mix each patch with another, by shares of a beta distribution."""
        count = tf.shape(patches)[0]
        gammas = tf.random.stateless_gamma(
            (2, count), self.random.make_seeds()[:, 0], alpha=MIXUP, dtype=tf.float32
        )
        share = gammas[0] / tf.maximum(gammas[0] + gammas[1], 1e-9)
        patches = _between(patches, share[:, None, None])
        return patches, _between(targets, share[:, None])


def _between(values, share):
    return share * values + (1 - share) * tf.roll(values, 1, axis=0)
