"""What interpreters learn from: patches, the magnitudes that they were made of, hidden layers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ... import cache
from ...errors import XaiAudioError
from ...models.designs.lessons import held_out_clips
from ...models.differentiable import magnitudes
from ...models.graph import blocks, graph_of, is_spatial
from ...models.votes import voters
from ...wave_frontend import WaveFrontend

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...datasets.base import ClipSet
    from ...frontend import LogMel
    from ...models.classifier import AudioClassifier

# Patches that are asked about at a time.
BATCH = 64
# Above this, half precision overflows.
_LARGEST = 6e4
# What the last two sets were cut into, by the bytes of their clips: several interpreters of one
# network learn from the same and are asked about the same held-out ones.
_LAST: dict[tuple, list[tuple[np.ndarray, np.ndarray]]] = {}
_KEPT = 2


@dataclass(frozen=True, eq=False)
class Features:
    """Patches of many sounds, with the magnitudes that they were made of.

    What an interpreter learns are mostly the network's own answers, and not the labels.

    Attributes
    ----------
    patches : ndarray of float32, shape (n, frames, bands)
    magnitudes : ndarray of float32, shape (n, frames, bins)
        Of the front end's linear Fourier transform, on the same frames.
    clip : ndarray of int, shape (n,)
        Which clip each patch is of.
    validation : ndarray of bool, shape (n,)
        The patches of the clips that are not learnt from: training stops by them.
    frontend : LogMel
    labels : tuple of str or None
        Of each clip, see `clip`.
    """

    patches: np.ndarray
    magnitudes: np.ndarray
    clip: np.ndarray
    validation: np.ndarray
    frontend: LogMel
    labels: tuple[str | None, ...]

    def __len__(self) -> int:
        return len(self.patches)

    def split(self, *arrays: np.ndarray) -> tuple[tuple, tuple]:
        """Split arrays (n, ...) into what is learnt from and what is validated on."""
        learnt = tuple(array[~self.validation] for array in arrays)
        return learnt, tuple(array[self.validation] for array in arrays)


def features(
    model: AudioClassifier,
    clips: ClipSet | Features,
    *,
    overlap: float = 0.5,
    share: float = 0.15,
    seed: int = 0,
) -> Features:
    """Cut clips into patches, and keep some of the clips for validation.

    Parameters
    ----------
    model : AudioClassifier
        Of patches; its front end is taken.
    clips : ClipSet
        To learn from, and nothing but: not the clips that will be tested on. What this function
        returned is returned as it is. The last ones are kept in memory, by the bytes of the sounds.
    overlap : float
        Of neighbouring patches. Patches that are silence beside the clip's loudest are left out.
    share : float
        Of the clips of each label, how many are for validation: at least one of each label that has
        two clips or more.
    seed : int
        Decides which.

    Returns
    -------
    Features

    Raises
    ------
    XaiAudioError
        If the classifier takes samples, a clip cannot be read, or there are less than two clips.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.explainers.trained.features import features
    >>> book = xa.profile("mini")  # doctest: +SKIP
    >>> features(book.classifier(), book.split()[0]).magnitudes.shape  # doctest: +SKIP
    (2514, 96, 257)
    """
    if isinstance(clips, Features):
        return clips
    return _features(clips, _frontend_of(model).with_overlap(overlap), share, seed)


def _pieces(clips, frontend) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return patches and magnitudes of each clip; those of the last sets are kept in memory."""
    # Sounds that are made when they are read have no path, or a name for one.
    if not all(os.path.isfile(getattr(clip, "path", "")) for clip in clips):
        return _cut_all(clips, frontend)
    key = (tuple(cache.sum_of(clip.path) for clip in clips), frontend)
    found = _LAST.pop(key, None) or _cut_all(clips, frontend)
    for old in list(_LAST)[: 1 - _KEPT]:
        del _LAST[old]
    _LAST[key] = found  # behind the other: the one that was asked for longest ago goes first
    return found


def _cut_all(clips, frontend) -> list[tuple[np.ndarray, np.ndarray]]:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return list(pool.map(lambda clip: _cut(clip.load(frontend.sample_rate), frontend), clips))


