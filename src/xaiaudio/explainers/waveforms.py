"""Which frequencies does a network of waveforms hear? Spectra of sounds, gradients and relevance.

A gradient is a waveform like the sound, and has a spectrum. Relevance is a *product* of the sound
with such a waveform. The product of two tones of one frequency swings at twice that frequency, so
the spectrum of a relevance per sample tells nothing of what was heard. It is taken to the
frequencies by a Fourier transform of each factor instead (Parseval's theorem).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


def power_by_frequency(waves: ArrayLike) -> np.ndarray:
    """Return the power of each frequency of some waveforms; it adds up to the sum of squares.

    Parameters
    ----------
    waves : array_like of float, shape (n, samples) or (n, samples, 1)

    Returns
    -------
    ndarray of float64, shape (n, samples // 2 + 1)
        From 0 Hz to half the sample rate, in equal steps.

    Raises
    ------
    XaiAudioError
        If the waveforms have another shape.

    Examples
    --------
    >>> power_by_frequency([[1.0, -1.0, 1.0, -1.0]]).tolist()
    [[0.0, 0.0, 4.0]]
    """
    waves = _flat(waves)
    return _both_signs(waves.shape[1]) * np.abs(np.fft.rfft(waves)) ** 2 / waves.shape[1]


def relevance_by_frequency(waves: ArrayLike, relevance: ArrayLike) -> np.ndarray:
    """Share the relevance of samples out to frequencies; the sum of each sound stays the same.

    Relevance of sample t is x[t] * c[t], with c a waveform: what one unit of that sample
    contributes. With X and C the Fourier transforms of both, frequency k gets Re(X[k] conj(C[k])),
    divided by the number of samples.

    Parameters
    ----------
    waves : array_like of float, shape (n, samples) or (n, samples, 1)
        What the network was given.
    relevance : array_like of float, like `waves`
        Of each sample. It must come from a rule for which it is proportional to the sample, at the
        first layer: epsilon, 0, or input x gradient. (Of samples that are exactly 0 nothing is
        known: their c is taken as 0.)

    Returns
    -------
    ndarray of float64, shape (n, samples // 2 + 1)
        Signed; from 0 Hz to half the sample rate, in equal steps.

    Raises
    ------
    XaiAudioError
        If shapes do not fit, or a sample of 0 has relevance: the rule was another one.

    References
    ----------
    J. Vielhaben, S. Lapuschkin, G. Montavon and W. Samek, "Explainable AI for time series via
    virtual inspection layers", Pattern Recognition 2024.

    Examples
    --------
    >>> import numpy as np
    >>> tone = np.sin(2 * np.pi * np.arange(16) / 4)[None]
    >>> int(relevance_by_frequency(tone, tone * tone).argmax())  # not twice as high
    4
    """
    waves, relevance = _flat(waves), _flat(relevance)
    if waves.shape != relevance.shape:
        raise XaiAudioError(
            f"The waveforms have the shape {waves.shape}, their relevance {relevance.shape}: they "
            "must be the same."
        )
    silent = waves == 0
    if (relevance[silent] != 0).any():
        raise XaiAudioError(
            "A sample of 0 has relevance: take the epsilon rule for the first layer, whose "
            "relevance is proportional to the sample, for example composite='epsilon'."
        )
    factors = np.divide(relevance, waves, out=np.zeros_like(waves), where=~silent)
    product = np.fft.rfft(waves) * np.fft.rfft(factors).conj()
    return _both_signs(waves.shape[1]) * product.real / waves.shape[1]


def in_bands(spectra: ArrayLike, edges: ArrayLike, sample_rate: int) -> np.ndarray:
    """Sum spectra up in bands.

    Parameters
    ----------
    spectra : array_like of float, shape (n, frequencies)
        From 0 Hz to half the sample rate in equal steps. (With an odd number of samples the last
        one lies half a step lower, which is not looked at.)
    edges : sequence of float
        Rising, in hertz; a band holds its lower edge, and only the last one its upper edge.
    sample_rate : int
        In hertz.

    Returns
    -------
    ndarray of float64, shape (n, bands)

    Raises
    ------
    XaiAudioError
        If the edges do not rise, or are fewer than two.

    Examples
    --------
    >>> in_bands([[1.0, 2.0, 4.0, 8.0, 16.0]], (0, 2000, 4000), 8000).tolist()
    [[3.0, 28.0]]
    """
    spectra, edges = np.asarray(spectra, float), np.asarray(edges, float)
    if edges.ndim != 1 or len(edges) < 2 or not (np.diff(edges) > 0).all():
        raise XaiAudioError(f"The edges of bands must rise, and be two or more: {edges.tolist()}.")
    hertz = np.linspace(0, sample_rate / 2, spectra.shape[-1])
    band = np.searchsorted(edges, hertz, side="right") - 1
    band[hertz == edges[-1]] = len(edges) - 2
    member = band[:, None] == np.arange(len(edges) - 1)
    return spectra @ member.astype(float)


def _flat(waves) -> np.ndarray:
    waves = np.asarray(waves, np.float64)
    if waves.ndim == 3 and waves.shape[2] == 1:
        waves = waves[..., 0]
    if waves.ndim != 2 or not waves.size:
        raise XaiAudioError(
            f"The waveforms have the shape {waves.shape}: (n, samples) or (n, samples, 1) is "
            "needed, and none of them empty."
        )
    return waves


def _both_signs(samples) -> np.ndarray:
    """Count each frequency as often as the full transform does: all but 0 and the last twice."""
    times = np.full(samples // 2 + 1, 2.0)
    times[0] = 1
    if samples % 2 == 0:
        times[-1] = 1
    return times
