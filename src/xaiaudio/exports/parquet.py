"""Parquet: typed columns, compressed."""

from __future__ import annotations

import io
from typing import Any

from ..errors import XaiAudioError
from .rows import columns_of


def check() -> None:
    """Raise an XaiAudioError if pyarrow is missing."""
    try:
        import pyarrow.parquet  # noqa: F401
    except ImportError as error:
        raise XaiAudioError(
            "Parquet files need pyarrow: pip install 'xaiaudio[corpus]', or choose csv or json."
        ) from error


def encode(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a Parquet file; what is missing is null.

    Raises
    ------
    XaiAudioError
        If pyarrow is missing, or a column mixes texts and numbers.
    """
    check()
    import pyarrow
    from pyarrow import parquet

    columns = {}
    for name in columns_of(rows):
        try:
            columns[name] = pyarrow.array([row.get(name) for row in rows])
        except (pyarrow.ArrowInvalid, pyarrow.ArrowTypeError, OverflowError) as error:
            raise XaiAudioError(
                f"The column {name!r} mixes kinds of values, which Parquet cannot hold."
            ) from error
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(columns), buffer)
    return buffer.getvalue()
