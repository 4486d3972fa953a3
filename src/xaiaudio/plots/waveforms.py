"""Figures of networks that listen to samples: explanations as waveforms, filters, spectra."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

COLOURS = (canvas.GREY, canvas.ORANGE, canvas.BLUE, canvas.GREEN)
DASHES = ("-", "--", "-", ":")
HERTZ = (125, 250, 500, 1000, 2000, 4000, 8000)


def samples(
    waves: Mapping[str, ArrayLike],
    sample_rate: int = 16_000,
    *,
    zoom: tuple[float, float] | None = None,
) -> Figure:
    """Draw waveforms under one another, each whole and in a part of a few milliseconds.

    Parameters
    ----------
    waves : mapping of str to array_like of float, shape (samples,)
        Name to waveform: the sound, a gradient, a relevance. Each is divided by its own largest
        magnitude.
    sample_rate : int
    zoom : pair of float, optional
        Seconds between which the part lies; by default 20 ms around the first one's peak.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: each waveform as drawn, and ``zoom``.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> wave = np.sin(np.arange(8000) / 5)
    >>> figure = xa.plots.samples({"sound": wave, "relevance": wave**2})
    """
    waves = {name: _unit(np.asarray(wave, float).ravel()) for name, wave in waves.items()}
    first = next(iter(waves.values()))
    if zoom is None:
        middle = np.clip(np.abs(first).argmax() / sample_rate, 0.01, len(first) / sample_rate)
        zoom = (middle - 0.01, middle + 0.01)
    figure, axes = canvas.grid(
        len(waves), 2, height=1.25, extra=0.3, sharex="col", sharey=True, width_ratios=(3, 2)
    )
    time = np.arange(len(first)) / sample_rate
    inside = (time >= zoom[0]) & (time <= zoom[1])
    for (whole, part), (name, wave) in zip(axes, waves.items(), strict=True):
        whole.plot(time, wave, color=canvas.BLUE, linewidth=0.4)
        whole.axvspan(*zoom, color=canvas.ORANGE, alpha=0.35, linewidth=0)
        part.plot(1000 * time[inside], wave[inside], color=canvas.BLUE, linewidth=0.9)
        for ax in (whole, part):
            ax.axhline(0, color=canvas.GREY, linewidth=0.5)
            ax.set_yticks([-1, 0, 1])
        canvas.title(whole, name)
        whole.title.set_horizontalalignment("left")
        whole.title.set_position((0, 1))
    axes[0, 0].set_xlim(0, len(first) / sample_rate)
    axes[0, 1].set_xlim(1000 * zoom[0], 1000 * zoom[1])
    axes[-1, 0].set_xlabel("time (s)")
    axes[-1, 1].set_xlabel("time (ms)")
    return canvas.finish(figure, **waves, zoom=np.asarray(zoom))


def filters(kernels: ArrayLike, sample_rate: int = 16_000, *, points: int = 512) -> Figure:
    """Draw how much of each frequency the filters of a first layer let through.

    Parameters
    ----------
    kernels : array_like of float, shape (taps, filters)
        Impulse responses.
    sample_rate : int
    points : int
        Frequencies that are drawn, from 0 Hz to half the sample rate.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``decibels`` (filters, points), each filter's gain below its own largest, in the
        order of the filters' loudest frequencies, and ``peaks`` (filters,), those frequencies in
        hertz.

    Raises
    ------
    XaiAudioError
        If the kernels have another shape.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> figure = xa.plots.filters(np.random.default_rng(0).normal(size=(64, 8)))
    >>> figure.data["decibels"].shape
    (8, 512)
    """
    kernels = np.asarray(kernels, float)
    if kernels.ndim != 2 or not kernels.size:
        raise XaiAudioError(
            f"The kernels have the shape {kernels.shape}: (taps, filters) is needed."
        )
    gain = np.abs(np.fft.rfft(kernels, n=max(2 * (points - 1), len(kernels)), axis=0)).T
    hertz = np.linspace(0, sample_rate / 2, gain.shape[1])
    peaks = hertz[gain.argmax(axis=1)]
    order = np.argsort(peaks, kind="stable")
    gain = gain[order] / np.maximum(gain[order].max(axis=1, keepdims=True), 1e-12)
    decibels = np.maximum(20 * np.log10(np.maximum(gain, 1e-6)), -40)
    figure, axes = canvas.grid(height=3.4, extra=0.4)
    ax = axes[0, 0]
    drawn = ax.imshow(
        decibels,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(0, sample_rate / 2000, 0.5, len(decibels) + 0.5),
        cmap=canvas.MAGNITUDE,
    )
    ax.set_xlabel("frequency (kHz)")
    ax.set_ylabel("filter")
    canvas.colour_bar(figure, drawn, axes, "gain below the filter's largest (dB)")
    return canvas.finish(figure, decibels=decibels, peaks=peaks[order])


def band_shares(
    edges: Sequence[float],
    series: Mapping[str, ArrayLike],
    *,
    titles: Sequence[str] | None = None,
    columns: int = 2,
) -> Figure:
    """Draw shares by frequency band: one panel each, for example one a class.

    Parameters
    ----------
    edges : sequence of float
        Of the bands, in hertz, rising.
    series : mapping of str to array_like of float, shape (panels, bands)
        Name to what lies in each band, signed. Each row is divided by the sum of its magnitudes.
    titles : sequence of str, optional
        One per panel.
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``edges``, and per name the shares (panels, bands).

    Raises
    ------
    XaiAudioError
        If the numbers do not fit the bands.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.band_shares((0, 500, 8000), {"sound": [[3.0, 1.0]]})
    >>> figure.data["sound"].tolist()
    [[0.75, 0.25]]
    """
    edges = np.asarray(edges, float)
    shares = {name: _shares(values, edges, name) for name, values in series.items()}
    panels = len(next(iter(shares.values())))
    columns = min(columns, panels)
    rows = -(-panels // columns)
    figure, axes = canvas.grid(
        rows,
        columns,
        height=1.35 if panels > 1 else 3.0,
        extra=0.6,
        sharex=True,
        sharey=True,
        width=canvas.WIDTH,
    )
    places = np.arange(len(edges))
    for index, ax in enumerate(axes.flat):
        if index >= panels:
            ax.set_axis_off()
            continue
        for number, (name, values) in enumerate(shares.items()):
            heights = values[index]
            ax.stairs(
                heights,
                places,
                baseline=None if number else 0,
                fill=number == 0,
                color=COLOURS[number % 4],
                alpha=0.35 if number == 0 else 1,
                linestyle=DASHES[number % 4],
                linewidth=1.4,
                label=name,
            )
        ax.axhline(0, color=canvas.GREY, linewidth=0.5)
        ax.set_xlim(places[0], places[-1])
        if titles is not None:
            canvas.title(ax, titles[index])
    _hertz_axis(axes, edges)
    for ax in axes[:, 0]:
        ax.set_ylabel("share")
    canvas.legend(figure, axes.flat[0], columns=2)
    return canvas.finish(figure, edges=edges, **shares)


def _shares(values, edges, name) -> np.ndarray:
    values = np.asarray(values, float)
    if values.ndim != 2 or values.shape[1] != len(edges) - 1:
        raise XaiAudioError(
            f"{name} has the shape {values.shape}, but there are {len(edges) - 1} bands: (panels, "
            "bands) is needed."
        )
    total = np.abs(values).sum(axis=1, keepdims=True)
    return np.divide(values, total, out=np.zeros_like(values), where=total > 0)


def _hertz_axis(axes, edges) -> None:
    """Mark round frequencies; the bands are drawn equally wide."""
    marks = [hertz for hertz in HERTZ if edges[0] <= hertz <= edges[-1]]
    texts = [f"{hertz / 1000:g}k" if hertz >= 1000 else f"{hertz}" for hertz in marks]
    for ax in axes[-1]:
        ax.set_xticks(np.interp(marks, edges, np.arange(len(edges))), texts)
        ax.set_xlabel("frequency (Hz)")


def _unit(wave) -> np.ndarray:
    largest = np.abs(wave).max(initial=0.0)
    return wave / largest if largest > 0 else wave
