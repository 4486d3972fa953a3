"""Controls of tones that stay as they are."""

import numpy as np

from xaiaudio.synthesis.ddsp.controls import Controls


def held(pitch, amplitude=0.5, heights=(1.0,), frames=250):
    """Return the controls of a tone that stays."""
    heights = np.tile(np.asarray(heights, float), (frames, 1))
    return Controls(
        np.full(frames, float(pitch)), np.full(frames, amplitude), heights, np.zeros((frames, 5))
    )
