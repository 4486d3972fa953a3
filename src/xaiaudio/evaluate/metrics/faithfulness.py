"""Does the network agree with the map? Keep what it shows, or take it away, and ask again.

The positive part of a map, divided by its maximum, is a mask in [0, 1]. A cell that is removed goes
towards the fill: silence, unless told otherwise, for the zero of a log-mel patch is no silence.
"""

from __future__ import annotations

import numpy as np

from ...errors import XaiAudioError
from ...explainers.engines.perturbation import filling, silence_of

MEASURES = ("AD", "AI", "AG", "FF", "Fid-In")


def soft_mask(maps) -> np.ndarray:
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


def kept_and_removed(model, result, *, fill="silence") -> tuple[np.ndarray, np.ndarray]:
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
    scores = model.scores(both)
    return scores[: len(mask)], scores[len(mask) :]


def faithfulness(model, result, *, fill="silence") -> dict[str, np.ndarray]:
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
    rows = np.arange(len(result))
    p, o, m = (
        np.asarray(scores, np.float64)[rows, result.targets]
        for scores in (result.scores, kept, removed)
    )
    # A class of probability 0 cannot drop, one of probability 1 cannot gain.
    with np.errstate(divide="ignore", invalid="ignore"):
        drop = np.where(p > 0, 100 * np.maximum(0, p - o) / p, 0.0)
        gain = np.where(p < 1, 100 * np.maximum(0, o - p) / (1 - p), 0.0)
    stays = kept.argmax(axis=1) == result.scores.argmax(axis=1)
    return {
        "AD": drop,
        "AI": 100.0 * (o > p),
        "AG": gain,
        "FF": p - m,
        "Fid-In": stays.astype(float),
    }


def sparseness(maps) -> np.ndarray:
    """Return the Gini index of the magnitudes of each map.

    Parameters
    ----------
    maps : array_like of float, shape (n, ...)

    Returns
    -------
    ndarray of float, shape (n,)
        0 if all cells weigh the same, 1 - 1/N if one of the N cells has all. A map of zeros has 0.

    References
    ----------
    Chalasani et al. 2020, Concise explanations of neural networks using adversarial training.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.faithfulness import sparseness
    >>> sparseness([[[0.0, 0.0, 0.0, 1.0]]])
    array([0.75])
    """
    ordered = np.sort(_magnitudes(maps), axis=1)
    count = ordered.shape[1]
    weights = (2 * np.arange(1, count + 1) - count - 1) / count
    total = ordered.sum(axis=1)
    return np.where(total > 0, ordered @ weights / np.where(total > 0, total, 1), 0.0)


def complexity(maps) -> np.ndarray:
    """Return the entropy of the shares that the cells have in each map's magnitude.

    Parameters
    ----------
    maps : array_like of float, shape (n, ...)

    Returns
    -------
    ndarray of float, shape (n,)
        In nats: 0 if one cell has all, ln N if all N weigh the same; a map of zeros counts as that.

    References
    ----------
    Bhatt, Weller and Moura 2020, Evaluating and aggregating feature-based model explanations.

    Examples
    --------
    >>> from xaiaudio.evaluate.metrics.faithfulness import complexity
    >>> complexity([[[0.0, 0.0, 0.0, 1.0]]])
    array([0.])
    """
    values = _magnitudes(maps)
    values[~values.any(axis=1)] = 1.0
    shares = values / values.sum(axis=1, keepdims=True)
    logs = np.log(shares, out=np.zeros_like(shares), where=shares > 0)
    return np.abs((shares * logs).sum(axis=1))


def _magnitudes(maps) -> np.ndarray:
    maps = np.abs(np.asarray(maps, np.float64))
    if maps.ndim < 2 or maps.size == 0:
        raise XaiAudioError(f"The maps have the shape {maps.shape}: (n, frames, bands) is needed.")
    return maps.reshape(len(maps), -1)
