"""Write down what the figures and numbers of a notebook say.

The written record travels in the metadata of the very output that shows the figure, so that the
two cannot part: an executed notebook carries everything that the regression test compares.
"""

from __future__ import annotations

import base64
import math
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..plots.render import render

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

#: Key of the record in the metadata of a notebook output.
KEY = "application/vnd.xaiaudio.record+json"

#: Most values that are kept of one array; larger ones are averaged in blocks.
VALUES = 1024

#: Significant digits kept of every value.
DIGITS = 5

_GLUE = "application/papermill.record/"


def record_figures(names: Mapping[str, Sequence[str]]) -> None:
    """Record the figures of this notebook under the names that their cells have.

    From then on a figure that a cell displays carries the record of its ``data``: a dict of the
    arrays, numbers and texts it shows. The figures of :mod:`xaiaudio.plots` have one; to others,
    add it. A figure without one, or one of a cell without a name, is displayed as ever.

    Parameters
    ----------
    names : mapping of str to sequence of str
        The name of the figure, by the source of the cell that shows it; several where the cells
        of several figures have the same source, in their order.

    Examples
    --------
    >>> record_figures({"plots.plot(result)": ["fig-gradcam"]})  # doctest: +SKIP
    """
    from IPython import get_ipython
    from matplotlib.figure import Figure

    shell = get_ipython()
    running = {}
    left = {source: list(of_source) for source, of_source in names.items()}

    def begin(info):
        coming = left.get(info.raw_cell.strip(), [])
        running["name"] = coming.pop(0) if coming else None

    def bundle(fig):
        return figure_bundle(running.get("name"), fig)

    shell.events.register("pre_run_cell", begin)
    shell.display_formatter.mimebundle_formatter.for_type(Figure, bundle)


def figure_bundle(name: str | None, fig: Figure) -> tuple[dict, dict]:
    """Return what a notebook displays of a figure, and the metadata that record its numbers.

    Parameters
    ----------
    name : str or None
        Unique in the book. The regression test knows the figure by this name.
    fig : matplotlib.figure.Figure

    Returns
    -------
    bundle, metadata : dict
        Both empty, so that it is displayed without a record, if there is no name or no ``data``.

    Raises
    ------
    XaiAudioError
        If something in ``data`` cannot be recorded.
    """
    data = getattr(fig, "data", None)
    if not name or not isinstance(data, dict) or not data:
        return {}, {}
    record = {"kind": "figure", "name": name, "data": summarise(data, name)}
    picture = base64.b64encode(render(fig)).decode("ascii")
    return {"image/png": picture, "text/plain": f"<Figure '{name}'>"}, {KEY: record}


def number(
    name: str, value: int | float | bool | str, *, tolerance: float = 0.0, timing: bool = False
) -> None:
    """Make a number or a text quotable in the prose, and record it.

    The text of the chapter quotes it with ``{glue:text}`name:.1f```.

    Parameters
    ----------
    name : str
        Unique in the book.
    value : int, float, bool or str
        NumPy scalars are taken as well.
    tolerance : float
        The regression test lets through at least this much difference, in the unit of `value`;
        say one clip of a hundred. The measured spread between seeds may allow more.
    timing : bool
        True for a duration or anything else that belongs to the machine: it is recorded but not
        compared.

    Raises
    ------
    XaiAudioError
        If the value is not a number or a text.

    Examples
    --------
    >>> number("clips", 400)
    >>> number("accuracy", 92.5, tolerance=1.25)
    """
    value = _plain(value, name)
    record = {"kind": "number", "name": str(name), "value": value}
    if tolerance:
        record["tolerance"] = float(tolerance)
    if timing:
        record["timing"] = True
    if not _in_notebook():
        return
    # What myst_nb.glue(name, value, display=False) sends, without needing myst-nb on Colab.
    metadata = {"scrapbook": {"name": str(name), "mime_prefix": _GLUE}, KEY: record}
    _display({_GLUE + "text/plain": repr(value)}, metadata)


