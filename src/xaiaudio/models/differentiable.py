"""The front end once more, in TensorFlow: gradients go through it, back to the waveform."""

from __future__ import annotations

import numpy as np
import tensorflow as tf


def spectrogram(waves, frontend):
    """Return the log-mel spectrograms of waveforms, as :meth:`xaiaudio.LogMel.spectrogram` does.

    Parameters
    ----------
    waves : tensor of float32, shape (n, samples)
        At `frontend.sample_rate`, in [-1, 1], at least one window long.
    frontend : LogMel

    Returns
    -------
    tensor of float32, shape (n, 1 + (samples - window) // hop, bands)
        Equal to the front end's own up to rounding. Where a window is silent the gradient is 0.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.differentiable import spectrogram
    >>> tuple(spectrogram(np.zeros((2, 16_000), "float32"), xa.LogMel.vggish()).shape)
    (2, 98, 64)
    """
    frames = tf.signal.frame(tf.convert_to_tensor(waves), frontend.window, frontend.hop)
    # TensorFlow's own cosine: the front end imitates it to the last digit. Its Hann window is not
    # periodic where the length is odd.
    phase = 2 * np.pi * tf.range(frontend.window, dtype=tf.float32) / frontend.window
    frames *= 0.5 - 0.5 * tf.cos(phase)
    magnitude = tf.abs(tf.signal.rfft(frames, [frontend.fft]))
    weights = tf.constant(frontend.mel_matrix(), tf.float32)
    return tf.math.log(tf.tensordot(magnitude, weights, 1) + frontend.offset)


def patches(waves, frontend, first=0, step=1):
    """Return the patches of waveforms, as the front end itself does, or some of them.

    Parameters
    ----------
    waves : tensor of float32, shape (n, samples)
        At least `frontend.min_samples` long.
    frontend : LogMel
    first, step : int or scalar tensor
        Take the patches number `first`, `first` + `step` and so on.

    Returns
    -------
    tensor of float32, shape (n, patches, frames, bands)

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.differentiable import patches
    >>> tuple(patches(np.zeros((2, 80_000), "float32"), xa.LogMel.vggish(overlap=0.75)).shape)
    (2, 17, 96, 64)
    """
    rows = spectrogram(waves, frontend)
    count = 1 + (tf.shape(rows)[1] - frontend.frames) // frontend.patch_hop
    starts = tf.range(first, count, step) * frontend.patch_hop
    cut = tf.gather(rows, starts[:, None] + tf.range(frontend.frames), axis=1)
    return tf.ensure_shape(cut, (None, None, *frontend.patch_shape))
