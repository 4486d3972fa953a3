"""Where downloads, generated sounds and trained networks are kept."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def home() -> Path:
    """Return the cache folder: ``XAIAUDIO_HOME``, or else the platform's own place for caches.

    The folder need not exist yet.
    """
    chosen = os.environ.get("XAIAUDIO_HOME")
    return Path(chosen).expanduser() if chosen else Path(platformdirs.user_cache_dir("xaiaudio"))
