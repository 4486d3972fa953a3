"""What a classifier says of whole sounds: its front end cuts them, and its answers are averaged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..patches import joined
from .votes import voters

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .classifier import AudioClassifier


def hear(
    model: AudioClassifier,
    waves: ArrayLike,
    *,
    output: str = "scores",
    overlap: float | None = None,
    voted: ArrayLike | None = None,
    highest: bool = False,
) -> np.ndarray:
    """Return a classifier's answers to whole sounds: the mean over the patches of each.

    Parameters
    ----------
    model : AudioClassifier
        Of patches or of samples.
    waves : array_like of float, shape (m, samples)
        At the front end's rate. Sounds shorter than a patch are lengthened with silence.
    output : {"scores", "logits"}
    overlap : float, optional
        Of the patches; by default the front end's own.
    voted : array_like of bool, shape (patches,), optional
        Which patches count, see :func:`voting`. By default all.
    highest : bool
        True takes the highest answer of any patch: a mean would hide what is heard for a moment.

    Returns
    -------
    ndarray of float32, shape (m, classes)

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.hearing import hear
    >>> hear(xa.load_model("lite"), np.zeros((3, 16_000))).shape
    (3, 10)
    """
    cut = [model.frontend(wave, overlap=overlap, pad=True) for wave in np.asarray(waves)]
    ask = model.logits if output == "logits" else model.scores
    answers = ask(joined(cut)).reshape(len(cut), -1, len(model.labels))
    chosen = slice(None) if voted is None else np.flatnonzero(voted)
    if highest:
        return answers[:, chosen].max(axis=1)
    return answers[:, chosen].mean(axis=1, dtype=np.float64).astype(np.float32)


def voting(model: AudioClassifier, wave: ArrayLike, overlap: float | None = None) -> np.ndarray:
    """Return which patches of a sound are no silence, bool (patches,); all if every one is.

    Of a sound and its remixes the same patches have to count, or their answers are of different
    places: these are the whole sound's.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.hearing import voting
    >>> sound = np.concatenate([np.ones(16_000), np.zeros(32_000)])
    >>> voting(xa.load_model("lite"), sound, overlap=0).tolist()
    [True, True, False]
    """
    voted = voters(model.frontend(wave, overlap=overlap, pad=True).levels)
    return voted if voted.any() else np.ones_like(voted)
