"""Designs: the coalitions of parts that a network is asked about.

Whatever is fitted to the answers can only tell apart what the coalitions told apart. A design is a
set of them in which each part is on as often as off, and on together with each other part as often
as without it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ...errors import XaiAudioError, meant

#: How coalitions can be drawn, the best first.
DRAWS = ("orthogonal", "complements", "independent")


@dataclass(frozen=True, eq=False)
class Design:
    """Coalitions of parts, that of all parts first.

    Attributes
    ----------
    present : ndarray of int8, shape (m, count)
        1 where a part is on.
    groups : ndarray of int, shape (m,)
        From 0: rows of one group were not drawn one without the other. A coalition and its
        complement are a group.
    complete : bool
        Whether these are all coalitions that there are, so that nothing was drawn.
    """

    present: np.ndarray
    groups: np.ndarray
    complete: bool = False

    def __len__(self) -> int:
        return len(self.present)

    @property
    def distinct(self) -> int:
        """How many of the rows are different."""
        return len(np.unique(self.present, axis=0))

    def first(self, samples: int) -> Design:
        """Return the design of its first rows: what a draw of fewer samples would have been."""
        if self.complete or samples >= len(self):
            return self
        return Design(self.present[:samples], self.groups[:samples])


def draw(count: int, samples: int, seed: int = 0, draws: str = DRAWS[0]) -> Design:
    """Choose coalitions of `count` parts; over the seeds, each has the same chance in each row.

    Parameters
    ----------
    count : int
        Parts, 1 or more.
    samples : int
        Coalitions, that of all parts among them. If there are no more than that altogether, the
        design is all of them, each once, and the rest does not matter.
    seed : int
    draws : {"orthogonal", "complements", "independent"}
        ``"independent"``: each part is on or off by the toss of a coin, in the order of the package
        lime. ``"complements"``: each such coalition is followed by its complement, in which all
        that was on is off. ``"orthogonal"``: the coalitions are the rows of a two-level design,
        `count` columns of a Hadamard matrix in random places with random signs, and then their
        complements; when these are used up, other designs follow, each row before its complement.

    Returns
    -------
    Design
        With one seed, the first rows are the same however many follow, unless they are all.

    Raises
    ------
    XaiAudioError
        For unknown draws.

    References
    ----------
    R. L. Plackett and J. P. Burman, "The design of optimum multifactorial experiments", Biometrika
    1946; G. E. P. Box and K. B. Wilson, "On the experimental attainment of optimum conditions",
    1951, for the complement, there called fold-over.

    Examples
    --------
    >>> from xaiaudio.explainers.engines import designs
    >>> present = designs.draw(3, 7, draws="orthogonal").present
    >>> present[0].tolist(), (present[1] + present[5]).tolist()
    ([1, 1, 1], [1, 1, 1])
    >>> len(designs.draw(3, 8))  # all that there are
    8
    """
    check_draws(draws)
    count = int(count)  # 2**64 of a NumPy integer would be 0
    if count < 1:
        raise XaiAudioError(f"There are {count} parts: coalitions need at least one.")
    if 2**count <= samples:
        rows = np.arange(2**count - 1, -1, -1)
        present = (rows[:, None] >> np.arange(count) & 1).astype(np.int8)
        return Design(present, np.arange(len(rows)), complete=True)
    if draws == "independent":
        return Design(_independent(count, samples, seed), np.arange(samples))
    rng = np.random.default_rng(seed)
    if draws == "complements":
        tossed = rng.integers(0, 2, (samples // 2, count)).astype(np.int8)
        present, groups = _in_pairs(tossed, np.arange(len(tossed)))
    else:
        present, groups = _orthogonal(count, samples - 1, rng)
    present = np.concatenate([np.ones((1, count), np.int8), present])
    return Design(present[:samples], np.concatenate([[0], 1 + groups])[:samples])


def check_draws(draws: object) -> None:
    """Raise XaiAudioError unless an option `draws` is one that there is."""
    if draws not in DRAWS:
        raise XaiAudioError(
            f"draws is {draws!r}{meant(str(draws), DRAWS)}: it must be one of {DRAWS}."
        )


def _independent(count, samples, seed) -> np.ndarray:
    """Toss coins with lime's own generator, in lime's order."""
    state = np.random.RandomState(seed)
    state.randint(0, 1000)  # lime draws a seed for its segmentation first
    present = state.randint(0, 2, samples * count).reshape(samples, count).astype(np.int8)
    present[0] = 1
    return present


def _in_pairs(rows, groups) -> tuple[np.ndarray, np.ndarray]:
    """Let each row be followed by its complement, in the same group."""
    pairs = np.stack([rows, 1 - rows], axis=1)
    return pairs.reshape(-1, rows.shape[1]), np.repeat(groups, 2)


def _orthogonal(count, samples, rng) -> tuple[np.ndarray, np.ndarray]:
    """Return rows of two-level designs and their complements, `samples` or more, and the groups."""
    order = 2 ** count.bit_length()  # more than there are parts: one column is constant
    rows, groups, number = [], [], 0
    while 2 * order * number < samples or not number:
        design = _two_levels(count, order, rng)
        places = number * order + np.arange(order)
        if number == 0:
            # Half a design tells the parts apart better by rows alone than by half as many pairs.
            made = np.concatenate([design, 1 - design]), np.tile(places, 2)
        else:  # and a half beside whole ones better by pairs
            made = _in_pairs(design, places)
        rows.append(made[0])
        groups.append(made[1])
        number += 1
    return np.concatenate(rows), np.concatenate(groups)


def _two_levels(count, order, rng) -> np.ndarray:
    """Return `count` columns of the Hadamard matrix of Sylvester, of 0 and 1, its rows shuffled.

    Its entry (i, j) is the parity of the bits that i and j share. In their own order, the first
    half of the rows would not tell all columns apart.
    """
    columns = 1 + rng.permutation(order - 1)[:count]
    signs = rng.integers(0, 2, count)
    rows = rng.permutation(order)
    parity = np.bitwise_count(rows[:, None] & columns) & 1
    return (parity ^ signs).astype(np.int8)
