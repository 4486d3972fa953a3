"""Figures of trees over classes: what a network answers at each level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..models.designs.trees import Tree


def family_tree(tree: Tree, answers: Sequence[ArrayLike], summed: Sequence[ArrayLike]) -> Figure:
    """Draw a tree of classes, its leaves on the right, with two probabilities at each node.

    Parameters
    ----------
    tree : Tree
    answers : sequence of array_like of float, each (groups,)
        What is answered at each level, the leaves first: the darker, the more probable.
    summed : sequence of array_like of float, each (groups,)
        The sums of the leaves' probabilities, which stand in brackets.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``level 0``, ... and ``level 0, summed``, ...

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.designs.trees import Tree
    >>> of_two = Tree(("dog", "saw"), (("animal", "machine"),))
    >>> figure = xa.plots.family_tree(of_two, [[0.9, 0.1]] * 2, [[0.9, 0.1]] * 2)
    """
    sizes = [len(tree.groups(height)) for height in range(tree.heights)]
    for values in (answers, summed):
        if [len(one) for one in values] != sizes:
            raise XaiAudioError(f"The tree has {sizes} groups on its levels: one number for each.")
    members = [tree.members(height) for height in range(tree.heights)]
    # Leaves that belong together stand together.
    order = np.lexsort([one.argmax(axis=0) for one in members])
    places = np.empty(len(order))
    places[order] = np.arange(len(order))
    figure, axes = canvas.grid(1, 1, height=0.6 + 0.36 * len(order))
    ax, last = axes[0, 0], tree.heights - 1
    data = {}
    for height, inside in enumerate(members):
        data[f"level {height}"] = answers[height]
        data[f"level {height}, summed"] = summed[height]
        rows = inside @ places / inside.sum(axis=1)
        for number, (name, row) in enumerate(zip(tree.groups(height), rows, strict=True)):
            if height < last:
                _line(ax, tree, members, places, (height, number), row, last)
            _node(ax, (last - height, row), name, answers[height][number], summed[height][number])
    ax.set_xlim(-0.5, last + 0.5)
    ax.set_ylim(len(order) - 0.4, -0.6)
    ax.set_axis_off()
    return canvas.finish(figure, **data)


def _line(ax, tree, members, places, node, row, last) -> None:
    """Draw the line from a node to its parent."""
    height, number = node
    leaf = int(members[height][number].argmax())
    above = members[height + 1][members[height + 1][:, leaf].argmax()]
    up = above @ places / above.sum()
    ax.plot([last - height - 1, last - height], [up, row], color=canvas.GREY, zorder=0)


def _node(ax, place, name, answer, total) -> None:
    ax.text(
        *place,
        f"{name}  {answer:.0%} ({total:.0%})",
        ha="center",
        va="center",
        fontsize=canvas.FONT - 2,
        color="white" if answer > 0.7 else "black",
        bbox={
            "boxstyle": "round",
            "facecolor": (*_shade(answer), 1.0),
            "edgecolor": canvas.BLUE,
        },
    )


def _shade(answer) -> tuple[float, ...]:
    """Return a colour from white to blue."""
    blue = np.array([int(canvas.BLUE[start : start + 2], 16) for start in (1, 3, 5)]) / 255
    return tuple(1 - float(answer) * (1 - blue))
