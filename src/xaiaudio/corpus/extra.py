"""The packages that only archives need."""

from __future__ import annotations

import importlib
from typing import Any

from ..errors import XaiAudioError


def needed(name: str) -> Any:
    """Import a package of the extra ``corpus``, or say how to get it."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise XaiAudioError(
            f"Archives need {name.partition('.')[0]}, which is not installed: "
            "pip install 'xaiaudio[corpus]'"
        ) from error
