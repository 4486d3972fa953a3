"""Layer-wise relevance propagation of a classifier's logits to the cells of its patches."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

from ...errors import XaiAudioError
from ..engines.perturbation import silence_of
from ..registry import register
from .composites import text
from .pooling import POOLINGS
from .propagation import relevance

if TYPE_CHECKING:
    import numpy as np

    from ...models.classifier import AudioClassifier


@dataclass(frozen=True)
class Options:
    """Options of relevance propagation.

    Attributes
    ----------
    composite : str or mapping
        Which rule for which layer: ``"epsilon-plus-flat"``, ``"epsilon-plus"``,
        ``"epsilon-gamma-box"``, one rule for all layers with weights (``"epsilon"``,
        ``"gamma(0.1)"``...), or a mapping from layers to rules, see
        :func:`xaiaudio.explainers.lrp.composite`.
    low, high : float or None
        The smallest and largest value that a patch cell can have, for the box rule. None takes
        the front end's silence and the patch's own maximum.
    pooling : {"winner", "proportional"}
        Who gets the relevance of a maximum.
    """

    composite: str | dict = "epsilon-plus-flat"
    low: float | None = None
    high: float | None = None
    pooling: str = "winner"

    def __post_init__(self):
        # As plain text, so that an explanation can be saved with it.
        object.__setattr__(self, "composite", text(self.composite))
        if self.pooling not in POOLINGS:
            raise XaiAudioError(f"pooling is {self.pooling!r}: it must be one of {POOLINGS}.")
        for name in ("low", "high"):
            value = getattr(self, name)
            if value is not None and not (isinstance(value, Real) and abs(value) < float("inf")):
                raise XaiAudioError(f"{name} is {value!r}: it must be a number, or None.")


@register(
    "lrp",
    options=Options,
    summary="The logit, shared out layer by layer until every cell has its part.",
    paper="Bach et al. 2015, On Pixel-Wise Explanations for Non-Linear Classifier Decisions",
    needs="layers with a known rule",
)
def lrp(
    classifier: AudioClassifier, patches: np.ndarray, targets: np.ndarray, options: Options
) -> np.ndarray:
    """Compute maps (n, frames, bands) of the relevance of each cell; they keep their sign."""
    if not classifier.has_logits:
        raise XaiAudioError(
            f"The logits of {classifier.name} are computed from its probabilities, for which "
            "relevance propagation has no rule: give the network up to its logits, or use another "
            "method, such as 'integrated-gradients'."
        )
    found = relevance(
        classifier.logits_network,
        classifier.as_input(patches),
        targets,
        options.composite,
        low=silence_of(classifier) if options.low is None else options.low,
        high=options.high,
        pooling=options.pooling,
    )
    return found.inputs.reshape(patches.shape)
