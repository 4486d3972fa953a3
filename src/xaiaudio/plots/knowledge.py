"""What is read from each layer of a network: small panels of curves with bands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike


def known_by_layer(
    panels: Mapping[str, Mapping[str, ArrayLike]],
    *,
    label: str,
    chance: Mapping[str, float] | None = None,
    columns: int = 3,
) -> Figure:
    """Draw a panel for each property: a curve over the layers of each network, in its interval.

    Parameters
    ----------
    panels : mapping of str to mapping of str to array_like of float, shape (layers, 3)
        By property and network: lower end, score and upper end of each layer, from the input on, as
        :meth:`xaiaudio.probes.readings.Knowledge.curve` gives them.
    label : str
        What the scores are.
    chance : mapping of str to float, optional
        By property: a dotted line at what guessing gives.
    columns : int
        Panels side by side, at most.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: for each property and network, ``"property, network"``, an array (layers, 3).

    Raises
    ------
    XaiAudioError
        If there is no panel, or a curve has another shape.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> curve = [[0.1, 0.2, 0.3], [0.5, 0.6, 0.7]]
    >>> figure = xa.plots.known_by_layer({"pitch": {"trained": curve}}, label="R2")
    >>> figure.data["pitch, trained"].shape
    (2, 3)
    """
    curves = {
        name: {network: np.asarray(values, float) for network, values in of.items()}
        for name, of in panels.items()
    }
    shapes = {values.shape[1:] for of in curves.values() for values in of.values()}
    if shapes != {(3,)}:
        raise XaiAudioError(
            "known_by_layer() draws curves (layers, 3): lower end, score and upper end of each "
            "layer."
        )
    columns = min(columns, len(curves))
    rows = -(-len(curves) // columns)
    figure, axes = canvas.grid(rows, columns, height=1.9, extra=0.5, sharey=True)
    for ax, (name, of) in zip(axes.flat, curves.items(), strict=False):
        for index, (network, values) in enumerate(of.items()):
            layers, colour = np.arange(len(values)), canvas.COLOURS[index % len(canvas.COLOURS)]
            low, middle, high = values.T
            ax.fill_between(layers, low, high, color=colour, alpha=0.25, linewidth=0)
            style = ("-", "--", "-.", ":")[index % 4]
            ax.plot(layers, middle, style, color=colour, marker="os^D"[index % 4], markersize=3)
            ax.lines[-1].set_label(network)
        guess = (chance or {}).get(name)
        if guess is not None:
            ax.axhline(guess, color=canvas.GREY, linestyle=":", label="chance")
        canvas.title(ax, name)
        ax.spines[["top", "right"]].set_visible(False)
        ax.xaxis.get_major_locator().set_params(integer=True)
    for ax in axes[:, 0]:
        ax.set_ylabel(label)
    # Of each column, the lowest panel that shows something.
    for ax in axes.flat[len(curves) - columns : len(curves)]:
        ax.set_xlabel("layer (0: the input)")
    canvas.hide(axes.flat[len(curves) :])
    canvas.legend(figure, axes[0, 0], 4)
    found = {f"{name}, {network}": of[network] for name, of in curves.items() for network in of}
    return canvas.finish(figure, **found)
