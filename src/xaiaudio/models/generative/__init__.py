"""A small network that makes sounds: from noise to a second of sound, in a few dozen steps."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "controls": ["faithful", "without_memory"],
        "flow": ["Generator", "Options", "train"],
        "seconds": ["Seconds", "cut"],
        "space": ["Space"],
    },
)
