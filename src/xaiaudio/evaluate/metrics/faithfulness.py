"""Does the network agree with the map? Keep what it shows, or take it away, and ask again.

The positive part of a map, divided by its maximum, is a mask in [0, 1]. A cell that is removed goes
towards the fill: silence, unless told otherwise, for the zero of a log-mel patch is no silence.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...explainers.engines.perturbation import changed, filling, silence_of
from .registry import FAITHFUL, register

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...explainers.explanation import Explanation
    from ...models.classifier import AudioClassifier

_KEPT = "keep or remove what the map shows: "

MEASURES = ("AD", "AI", "AG", "FF", "Fid-In")


def soft_mask(maps: ArrayLike) -> np.ndarray:
    """Turn maps into masks: the positive part, divided by its maximum.

    Parameters
    ----------
    maps : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, frames, bands)
        0 to 1; zero everywhere for a map without a positive cell.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.faithfulness import soft_mask
    >>> soft_mask([[[2.0, -1.0]]]).tolist()
    [[[1.0, 0.0]]]
    """
    positive = np.maximum(np.asarray(maps, np.float32), 0)
    highest = positive.max(axis=(1, 2), keepdims=True)
    return positive / np.where(highest > 0, highest, 1)


def kept_and_removed(
    model: AudioClassifier, result: Explanation, *, fill: str | float = "silence"
) -> tuple[np.ndarray, np.ndarray]:
    """Return the network's scores with only the explanation kept, and with it removed.

    Parameters
    ----------
    model : AudioClassifier
    result : Explanation
    fill : {"silence", "mean"} or float
        What stands for what is taken away.

    Returns
    -------
    kept, removed : ndarray of float32, shape (n, classes)
    """
    base = filling(result.patches, fill, silence_of(model))
    mask = soft_mask(result.maps)
    difference = result.patches - base
    both = np.concatenate([base + mask * difference, base + (1 - mask) * difference])
    twice = result.inputs[np.tile(np.arange(len(mask)), 2)]
    scores = model.scores(changed(model, twice, both))
    return scores[: len(mask)], scores[len(mask) :]


def faithfulness(
    model: AudioClassifier, result: Explanation, *, fill: str | float = "silence"
) -> dict[str, np.ndarray]:
    """Measure what the network makes of an explanation that is kept, and removed.

    With p the probability of the explained class, o the same for the patch of which only the
    explanation is kept, and m for the patch without it:

    ==========  =======================================  ===================
    AD          100 max(0, p - o) / p                    average drop, %, low is good
    AI          100 if o > p, else 0                     average increase, %, high is good
    AG          100 max(0, o - p) / (1 - p)              average gain, %, high is good
    FF          p - m                                    faithfulness, high is good
    Fid-In      1 if the predicted class stays, else 0   input fidelity, high is good
    ==========  =======================================  ===================

    The first four are about the class that the explanation is of; the literature explains the
    predicted one. Fid-In compares the predicted class before and after.

    Parameters
    ----------
    model : AudioClassifier
    result : Explanation
    fill : {"silence", "mean"} or float
        What stands for what is taken away.

    Returns
    -------
    dict of str to ndarray of float, shape (n,)

    Raises
    ------
    XaiAudioError
        If `fill` is none of these.

    References
    ----------
    Chattopadhay et al. 2018 (AD, AI); Zhang et al. 2024, Opti-CAM (AG); Parekh et al. 2022, L2I
    (FF, Fid-In).

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.metrics.faithfulness import faithfulness
    >>> model = xa.load_model("lite")
    >>> result = xa.explain(model, np.zeros((1, 96, 64)), method="occlusion")
    >>> sorted(faithfulness(model, result))
    ['AD', 'AG', 'AI', 'FF', 'Fid-In']
    """
    kept, removed = kept_and_removed(model, result, fill=fill)
    return columns(result.scores, kept, removed, result.targets)


def columns(
    whole: ArrayLike, kept: ArrayLike, removed: ArrayLike, targets: ArrayLike
) -> dict[str, np.ndarray]:
    """Return the measures of :func:`faithfulness` from the network's probabilities.

    Parameters
    ----------
    whole, kept, removed : array_like of float, shape (n, classes)
        Of the inputs, of what an explanation keeps of them, and of what it leaves: after one
        softmax.
    targets : array_like of int, shape (n,)
        The classes explained.

    Returns
    -------
    dict of str to ndarray of float, shape (n,)

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.faithfulness import columns
    >>> found = columns([[0.8, 0.2]], [[0.4, 0.6]], [[0.1, 0.9]], [0])
    >>> {name: round(float(value[0]), 2) for name, value in found.items()}
    {'AD': 50.0, 'AI': 0.0, 'AG': 0.0, 'FF': 0.7, 'Fid-In': 0.0}
    """
    whole, kept, removed = (np.asarray(one, np.float64) for one in (whole, kept, removed))
    rows = np.arange(len(whole))
    p, o, m = (scores[rows, np.asarray(targets)] for scores in (whole, kept, removed))
    # A class of probability 0 cannot drop, one of probability 1 cannot gain.
    with np.errstate(divide="ignore", invalid="ignore"):
        drop = np.where(p > 0, 100 * np.maximum(0, p - o) / p, 0.0)
        gain = np.where(p < 1, 100 * np.maximum(0, o - p) / (1 - p), 0.0)
    return {
        "AD": drop,
        "AI": 100.0 * (o > p),
        "AG": gain,
        "FF": p - m,
        "Fid-In": (kept.argmax(axis=1) == whole.argmax(axis=1)).astype(float),
    }


# Each takes one column of `faithfulness`: one set of forward passes serves all five.


@register(
    "AD",
    title="AD (%)",
    family=FAITHFUL,
    unit="%",
    better="lower",
    low=0,
    high=100,
    summary=_KEPT + "average drop of the probability when only the explanation is kept",
    source="Chattopadhay et al., Grad-CAM++, WACV 2018",
    takes=("faithful",),
)
def _average_drop(columns):
    return columns["AD"]


@register(
    "AI",
    title="AI (%)",
    family=FAITHFUL,
    unit="%",
    better="higher",
    low=0,
    high=100,
    summary=_KEPT + "share of sounds whose probability rises when only the explanation is kept",
    source="Chattopadhay et al., Grad-CAM++, WACV 2018",
    takes=("faithful",),
)
def _average_increase(columns):
    return columns["AI"]


@register(
    "AG",
    title="AG (%)",
    family=FAITHFUL,
    unit="%",
    better="higher",
    low=0,
    high=100,
    summary=_KEPT + "average gain of the probability when only the explanation is kept",
    source="Zhang et al., Opti-CAM, 2023",
    takes=("faithful",),
)
def _average_gain(columns):
    return columns["AG"]


@register(
    "FF",
    title="FF",
    family=FAITHFUL,
    unit="probability",
    better="higher",
    low=-1,
    high=1,
    summary=_KEPT + "fall of the probability when the explanation is removed",
    source="Paissan et al., L-MAC, ICML 2024",
    takes=("faithful",),
)
def _faithfulness_on_removal(columns):
    return columns["FF"]


@register(
    "Fid-In",
    title="Fid-In",
    family=FAITHFUL,
    unit="share",
    better="higher",
    low=0,
    high=1,
    summary=_KEPT + "share of sounds whose answer stays when only the explanation is kept",
    source="Paissan et al., L-MAC, ICML 2024",
    takes=("faithful",),
)
def _input_fidelity(columns):
    return columns["Fid-In"]
