"""Sounds with labels: the made ones, ESC-10, and folders of one's own."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submodules=[
        "digits",
        "esc10",
        "events",
        "folders",
        "fsdd",
        "levels",
        "mixtures",
        "music",
        "pairs",
        "people",
        "stems",
    ],
    submod_attrs={
        "base": ["Clip", "ClipSet", "describe", "readable"],
        "folders": ["CLASSES"],
        "registry": ["load"],
    },
)