def _features(clips, frontend, share, seed) -> Features:
    if not 0 < share < 1:
        raise XaiAudioError(f"The share to validate on is {share}: it must be between 0 and 1.")
    if len(clips) < 2:
        raise XaiAudioError(
            f"{clips.name} has {len(clips)} clip: an interpreter learns from one and is validated "
            "on another, so give two at least."
        )
    cut = _pieces(clips, frontend)
    counts = [len(patches) for patches, _ in cut]
    heard = np.flatnonzero(counts)
    if not len(heard):
        raise XaiAudioError(f"All clips of {clips.name} are silent: there is nothing to learn.")
    if len(heard) < 2:
        raise XaiAudioError(
            f"All clips of {clips.name} but {clips[int(heard[0])].name} are silent: an interpreter "
            "learns from one that is not, and is validated on another."
        )
    # Silent clips have no patch: with them on one side, there might be none at all.
    held_out = np.zeros(len(clips), bool)
    held_out[heard] = held_out_clips([clips[int(number)].label for number in heard], share, seed)
    return Features(
        patches=np.concatenate([patches for patches, _ in cut]),
        magnitudes=np.concatenate([heights for _, heights in cut]),
        clip=np.repeat(np.arange(len(clips)), counts),
        validation=np.repeat(held_out, counts),
        frontend=frontend,
        labels=tuple(clip.label for clip in clips),
    )


def _frontend_of(model) -> LogMel:
    """Return the front end of a classifier of patches; refuse one of samples."""
    if isinstance(model.frontend, WaveFrontend):
        raise XaiAudioError(
            f"{model.name} takes sounds: an interpreter needs the hidden layers of a network that "
            "takes log-mel patches."
        )
    return model.frontend


def _cut(wave, frontend) -> tuple[np.ndarray, np.ndarray]:
    """Return the patches of a sound that are no silence, and the magnitudes under them."""
    wave = np.pad(wave, (0, max(0, frontend.min_samples - len(wave))))
    patches = frontend(wave)
    heights = frontend.cut(magnitudes(wave[None].astype(np.float32), frontend)[0])
    voted = voters(patches.levels)
    return patches.values[voted], heights[voted].astype(np.float32)


def hidden(model: AudioClassifier, layers: int | Sequence[str] = 3) -> keras.Model:
    """Return the part of a network that leads to some of its hidden feature maps.

    Parameters
    ----------
    model : AudioClassifier
    layers : int or sequence of str
        The last so many blocks, see ``models.graph.blocks`` (fewer if there are fewer), or layers
        by name.

    Returns
    -------
    keras.Model
        From the network's input to a list of maps (n, h, w, channels), in the order of the network.
        The weights are the network's own. Call it with ``training=False``.

    Raises
    ------
    XaiAudioError
        If the classifier takes samples, there is no convolution, or no such feature map.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.explainers.trained.features import hidden
    >>> [tuple(map.shape[1:]) for map in hidden(xa.load_model("lite"), 2).outputs]
    [(24, 16, 64), (12, 8, 128)]
    """
    _frontend_of(model)
    graph = graph_of(model.logits_network)
    graph.check_flat("an interpreter")
    if isinstance(layers, int):
        if layers < 1:
            raise XaiAudioError(f"layers is {layers}: take 1 block at least.")
        nodes = blocks(graph)[-layers:]
        if not nodes:
            raise XaiAudioError(
                f"{model.name} has no convolution: an interpreter needs hidden feature maps over "
                "time and frequency."
            )
    else:
        nodes = tuple(_named(graph, name) for name in layers)
    return keras.Model(model.logits_network.inputs, [node.output for node in nodes])


def _named(graph, name):
    node = graph.named(name)
    if node is None or not is_spatial(node):
        known = ", ".join(node.name for node in blocks(graph)) or "none"
        raise XaiAudioError(
            f"{graph.name} has no feature map called {name!r}: the last of each resolution are "
            f"{known}."
        )
    return node


def hidden_values(
    model: AudioClassifier, network: keras.Model, patches: ArrayLike
) -> list[np.ndarray]:
    """Return the hidden feature maps of patches, computed once and in batches.

    Parameters
    ----------
    model : AudioClassifier
    network : keras.Model
        What :func:`hidden` returned.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    list of ndarray, each (n, h, w, channels)
        Half precision where no value is too large for it.
    """
    patches = np.asarray(patches, np.float32)
    if not len(patches):
        raise XaiAudioError("There is no patch to compute hidden layers of.")
    parts = []
    for start in range(0, len(patches), BATCH):
        part = tf.constant(patches[start : start + BATCH])
        outputs = network(model.as_input(part), training=False)
        parts.append([_halved(np.asarray(one)) for one in _listed(outputs)])
    return [np.concatenate(layer) for layer in zip(*parts, strict=True)]


def _halved(values) -> np.ndarray:
    return values.astype(np.float16) if np.abs(values).max() < _LARGEST else values


def _listed(outputs) -> list:
    return list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
