"""Explanations for other programs: tables, and labels for editors of sound.

Each format is a module that makes bytes of rows; :mod:`.exports.registry` finds it by its name or
by the end of a file's name.
"""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "registry": ["Format", "formats", "write"],
        "rows": ["rows_of", "rows_of_events"],
    },
)