def summarise(data: dict, name: str = "") -> dict:
    """Turn what a figure shows into plain JSON of bounded size.

    Parameters
    ----------
    data : dict
        Arrays (numeric, bool or text), numbers, texts, None, or dicts of them.
    name : str
        For the error message.

    Returns
    -------
    dict
        Flat: the keys of nested dicts are joined by ``/``. Texts and numbers stay as they are. An
        array becomes a dict with its ``shape``, ``dtype`` kind, ``min``, ``max``, ``mean``,
        ``rms`` and its ``values``: rounded, and averaged over blocks if there are more than
        `VALUES`, so that a transposed map or a missing clip still shows.

    Raises
    ------
    XaiAudioError
        For a value that is none of these.
    """
    flat = {}
    for key, value in data.items():
        if isinstance(value, dict):
            inner = summarise(value, f"{name}/{key}")
            flat.update({f"{key}/{part}": item for part, item in inner.items()})
        else:
            flat[str(key)] = _summary(value, f"{name}/{key}")
    return flat


def _summary(value, name):
    if value is None or isinstance(value, (str, bool, int, float, np.generic)):
        return _plain(value, name)
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise XaiAudioError(f"'{name}' cannot be recorded: {error}.") from error
    if array.ndim == 0:
        return _plain(array.item(), name)
    if array.dtype.kind in "US":
        return {"kind": "texts", "shape": list(array.shape), "values": array.astype(str).tolist()}
    if array.dtype.kind == "O":  # such as labels with a None among them
        texts = [None if item is None else str(item) for item in array.ravel()]
        return {"kind": "texts", "shape": list(array.shape), "values": texts}
    if array.dtype.kind not in "biuf":
        raise XaiAudioError(f"'{name}' cannot be recorded: an array of {array.dtype}.")
    return _array(array)


def _array(array):
    kind = {"b": "bool", "i": "int", "u": "int", "f": "float"}[array.dtype.kind]
    summary = {"kind": kind, "shape": list(array.shape)}
    if array.size == 0:
        return {**summary, "values": []}
    exact = array.astype(np.float64)
    finite = exact[np.isfinite(exact)]
    if finite.size < exact.size:
        summary["not_finite"] = int(exact.size - finite.size)
        exact = np.where(np.isfinite(exact), exact, 0.0)
    if finite.size:
        summary["min"] = _round(finite.min())
        summary["max"] = _round(finite.max())
        summary["mean"] = _round(finite.mean())
        summary["rms"] = _round(np.sqrt(np.mean(finite**2)))
    blocks = _blocks(array.shape)
    if max(blocks) > 1:
        summary["blocks"] = blocks
        kind = "float"
    means = block_mean(exact, blocks)
    rounded = [int(v) if kind in ("int", "bool") else _round(v) for v in means.ravel()]
    summary["values"] = np.array(rounded, dtype=object).reshape(means.shape).tolist()
    return summary


def _blocks(shape) -> list[int]:
    """Choose the block sizes that bring an array under the limit, longest axis first."""
    blocks = [1] * len(shape)
    lengths = list(shape)
    while math.prod(lengths) > VALUES:
        axis = int(np.argmax(lengths))
        blocks[axis] *= 2
        lengths[axis] = -(-shape[axis] // blocks[axis])
    return blocks


def block_mean(array, blocks) -> np.ndarray:
    """Average an array over blocks; the last block of an axis may be shorter.

    Parameters
    ----------
    array : ndarray of float
    blocks : sequence of int
        Block length along each axis.

    Returns
    -------
    ndarray of float

    Examples
    --------
    >>> block_mean(np.array([1.0, 3.0, 5.0]), [2])
    array([2., 5.])
    """
    for axis, block in enumerate(blocks):
        if block > 1:
            starts = np.arange(0, array.shape[axis], block)
            counts = np.diff(np.append(starts, array.shape[axis]))
            shape = [1] * array.ndim
            shape[axis] = len(counts)
            array = np.add.reduceat(array, starts, axis=axis) / counts.reshape(shape)
    return array


def _round(value) -> float:
    return float(f"{float(value):.{DIGITS}g}")


def _plain(value, name):
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no NaN
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    raise XaiAudioError(f"'{name}' cannot be recorded: a {type(value).__name__}.")


def _in_notebook() -> bool:
    """Tell whether there is a notebook to show things in (Jupyter, Colab, papermill)."""
    try:
        from IPython import get_ipython
    except ImportError:
        return False
    shell = get_ipython()
    return shell is not None and getattr(shell, "kernel", None) is not None


def _display(bundle, metadata):
    from IPython.display import display

    display(bundle, raw=True, metadata=metadata)
