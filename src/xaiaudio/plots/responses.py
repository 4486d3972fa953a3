"""Figures of sounds with controls: a network's answers while one control moves, or two."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from ..explainers.changes import Counterfactuals, Together


def responses(found: Counterfactuals) -> Figure:
    """Draw a panel for each control: the probabilities while it goes through its range.

    Blue is the class that is heard in the sound as it is. Orange is the one that was asked for; if
    none was, the one that the smallest change leads to, or else the other one that comes nearest.
    Grey is where the answer is the class asked for, or another one than now.

    Parameters
    ----------
    found : Counterfactuals

    Returns
    -------
    matplotlib.figure.Figure
        `data`: for each control ``"NAME"`` (its values), ``"NAME, now"`` and ``"NAME, other"`` (the
        two probabilities).
    """
    count = len(found.curves)
    figure, axes = canvas.grid(-(-count // 2), 2, height=1.75, extra=0.5, sharey=True)
    canvas.hide(axes.flat)
    data, now = {}, found.labels.index(found.answer.label)
    for ax, (name, curve) in zip(axes.flat, found.curves.items(), strict=False):
        ax.set_axis_on()
        change, control = found.changes[name], curve.control
        other = _other(found, change, curve, now)
        for label, index, colour in (("now", now, canvas.BLUE), ("other", other, canvas.ORANGE)):
            data[f"{name}, {label}"] = chance = curve.probabilities[:, index]
            ax.plot(curve.values, chance, color=colour, marker=".", markersize=4)
        data[name] = curve.values
        _shade(ax, curve, curve.answers == other if found.target else curve.answers != now)
        ax.axvline(control.value, color="black", linewidth=1)
        if change is not None:
            ax.axvline(change.values[0], color=canvas.ORANGE, linestyle="--", linewidth=1.5)
        _value_axis(ax, control)
        ax.set_ylim(-0.03, 1.03)
        canvas.title(ax, f"→ {found.labels[other]}" if change is not None else "no flip")
    for ax in axes[:, 0]:
        ax.set_ylabel("probability")
    return canvas.finish(figure, **data)


def _other(found, change, curve, now) -> int:
    """Return the number of the class that is drawn beside the one heard now."""
    if change is not None or found.target:
        return found.labels.index(found.target or change.answer.label)
    highest = curve.probabilities.max(axis=0)
    highest[now] = -1
    return int(highest.argmax())


def _shade(ax, curve, flipped) -> None:
    """Shade the values that flip, half way to their neighbours."""
    places = curve.control.places(curve.values)
    edges = np.concatenate([places[:1], (places[1:] + places[:-1]) / 2, places[-1:]])
    edges = curve.control.at(edges)
    for left, right in np.column_stack([edges[:-1], edges[1:]])[flipped]:
        ax.axvspan(left, right, color="#dddddd", linewidth=0, zorder=0)


def _value_axis(ax, control) -> None:
    if control.log:
        from matplotlib.ticker import FixedLocator, NullLocator

        ax.set_xscale("log")
        ax.xaxis.set_minor_locator(NullLocator())
        marks = np.geomspace(control.low, control.high, 4)
        ax.xaxis.set_major_locator(FixedLocator(marks))
        ax.set_xticklabels([f"{mark:.2g}" if mark < 10 else f"{mark:.0f}" for mark in marks])
    ax.set_xlim(control.low, control.high)
    ax.set_xlabel(f"{control.name} ({control.unit})")


def answers_of_two(found: Together) -> Figure:
    """Draw what is heard while two controls move: the probability of the class heard now.

    Lines part the settings at which different classes are heard; their names stand in them. A
    circle is the sound as it is, a star the change that was found.

    Parameters
    ----------
    found : Together

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``probability`` (g, h) of the class heard now.
    """
    figure, axes = canvas.grid(1, 1, height=3.6, extra=0.6)
    ax, (first, second) = axes[0, 0], found.controls
    here = [_index(c, v, c.value) for c, v in zip(found.controls, found.values, strict=True)]
    now = int(found.answers[round(here[0]), round(here[1])])
    chance = found.probabilities[..., now]
    drawn = ax.imshow(
        chance.T, origin="lower", aspect="auto", cmap="cividis", vmin=0, vmax=1, zorder=0
    )
    numbers, count = found.answers, found.answers.shape
    row, column = np.nonzero(np.diff(numbers, axis=0))
    ax.vlines(row + 0.5, column - 0.5, column + 0.5, color="white", linewidth=2)
    row, column = np.nonzero(np.diff(numbers, axis=1))
    ax.hlines(column + 0.5, row - 0.5, row + 0.5, color="white", linewidth=2)
    for answer in np.unique(numbers[numbers >= 0]):
        _name(ax, np.argwhere(numbers == answer), found.labels[answer], chance)
    ax.plot(*here, "o", markersize=11, markerfacecolor="none", markeredgecolor="red", mew=2)
    if found.change is not None:
        moved = dict(zip((c.name for c in found.change.controls), found.change.values, strict=True))
        there = [
            _index(c, v, moved.get(c.name, c.value))
            for c, v in zip(found.controls, found.values, strict=True)
        ]
        ax.plot(*there, "*", markersize=15, color="red", markeredgecolor="white")
    for axis, control, values in (
        (ax.xaxis, first, found.values[0]),
        (ax.yaxis, second, found.values[1]),
    ):
        marks = np.arange(0, len(values), 2)
        axis.set_ticks(marks, [f"{values[mark]:.3g}" for mark in marks])
        axis.set_label_text(f"{control.name} ({control.unit})")
    ax.set_xlim(-0.5, count[0] - 0.5)
    ax.set_ylim(-0.5, count[1] - 0.5)
    canvas.colour_bar(figure, drawn, axes, f"probability of {found.labels[now]}")
    return canvas.finish(figure, probability=chance)


def _index(control, values, value) -> float:
    """Return where a value lies among the rows of a grid, as a fraction of a row."""
    return float(np.interp(control.places(value), control.places(values), np.arange(len(values))))


def _name(ax, cells, label, chance) -> None:
    """Write a class into the cell of its own that lies most in the middle of them."""
    if len(cells) < 3:
        return
    middle = cells[np.square(cells - cells.mean(axis=0)).sum(axis=1).argmin()]
    ink, last = "black" if chance[tuple(middle)] > 0.5 else "white", chance.shape[0] - 1
    # A name at the edge stands inside of it.
    side = "left" if middle[0] < 2 else "right" if middle[0] > last - 2 else "center"
    place = {"left": -0.4, "right": last + 0.4, "center": middle[0]}[side]
    ax.text(place, middle[1], label, ha=side, va="center", color=ink, fontsize=canvas.FONT - 2)
