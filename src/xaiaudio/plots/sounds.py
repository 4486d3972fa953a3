"""Figures of sounds before any network: waveforms, spectrograms, the mel filters."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel

LOUDNESS = "log mel magnitude"


def waveform(wave: ArrayLike, sample_rate: int = 16_000, *, title: str = "") -> Figure:
    """Draw a waveform over time.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
    sample_rate : int
        Samples per second.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``wave``, ``sample_rate``.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> figure = xa.plots.waveform(np.sin(np.arange(16000) / 5))
    """
    wave = np.asarray(wave)
    figure, axes = canvas.grid(height=2.2)
    ax = axes[0, 0]
    ax.plot(np.arange(len(wave)) / sample_rate, wave, color=canvas.BLUE, linewidth=0.6)
    ax.axhline(0, color=canvas.GREY, linewidth=0.5)
    ax.set_xlim(0, max(len(wave), 1) / sample_rate)
    ax.set_xlabel("time (s)")
    ax.set_ylabel("amplitude")
    canvas.title(ax, title)
    return canvas.finish(figure, wave=wave, sample_rate=sample_rate)


def spectrograms(
    patches: ArrayLike,
    frontend: LogMel,
    *,
    titles: Sequence[str] | None = None,
    true: Sequence[str] | None = None,
    predicted: Sequence[str] | None = None,
    columns: int = 3,
) -> Figure:
    """Draw a grid of log-mel patches on one colour scale.

    Parameters
    ----------
    patches : array_like of float, shape (n, frames, bands)
    frontend : LogMel
        What made the patches.
    titles : sequence of str, optional
        One per patch.
    true, predicted : sequence of str, optional
        Labels to write above each patch. With both, a wrong prediction is marked by a cross and by
        its colour.
    columns : int

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``patches``.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> frontend = xa.LogMel.vggish()
    >>> patches = frontend(np.sin(np.arange(48000) / 5))
    >>> figure = xa.plots.spectrograms(patches, frontend, titles=["a", "b", "c"])
    """
    patches = np.asarray(patches)
    canvas.check_any(patches, "patch")
    columns = min(columns, len(patches))
    rows = math.ceil(len(patches) / columns)
    figure, axes = canvas.grid(rows, columns, height=2.1, extra=0.7, width=canvas.width_of(columns))
    limits = canvas.common(patches)
    for index, (ax, patch) in enumerate(zip(axes.flat, patches, strict=False)):
        drawn = canvas.image(ax, patch, frontend, limits=limits)
        canvas.mel_axis(ax, frontend, labels=index % columns == 0)
        if index + columns >= len(patches):
            ax.set_xlabel("time (s)")
        _caption(ax, index, titles, true, predicted)
    canvas.hide(axes.flat[len(patches) :])
    canvas.colour_bar(figure, drawn, axes, LOUDNESS)
    return canvas.finish(figure, patches=patches)


def _caption(ax, index, titles, true, predicted) -> None:
    if titles is not None:
        canvas.title(ax, titles[index])
    elif true is not None and predicted is not None:
        right = true[index] == predicted[index]
        canvas.title(ax, f"{true[index]}\n{'✓' if right else '✗'} {predicted[index]}")
        ax.title.set_color(canvas.BLUE if right else canvas.ORANGE)
    elif true is not None or predicted is not None:
        canvas.title(ax, (true if true is not None else predicted)[index])


def clip_spectrogram(
    wave: ArrayLike, frontend: LogMel, *, boundaries: bool = True, title: str = ""
) -> Figure:
    """Draw the log-mel spectrogram of a clip, and where its patches lie.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        At `frontend.sample_rate`.
    frontend : LogMel
    boundaries : bool
        Draw each patch as a bar above the spectrogram. Overlapping patches are staggered.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``spectrogram`` (T, bands), ``starts`` of the patches in seconds.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> frontend = xa.LogMel.vggish(overlap=0.5)
    >>> figure = xa.plots.clip_spectrogram(np.sin(np.arange(80000) / 5), frontend)
    >>> len(figure.data["starts"])
    9
    """
    rows = frontend.spectrogram(wave)
    starts = _patch_starts(len(rows), frontend) if boundaries else np.zeros(0)
    # Patches that overlap need as many lanes as lie on one moment.
    lanes = min(math.ceil(frontend.frames / frontend.patch_hop), max(len(starts), 1))
    if len(starts):
        figure, axes = canvas.grid(
            2, height=0.0, extra=2.9 + 0.09 * lanes, sharex=True, height_ratios=(0.09 * lanes, 2.2)
        )
        _patch_bars(axes[0, 0], starts, lanes, frontend)
    else:
        figure, axes = canvas.grid(height=2.9)
    ax = axes[-1, 0]
    drawn = canvas.image(ax, rows, frontend)
    canvas.mel_axis(ax, frontend)
    ax.set_xlabel("time (s)")
    canvas.title(axes[0, 0], title)
    canvas.colour_bar(figure, drawn, ax, LOUDNESS)
    return canvas.finish(figure, spectrogram=rows, starts=starts)


def _patch_starts(rows: int, frontend) -> np.ndarray:
    count = max(0, (rows - frontend.frames) // frontend.patch_hop + 1)
    return np.array([frontend.times(patch)[0] for patch in range(count)])


def _patch_bars(ax, starts, lanes, frontend) -> None:
    lane = np.arange(len(starts)) % lanes
    ax.barh(
        lane,
        frontend.patch_seconds,
        left=starts,
        height=0.7,
        color="#cfe3f1",
        edgecolor=canvas.BLUE,
        linewidth=1,
    )
    ax.set_yticks([])
    ax.tick_params(axis="x", bottom=False, labelbottom=False)
    ax.set_ylabel("patches", rotation=0, ha="right", va="center")
    for side in ("top", "left", "right", "bottom"):
        ax.spines[side].set_visible(False)


def clip_spectrograms(waves: Mapping[str, ArrayLike], frontend: LogMel) -> Figure:
    """Draw the spectrograms of several sounds of one length, one above the other, on one scale.

    Parameters
    ----------
    waves : mapping of str to array_like of float, shape (samples,)
        Title to sound, for example original, kept and removed.
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``titles``, and the spectrograms (T, bands) ``sound 1``, ``sound 2``, ... A title
        may say what a network answered, so the spectrograms are not named after it.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> wave = np.sin(np.arange(80000) / 5)
    >>> frontend = xa.LogMel.vggish()
    >>> figure = xa.plots.clip_spectrograms({"loud": wave, "soft": 0.1 * wave}, frontend)
    """
    canvas.check_any(waves, "sound")
    rows = {name: frontend.spectrogram(wave) for name, wave in waves.items()}
    limits = (
        canvas.common([part.min() for part in rows.values()])[0],
        max(part.max() for part in rows.values()),
    )
    figure, axes = canvas.grid(len(rows), height=1.8, extra=0.6, sharex=True)
    for ax, (name, cells) in zip(axes[:, 0], rows.items(), strict=True):
        drawn = canvas.image(ax, cells, frontend, limits=limits)
        canvas.mel_axis(ax, frontend)
        canvas.title(ax, name)
    axes[-1, 0].set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, LOUDNESS)
    sounds = {f"sound {number}": cells for number, cells in enumerate(rows.values(), 1)}
    return canvas.finish(figure, titles=list(rows), **sounds)


def filterbank(frontend: LogMel) -> Figure:
    """Draw the triangular mel filters of a front end over frequency.

    Parameters
    ----------
    frontend : LogMel

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``filters`` (fft // 2 + 1, bands), ``hertz`` of its rows.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.plots.filterbank(xa.LogMel.vggish()).data["filters"].shape
    (257, 64)
    """
    filters = frontend.mel_matrix()
    hertz = np.arange(len(filters)) * frontend.sample_rate / frontend.fft
    figure, axes = canvas.grid(height=2.6)
    ax = axes[0, 0]
    for band, weights in enumerate(filters.T):
        colour = (canvas.BLUE, canvas.ORANGE)[band % 2]
        ax.plot(hertz, weights, color=colour, linewidth=0.8)
    ax.set_xlim(0, hertz[-1])
    ax.set_ylim(0, None)
    ax.set_xlabel("frequency (Hz)")
    ax.set_ylabel("weight in the band")
    canvas.title(ax, f"{frontend.bands} mel bands from {frontend.fmin:g} to {frontend.fmax:g} Hz")
    return canvas.finish(figure, filters=filters, hertz=hertz)
