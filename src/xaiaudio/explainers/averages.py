"""What many explanations by parts say together: the mean weight of each part, class by class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from .parts import PartsExplanation


@dataclass(frozen=True)
class Average:
    """What a part adds to a class, over many sounds.

    Attributes
    ----------
    target : str
        The class.
    part : str
    sounds : int
        How many of the class's sounds have such a part.
    weight : float
        The mean weight.
    importance : float
        The mean magnitude of the weight, whether it speaks for the class or against it.
    weighted : float
        The root of the summed magnitudes, times how much the part is of few classes only: 1 for the
        part whose importance is shared by the fewest classes, 0 for the one shared by the most.
    """

    target: str
    part: str
    sounds: int
    weight: float
    importance: float
    weighted: float


def source_of(name: str) -> str:
    """Return the source of a part that is a source in a stretch of time.

    Examples
    --------
    >>> source_of("drums, time 3")
    'drums'
    """
    return name.rpartition(", time ")[0] or name


def averages(
    explanations: Sequence[PartsExplanation], by: Callable[[str], str] | None = None
) -> list[Average]:
    r"""Average explanations by parts over sounds, class by class.

    Parameters
    ----------
    explanations : sequence of PartsExplanation
        Of several sounds whose parts have the same names, asked for the same output.
    by : callable, optional
        From a part's name to the one that it counts under, such as :func:`source_of`: the weights
        of parts that count under one name are added up within a sound.

    Returns
    -------
    list of Average
        For each class explained and each part, in the order in which they come.

    Raises
    ------
    XaiAudioError
        If there is none, or they were asked for different outputs.

    Notes
    -----
    With :math:`A_{cj}` the sum of the magnitudes of part j's weights over the sounds of class c,
    :math:`q_{cj} = \sqrt{A_{cj}} / \sum_c \sqrt{A_{cj}}` and the entropy
    :math:`H_j = -\sum_c q_{cj} \log q_{cj}`, `weighted` is
    :math:`(1 - (H_j - H_{min}) / (H_{max} - H_{min})) \sqrt{A_{cj}}`. Where all entropies are the
    same, as with one class, the factor is 1.

    References
    ----------
    I. van der Linden, H. Haned and E. Kanoulas, "Global aggregations of local explanations for
    black box models", 2019; T. Sotirou, V. Lyberatos, O. Menis Mastromichalakis and G. Stamou,
    "MusicLIME: Explainable multimodal music understanding", 2024, for music.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.averages import averages
    >>> from xaiaudio.explainers.engines.components import Components
    >>> model, rng = xa.load_model("lite"), np.random.default_rng(0)
    >>> halves = [Components.in_time(rng.normal(0, 0.1, 16_000), 2) for _ in range(3)]
    >>> [one.part for one in averages([xa.explain_parts(model, one, "Rain") for one in halves])]
    ['time 1', 'time 2']
    """
    if not explanations:
        raise XaiAudioError("There is no explanation to average: give one at least.")
    if len({one.output for one in explanations}) != 1:
        raise XaiAudioError("Some of these explain logits and some probabilities: take one kind.")
    weights = _weights(explanations, by)
    targets = list(dict.fromkeys(target for target, _ in weights))
    names = list(dict.fromkeys(name for _, name in weights))
    sums = np.array(
        [[np.abs(weights.get((target, name), [0])).sum() for name in names] for target in targets]
    )
    weighted = homogeneity(sums) * np.sqrt(sums)
    return [
        Average(
            target=target,
            part=name,
            sounds=len(found),
            weight=float(np.mean(found)),
            importance=float(np.abs(found).mean()),
            weighted=float(weighted[targets.index(target), names.index(name)]),
        )
        for (target, name), found in weights.items()
    ]


def homogeneity(sums: np.ndarray) -> np.ndarray:
    """Return how much each part is of few classes only, in [0, 1].

    Parameters
    ----------
    sums : ndarray of float, shape (classes, parts)
        Sums of magnitudes.

    Returns
    -------
    ndarray of float64, shape (parts,)

    Examples
    --------
    >>> import numpy as np
    >>> homogeneity(np.array([[1.0, 2.0], [1.0, 0.0]])).tolist()
    [0.0, 1.0]
    """
    roots = np.sqrt(sums)
    total = roots.sum(axis=0)
    share = np.divide(roots, total, out=np.zeros_like(roots), where=total > 0)
    entropy = -(share * np.log(np.where(share > 0, share, 1))).sum(axis=0)
    spread = np.ptp(entropy)
    if spread <= 1e-12:
        return np.ones(sums.shape[1])
    return 1 - (entropy - entropy.min()) / spread


def _weights(explanations, by) -> dict[tuple[str, str], list[float]]:
    """Return the weights of each part in the sounds of each class; those of one name added up."""
    found: dict[tuple[str, str], list[float]] = {}
    for one in explanations:
        summed: dict[str, float] = {}
        for name, weight in zip(one.components.names, one.weights, strict=True):
            name = by(name) if by else name
            summed[name] = summed.get(name, 0.0) + float(weight)
        for name, weight in summed.items():
            found.setdefault((one.target_label, name), []).append(weight)
    return found
