"""JSON: a list of objects, UTF-8, no NaN."""

from __future__ import annotations

import json
from typing import Any


def encode(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as a JSON file, one object a line."""
    lines = ",\n".join(json.dumps(row, ensure_ascii=False, allow_nan=False) for row in rows)
    return f"[\n{lines}\n]\n".encode()
