"""What networks that explain themselves cost: accuracy beside the parts that a decision takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def prices(
    names: Sequence[str],
    accuracy: ArrayLike,
    needed: ArrayLike,
    *,
    references: Mapping[str, float] | None = None,
) -> Figure:
    """Draw accuracy with its range, and beside it how many parts make up a decision.

    Parameters
    ----------
    names : sequence of str
        Of the networks, from the top down.
    accuracy : array_like of float, shape (networks, 3)
        Lowest, mean and highest share of clips classified correctly, in [0, 1].
    needed : array_like of float, shape (networks,)
        Parts that hold nine tenths of a decision; NaN for a network that has none.
    references : mapping of str to float, optional
        Accuracies to compare with, such as people's: lines across all networks.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``accuracy``, ``needed``, ``references``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.prices(["nmf"], [[0.7, 0.8, 0.9]], [5], references={"people": 0.96})
    >>> figure.data["needed"].tolist()
    [5.0]
    """
    accuracy, needed = np.asarray(accuracy, float), np.asarray(needed, float)
    figure, axes = canvas.grid(1, 2, height=1.4 + 0.32 * len(names), sharey=True)
    left, right = axes[0]
    rows = np.arange(len(names))
    canvas.dots(left, names, {"mean, lowest and highest": 100 * accuracy}, canvas.COLOURS)
    for style, (name, value) in zip(("--", ":", "-."), (references or {}).items(), strict=False):
        left.axvline(100 * value, color=canvas.GREY, linestyle=style, label=name)
    left.set_xlabel("clips classified correctly (%)")
    bars = np.nan_to_num(needed, nan=0.0)
    right.barh(rows, bars, height=0.55, color=canvas.COLOURS[1])
    for row, value in zip(rows, needed, strict=True):
        text = "no parts" if np.isnan(value) else f"{value:g}"
        right.annotate(
            text, (bars[row], row), xytext=(4, 0), textcoords="offset points", va="center"
        )
    right.set_xlim(0, 1.25 * max(1.0, bars.max()))
    right.set_xlabel("parts needed")
    right.spines[["top", "right"]].set_visible(False)
    if references:
        canvas.legend(figure, left, columns=4)
    found = {"accuracy": accuracy, "needed": bars}
    if references:
        found["references"] = np.array(list(references.values()))
    return canvas.finish(figure, **found)
