"""Python's garbage collector, which takes a fifth of the time that TensorFlow's import takes."""

from __future__ import annotations

import contextlib
import gc


@contextlib.contextmanager
def paused():
    """Import without the garbage collector, and keep what was imported out of its later rounds.

    TensorFlow's modules are some hundred thousand objects that stay until the end. Again and again,
    while they come and afterwards, the collector would look at all of them in vain.

    Examples
    --------
    >>> import gc
    >>> from xaiaudio import collector
    >>> with collector.paused():
    ...     import json
    >>> gc.isenabled()
    True
    """
    running = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if running:
            gc.enable()
