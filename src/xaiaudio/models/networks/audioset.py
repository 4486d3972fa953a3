"""AudioSet's classes: their names, and which of them says the same less exactly.

Gemmeke et al., "Audio Set: an ontology and human-labeled dataset for audio events", ICASSP 2017.
The names are those of the ontology (Google, CC BY 4.0, https://research.google.com/audioset) that
YAMNet has outputs for. Its table of the more general classes is our own and not complete: a class
stands under another one only where it can be nothing else, so "Hiss", of cats, snakes and steam,
stands under none.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Iterable, Mapping
from importlib import resources

ATTRIBUTION = "Class names of the AudioSet ontology by Google, CC BY 4.0"
#: The class of a patch in which there is nothing to hear: no source of sound.
SILENCE = "Silence"
# A network whose labels hold this share of AudioSet's names was trained on it.
_MOST = 0.9


@functools.cache
def _table() -> dict[str, tuple[str, ...]]:
    """Return each class, in the order of YAMNet's outputs, with those right above it."""
    text = (resources.files(__package__) / "audioset.csv").read_text(encoding="utf-8")
    rows = csv.DictReader(text.splitlines())
    return {row["class"]: tuple(filter(None, row["under"].split("|"))) for row in rows}


def classes() -> tuple[str, ...]:
    """Return the names of YAMNet's 521 classes, in the order of its outputs.

    Examples
    --------
    >>> from xaiaudio.models.networks import audioset
    >>> len(audioset.classes()), audioset.classes()[69]
    (521, 'Dog')
    """
    return tuple(_table())


@functools.cache
def general(label: str) -> frozenset[str]:
    """Return all classes that are true wherever this one is, itself left out.

    Examples
    --------
    >>> from xaiaudio.models.networks import audioset
    >>> sorted(audioset.general("Bark"))
    ['Animal', 'Dog', 'Domestic animals, pets']
    """
    above = _table().get(label, ())
    return frozenset(above).union(*(general(one) for one in above))


def more_general(labels: Iterable[str]) -> Mapping[str, frozenset[str]]:
    """Return the more general classes of each label, if these are labels of AudioSet.

    Parameters
    ----------
    labels : iterable of str
        Of a network.

    Returns
    -------
    mapping of str to frozenset of str
        Empty if the network was not trained on AudioSet.
    """
    labels = tuple(labels)
    known = set(_table()).intersection(labels)
    if len(known) < _MOST * len(_table()):
        return {}
    return {label: general(label) for label in labels}
