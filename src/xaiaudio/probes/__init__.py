"""What a network knows: what can be read from its layers, and whether that means anything."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "activations": ["Activations", "pooled", "stages"],
    },
)
