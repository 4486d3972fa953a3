"""Checks of what a classifier is made of: labels, a front end, a network that fits them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError, folded, meant
from ..frontend import LogMel

if TYPE_CHECKING:
    import keras


def check_labels(labels) -> tuple[str, ...]:
    """Return the labels as a tuple, or say what is wrong with them."""
    if isinstance(labels, str):
        raise XaiAudioError(f"The labels are one string ({labels!r}): give a list of names.")
    # Sets have no order, and what a mapping's order means can only be guessed.
    if isinstance(labels, (set, frozenset, Mapping)) or not isinstance(labels, Iterable):
        raise XaiAudioError(
            f"The labels are a {type(labels).__name__}: give a list of names, in the order of the "
            "network's outputs."
        )
    labels = tuple(labels)
    wrong = [label for label in labels if not isinstance(label, str) or not label.strip()]
    if wrong:
        raise XaiAudioError(f"The label {wrong[0]!r} is not a name.")
    twice = [label for label in labels if labels.count(label) > 1]
    if twice:
        raise XaiAudioError(f"The label {twice[0]!r} is there twice: labels must differ.")
    return labels


def check_frontend(frontend):
    """Return a front end, or say that it is none."""
    if not isinstance(frontend, LogMel):
        raise XaiAudioError(
            f"The front end is a {type(frontend).__name__}: give an xaiaudio.LogMel, or a subclass "
            "of it that computes patches in another way."
        )
    return frontend


def check_kind(network, samples: bool, channels, sample_rate) -> None:
    """Complain of what is said of another kind of network."""
    if samples and channels is not None:
        raise XaiAudioError(
            f"{network.name} takes samples: leave out channels, which is for networks of patches."
        )
    if not samples and sample_rate is not None:
        raise XaiAudioError(
            f"{network.name} takes log-mel patches: leave out sample_rate, which is for networks "
            "of samples. The rate of its sounds is the front end's."
        )


def check_outputs(network: keras.Model, labels) -> None:
    """Complain unless the network has an output for each label."""
    outputs = network.outputs[0].shape[-1]
    if outputs != len(labels):
        raise XaiAudioError(
            f"The network has {outputs} outputs but there are {len(labels)} labels: give one label "
            "for each output, in order."
        )


def index(label, labels: tuple[str, ...], name: str) -> int:
    """Return the number of a class; see :meth:`.AudioClassifier.index`."""
    if isinstance(label, (int, np.integer)) and not isinstance(label, bool):
        if 0 <= label < len(labels):
            return int(label)
    elif label in labels:
        return labels.index(label)
    elif isinstance(label, str):
        alike = [i for i, known in enumerate(labels) if folded(known) == folded(label)]
        if len(alike) == 1:
            return alike[0]
    raise XaiAudioError(
        f"{name} has no class {label!r}{meant(label, labels, most=5)}: its classes are "
        f"{_listed(labels)}."
    )


def _listed(labels, most: int = 20) -> str:
    if len(labels) <= most:
        return ", ".join(labels)
    return f"{', '.join(labels[:most])} and {len(labels) - most} more"
