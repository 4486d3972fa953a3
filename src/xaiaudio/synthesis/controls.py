"""Sounds with controls: what can be changed about a sound, in which unit, and how far."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError, meant

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: One step of a control of each kind, so that changes of different controls can be compared. It is
#: a convention: round numbers, each about the size of what is noticed when two sounds are compared.
#: Of a logarithmic control it is a ratio.
DECIBEL, SEMITONE, THIRD_OCTAVE, TENTH_MORE, QUARTER_MORE = (
    1.0,
    2 ** (1 / 12),
    2 ** (1 / 3),
    1.1,
    1.25,
)


@dataclass(frozen=True)
class Control:
    """One thing that can be changed about a sound.

    Attributes
    ----------
    name, unit : str
    low, high : float
        Its range, in its unit.
    value : float
        What it is in the sound as it is.
    step : float
        One step: a difference, or with `log` a ratio above 1. How far a change is, is counted in
        steps, and so controls of different units can be compared.
    log : bool
        Whether equal ratios are equal steps, as with frequencies.
    meaning : str
        What is changed, in a few words.

    Examples
    --------
    >>> from xaiaudio.synthesis.controls import Control
    >>> pitch = Control("pitch", "Hz", 100, 1600, 400, 2 ** (1 / 12), log=True)
    >>> pitch.distance(800).round(6)  # an octave has twelve semitones
    np.float64(12.0)
    """

    name: str
    unit: str
    low: float
    high: float
    value: float
    step: float
    log: bool = False
    meaning: str = ""

    def __post_init__(self):
        numbers = (self.low, self.high, self.value, self.step)
        if not np.isfinite(numbers).all() or not self.low <= self.value <= self.high:
            raise XaiAudioError(
                f"The control {self.name!r} is {self.value:g} {self.unit} in a range from "
                f"{self.low:g} to {self.high:g}: it must lie in it."
            )
        if self.low == self.high or self.step <= (1 if self.log else 0):
            raise XaiAudioError(
                f"The control {self.name!r} needs a range of more than one value, and a step "
                f"above {1 if self.log else 0}, not {self.step:g}."
            )
        if self.log and self.low <= 0:
            raise XaiAudioError(
                f"The control {self.name!r} is logarithmic: its range must begin above 0."
            )

    def places(self, values: ArrayLike) -> np.ndarray:
        """Return where values lie on the scale on which equal changes count alike, in steps."""
        values = np.asarray(values, float)
        return np.log(values) / np.log(self.step) if self.log else values / self.step

    def at(self, places: ArrayLike) -> np.ndarray:
        """Return the values at places on that scale; what lies outside of the range is its end."""
        places = np.clip(np.asarray(places, float), *self.places([self.low, self.high]))
        values = np.exp(places * np.log(self.step)) if self.log else places * self.step
        return np.clip(values, self.low, self.high)

    def distance(self, values: ArrayLike) -> np.ndarray:
        """Return how many steps values lie from the sound as it is."""
        return np.abs(self.places(values) - self.places(self.value))

    def grid(self, count: int) -> np.ndarray:
        """Return `count` values over the range, at equal steps, float64 (count,)."""
        ends = self.places([self.low, self.high])
        return self.at(np.linspace(*ends, count))


@dataclass(frozen=True, eq=False)
class Recipe:
    """A sound that is made from the values of its controls, the same each time.

    Attributes
    ----------
    name : str
    controls : tuple of Control
    make : callable
        ``(settings) -> waves``: float64 (n, controls) to float (n, samples).
    sample_rate : int
        In hertz.
    samples : int
        Of each sound.

    Examples
    --------
    >>> from xaiaudio.synthesis.recipes import clock
    >>> ticks = clock()
    >>> ticks([ticks.original, ticks.setting(rate=4)]).shape
    (2, 80000)
    """

    name: str
    controls: tuple[Control, ...]
    make: Callable[[np.ndarray], np.ndarray]
    sample_rate: int
    samples: int

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the controls."""
        return tuple(control.name for control in self.controls)

    @property
    def original(self) -> np.ndarray:
        """The setting of the sound as it is, float64 (controls,)."""
        return np.array([control.value for control in self.controls], float)

    def index(self, name: str) -> int:
        """Return the number of a control.

        Raises
        ------
        XaiAudioError
            If there is none of that name.
        """
        if name not in self.names:
            raise XaiAudioError(
                f"{self.name} has no control {name!r}{meant(name, self.names)}: there are "
                f"{', '.join(self.names)}."
            )
        return self.names.index(name)

    def setting(self, **values: float) -> np.ndarray:
        """Return a setting in which some controls have other values, float64 (controls,)."""
        made = self.original
        for name, value in values.items():
            made[self.index(name)] = value
        return made

    def __call__(self, settings: ArrayLike) -> np.ndarray:
        """Return the sounds of settings.

        Parameters
        ----------
        settings : array_like of float, shape (n, controls)

        Returns
        -------
        ndarray of float32, shape (n, samples)

        Raises
        ------
        XaiAudioError
            If a value is out of its control's range, or the sounds are not what was promised.
        """
        settings = np.asarray(settings, float)
        if settings.ndim != 2 or settings.shape[1] != len(self.controls) or not len(settings):
            raise XaiAudioError(
                f"The settings have the shape {settings.shape}, but {self.name} takes "
                f"(n, {len(self.controls)}): {', '.join(self.names)}; one row at least."
            )
        for column, control in zip(settings.T, self.controls, strict=True):
            outside = ~((column >= control.low) & (column <= control.high))
            if outside.any():
                raise XaiAudioError(
                    f"{control.name} is {column[outside][0]:g} {control.unit}, but {self.name} "
                    f"takes {control.low:g} to {control.high:g}."
                )
        waves = np.asarray(self.make(settings))
        if waves.shape != (len(settings), self.samples):
            raise XaiAudioError(
                f"{self.name} made sounds of the shape {waves.shape} for {len(settings)} "
                f"settings: ({len(settings)}, {self.samples}) is needed."
            )
        if not np.isfinite(waves).all():
            row = int(np.flatnonzero(~np.isfinite(waves).all(axis=1))[0])
            values = zip(self.names, settings[row], strict=True)
            told = ", ".join(f"{name} {value:g}" for name, value in values)
            raise XaiAudioError(f"{self.name} made NaN or infinity at {told}.")
        return waves.astype(np.float32, copy=False)
