"""What a network says of a whole sound when several of its classes can be true at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from .networks import audioset
from .votes import voters

if TYPE_CHECKING:
    from .classifier import AudioClassifier

#: Score above which a class is heard.
THRESHOLD = 0.5


@dataclass(frozen=True)
class Tag:
    """What a network says of one class in a sound.

    Attributes
    ----------
    label : str
    score : float
        The highest probability of any patch that is no silence.
    start, end : float
        Where that patch lies in the sound, in seconds.
    seconds : float
        For how long the class is heard: its score is above the threshold.
    heard : bool
    exact : str
        The most exact class below it that is heard as well, such as "Bark" for "Dog"; empty if
        there is none.

    Examples
    --------
    >>> from xaiaudio.models.tags import Tag
    >>> print(Tag("Bark", 0.81, 1.92, 2.88, 0.48, True))
    Bark (81% from 1.92 to 2.88 s, heard for 0.48 s)
    """

    label: str
    score: float
    start: float
    end: float
    seconds: float
    heard: bool
    exact: str = ""

    def __str__(self) -> str:
        share = "below 1%" if 0 < self.score < 0.005 else f"{self.score:.0%}"
        long = f", heard for {self.seconds:.2f} s" if self.heard else ""
        return f"{self.label} ({share} from {self.start:.2f} to {self.end:.2f} s{long})"


@dataclass(frozen=True, eq=False)
class ClipTags(Sequence):
    """What a network says of each class in a whole sound: the surest class first.

    A sequence of :class:`Tag`, one for each class. Each moment is answered for by the patch whose
    middle is nearest; patches that are silence beside the loudest have no say.

    Attributes
    ----------
    labels : tuple of str
    patch_scores : ndarray of float32, shape (n, classes)
        Each patch's probabilities.
    voted : ndarray of bool, shape (n,)
        False for patches that are silence beside the others.
    starts, ends : ndarray of float, shape (n,)
        Where each patch lies in the sound, in seconds.
    threshold : float
        Probability above which a class is heard.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.models.tags import ClipTags
    >>> scores = np.array([[0.9, 0.2], [0.6, 0.7], [0.1, 0.1]])
    >>> starts = np.arange(3) * 0.5
    >>> tags = ClipTags(("dog", "rain"), scores, np.ones(3, bool), starts, starts + 1)
    >>> print(tags[0])
    dog (90% from 0.00 to 1.00 s, heard for 1.25 s)
    >>> [tag.label for tag in tags.heard]
    ['dog', 'rain']
    """

    labels: tuple[str, ...]
    patch_scores: np.ndarray
    voted: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    threshold: float = THRESHOLD

    @cached_property
    def tags(self) -> tuple[Tag, ...]:
        """One for each class, the highest score first."""
        scores = np.where(self.voted[:, None], self.patch_scores, -1.0)
        best, highest = scores.argmax(axis=0), scores.max(axis=0)
        seconds = self._answered() @ (scores > self.threshold)
        order = np.argsort(-highest, kind="stable")
        exact = self._exact(highest)
        return tuple(
            Tag(
                self.labels[k],
                max(float(highest[k]), 0.0),
                float(self.starts[best[k]]),
                float(self.ends[best[k]]),
                float(seconds[k]),
                bool(highest[k] > self.threshold),
                exact.get(self.labels[k], ""),
            )
            for k in order
        )

    def _answered(self) -> np.ndarray:
        """Return for how many seconds each patch answers."""
        middles = (self.starts + self.ends) / 2
        between = (middles[1:] + middles[:-1]) / 2
        return np.diff(np.concatenate([self.starts[:1], between, self.ends[-1:]]))

    def _exact(self, highest: np.ndarray) -> dict[str, str]:
        """Return the surest of the most exact classes below each class that has one beside it."""
        general = audioset.more_general(self.labels)
        if not general:
            return {}
        sources = np.array([label != audioset.SILENCE for label in self.labels])
        beside = (highest > self.threshold) & sources
        if not beside.any():  # nobody is heard: those that come near the surest
            beside = (highest >= highest[sources].max() / 2) & sources
        named = [self.labels[k] for k in np.argsort(-highest, kind="stable") if beside[k]]
        above = frozenset().union(*(general[label] for label in named))
        found: dict[str, str] = {}
        for label in named:
            if label not in above:  # the most exact ones, the surest first
                for one in general[label].intersection(self.labels):
                    found.setdefault(one, label)
        return found

    @property
    def heard(self) -> tuple[Tag, ...]:
        """The classes that are heard, the surest first."""
        return tuple(tag for tag in self if tag.heard)

    @property
    def quiet(self) -> int:
        """How many patches had no say, because they are silence beside the others."""
        return int((~self.voted).sum())

    def top(self, count: int = 3) -> tuple[Tag, ...]:
        """Return the classes that are worth explaining, the surest first.

        AudioSet's "Silence" is left out, and so is a class where a more exact one is heard too:
        "Animal" and "Dog" beside "Bark". If nothing is heard, it is the most probable class alone.

        Parameters
        ----------
        count : int
            At most.
        """
        others = [tag for tag in self if tag.label != audioset.SILENCE and not tag.exact]
        heard = [tag for tag in others if tag.heard]
        return tuple((heard or others[:1] or list(self[:1]))[:count])

    def table(self) -> list[dict]:
        """Return a row for each class, the surest first: the fields of :class:`Tag`."""
        return [dict(vars(tag)) for tag in self]

    def __getitem__(self, place):
        return self.tags[place]

    def __len__(self) -> int:
        return len(self.labels)

    def __iter__(self) -> Iterator[Tag]:
        return iter(self.tags)

    def __repr__(self) -> str:
        named = ", ".join(f"{tag.label} {tag.score:.2f}" for tag in self[:3])
        return f"ClipTags({len(self)} classes, {len(self.heard)} heard: {named}, ...)"


def of_clip(
    model: AudioClassifier,
    wave: np.ndarray,
    *,
    overlap: float | None = None,
    pad: bool = False,
    threshold: float = THRESHOLD,
) -> ClipTags:
    """Ask a network about each of its classes in a sound; see :meth:`.AudioClassifier.tag_clip`."""
    if not 0 <= threshold <= 1:
        raise XaiAudioError(f"The threshold is {threshold}: it must be from 0 to 1.")
    frontend = model.frontend
    patches = frontend(wave, overlap=overlap, pad=pad)
    voted = voters(patches.levels)
    if not voted.any():
        raise XaiAudioError("The sound is silent: there is nothing to name or to explain.")
    begin, end = frontend.frame_times()[[0, -1]]
    places = patches.starts * frontend.hop / frontend.sample_rate
    # Of a sound that was lengthened, only what it lasts.
    starts, ends = (
        np.clip(places + edge, 0, len(wave) / frontend.sample_rate) for edge in (begin, end)
    )
    return ClipTags(model.labels, model.scores(patches), voted, starts, ends, threshold)
