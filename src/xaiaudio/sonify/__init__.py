"""Explanations as sound: from maps to masks to sounds, and players for a page."""

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "loudness": ["gain_to_match"],
        "masks": ["clip_map", "kept_and_removed", "listen", "mask_from_map", "to_stft"],
        "own_rate": ["OwnRate", "at_own_rate", "load_channels"],
        "player": ["mp3", "player", "players"],
        "replies": ["Answered", "answered"],
    },
)
