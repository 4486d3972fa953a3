"""The formats by name and by the ends of files' names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import XaiAudioError, meant
from ..files import whole
from . import audacity, csv_file, json_file, parquet, raven
from .rows import plain

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from ..types import PathLike


@dataclass(frozen=True)
class Format:
    """A kind of file that rows can be written to.

    Attributes
    ----------
    name : str
    suffix : str
        What the names of its files end in.
    encode : callable
        From rows, a list of dict, to bytes.
    about : str
        What it is for.
    """

    name: str
    suffix: str
    encode: Callable[[list[dict]], bytes]
    about: str


_FORMATS = {
    one.name: one
    for one in (
        Format("csv", ".csv", csv_file.encode, "comma-separated, for spreadsheets and pandas"),
        Format("json", ".json", json_file.encode, "a list of objects"),
        Format("parquet", ".parquet", parquet.encode, "columns for pandas, Dask, DuckDB"),
        Format("audacity", ".labels.txt", audacity.encode, "a label track of Audacity"),
        Format("raven", ".selections.txt", raven.encode, "a selection table of Raven"),
    )
}


def formats() -> dict[str, Format]:
    """Return the formats by name.

    Examples
    --------
    >>> from xaiaudio import exports
    >>> list(exports.formats())
    ['csv', 'json', 'parquet', 'audacity', 'raven']
    """
    return dict(_FORMATS)


def find(name: str) -> Format:
    """Return a format by its name, or raise an XaiAudioError that lists them."""
    if name not in _FORMATS:
        raise XaiAudioError(
            f"No format of tables is called {name!r}{meant(name, _FORMATS)}: there are "
            f"{', '.join(_FORMATS)}."
        )
    return _FORMATS[name]


def write(path: PathLike, rows: Iterable[dict[str, Any]], format: str | None = None) -> Path:
    """Write rows to a file: it is there whole or not at all.

    Parameters
    ----------
    path : path-like
        In a folder that is there.
    rows : iterable of dict
        Such as :func:`.exports.rows.rows_of` returns. Any columns will do for CSV, JSON and
        Parquet; Audacity needs ``class``, ``start_s`` and ``end_s``, Raven ``low_hz`` and
        ``high_hz`` too. NaN is written as nothing.
    format : str, optional
        A name of :func:`formats`; by default what the end of the file's name says: .csv, .json,
        .parquet, .labels.txt (Audacity) or .selections.txt (Raven).

    Returns
    -------
    Path

    Raises
    ------
    XaiAudioError
        For a format that is unknown, rows that it cannot hold, or a file that cannot be written.

    Examples
    --------
    >>> from xaiaudio import exports
    >>> rows = [{"class": "Dog", "start_s": 0.5, "end_s": 1.0}]
    >>> exports.write("dog.labels.txt", rows).name  # doctest: +SKIP
    'dog.labels.txt'
    """
    path = Path(path)
    data = (_by_suffix(path) if format is None else find(format)).encode(plain(rows))
    with whole(path) as partial:
        partial.write_bytes(data)
    return path


def _by_suffix(path: Path) -> Format:
    for one in _FORMATS.values():
        if path.name.lower().endswith(one.suffix):
            return one
    ends = ", ".join(f"{one.suffix} ({one.name})" for one in _FORMATS.values())
    raise XaiAudioError(f"{path} does not say its format: end it in {ends}, or name the format.")
