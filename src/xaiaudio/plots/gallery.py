"""Figures that take sounds apart: one clip of each class, a clip's events, the steps to log-mel."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from .. import filterbank
from . import canvas
from .sounds import LOUDNESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel


def gallery(waves: Mapping[str, ArrayLike], frontend: LogMel, *, columns: int = 2) -> Figure:
    """Draw each sound as a waveform with its spectrogram below, on one colour scale.

    Parameters
    ----------
    waves : mapping of str to array_like of float, shape (samples,)
        Title to sound at `frontend.sample_rate`, all of one length.
    frontend : LogMel
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``titles``, ``peaks`` (the largest magnitude of each wave), and one spectrogram
        (T, bands) per title.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> wave = np.sin(np.arange(80000) / 5)
    >>> figure = xa.plots.gallery({"loud": wave, "soft": 0.1 * wave}, xa.LogMel.vggish())
    >>> figure.data["peaks"].round(1).tolist()
    [1.0, 0.1]
    """
    canvas.check_any(waves, "sound")
    rows = {name: frontend.spectrogram(wave) for name, wave in waves.items()}
    limits = min(part.min() for part in rows.values()), max(part.max() for part in rows.values())
    columns = min(columns, len(waves))
    lines = math.ceil(len(waves) / columns)
    figure, axes = canvas.grid(
        2 * lines, columns, height=1.15, extra=0.6, height_ratios=(1, 2) * lines
    )
    for index, (name, wave) in enumerate(waves.items()):
        line, column = divmod(index, columns)
        upper, lower = axes[2 * line : 2 * line + 2, column]
        drawn = canvas.image(lower, rows[name], frontend, limits=limits)
        canvas.mel_axis(lower, frontend, labels=column == 0)
        if column == 0:
            lower.set_ylabel("Hz")
        _small_waveform(upper, np.asarray(wave), frontend.sample_rate, lower.get_xlim())
        canvas.title(upper, name)
        if index + columns < len(waves):
            lower.set_xticklabels([])
        else:
            lower.set_xlabel("time (s)")
    for index in range(len(waves), lines * columns):
        line, column = divmod(index, columns)
        canvas.hide(axes[2 * line : 2 * line + 2, column])
    canvas.colour_bar(figure, drawn, axes, LOUDNESS)
    peaks = np.array([np.abs(wave).max() for wave in waves.values()])
    return canvas.finish(figure, titles=list(waves), peaks=peaks, **rows)


def _small_waveform(ax, wave, sample_rate, limits) -> None:
    """Draw a waveform by its envelope: 80,000 points would be a grey smear in two inches."""
    step = max(1, len(wave) // 500)
    blocks = wave[: len(wave) // step * step].reshape(-1, step)
    seconds = (np.arange(len(blocks)) + 0.5) * step / sample_rate
    low, high = blocks.min(axis=1), blocks.max(axis=1)
    ax.fill_between(seconds, low, high, color=canvas.BLUE, linewidth=0.4)
    # Each to its own height: a sneeze far away would be a flat line beside a chainsaw.
    largest = float(np.abs(wave).max()) or 1.0
    ax.set_ylim(-1.05 * largest, 1.05 * largest)
    ax.set_xlim(limits)
    ax.set_axis_off()


def masked(wave: ArrayLike, masks: Mapping[str, ArrayLike], frontend: LogMel) -> Figure:
    """Draw a clip's spectrogram, and under it the same with only some of its cells.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        At `frontend.sample_rate`.
    masks : mapping of str to array_like of bool, shape (T, bands)
        Title to the cells that stay; the rest is grey.
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``spectrogram`` (T, bands), and one mask per title.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> frontend = xa.LogMel.vggish()
    >>> wave = np.sin(np.arange(80000) / 5)
    >>> loud = frontend.spectrogram(wave) > 0
    >>> figure = xa.plots.masked(wave, {"loud cells": loud}, frontend)
    """
    rows = frontend.spectrogram(wave)
    limits = canvas.common(rows)
    masks = {name: np.asarray(mask, bool) for name, mask in masks.items()}
    figure, axes = canvas.grid(len(masks) + 1, height=1.8, extra=0.6, sharex=True)
    axes = axes[:, 0]
    drawn = canvas.image(axes[0], rows, frontend, limits=limits)
    canvas.title(axes[0], "the whole clip")
    for ax, (name, mask) in zip(axes[1:], masks.items(), strict=True):
        ax.set_facecolor("#bbbbbb")
        canvas.image(ax, np.where(mask, rows, np.nan), frontend, limits=limits)
        canvas.title(ax, name)
    for ax in axes:
        canvas.mel_axis(ax, frontend)
    axes[-1].set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, LOUDNESS)
    return canvas.finish(figure, spectrogram=rows, **masks)


def steps(wave: ArrayLike, frontend: LogMel) -> Figure:
    """Draw a sound on its way to the network: waveform, Fourier magnitudes, log-mel rows.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        At `frontend.sample_rate`.
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``wave``, ``magnitude`` (T, fft // 2 + 1) in dB, at most 80 below the largest,
        ``spectrogram`` (T, bands).

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> frontend = xa.LogMel.vggish()
    >>> xa.plots.steps(np.sin(np.arange(80000) / 5), frontend).data["magnitude"].shape
    (498, 257)
    """
    wave = np.asarray(wave)
    windows = np.lib.stride_tricks.sliding_window_view(wave, frontend.window)[:: frontend.hop]
    shape = filterbank.window_of(frontend, "float64")
    magnitude = np.abs(np.fft.rfft(windows * shape, frontend.fft))
    decibels = 20 * np.log10(np.maximum(magnitude / max(magnitude.max(), 1e-12), 1e-4))
    rows = frontend.spectrogram(wave)
    figure, axes = canvas.grid(3, height=0.0, extra=6.6, sharex=True, height_ratios=(1, 2, 2))
    top, middle, bottom = axes[:, 0]
    top.plot(np.arange(len(wave)) / frontend.sample_rate, wave, color=canvas.BLUE, linewidth=0.5)
    top.set_ylabel("amplitude")
    canvas.title(top, f"waveform: {frontend.sample_rate:,} numbers a second")
    _linear(middle, decibels, frontend)
    canvas.title(middle, f"Fourier magnitudes: {magnitude.shape[1]} frequencies (dB)")
    canvas.image(bottom, rows, frontend)
    canvas.mel_axis(bottom, frontend)
    canvas.title(bottom, f"log-mel spectrogram: {frontend.bands} bands")
    top.set_xlim(bottom.get_xlim())
    bottom.set_xlabel("time (s)")
    return canvas.finish(figure, wave=wave, magnitude=decibels, spectrogram=rows)


def _linear(ax, decibels, frontend) -> None:
    """Draw (T, bins) with frequency in even steps of hertz."""
    start, step = frontend.times()[0], frontend.hop / frontend.sample_rate
    ax.imshow(
        decibels.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(start, start + len(decibels) * step, 0, frontend.sample_rate / 2),
        cmap=canvas.MAGNITUDE,
    )
    ax.set_ylabel("frequency (Hz)")
