"""In which numbers a network is asked: exact ones, or shorter ones that are faster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...models.caching import PerModel
from ...models.precision import has_bfloat16
from .perturbation import engine_of, output_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from ...models.classifier import AudioClassifier

PRECISIONS = ("float32", "auto", "bfloat16")

#: Largest error of an answer, as a share of the largest answer, that ``"auto"`` bears.
BOUND = 0.01
# Patches that it is measured on.
_TRIED = 8

_ERRORS = PerModel()


def check_precision(precision: object) -> None:
    """Raise XaiAudioError unless an option `precision` is one that there is."""
    if precision not in PRECISIONS:
        raise XaiAudioError(f"precision is {precision!r}: it must be one of {PRECISIONS}.")


def precision_of(
    classifier: AudioClassifier,
    wanted: str,
    patches: np.ndarray,
    output: str | None = None,
) -> str:
    """Return the numbers that a classifier is asked in.

    Parameters
    ----------
    classifier : AudioClassifier
    wanted : {"float32", "auto", "bfloat16"}
        ``"auto"`` takes bfloat16 where the processor has it and the answers to the patches differ
        by no more than ``BOUND``; this is measured once for a classifier, with the first patches.
    patches : ndarray of float, shape (n, frames, bands)
    output : {"scores", "logits"} or None
        As in :func:`.perturbation.output_of`.

    Returns
    -------
    {"float32", "bfloat16"}

    Raises
    ------
    XaiAudioError
        If bfloat16 is wanted of what is no Keras network of patches.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> precision_of(xa.load_model("lite"), "float32", np.zeros((1, 96, 64)))
    'float32'
    """
    check_precision(wanted)
    if wanted == "float32":
        return wanted
    if classifier.lacks:
        if wanted == "auto":
            return "float32"
        raise XaiAudioError(
            f"{classifier.name} is no Keras network of patches, which alone can be asked in "
            "bfloat16: take precision='float32'."
        )
    if wanted == "bfloat16":
        return wanted
    if not has_bfloat16():
        return "float32"
    output = output_of(classifier, output)
    error = _ERRORS(classifier, output, lambda _: _error(classifier, output, patches))
    return "bfloat16" if error <= BOUND else "float32"


def asker(classifier: AudioClassifier, output: str, precision: str = "float32") -> Callable:
    """Return a function from patches, as they are, to a classifier's answers (n, classes).

    Parameters
    ----------
    classifier : AudioClassifier
    output : {"scores", "logits"}
    precision : {"float32", "bfloat16"}
        As :func:`precision_of` returns it.

    Returns
    -------
    callable

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model, patches = xa.load_model("lite"), np.zeros((2, 96, 64), "float32")
    >>> exact, fast = (asker(model, "logits", one)(patches) for one in ("float32", "bfloat16"))
    >>> bool(np.abs(fast - exact).max() < BOUND * np.abs(exact).max())
    True
    """
    if precision == "bfloat16":
        return engine_of(classifier, output, precision).ask
    return classifier.logits if output == "logits" else classifier.scores


def _error(classifier, output, patches) -> float:
    """Return the largest error of the answers in bfloat16, as a share of the largest answer."""
    some = np.asarray(patches, np.float32)[:_TRIED]
    exact = asker(classifier, output)(some)
    try:
        found = asker(classifier, output, "bfloat16")(some)
    except XaiAudioError:
        return np.inf
    return float(np.abs(found - exact).max() / max(np.abs(exact).max(), 1e-9))
