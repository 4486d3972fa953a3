"""Figures of labels, training and predictions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import canvas

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..datasets.base import ClipSet
    from ..models.votes import ClipPrediction

# Confusions and shares: from white, so that a zero is as pale as the page.
COUNTS = "Blues"


def label_counts(clips: ClipSet, *, names: Sequence[str] | None = None) -> Figure:
    """Draw how many clips each class has.

    Parameters
    ----------
    clips : ClipSet, mapping of str to int, or a sequence of either
        Several sets are drawn as bars side by side, for example training and test.
    names : sequence of str, optional
        One per set.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``labels``, ``counts`` (sets, classes).

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.label_counts({"Rain": 40, "Rooster": 38})
    """
    single = isinstance(clips, Mapping) or hasattr(clips, "counts")
    sets = [clips] if single and not isinstance(clips, (list, tuple)) else list(clips)
    canvas.check_any(sets, "set of clips")
    counts = [dict(part) if isinstance(part, Mapping) else part.counts() for part in sets]
    labels = list(counts[0])
    table = np.array([[part.get(label, 0) for label in labels] for part in counts])
    figure, axes = canvas.grid(height=0.9 + 0.28 * len(labels) * max(1, 0.7 * len(sets)))
    ax = axes[0, 0]
    _bars(ax, labels, table, names, str)
    ax.set_xlabel("clips")
    return canvas.finish(figure, labels=labels, counts=table)


def _bars(ax, labels, table, names, write) -> None:
    """Draw horizontal bars (sets, labels) from the top down, each with its number."""
    colours = (canvas.BLUE, canvas.ORANGE, canvas.GREEN, canvas.GREY)
    thickness = 0.8 / len(table)
    for index, values in enumerate(table):
        places = np.arange(len(labels)) + thickness * (index - (len(table) - 1) / 2)
        bars = ax.barh(
            places,
            values,
            thickness,
            color=colours[index % len(colours)],
            label=names[index] if names is not None else None,
        )
        texts = [write(value) for value in values]
        ax.bar_label(bars, labels=texts, padding=3, fontsize=canvas.FONT - 2)
    ax.set_yticks(np.arange(len(labels)), labels, fontsize=canvas.FONT - 1)
    ax.invert_yaxis()
    ax.margins(x=0.12)
    ax.spines[["top", "right"]].set_visible(False)
    if names is not None:
        ax.legend(
            fontsize=canvas.FONT - 2,
            frameon=False,
            ncols=len(table),
            loc="lower right",
            bbox_to_anchor=(1, 1),
        )


def class_shares(
    prediction: ClipPrediction | Mapping[str, float], *, true: str | None = None
) -> Figure:
    """Draw the share of a clip's patches that went to each class.

    Parameters
    ----------
    prediction : ClipPrediction or mapping of str to float
        What `AudioClassifier.predict_clip` returned, or its shares, 0 to 1.
    true : str, optional
        The true label, marked in the axis.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``labels``, ``shares``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.class_shares({"Rain": 0.9, "Sea waves": 0.1}, true="Rain")
    """
    given: Any = getattr(prediction, "shares", prediction)
    shares = dict(given)
    labels = list(shares)
    values = np.array([shares[label] for label in labels], float)
    figure, axes = canvas.grid(height=0.9 + 0.28 * len(labels))
    ax = axes[0, 0]
    marked = [f"{label} (true)" if label == true else label for label in labels]
    _bars(ax, marked, values[None], None, "{:.0%}".format)
    ax.set_xlim(0, 1.12)
    ax.set_xticks([0, 0.25, 0.5, 0.75, 1], ["0 %", "25 %", "50 %", "75 %", "100 %"])
    ax.set_xlabel("share of the patches")
    return canvas.finish(figure, labels=labels, shares=values)


def training_curves(history: Mapping[str, ArrayLike], *, title: str = "") -> Figure:
    """Draw accuracy and loss per patch over the iterations of a training run.

    Parameters
    ----------
    history : mapping of str to array_like of float
        As `AudioClassifier.history`: ``loss`` and ``accuracy`` (0 to 1) of each iteration, and if
        there were held-out clips ``validation_iteration``, ``validation_loss``,
        ``validation_accuracy``. Ends of epochs (``epoch_iteration``) become grey lines.
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: the series that were drawn, and ``iteration``.

    Raises
    ------
    XaiAudioError
        If the history holds no training run.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> history = {"accuracy": [0.1, 0.5], "loss": [2.3, 1.5], "validation_iteration": [2],
    ...            "validation_accuracy": [0.4], "validation_loss": [1.8]}
    >>> figure = xa.plots.training_curves(history)
    """
    if not len(history.get("loss", ())) or not len(history.get("accuracy", ())):
        raise XaiAudioError(
            "There is no training to draw: this network's history has no loss and accuracy."
        )
    checks = history.get("validation_iteration", ())
    shown = {"iteration": np.arange(1, len(history["loss"]) + 1)}
    figure, axes = canvas.grid(2, height=2.2, sharex=True)
    for ax, name, label, factor in (
        (axes[0, 0], "accuracy", "patches right (%)", 100),
        (axes[1, 0], "loss", "loss", 1),
    ):
        shown[name] = np.asarray(history[name], float)
        ax.plot(shown["iteration"], factor * shown[name], color=canvas.BLUE, lw=1, label="training")
        if len(checks):
            held_out = shown[f"validation_{name}"] = np.asarray(
                history[f"validation_{name}"], float
            )
            ax.plot(checks, factor * held_out, "o--", color=canvas.ORANGE, ms=5, label="held out")
        for end in history.get("epoch_iteration", ())[:-1]:
            ax.axvline(end, color=canvas.GREY, linewidth=0.6, alpha=0.6)
        ax.set_ylabel(label)
    if len(checks):
        shown["validation_iteration"] = np.asarray(checks)
        axes[0, 0].legend(fontsize=canvas.FONT - 2, loc="lower right")
    axes[0, 0].set_ylim(0, 102)
    axes[1, 0].set_ylim(0, None)
    axes[1, 0].set_xlabel("iteration")
    canvas.title(axes[0, 0], title)
    return canvas.finish(figure, **shown)


def confusion(matrix: ArrayLike, labels: Sequence[str], *, title: str = "") -> Figure:
    """Draw a confusion matrix with row and column summaries.

    The columns at the right tell how many of a true class were found (recall) and missed; the rows
    below how many of the answers with a class were right (precision) and wrong.

    Parameters
    ----------
    matrix : array_like of int, shape (classes, classes)
        Counts; rows are the true classes, columns the predicted ones.
    labels : sequence of str
    title : str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``matrix``, ``recall``, ``precision`` (0 to 1, NaN where there is nothing),
        ``accuracy``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.confusion([[9, 1], [2, 8]], ["Rain", "Rooster"])
    >>> figure.data["accuracy"]
    0.85
    """
    matrix = _square(matrix, labels)
    recall, precision = _ratio(matrix, axis=1), _ratio(matrix, axis=0)
    size = len(labels)
    figure, axes = canvas.grid(
        2,
        2,
        height=0.0,
        extra=2.3 + 0.42 * (size + 2),
        width_ratios=(size, 2.4),
        height_ratios=(size, 2),
    )
    _counts(axes[0, 0], matrix)
    _percents(axes[0, 1], np.stack([recall, 1 - recall], axis=1), good=[0])
    _percents(axes[1, 0], np.stack([precision, 1 - precision]), good=[0], rows=True)
    axes[1, 1].set_axis_off()
    _name_axes(axes[0, 0], labels, across=False)
    axes[0, 0].set_ylabel("true")
    axes[0, 1].set_xticks([0, 1], ["found", "missed"], rotation=90, fontsize=canvas.FONT - 2)
    axes[0, 1].xaxis.tick_top()
    axes[0, 1].set_yticks([])
    axes[1, 0].set_yticks([0, 1], ["right", "wrong"], fontsize=canvas.FONT - 2)
    axes[1, 0].set_xticks(range(size), labels, rotation=90, fontsize=canvas.FONT - 2)
    axes[1, 0].set_xlabel("predicted")
    canvas.title(axes[0, 0], title)
    accuracy = float(np.trace(matrix) / max(matrix.sum(), 1))
    return canvas.finish(
        figure, matrix=matrix, recall=recall, precision=precision, accuracy=accuracy
    )


def confusion_pair(
    first: ArrayLike,
    second: ArrayLike,
    labels: Sequence[str],
    *,
    titles: tuple[str, str] = ("people", "network"),
) -> Figure:
    """Draw two confusion matrices on one scale, in percent of each true class.

    Parameters
    ----------
    first, second : array_like of int, shape (classes, classes)
        Counts; rows are the true classes.
    labels : sequence of str
    titles : pair of str

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``first``, ``second``: shares of each true class, 0 to 1.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> figure = xa.plots.confusion_pair([[9, 1], [2, 8]], [[5, 0], [1, 4]], ["Rain", "Sea"])
    """
    shares = []
    for matrix in (first, second):
        matrix = _square(matrix, labels)
        shares.append(matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1))
    size = len(labels)
    figure, axes = canvas.grid(2, height=0.8 + 0.38 * size, extra=1.3, sharex=True)
    for ax, share, name in zip(axes[:, 0], shares, titles, strict=True):
        drawn = ax.imshow(100 * share, cmap=COUNTS, vmin=0, vmax=100, aspect="auto")
        _write(ax, share, "{:.0%}".format, dark=share > 0.5)
        _name_axes(ax, labels, across=ax is axes[-1, 0])
        ax.set_ylabel("true")
        canvas.title(ax, name)
    axes[-1, 0].set_xlabel("answered")
    canvas.colour_bar(figure, drawn, axes, "share of the true class (%)")
    return canvas.finish(figure, first=shares[0], second=shares[1])


def _square(matrix, labels) -> np.ndarray:
    matrix = np.asarray(matrix)
    if matrix.shape != (len(labels), len(labels)):
        raise XaiAudioError(
            f"A confusion matrix of {len(labels)} classes has {len(labels)} rows and columns, "
            f"this one has the shape {matrix.shape}."
        )
    return matrix


def _ratio(matrix, axis) -> np.ndarray:
    total = matrix.sum(axis=axis).astype(float)
    return np.divide(np.diag(matrix), total, out=np.full(len(total), np.nan), where=total > 0)


def _counts(ax, matrix) -> None:
    """Draw counts: the diagonal in blue, mistakes in orange, both by their share of the row."""
    share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    right = np.eye(len(matrix), dtype=bool)
    _two_colours(ax, share, right)
    _write(ax, matrix, str, dark=share > 0.55)


def _percents(ax, values, *, good, rows=False) -> None:
    right = np.zeros(values.shape, bool)
    if rows:
        right[good] = True
    else:
        right[:, good] = True
    filled = np.nan_to_num(values)
    _two_colours(ax, filled, right)
    texts = np.where(np.isnan(values), "–", np.char.mod("%.0f%%", 100 * filled))
    _write(ax, np.where(np.isnan(values), 0, values), None, dark=filled > 0.55, texts=texts)


def _two_colours(ax, share, right) -> None:
    for cells, colours in ((right, "Blues"), (~right, "Oranges")):
        hidden = np.ma.masked_array(share, ~cells | (share == 0))  # nothing is white
        ax.imshow(hidden, cmap=colours, vmin=0, vmax=1.15, aspect="auto")


def _write(ax, values, write, *, dark, texts=None) -> None:
    """Write the number of each cell that is not zero."""
    for (row, column), value in np.ndenumerate(values):
        if value == 0 and texts is None:
            continue
        text = write(value) if texts is None else texts[row, column]
        colour = "white" if dark[row, column] else "black"
        ax.text(column, row, text, ha="center", va="center", color=colour, fontsize=8.5)


def _name_axes(ax, labels, *, across) -> None:
    ax.set_yticks(range(len(labels)), labels, fontsize=canvas.FONT - 2)
    if across:
        ax.set_xticks(range(len(labels)), labels, rotation=90, fontsize=canvas.FONT - 2)
    else:
        ax.tick_params(labelbottom=False)
