"""Figures of sounds by rule: what a synthesiser is told, notes and how they are played, fits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

# What is so far below the largest gain is drawn as black.
_RANGE_DB = 70.0
_RATE = 16_000


def taken_apart(
    times: ArrayLike,
    pitch: ArrayLike,
    loudness: ArrayLike,
    harmonics: ArrayLike,
    noise: ArrayLike,
    *,
    true_pitch: ArrayLike | None = None,
    shown: int = 20,
) -> Figure:
    """Draw a sound taken apart: pitch, loudness, harmonics and noise over time.

    Parameters
    ----------
    times : array_like of float, shape (frames,)
        In seconds.
    pitch : array_like of float, shape (frames,)
        In hertz; NaN where there is none.
    loudness : array_like of float, shape (frames,)
        In dB.
    harmonics : array_like of float, shape (frames, K)
        Amplitude of each.
    noise : array_like of float, shape (frames, bands)
        Gains from 0 to 8 kHz.
    true_pitch : array_like of float, shape (frames,), optional
        Drawn below the one that was found.
    shown : int
        How many harmonics to draw.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``times``, ``pitch``, ``loudness``, and ``harmonics`` and ``noise`` in dB.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> one = np.ones(50)
    >>> figure = xa.plots.taken_apart(
    ...     np.arange(50) / 250, 440 * one, -20 * one, np.ones((50, 8)), np.ones((50, 65))
    ... )
    >>> figure.data["harmonics"].shape
    (50, 8)
    """
    times, pitch, loudness = (np.asarray(x, float) for x in (times, pitch, loudness))
    heights, gains = np.asarray(harmonics, float)[:, :shown], np.asarray(noise, float)
    if not len(times) == len(pitch) == len(loudness) == len(heights) == len(gains):
        raise XaiAudioError("taken_apart() needs as many frames of each: one for every time.")
    heights, gains = _decibels(heights), _decibels(gains)
    figure, axes = canvas.grid(4, 1, height=1.45, extra=1.0, sharex=True)
    pitch_axes, loud_axes, tone_axes, noise_axes = axes[:, 0]
    if true_pitch is not None:
        pitch_axes.plot(
            times, true_pitch, color=canvas.ORANGE, linewidth=4, alpha=0.5, label="true"
        )
    pitch_axes.plot(times, pitch, color=canvas.BLUE, linewidth=1.2, label="found")
    pitch_axes.set_ylabel("pitch (Hz)")
    if true_pitch is not None:
        # Above the panel: inside, it would lie on the line.
        pitch_axes.legend(
            fontsize=canvas.FONT - 2,
            frameon=False,
            ncols=2,
            loc="lower right",
            bbox_to_anchor=(1, 0.96),
        )
    loud_axes.plot(times, loudness, color=canvas.BLUE, linewidth=1.2)
    loud_axes.set_ylabel("loudness (dB)")
    _drawn(tone_axes, heights, times, (0.5, heights.shape[1] + 0.5))
    tone_axes.set_ylabel("harmonic")
    drawn = _drawn(noise_axes, gains, times, (0, _RATE / 2000))
    noise_axes.set_ylabel("noise (kHz)")
    noise_axes.set_xlabel("time (s)")
    canvas.colour_bar(
        figure, drawn, axes, "dB; 0 is the largest of all harmonics, and of all noise"
    )
    return canvas.finish(
        figure, times=times, pitch=pitch, loudness=loudness, harmonics=heights, noise=gains
    )


def _decibels(values) -> np.ndarray:
    """Return gains in dB below their largest."""
    top = max(float(values.max()), 1e-12)
    return 20 * np.log10(np.maximum(values / top, 10 ** (-_RANGE_DB / 20)))


def _drawn(ax, values, times, heights):
    step = times[1] - times[0] if len(times) > 1 else 1.0
    return ax.imshow(
        values.T,
        origin="lower",
        aspect="auto",
        interpolation="nearest",
        extent=(times[0], times[-1] + step, *heights),
        cmap=canvas.MAGNITUDE,
        vmin=-_RANGE_DB,
        vmax=0,
    )


def pitch_search(
    shifts: ArrayLike, losses: ArrayLike, paths: Mapping[str, tuple[ArrayLike, ArrayLike]]
) -> Figure:
    """Draw the loss against how far a pitch is off, and ways that the gradient took on it.

    Parameters
    ----------
    shifts, losses : array_like of float, shape (n,)
        Shifts in semitones.
    paths : mapping of str to (shifts, losses)
        Each way by its name: where it was after each step.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``shifts``, ``losses``, ``valleys`` (bool: lower than both neighbours),
        and ``ends``: where each way begins and ends.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> x = np.linspace(-2, 2, 41)
    >>> way = {"from 1": (np.array([1.0, 0.1]), np.array([1.0, 0.01]))}
    >>> int(xa.plots.pitch_search(x, x**2, way).data["valleys"].sum())
    1
    """
    shifts, losses = np.asarray(shifts, float), np.asarray(losses, float)
    low = np.zeros(len(losses), bool)
    low[1:-1] = (losses[1:-1] < losses[:-2]) & (losses[1:-1] < losses[2:])
    figure, axes = canvas.grid(height=2.8, extra=0.6)
    ax = axes[0, 0]
    ax.plot(shifts, losses, color=canvas.GREY, linewidth=1)
    ax.plot(shifts[low], losses[low], "v", color=canvas.GREY, markersize=4, label="valleys")
    for number, (name, (way, heights)) in enumerate(paths.items()):
        colour = (canvas.BLUE, canvas.ORANGE, canvas.GREEN)[number % 3]
        way, heights = np.asarray(way, float), np.asarray(heights, float)
        ax.plot(way, heights, color=colour, linewidth=2, label=name)
        ax.plot(way[0], heights[0], "o", color=colour, markersize=7)
        ax.plot(way[-1], heights[-1], "s", color=colour, markersize=7)
    ax.set_xlabel("pitch off by (semitones)")
    ax.set_ylabel("spectral loss")
    ax.grid(alpha=0.3)
    canvas.legend(figure, ax, columns=2)
    ends = np.array([[np.ravel(way)[0], np.ravel(way)[-1]] for way, _ in paths.values()])
    return canvas.finish(figure, shifts=shifts, losses=losses, valleys=low, ends=ends)


def fitting(
    losses: Mapping[str, ArrayLike], levels: Mapping[str, float], *, x_label: str = "step"
) -> Figure:
    """Draw how a loss falls, with levels to compare it with.

    Parameters
    ----------
    losses : mapping of str to array_like of float, shape (steps,)
    levels : mapping of str to float
        Drawn as lines across.
    x_label : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``losses`` (runs, steps), ``levels``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.fitting({"fit": [3.0, 2.0]}, {"another noise": 1.0})
    >>> figure.data["levels"].tolist()
    [1.0]
    """
    figure, axes = canvas.grid(height=2.6, extra=0.6)
    ax = axes[0, 0]
    for colour, (name, values) in zip(
        (canvas.BLUE, canvas.ORANGE, canvas.GREEN), losses.items(), strict=False
    ):
        ax.plot(values, color=colour, linewidth=1.6, label=name)
    for style, (name, value) in zip(("--", ":", "-."), levels.items(), strict=False):
        ax.axhline(value, color=canvas.GREY, linestyle=style, linewidth=1.4, label=name)
    ax.set_xlabel(x_label)
    ax.set_ylabel("spectral loss")
    ax.set_yscale("log")
    ax.set_yticks([1, 2, 5, 10, 20, 50], ["1", "2", "5", "10", "20", "50"])
    ax.minorticks_off()
    runs = np.array([np.asarray(x, float) for x in losses.values()])
    every = np.append(runs, list(levels.values()))
    ax.set_ylim(every.min() / 1.2, every.max() * 1.2)
    canvas.legend(figure, ax, columns=2)
    return canvas.finish(figure, losses=runs, levels=list(levels.values()))


def three_levels(
    notes: Sequence[tuple[float, float, float]],
    performance: ArrayLike,
    names: Sequence[str],
    times: ArrayLike,
    pitch: ArrayLike,
    harmonics: ArrayLike,
) -> Figure:
    """Draw a melody at three levels: its notes, how they are played, what the synthesiser is told.

    Parameters
    ----------
    notes : sequence of (start, end, pitch)
        In seconds, and MIDI pitches.
    performance : array_like of float, shape (notes, controls)
        Each column is drawn as a share of its range over the notes.
    names : sequence of str
        Of the controls.
    times, pitch : array_like of float, shape (frames,)
        In seconds and hertz.
    harmonics : array_like of float, shape (frames, K)
        Amplitude of each.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``notes``, ``performance``, ``pitch`` and ``harmonics`` (dB).

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> figure = xa.plots.three_levels(
    ...     [(0, 1, 60)], [[1.0]], ["volume"], np.arange(9) / 9, np.full(9, 261.6), np.ones((9, 4))
    ... )
    >>> figure.data["notes"].shape
    (1, 3)
    """
    from matplotlib import colormaps

    rows, table = np.asarray(notes, float), np.asarray(performance, float)
    times, pitch = np.asarray(times, float), np.asarray(pitch, float)
    if table.shape != (len(rows), len(names)):
        raise XaiAudioError("three_levels() needs a number for each note and control.")
    heights = _decibels(np.asarray(harmonics, float)[:, :20])
    figure, axes = canvas.grid(
        4, 1, height=0.0, extra=7.4, sharex=True, height_ratios=(1.3, 1.6, 1.0, 1.3)
    )
    roll, played, line, tone = axes[:, 0]
    for start, end, midi in rows:
        roll.barh(midi, end - start, 0.9, left=start, color=canvas.BLUE)
    roll.set_ylabel("MIDI pitch")
    roll.yaxis.get_major_locator().set_params(integer=True)
    canvas.title(roll, "notes")
    low, high = table.min(axis=0), table.max(axis=0)
    shares = np.where(high > low, (table - low) / np.where(high > low, high - low, 1), 0.5)
    for number in range(len(names)):
        for (start, end, _), share in zip(rows, shares[:, number], strict=True):
            colour = colormaps["viridis"](float(share))
            played.barh(number, end - start, 0.9, left=start, color=colour)
    played.set_yticks(np.arange(len(names)), names)
    played.invert_yaxis()
    canvas.title(played, "performance: dark is the least of each control, bright the most")
    line.plot(times, np.where(pitch > 0, pitch, np.nan), color=canvas.BLUE, linewidth=1)
    line.set_ylabel("pitch (Hz)")
    canvas.title(line, "synthesis: pitch and harmonics")
    drawn = _drawn(tone, heights, times, (0.5, heights.shape[1] + 0.5))
    tone.set_ylabel("harmonic")
    tone.set_xlabel("time (s)")
    canvas.colour_bar(figure, drawn, axes, "harmonics in dB; 0 is the largest")
    return canvas.finish(figure, notes=rows, performance=table, pitch=pitch, harmonics=heights)


def level_changes(
    changes: ArrayLike, rows: Sequence[str], columns: Sequence[str], *, label: str
) -> Figure:
    """Draw how far each edit moved each thing that was measured.

    Parameters
    ----------
    changes : array_like of float, shape (rows, columns)
        From 0 up, in shares of something named by `label`.
    rows, columns : sequence of str
        Edits, and what was measured.
    label : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``changes``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.level_changes([[1.0, 0.0]], ["louder"], ["volume", "peak"], label="share")
    """
    values = np.asarray(changes, float)
    if values.shape != (len(rows), len(columns)):
        raise XaiAudioError("level_changes() needs a number for each row and column.")
    figure, axes = canvas.grid(height=1.4 + 0.36 * len(rows), extra=0.8)
    ax = axes[0, 0]
    top = max(float(values.max()), 1e-9)
    drawn = ax.imshow(values, aspect="auto", cmap="Blues", vmin=0, vmax=top)
    ax.set_xticks(np.arange(len(columns)), columns, rotation=35, ha="right")
    ax.set_yticks(np.arange(len(rows)), rows)
    for (row, column), value in np.ndenumerate(values):
        ax.text(
            column,
            row,
            f"{value:.2f}",
            ha="center",
            va="center",
            color="white" if value > 0.6 * top else "black",
            fontsize=canvas.FONT - 2,
        )
    canvas.colour_bar(figure, drawn, axes, label)
    return canvas.finish(figure, changes=values)
