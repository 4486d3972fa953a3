"""Comma-separated values: UTF-8, quoted as RFC 4180 has it, with a point in numbers."""

from __future__ import annotations

import csv
import io
from typing import Any

from .rows import columns_of

# A spreadsheet takes a text that begins so for a formula, and runs it.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def encode(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a CSV file.

    A text that a spreadsheet would take for a formula gets an apostrophe in front: ``=1+1`` is
    written ``'=1+1``. JSON and Parquet have it as it is.
    """
    columns = columns_of(rows)
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    writer.writerow([_cell(name) for name in columns])
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return buffer.getvalue().encode("utf-8")


def _cell(value):
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
