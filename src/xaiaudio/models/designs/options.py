"""Options that all designs with prototypes take."""

from __future__ import annotations

from dataclasses import dataclass

from ...errors import XaiAudioError

SOURCES = ("trained", "random")


@dataclass(frozen=True)
class PrototypeOptions:
    """Options that all designs with prototypes take.

    Attributes
    ----------
    seed : int
        Decides what is drawn.
    overlap : float
        Share of a patch that the next one repeats, in [0, 1).
    per_class : int
        Prototypes of each class.
    prototypes : {"trained", "random"}
        ``"random"`` draws them from the training patches of all classes, whatever class they are
        then to speak for, and trains the last layer alone: a control.
    random_backbone : bool
        True shuffles the backbone's weights: a control.
    """

    seed: int = 0
    overlap: float = 0.5
    per_class: int = 5
    prototypes: str = "trained"
    random_backbone: bool = False

    def __post_init__(self):
        for name, least in (("seed", 0), ("per_class", 1)):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < least:
                raise XaiAudioError(
                    f"{name} is {value!r}: a whole number from {least} on is needed."
                )
        if not 0 <= self.overlap < 1:
            raise XaiAudioError(
                f"overlap is {self.overlap!r}: a number from 0 to below 1 is needed."
            )
        if self.prototypes not in SOURCES:
            raise XaiAudioError(
                f"prototypes is {self.prototypes!r}: it must be one of {', '.join(SOURCES)}."
            )
