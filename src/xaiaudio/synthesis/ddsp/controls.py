"""What the synthesiser is told: pitch, amplitude, harmonics and noise of each frame."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from ...errors import XaiAudioError
from ..dsp import RATE

#: Samples from one frame to the next: 250 frames a second.
HOP = 64
#: How many harmonics a sound has at most.
HARMONICS = 60
#: How many bands the noise has, from 0 Hz to half the sample rate.
BANDS = 65
#: What of a sound can be left out.
PARTS = ("harmonics", "noise")

__all__ = ["BANDS", "HARMONICS", "HOP", "PARTS", "RATE", "Controls"]


@dataclass(frozen=True, eq=False)
class Controls:
    """Everything the synthesiser needs to know of a sound at 16 kHz, 250 times a second.

    Attributes
    ----------
    pitch : ndarray of float, shape (frames,)
        In hertz.
    amplitude : ndarray of float, shape (frames,)
        What the amplitudes of all harmonics sum to, from 0 up: no sample of the tone is beyond it.
    harmonics : ndarray of float, shape (frames, K)
        How the amplitude is shared out, the fundamental first. The synthesiser leaves out those
        that lie at 8 kHz or above, and divides the rest by their sum.
    noise : ndarray of float, shape (frames, bands)
        Gain of the noise in bands from 0 Hz to 8 kHz.

    Raises
    ------
    XaiAudioError
        If shapes do not fit, or a number is negative or none.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.synthesis.ddsp.controls import Controls
    >>> pitch, loud = np.full(250, 440.0), np.full(250, 0.3)
    >>> sung = Controls(pitch, loud, np.ones((250, 8)), np.zeros((250, 65)))
    >>> sung.seconds, float(sung.without("harmonics").amplitude.max())
    (1.0, 0.0)
    """

    pitch: np.ndarray
    amplitude: np.ndarray
    harmonics: np.ndarray
    noise: np.ndarray

    def __post_init__(self):
        rows = np.shape(self.pitch)
        for name, axes in (("pitch", 1), ("amplitude", 1), ("harmonics", 2), ("noise", 2)):
            values = np.asarray(getattr(self, name), np.float64)
            if values.ndim != axes or values.shape[:1] != rows or not values.size:
                raise XaiAudioError(
                    f"{name} has the shape {values.shape}: it needs {axes} axes, the first of "
                    f"{rows[0] if rows else 0} frames as the pitch has, and at least one value."
                )
            if not np.all(np.isfinite(values)) or values.min() < 0:
                raise XaiAudioError(f"{name} has numbers below 0 or that are none.")
            object.__setattr__(self, name, values)
        if self.noise.shape[1] < 2:
            raise XaiAudioError("noise has one band: two or more are needed.")

    def __len__(self) -> int:
        """How many frames there are."""
        return len(self.pitch)

    @property
    def seconds(self) -> float:
        """How long the sound is."""
        return len(self) * HOP / RATE

    @property
    def times(self) -> np.ndarray:
        """When each frame begins, in seconds, float (frames,)."""
        return np.arange(len(self)) * HOP / RATE

    def but(self, **changes: Any) -> Controls:
        """Return the same controls with others in the place of some, by their names."""
        return dataclasses.replace(self, **changes)

    def without(self, part: str) -> Controls:
        """Return the controls of the sound without its ``"harmonics"`` or its ``"noise"``.

        Raises
        ------
        XaiAudioError
            If there is no such part.
        """
        if part not in PARTS:
            raise XaiAudioError(f"No part is called {part!r}: there are {', '.join(PARTS)}.")
        name = "amplitude" if part == "harmonics" else "noise"
        return self.but(**{name: np.zeros_like(getattr(self, name))})
