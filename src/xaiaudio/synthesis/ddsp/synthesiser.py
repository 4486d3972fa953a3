"""From controls to a sound."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from . import harmonic, noise
from .controls import HOP, RATE, Controls


def synthesise(controls: Controls, *, seed: int = 0) -> np.ndarray:
    """Return the sound of controls: tone and noise.

    Parameters
    ----------
    controls : Controls
    seed : int
        Of the noise.

    Returns
    -------
    ndarray of float32, shape (samples,)
        At 16 kHz; not limited to [-1, 1].

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.controls import Controls
    >>> from xaiaudio.synthesis.ddsp.synthesiser import synthesise
    >>> pitch, loud = np.full(250, 440.0), np.full(250, 0.3)
    >>> sung = Controls(pitch, loud, np.ones((250, 8)), np.zeros((250, 65)))
    >>> wave = synthesise(sung)
    >>> wave.shape, bool(np.abs(wave).max() <= 0.3)
    ((16000,), True)
    """
    pitch, amplitude, weights, gains = (
        tf.constant(values, tf.float32)
        for values in (controls.pitch, controls.amplitude, controls.harmonics, controls.noise)
    )
    wave = tf.zeros(len(controls) * HOP)
    if controls.amplitude.any():
        # Those that are nowhere heard need not be worked out.
        heard = np.flatnonzero(controls.harmonics.any(axis=0))
        most = int(RATE / 2 / max(controls.pitch.min(), 1.0)) + 1
        count = max(1, min(most, 1 + int(heard.max(initial=0))))
        wave += harmonic.tone(pitch, amplitude, weights[:, :count])
    if controls.noise.any():
        wave += noise.shaped(noise.white(len(controls) * HOP, [seed, 0]), gains)
    return wave.numpy()
