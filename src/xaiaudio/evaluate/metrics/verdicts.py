"""Whether maps pass a sanity check, by a threshold that the maps themselves give.

The measure is taken from the method's own maps. Maps of two sounds that have nothing to do with
each other are as unlike as this method's maps get. If the map of a destroyed network is more like
the true one than that, something other than the network made both.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from .similarity import SIMILARITIES, similarity, unrelated

if TYPE_CHECKING:
    from .randomisation import Randomisation

# From the best to the worst.
OUTCOMES = ("pass", "undecided", "fail")

# Half-way between maps that have nothing in common and the same map twice.
HALF = 0.5


@dataclass(frozen=True)
class Verdict:
    """What a sanity check says of a method.

    Attributes
    ----------
    outcome : {"pass", "undecided", "fail"}
        The worst of the last states. ``"fail"``: the maps of one of them are at least as much
        like the true network's as `high`. ``"undecided"``: they are not, but they are still nearer
        to the true ones than to nothing in common. Then this method draws much the same for every
        sound, and the check has nothing to hold against. ``"fail"`` also where `itself` says that
        the maps are drawn at random.
    outcomes : tuple of str
        The same of each state.
    means : ndarray of float, shape (k,)
        Mean similarity to the true network's maps, over patches.
    low, high : float
        The interval that holds 95 % (or `level`) of the similarities of unrelated sounds.
    measure : str
    itself : float
        Similarity of the whole network's first map and the same made a second time: 1, but for
        methods that draw at random. NaN if it was not made.
    """

    outcome: str
    outcomes: tuple[str, ...]
    means: np.ndarray
    low: float
    high: float
    measure: str
    itself: float = math.nan

    @property
    def passed(self) -> bool:
        """Whether the outcome is a pass."""
        return self.outcome == "pass"

    def __str__(self) -> str:
        if self.itself < HALF:
            return f"{self.outcome}: {self.measure} {self.itself:.2f} to itself, made again"
        return (
            f"{self.outcome}: {self.measure} {self.means[-1]:.2f}, "
            f"of unrelated sounds {self.low:.2f} to {self.high:.2f}"
        )


def verdict(
    found: Randomisation, measure: str = "absolute", *, states: int = 2, level: float = 0.95
) -> Verdict:
    """Judge the maps of networks that were destroyed.

    Parameters
    ----------
    found : Randomisation
        By :func:`.randomisation.cascade`, ``each_layer`` or ``networks``, of 3 patches
        or more, from different sounds.
    measure : {"absolute", "spearman", "ssim"}
        See :func:`.similarity.similarity`. The default does not let a map pass
        that only changes its sign.
    states : int
        How many of the last states must pass. The default asks two of a cascade: nothing is
        left, and nothing but the lowest layer is left, which by itself knows no classes.
    level : float
        Share of the pairs of unrelated sounds that the interval holds.

    Returns
    -------
    Verdict
        The threshold is the interval's upper end: destroying the network must change a map at
        least as much as another sound does. A pass does not make a map right: random numbers
        pass whose seed is made of the weights. Those that are drawn anew each time do not, for
        they are as unlike with the same network.

    Raises
    ------
    XaiAudioError
        If there are fewer than 3 patches, or no such measure.

    References
    ----------
    Adebayo et al. 2018, Sanity checks for saliency maps, for the checks. The threshold is ours.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.evaluate.metrics.randomisation import Randomisation
    >>> from xaiaudio.evaluate.metrics.similarity import similarity
    >>> maps = np.random.default_rng(0).normal(size=(2, 4, 9, 7))
    >>> rows = {name: values[None] for name, values in similarity(*maps).items()}
    >>> verdict(Randomisation(("all",), rows, maps)).outcome
    'pass'
    """
    if measure not in SIMILARITIES:
        raise XaiAudioError(f"measure is {measure!r}: it must be one of {SIMILARITIES}.")
    if not 0 < level < 1:
        raise XaiAudioError(f"level is {level!r}: it must be between 0 and 1.")
    if found.maps.shape[1] < 3:
        raise XaiAudioError(
            f"There are maps of {found.maps.shape[1]} sounds: a verdict takes 3 or more, to see "
            "how unlike the maps of different sounds are."
        )
    pairs = unrelated(found.maps[0])[measure]
    low, high = np.quantile(pairs, [(1 - level) / 2, (1 + level) / 2])
    means = found.similarity[measure].mean(axis=1)
    outcomes = tuple(_outcome(mean, high) for mean in means)
    outcome = max(outcomes[-states:], key=OUTCOMES.index)
    itself = _itself(found, measure)
    if itself < HALF:
        outcome = "fail"
    return Verdict(outcome, outcomes, means, float(low), float(high), measure, itself)


def _itself(found, measure) -> float:
    if found.repeated is None:
        return math.nan
    first = found.maps[0][:1]
    # Maps that are the same everywhere have no ranks to be alike in.
    if np.allclose(first, found.repeated, rtol=1e-3, atol=1e-6 * np.abs(first).max()):
        return 1.0
    return float(similarity(first, found.repeated)[measure][0])


def _outcome(mean, high) -> str:
    # Maps that are all the same have a similarity of 1 but for rounding.
    if mean >= high - 1e-9:
        return "fail"
    return "undecided" if mean >= HALF else "pass"
