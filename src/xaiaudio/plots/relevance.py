"""Figures of relevance propagation: neurons, rules, plans of networks, where relevance ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..explainers.lrp.report import Relevance

MARKERS = "osD^"

#: Pale grounds for the boxes of a plan, one per rule in the order in which they appear.
GROUNDS = ("#f6d5b8", "#bcd9ec", "#b9e0cf", "#e9cfe0", "#efe7a8")


def neurons(
    values: Sequence[ArrayLike],
    weights: Sequence[ArrayLike],
    relevance: Sequence[ArrayLike],
    shares: Sequence[ArrayLike],
    *,
    names: Sequence[Sequence[str]] | None = None,
) -> Figure:
    """Draw a small network twice: what goes forward, and how relevance comes back.

    Parameters
    ----------
    values : sequence of array_like of float
        The neurons' values, one array per layer, from the input on.
    weights : sequence of array_like of float, shape (before, after)
        One per pair of layers.
    relevance : sequence of array_like of float
        Like `values`.
    shares : sequence of array_like of float
        Like `weights`: what each connection carries back.
    names : sequence of sequence of str, optional
        Like `values`, written above the neurons.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``values``, ``weights``, ``relevance`` and ``shares``, each in one flat array.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.neurons([[2.0], [6.0]], [[[3.0]]], [[6.0], [6.0]], [[[6.0]]])
    """
    layers = [[np.asarray(part, float) for part in parts] for parts in (values, relevance)]
    edges = [[np.asarray(part, float) for part in parts] for parts in (weights, shares)]
    for ends, between in zip(layers, edges, strict=True):
        sizes = [(len(a), len(b)) for a, b in zip(ends, ends[1:], strict=False)]
        if [part.shape for part in between] != sizes:
            raise XaiAudioError(f"The layers need connections of {sizes}, one array per pair.")
    figure, axes = canvas.grid(2, height=2.5)
    titles = ("forward: values, and weights on the connections", "back: relevance")
    for ax, text, ends, between in zip(axes[:, 0], titles, layers, edges, strict=True):
        canvas.hide([ax])
        canvas.title(ax, text)
        _connections(ax, between, signed=ends is layers[1])
        _neurons(ax, ends, names, signed=ends is layers[1])
        ax.set_xlim(-0.4, len(ends) - 0.6)
        ax.set_ylim(-1.1, 1.2)
    data = {
        "values": layers[0],
        "weights": edges[0],
        "relevance": layers[1],
        "shares": edges[1],
    }
    flat = {name: np.concatenate([part.ravel() for part in parts]) for name, parts in data.items()}
    return canvas.finish(figure, **flat)


def _height(index, count) -> float:
    return 0.0 if count == 1 else 0.7 - 1.4 * index / (count - 1)


def _colour(value, signed):
    if not signed:
        return "0.35"
    return canvas.ORANGE if value > 0 else canvas.BLUE if value < 0 else "0.6"


def _number(value) -> str:
    return f"{value:.3g}".replace("-", "\N{MINUS SIGN}")


def _neurons(ax, layers, names, *, signed) -> None:
    for column, layer in enumerate(layers):
        for index, value in enumerate(layer):
            height = _height(index, len(layer))
            ax.plot(
                column, height, "o", ms=34, mfc="white", mec=_colour(value, signed), mew=2, zorder=3
            )
            ax.text(column, height, _number(value), ha="center", va="center", fontsize=canvas.FONT)
            if names is not None:
                ax.text(
                    column,
                    height + 0.33,
                    names[column][index],
                    ha="center",
                    va="bottom",
                    fontsize=canvas.FONT - 1,
                )


def _connections(ax, between, *, signed) -> None:
    largest = max(np.abs(part).max(initial=0.0) for part in between) or 1.0
    for column, part in enumerate(between):
        for (start, end), value in np.ndenumerate(part):
            low, high = _height(start, part.shape[0]), _height(end, part.shape[1])
            width = 0.6 + 4 * abs(value) / largest if signed else 1.2
            colour = _colour(value, signed)
            ax.plot([column, column + 1], [low, high], color=colour, lw=width, zorder=1)
            # Nearer to where the connection begins: crossing lines keep their numbers apart.
            ax.text(
                column + 0.3,
                low + 0.3 * (high - low),
                _number(value),
                ha="center",
                va="center",
                fontsize=canvas.FONT - 2,
                bbox={"facecolor": "white", "linewidth": 0, "pad": 1.2},
                zorder=2,
            )


def rule_shares(shares: Mapping[str, ArrayLike], total: float, *, names: Sequence[str]) -> Figure:
    """Draw what several rules give to each of a few inputs, and whether that adds up.

    Parameters
    ----------
    shares : mapping of str to array_like of float, shape (inputs,)
        The relevance of the inputs by the name of the rule.
    total : float
        What was shared out.
    names : sequence of str
        Of the inputs.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``rules``, ``shares`` (rules, inputs), ``sums`` (rules,), ``total``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.rule_shares({"0": [-2, 4], "z+": [0, 2]}, 2, names=["one", "two"])
    """
    rules, table = list(shares), np.array([np.asarray(row, float) for row in shares.values()])
    sums = table.sum(axis=1)
    figure, axes = canvas.grid(height=1.3 + 0.42 * len(rules))
    ax = axes[0, 0]
    thickness = 0.8 / table.shape[1]
    for index, values in enumerate(table.T):
        places = np.arange(len(rules)) + thickness * (index - (table.shape[1] - 1) / 2)
        colour = (canvas.GREEN, canvas.GREY)[index % 2]
        ax.barh(places, values, thickness, color=colour, label=names[index])
    ax.plot(sums, np.arange(len(rules)), "kD", ms=6, label="sum")
    ax.axvline(total, color="k", lw=1, ls="--", label="logit")
    ax.axvline(0, color="0.6", lw=0.8)
    ax.set_yticks(np.arange(len(rules)), rules, fontsize=canvas.FONT - 1)
    ax.invert_yaxis()
    ax.set_xlabel("relevance")
    ax.spines[["top", "right"]].set_visible(False)
    _legend(ax, table.shape[1] + 2)
    return canvas.finish(figure, rules=rules, shares=table, sums=sums, total=float(total))


def _legend(ax, columns) -> None:
    ax.legend(
        fontsize=canvas.FONT - 2,
        frameon=False,
        ncols=columns,
        loc="lower center",
        bbox_to_anchor=(0.5, 1.0),
    )


def layer_plan(plans: Mapping[str, Sequence[tuple[str, tuple[int, ...], str]]]) -> Figure:
    """Draw the layers of networks from the input at the bottom to the logits, with their rules.

    Parameters
    ----------
    plans : mapping of str to sequence of (str, tuple of int, str)
        Title to layers: name, shape of the output, rule (empty where relevance only passes). Two
        networks read well.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``layers``, ``shapes`` and ``rules`` by title.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> layers = [("conv", (96, 64, 16), "flat"), ("pool", (48, 32, 16), "")]
    >>> figure = xa.plots.layer_plan({"small": layers})
    """
    plans = {title: list(layers) for title, layers in plans.items()}
    rules = dict.fromkeys(rule for layers in plans.values() for *_, rule in layers if rule)
    grounds = {rule: GROUNDS[index % len(GROUNDS)] for index, rule in enumerate(rules)}
    longest = max(map(len, plans.values()))
    figure, axes = canvas.grid(1, len(plans), height=0.5 + 0.27 * longest)
    data = {}
    for ax, (title, layers) in zip(axes[0], plans.items(), strict=True):
        canvas.hide([ax])
        canvas.title(ax, title)
        for row, (name, shape, rule) in enumerate(layers):
            size = "\N{MULTIPLICATION SIGN}".join(map(str, shape))
            ground = grounds.get(rule, "white")
            ax.barh(row, 1, 0.84, color=ground, edgecolor="0.6", lw=0.7, clip_on=False)
            for place, text, side in ((0.02, name, "left"), (0.98, rule, "right")):
                ax.text(place, row, text, ha=side, va="center", fontsize=canvas.FONT - 3)
            ax.text(0.73, row, size, ha="right", va="center", fontsize=canvas.FONT - 4, color="0.3")
        ax.set_xlim(0, 1)
        ax.set_ylim(-0.6, longest - 0.4)
        data[title] = {
            "layers": [name for name, *_ in layers],
            "shapes": ["x".join(map(str, shape)) for _, shape, _ in layers],
            "rules": [rule for *_, rule in layers],
        }
    figure = canvas.finish(figure)
    figure.data = data
    return figure


def relevance_flow(reports: Mapping[str, Relevance]) -> Figure:
    """Draw how much of the logit is left at each layer, and how much stays with its biases.

    Parameters
    ----------
    reports : mapping of str to Relevance
        Name to the result of relevance propagation of the same inputs through one network, with its
        report. Means over the inputs are drawn.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``layers`` from the logits down, the input last; ``left`` and ``bias`` (layers,) by
        name, as shares of the logit.

    Raises
    ------
    XaiAudioError
        If a result has no report.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.lrp import relevance
    >>> model = xa.load_model("lite")
    >>> inputs = model.as_input(model.frontend(np.sin(np.arange(16000) / 5)))
    >>> found = relevance(model.logits_network, inputs, [0], report=True)
    >>> figure = xa.plots.relevance_flow({"epsilon-plus-flat": found})
    """
    if not all(found.layers for found in reports.values()):
        raise XaiAudioError("There is no report to draw: call relevance() with report=True.")
    first = next(iter(reports.values()))
    names = [layer.name for layer in first.layers[::-1]] + ["input"]
    data: dict = {"layers": names}
    figure, axes = canvas.grid(1, 2, height=1.4 + 0.23 * len(names), sharey=True)
    places = np.arange(len(names))
    for index, (name, found) in enumerate(reports.items()):
        layers = found.layers[::-1]
        left = [float((layer.arrived / found.logits).mean()) for layer in layers]
        left.append(float((layers[-1].passed / found.logits).mean()))
        bias = [float((layer.bias / found.logits).mean()) for layer in layers] + [0.0]
        style: dict = {"ms": 4, "lw": 1.4}
        style |= {"color": canvas.COLOURS[index % 4], "marker": MARKERS[index % len(MARKERS)]}
        axes[0, 0].plot(left, places, label=name, **style)
        axes[0, 1].plot(bias[:-1], places[:-1], **{**style, "lw": 0})
        data[name] = {"left": left, "bias": bias}
    axes[0, 0].set_yticks(places, [name[:22] for name in names], fontsize=canvas.FONT - 3)
    axes[0, 0].invert_yaxis()
    axes[0, 0].set_xlabel("left, share of the logit")
    axes[0, 1].set_xlabel("stays with the biases")
    for ax in axes[0]:
        ax.axvline(0, color="0.6", lw=0.8)
        ax.grid(axis="y", color="0.92")
        ax.spines[["top", "right"]].set_visible(False)
    figure.legend(
        loc="outside upper center", ncols=len(reports), fontsize=canvas.FONT - 2, frameon=False
    )
    figure = canvas.finish(figure)
    figure.data = data
    return figure


def conservation(
    sums: Mapping[str, Mapping[str, ArrayLike]], *, titles: Sequence[str] | None = None
) -> Figure:
    """Draw what maps sum to, as a share of the logit that was shared out.

    Parameters
    ----------
    sums : mapping of str to mapping of str to array_like of float, shape (n,)
        Panel to name of the rules to one ratio per input. 1 is conserved.
    titles : sequence of str, optional
        One per panel.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: by panel and name, the ``ratios``, lowest first: their order is nobody's.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.conservation({"without biases": {"z+": [1.0, 1.0]}})
    """
    titles = list(sums) if titles is None else list(titles)
    figure, axes = canvas.grid(
        len(sums), height=0.9 + 0.34 * max(map(len, sums.values())), sharex=True
    )
    data = {}
    largest = 1.0
    for ax, title, (panel, rows) in zip(axes[:, 0], titles, sums.items(), strict=True):
        for row, values in enumerate(rows.values()):
            values = np.sort(np.asarray(values, float))
            largest = max(largest, np.abs(values).max(initial=0.0))
            # A little up and down, so that equal values are seen to be many.
            heights = row + 0.22 * np.sin(2.4 * np.arange(len(values)))
            ax.plot(values, heights, "o", ms=5, alpha=0.6, mew=0, color=canvas.COLOURS[row % 4])
        ax.axvline(1, color="k", lw=1, ls="--")
        ax.axvline(0, color="0.6", lw=0.8)
        ax.set_yticks(np.arange(len(rows)), list(rows), fontsize=canvas.FONT - 1)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.spines[["top", "right"]].set_visible(False)
        canvas.title(ax, title)
        data[panel] = {name: np.sort(np.asarray(values, float)) for name, values in rows.items()}
    label = "sum of the map / logit (1: all of it)"
    if largest > 6:
        axes[0, 0].set_xscale("symlog", linthresh=2)
        ends = [10.0**power for power in range(1, int(np.log10(largest)) + 1)]
        # Below ten there is no power to end on: 2, where the logarithm begins, and 5 stand in.
        ends = [1.0, *ends] if ends else [1.0, 2.0, 5.0]
        low, high = axes[0, 0].get_xlim()
        ticks = [end for end in (*(-end for end in ends[::-1]), 0, *ends) if low <= end <= high]
        axes[0, 0].set_xticks(ticks, [f"{tick:g}" for tick in ticks])
        axes[0, 0].minorticks_off()
        label += ", beyond 2 logarithmic"
    axes[-1, 0].set_xlabel(label)
    figure = canvas.finish(figure)
    figure.data = data
    return figure
