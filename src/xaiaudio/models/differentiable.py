"""The front end and its filter once more, in TensorFlow: in graphs, and with gradients."""

from __future__ import annotations

import numpy as np
import tensorflow as tf

from .. import stft


def spectrogram(waves, frontend):
    """Return the log-mel spectrograms of waveforms, as :meth:`xaiaudio.LogMel.spectrogram` does.

    Parameters
    ----------
    waves : tensor of float32, shape (n, samples)
        At `frontend.sample_rate`, in [-1, 1], at least one window long.
    frontend : LogMel

    Returns
    -------
    tensor of float32, shape (n, T, bands)
        Equal to the front end's own up to rounding. Where a window is silent the gradient is 0.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.differentiable import spectrogram
    >>> tuple(spectrogram(np.zeros((2, 16_000), "float32"), xa.LogMel.vggish()).shape)
    (2, 98, 64)
    """
    return log_mel(magnitudes(waves, frontend), frontend)


def magnitudes(waves, frontend):
    """Return the magnitudes of the front end's Fourier transforms, before the mel bands.

    Parameters
    ----------
    waves : tensor of float32, shape (n, samples)
        At `frontend.sample_rate`, in [-1, 1], at least one window long.
    frontend : LogMel

    Returns
    -------
    tensor, shape (n, T, fft // 2 + 1)
        Of the front end's own precision. Row by row those of its log-mel spectrogram.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.differentiable import magnitudes
    >>> tuple(magnitudes(np.zeros((2, 16_000), "float32"), xa.LogMel.vggish()).shape)
    (2, 98, 257)
    """
    kind = tf.as_dtype(frontend.precision)
    waves = tf.cast(waves, kind)
    if frontend.centred:
        ends = (frontend.samples_before, frontend.window - frontend.samples_before)
        waves = tf.pad(waves, ((0, 0), ends), frontend.pad_mode)
    frames = tf.signal.frame(waves, frontend.window, frontend.hop)
    # TensorFlow's own cosine: the front end imitates it to the last digit. Its Hann window is not
    # periodic where the length is odd.
    length = frontend.hann or frontend.window
    shape = 0.5 - 0.5 * tf.cos(2 * np.pi * tf.range(length, dtype=kind) / length)
    if rest := frontend.window - length:
        shape = tf.pad(shape, ((rest // 2, rest - rest // 2),))
    frames *= shape
    return tf.abs(tf.signal.rfft(frames, [frontend.fft]))


def log_mel(heights, frontend):
    """Return the log-mel rows that magnitudes become; with gradients.

    Parameters
    ----------
    heights : tensor, shape (n, T, fft // 2 + 1)
        As :func:`magnitudes` returns them, or masked. Of whole sounds, where the front end's `ref`
        or `top_db` ask for their loudest cell.
    frontend : LogMel

    Returns
    -------
    tensor of float32, shape (n, T, bands)

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.differentiable import log_mel
    >>> rows = log_mel(np.zeros((1, 1, 257), "float32"), xa.LogMel.vggish())
    >>> bool(np.allclose(rows, np.log(0.01)))
    True
    """
    kind = tf.as_dtype(frontend.precision)
    heights = tf.cast(heights, kind)
    if frontend.power == 2:
        heights = tf.square(heights)
    sums = tf.tensordot(heights, tf.constant(frontend.mel_matrix(), kind), 1)
    if frontend.decibels:
        return tf.cast(frontend.scale * _decibels(sums, frontend), tf.float32)
    return frontend.scale * tf.math.log(sums + frontend.offset)


def _decibels(sums, frontend):
    """Return each sound's decibels; the gradient goes through its loudest cell too."""
    factor = 20 / frontend.power / np.log(10)
    if frontend.ref == "max":
        ref = tf.reduce_max(sums, axis=(1, 2), keepdims=True)
    else:
        ref = tf.constant(frontend.ref, sums.dtype)
    rows = factor * tf.math.log(tf.maximum(sums, frontend.amin))
    rows -= factor * tf.math.log(tf.maximum(ref, frontend.amin))
    if frontend.top_db is None:
        return rows
    return tf.maximum(rows, tf.reduce_max(rows, axis=(1, 2), keepdims=True) - frontend.top_db)


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


def filtered(waves, gains, frontend):
    """Return sounds whose mel cells are turned down.

    What :func:`xaiaudio.sonify.kept_and_removed` keeps, for many sounds at once. What is taken away
    is computed and subtracted, so that gains of 1 give back the sounds bit for bit.

    Parameters
    ----------
    waves : tensor of float32, shape (n, samples)
        At `frontend.sample_rate`.
    gains : tensor of float32, shape (n, frames, bands)
        From the sounds' first frame on, 0 to 1. What lies before the first or after the last frame
        takes that frame's gains.
    frontend : LogMel

    Returns
    -------
    tensor of float32, shape (n, samples)

    Examples
    --------
    >>> import numpy as np, tensorflow as tf, xaiaudio as xa
    >>> from xaiaudio.models.differentiable import filtered
    >>> waves = tf.random.stateless_normal((2, 16_000), (0, 0))
    >>> bool(tf.reduce_all(filtered(waves, tf.ones((2, 98, 64)), xa.LogMel.vggish()) == waves))
    True
    """
    samples, window, hop = waves.shape[-1], frontend.window, frontend.hop
    first, count = stft.lead(frontend), stft.windows(samples, frontend)
    shape = tf.constant(stft.root_hann(window), tf.float32)
    rest = (count - 1) * hop + window - first * hop - samples
    frames = tf.signal.frame(tf.pad(waves, [[0, 0], [first * hop, rest]]), window, hop) * shape
    spectrum = tf.signal.rfft(frames, [frontend.fft])
    shares = tf.constant(stft.band_shares(frontend).T, tf.float32)
    lost = tf.gather(
        tf.tensordot(1 - gains, shares, 1),
        stft.rows_of(samples, gains.shape[1], frontend),
        axis=1,
    )
    gone = tf.signal.irfft(spectrum * tf.cast(lost, tf.complex64), [frontend.fft])
    gone = tf.signal.overlap_and_add(gone[..., :window] * shape, hop)
    gone = gone[:, first * hop : first * hop + samples]
    return waves - gone / tf.constant(stft.covering(samples, frontend), tf.float32)
