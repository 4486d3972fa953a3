"""A few patches of a front end, to see what kind of numbers a network gives."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def trial_patches(frontend) -> np.ndarray:
    """Return patches of silence, of noise from soft to loud, and of one tone.

    Returns
    -------
    ndarray of float32, shape (6, frames, bands)

    Examples
    --------
    >>> import xaiaudio as xa
    >>> trial_patches(xa.LogMel.vggish()).shape
    (6, 96, 64)
    """
    noise = np.random.default_rng(0).normal(0, 1, frontend.min_samples)
    tone = np.sin(2 * np.pi * 0.05 * np.arange(frontend.min_samples))
    waves = [0 * noise, 0.001 * noise, 0.01 * noise, 0.1 * noise, 0.3 * noise, 0.5 * tone]
    return np.concatenate([np.asarray(frontend(one.astype(np.float32)))[:1] for one in waves])


def answers(network, frontend) -> np.ndarray:
    """Return a network's outputs for the trial patches, float32 (6, classes)."""
    patches = trial_patches(frontend)
    if len(network.inputs[0].shape) == 4:
        patches = patches[..., None]
    return tf.cast(network(patches, training=False), tf.float32).numpy()
