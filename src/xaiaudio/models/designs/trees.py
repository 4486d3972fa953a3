"""Trees over classes: which classes belong together, and how far apart two of them are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.cluster import AgglomerativeClustering

from ...errors import XaiAudioError

#: The classes of ESC-10, and of the made sounds, by what makes the sound: the parent, and its own.
SOURCES = {
    "Dog bark": ("animals", "living beings"),
    "Rooster": ("animals", "living beings"),
    "Baby cry": ("people", "living beings"),
    "Person sneeze": ("people", "living beings"),
    "Rain": ("water and fire", "things"),
    "Sea waves": ("water and fire", "things"),
    "Fire crackling": ("water and fire", "things"),
    "Clock tick": ("machines", "things"),
    "Helicopter": ("machines", "things"),
    "Chainsaw": ("machines", "things"),
}

KINDS = ("sources", "data", "random", "flat")


@dataclass(frozen=True)
class Tree:
    """A tree whose leaves are classes.

    Attributes
    ----------
    labels : tuple of str
        The leaves.
    levels : tuple of tuple of str
        For each level above the leaves, from below: what each leaf belongs to there.

    Raises
    ------
    XaiAudioError
        If a level has another number of names, or tears apart what the level below holds together.

    Examples
    --------
    >>> from xaiaudio.models.designs.trees import Tree
    >>> tree = Tree(("dog", "cat", "saw"), (("animal", "animal", "machine"),))
    >>> tree.groups(1), tree.distance(0, 1), tree.distance(0, 2)
    (('animal', 'machine'), 1, 2)
    """

    labels: tuple[str, ...]
    levels: tuple[tuple[str, ...], ...] = ()

    def __post_init__(self):
        below = self.labels
        for number, level in enumerate(self.levels, 1):
            if len(level) != len(self.labels):
                raise XaiAudioError(
                    f"Level {number} of the tree names {len(level)} groups for "
                    f"{len(self.labels)} classes: one each is needed."
                )
            if len(set(zip(below, level, strict=True))) != len(set(below)):
                raise XaiAudioError(
                    f"Level {number} of the tree parts classes that the level below it holds "
                    "together: what belongs together must stay together further up."
                )
            below = level

    @property
    def heights(self) -> int:
        """How many levels can be asked about, the leaves among them."""
        return 1 + len(self.levels)

    def groups(self, height: int) -> tuple[str, ...]:
        """Return the names at a height, in the order in which they occur; 0 are the leaves."""
        return tuple(dict.fromkeys(self.labels if height == 0 else self.levels[height - 1]))

    def members(self, height: int) -> np.ndarray:
        """Return which leaf is in which group, bool (groups, leaves)."""
        level = self.labels if height == 0 else self.levels[height - 1]
        return np.array([[name == group for name in level] for group in self.groups(height)])

    def means(self, height: int) -> np.ndarray:
        """Return how much each leaf counts in the prototype of each group.

        A parent is the plain mean of its children, of the level below: a child of many leaves
        counts no more than one of a single leaf.

        Returns
        -------
        ndarray of float64, shape (groups, leaves)
            Each row sums to 1.
        """
        if height == 0:
            return np.eye(len(self.labels))
        below, members = self.means(height - 1), self.members(height)
        children = self.members(height - 1).argmax(axis=1)  # a leaf of each child
        chosen = members[:, children].astype(float)
        return chosen @ below / chosen.sum(axis=1, keepdims=True)

    def distance(self, one: int, other: int) -> int:
        """Return how many levels up two leaves meet: 0 for the same, 1 for siblings, ..."""
        if one == other:
            return 0
        for height in range(1, self.heights):
            if self.levels[height - 1][one] == self.levels[height - 1][other]:
                return height
        return self.heights

    def distances(self) -> np.ndarray:
        """Return :meth:`distance` of all pairs, int (leaves, leaves)."""
        count = range(len(self.labels))
        return np.array([[self.distance(one, other) for other in count] for one in count])


def tree_of(
    labels: Sequence[str], kind: str = "sources", means: np.ndarray | None = None, seed: int = 0
) -> Tree:
    """Return a tree over classes.

    Parameters
    ----------
    labels : sequence of str
    kind : {"sources", "data", "random", "flat"}
        ``"sources"`` is by what makes the sound, for the classes of ESC-10; other classes get
        ``"data"``, a level of groups whose mean vectors lie near each other (Ward's clustering,
        as many groups as the root of the number of classes). ``"random"`` is the same tree as
        ``"sources"`` with the classes dealt out anew: a control. ``"flat"`` has no level but the
        leaves.
    means : ndarray of float, shape (classes, d), optional
        A vector of each class, for ``"data"``.
    seed : int
        Of ``"random"``.

    Raises
    ------
    XaiAudioError
        For another kind, or where the vectors are missing.

    Examples
    --------
    >>> from xaiaudio.models.designs.trees import tree_of
    >>> tree_of(["Dog bark", "Rooster", "Rain"]).groups(1)
    ('animals', 'water and fire')
    """
    labels = tuple(labels)
    if kind not in KINDS:
        raise XaiAudioError(f"tree is {kind!r}: it must be one of {', '.join(KINDS)}.")
    if kind == "flat":
        return Tree(labels)
    if kind == "random":
        usual = tree_of(labels, "sources", means)
        order = np.random.default_rng([seed, 81]).permutation(len(labels))
        return Tree(labels, tuple(tuple(level[k] for k in order) for level in usual.levels))
    if kind == "sources" and all(label in SOURCES for label in labels):
        return Tree(labels, tuple(zip(*(SOURCES[label] for label in labels), strict=True)))
    if (
        means is None
        or len(means) != len(labels)
        or len(labels) < 2
        or not np.isfinite(means).all()
    ):
        raise XaiAudioError(
            f"Of the classes {', '.join(labels)[:60]} no tree is known: give means of two classes "
            "or more, finite ones."
        )
    count = min(len(labels), max(2, round(np.sqrt(len(labels)))))
    found = AgglomerativeClustering(count).fit_predict(np.asarray(means, float))
    return Tree(labels, (tuple(f"group {number + 1}" for number in found),))
