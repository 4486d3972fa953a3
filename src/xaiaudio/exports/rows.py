"""What every format is made of: rows with a place in seconds and hertz, and what is there."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from ..explainers.parts import PartsExplanation
from ..explainers.regions import KEEP, LEAST, regions

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..explainers.explanation import Explanation

#: The columns of an explanation's rows, in their order.
COLUMNS = (
    *("file", "class", "method", "part", "start_s", "end_s", "low_hz", "high_hz"),
    *("relevance", "unit", "share"),
)

# Of a part's energy, at either end of its spectrum, what its band leaves out.
_OUTSIDE = 0.01


def rows_of(
    result: Explanation | PartsExplanation,
    *,
    file: str = "",
    keep: float = KEEP,
    least: float = LEAST,
    begins: float = 0.0,
) -> list[dict[str, Any]]:
    """Return what an explanation found as rows for :func:`.exports.registry.write`.

    Parameters
    ----------
    result : Explanation or PartsExplanation
    file : str
        What the sound is called.
    keep, least : float
        Of maps: what is a region, see :func:`.explainers.regions.regions`. Parts are all there.
    begins : float
        Where in its file the sound begins, in seconds: the rows count from the file's beginning.

    Returns
    -------
    list of dict
        With the names of ``COLUMNS``. Of maps a row for each region, the largest share of the
        positive relevance first. Of parts a row for each, with what it adds as its relevance and
        its share of the sound's energy; it begins and ends where it is not silent, and its band
        has all but 1 % of its energy at either end.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.engines.components import Components
    >>> from xaiaudio.exports import rows_of
    >>> halves = Components.in_time(np.random.default_rng(0).normal(0, 0.1, 32_000), 2)
    >>> rows = rows_of(xa.explain_parts(xa.load_model("lite"), halves, "Rain"), file="rain.wav")
    >>> [(row["part"], row["start_s"], row["end_s"]) for row in rows]
    [('time 1', 0.0, 1.0), ('time 2', 1.0, 2.0)]
    """
    if isinstance(result, PartsExplanation):
        rows = _of_parts(result, file)
    else:
        rows = _of_maps(result, file, keep, least)
    for row in rows:
        row["start_s"] += begins
        row["end_s"] += begins
    return rows


def _of_maps(result: Explanation, file: str, keep: float, least: float) -> list[dict[str, Any]]:
    return [
        {
            "file": file,
            "class": one.label,
            "method": result.method,
            "part": "",
            "start_s": one.start,
            "end_s": one.end,
            "low_hz": one.low,
            "high_hz": one.high,
            "relevance": one.relevance,
            "unit": result.unit,
            "share": one.share,
        }
        for one in regions(result, keep=keep, least=least)
    ]


def _of_parts(result: PartsExplanation, file: str) -> list[dict[str, Any]]:
    unit = "logit" if result.output == "logits" else "probability"
    return [
        {
            "file": file,
            "class": result.target_label,
            "method": result.method,
            "part": row["part"],
            **_extent(part, result.sample_rate),
            "relevance": row["weight"],
            "unit": unit,
            "share": row["energy"],
        }
        for row, part in zip(result.table(), result.components.parts, strict=True)
    ]


def _extent(part: np.ndarray, rate: int) -> dict[str, float]:
    """Return where a part of a sound lies, in seconds and hertz; all of it, if it is silent."""
    heard = np.flatnonzero(part)
    if not len(heard):
        heard = np.array([0, len(part) - 1])
    power = np.square(np.abs(np.fft.rfft(part.astype(np.float64))))
    below = np.cumsum(power)
    low, high = 0, len(power) - 1
    if below[-1] > 0:
        low, high = np.searchsorted(below, np.array([_OUTSIDE, 1 - _OUTSIDE]) * below[-1])
    return {
        "start_s": float(heard[0] / rate),
        "end_s": float((heard[-1] + 1) / rate),
        "low_hz": float(low * rate / len(part)),
        "high_hz": float(min((high + 1) * rate / len(part), rate / 2)),
    }


def rows_of_events(
    events: Iterable[Any],
    *,
    file: str = "",
    low: float | None = None,
    high: float | None = None,
) -> list[dict[str, Any]]:
    """Return events in a sound as rows for :func:`.exports.registry.write`.

    Parameters
    ----------
    events : iterable
        Of anything with the attributes `label`, `start`, `end`, `peak` (all in seconds) and
        `peak_score`.
    file : str
        What the sound is called.
    low, high : float, optional
        The band to name for all of them, in hertz; Raven wants one, such as 0 and half the rate.

    Returns
    -------
    list of dict
        ``file``, ``class``, ``start_s``, ``end_s``, ``low_hz``, ``high_hz``, ``peak_s`` and
        ``score``.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from xaiaudio.exports import rows_of_events
    >>> bark = SimpleNamespace(label="Dog", start=1.0, end=1.5, peak=1.2, peak_score=0.9)
    >>> rows_of_events([bark], file="dog.wav")[0]["score"]
    0.9
    """
    return [
        {
            "file": file,
            "class": one.label,
            "start_s": one.start,
            "end_s": one.end,
            "low_hz": low,
            "high_hz": high,
            "peak_s": one.peak,
            "score": one.peak_score,
        }
        for one in events
    ]


def plain(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return rows of Python's own texts and numbers; what is no finite number becomes None."""
    return [{str(name): _plain(value) for name, value in row.items()} for row in rows]


def _plain(value):
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int)):
        return value
    # Names of files may hold bytes that are no UTF-8.
    return str(value).encode("utf-8", "replace").decode()


def columns_of(rows: list[dict[str, Any]]) -> list[str]:
    """Return the columns of a table in their order; those of explanations, if it has no row."""
    return list(dict.fromkeys(name for row in rows for name in row)) if rows else list(COLUMNS)


def one_line(text: Any) -> str:
    r"""Return a text without tabs, ends of lines and other control characters, but with spaces.

    Examples
    --------
    >>> from xaiaudio.exports.rows import one_line
    >>> one_line("a\tb\r\nc")
    'a b c'
    """
    text = "".join(c if c.isprintable() else " " for c in ("" if text is None else str(text)))
    return " ".join(text.split())
