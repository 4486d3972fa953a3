"""Where a sound is like a prototype, and the place of a training clip that the prototype is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ..graph import graph_of
from ..receptive import fields
from .base import PARTS
from .prototypes import Prototypes

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike

    from ...datasets.base import Clip
    from ...frontend import LogMel
    from ...patches import Patches
    from .base import SelfExplaining
    from .evidence import Place

Cells = tuple[int, int]


@dataclass(frozen=True)
class Match:
    """How a patch is like one prototype, and what that adds.

    Attributes
    ----------
    part : int
        Number of the prototype.
    added : float
        To the logit that was asked for.
    similarity : float
        Of the best place.
    frames, bands : (int, int)
        What that place sees of the patch: the first cell, and the one behind the last.
    """

    part: int
    added: float
    similarity: float
    frames: Cells
    bands: Cells


def similarity_maps(model: SelfExplaining, patches: Patches | ArrayLike) -> np.ndarray:
    """Return how like each prototype each place of the feature map is.

    Parameters
    ----------
    model : SelfExplaining
        With a layer of prototypes.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, h, w, count)
        One place, h = w = 1, where prototypes are compared with embeddings.
    """
    return np.asarray(_layer(model).alike(distance_maps(model, patches)))


def distance_maps(model: SelfExplaining, patches: Patches | ArrayLike) -> np.ndarray:
    """Return how far from each prototype each place of the feature map lies.

    Parameters
    ----------
    model : SelfExplaining
        With a layer of prototypes.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, h, w, count)
    """
    layer, vectors = _layer(model), compared(model, patches)
    starts = range(0, max(1, len(vectors)), 64)
    found = np.concatenate(
        [np.asarray(layer.distances(vectors[start : start + 64])) for start in starts]
    )
    return found if found.ndim == 4 else found[:, None, None]


def compared(model: SelfExplaining, patches: Patches | ArrayLike) -> np.ndarray:
    """Return what the prototypes are compared with.

    Parameters
    ----------
    model : SelfExplaining
        With a layer of prototypes.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, d) or (n, h, w, d)
    """
    return model.inner("compared", lambda: _layer(model).input, patches)


def members(
    model: SelfExplaining, patches: Patches | ArrayLike, radius: float | None = None
) -> np.ndarray:
    """Return which patches have a place inside the balls, bool (n, count).

    Parameters
    ----------
    model : SelfExplaining
        Whose prototypes are balls.
    patches : array_like of float, shape (n, frames, bands)
    radius : float, optional
        Of all balls, instead of their own.

    Raises
    ------
    XaiAudioError
        If its prototypes are points, and no radius is given.
    """
    layer = _layer(model)
    if radius is None and layer.radii is None:
        raise XaiAudioError(f"The prototypes of {model.name} are no balls: give a radius.")
    radii = layer.radii.numpy() if radius is None else radius
    return distance_maps(model, patches).min(axis=(1, 2)) <= radii


def matches(
    model: SelfExplaining, patch: ArrayLike, target: int | str, count: int = 3
) -> list[Match]:
    """Return the prototypes that add most to a logit, and where the patch is like them.

    Parameters
    ----------
    model : SelfExplaining
        With a layer of prototypes.
    patch : array_like of float, shape (frames, bands) or (1, frames, bands)
    target : int or str
        The class.
    count : int
        How many, the largest first.

    Raises
    ------
    XaiAudioError
        For several patches, one that is not finite, an unknown class or a count of none.
    """
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 1:
        raise XaiAudioError(f"count is {count!r}: a whole number from 1 on is needed.")
    patches = np.asarray(patch, np.float32)
    patches = patches[None] if patches.ndim == 2 else patches
    if len(patches) != 1:
        raise XaiAudioError(f"These are {len(patches)} patches: give one.")
    if not np.isfinite(patches).all():
        raise XaiAudioError("The patch holds NaN or infinity: check it.")
    target = model.index(target)
    added = model.contributions(patches)[0, :, target]
    maps = similarity_maps(model, patches)[0]
    height, width, parts = maps.shape
    cells = maps.reshape(-1, parts).argmax(axis=0)
    seen = None if height * width == 1 else _fields(model)
    whole = tuple((0, size) for size in patches.shape[1:])
    found = []
    for part in np.argsort(-added, kind="stable")[:count].tolist():
        frames, bands = whole if seen is None else seen.of(cells[part])
        best = float(maps.reshape(-1, parts)[cells[part], part])
        found.append(Match(part, float(added[part]), best, frames, bands))
    return found


@dataclass(frozen=True, eq=False)
class View:
    """A stretch of a clip around a place, as long as a patch.

    Attributes
    ----------
    cells : ndarray of float32, shape (frames, bands)
    start : float
        Where it begins in the clip, in seconds.
    frames, bands : (int, int)
        The place in it: the first cell, and the one behind the last.
    """

    cells: np.ndarray
    start: float
    frames: Cells
    bands: Cells


def view(place: Place, clips: Iterable[Clip], frontend: LogMel) -> View:
    """Return the log-mel picture of a place and of what is around it.

    Parameters
    ----------
    place : Place
        Of a prototype.
    clips : iterable of Clip
        Those that the network was trained on.
    frontend : LogMel

    Raises
    ------
    XaiAudioError
        If its clip is not among them.
    """
    found = next((clip for clip in clips if clip.name == place.clip), None)
    if found is None:
        raise XaiAudioError(f"The clip {place.clip!r} is not among these.")
    wave = found.load(frontend.sample_rate)
    # As it was before patches were cut.
    whole = frontend.spectrogram(np.pad(wave, (0, max(0, frontend.min_samples - len(wave)))))
    begin = frontend.frame_times(0)[0]
    rate = frontend.sample_rate / frontend.hop
    one, two = (round((time - begin) * rate) for time in (place.start, place.end))
    start = int(
        np.clip((one + two - frontend.frames) // 2, 0, max(0, len(whole) - frontend.frames))
    )
    cells = whole[start : start + frontend.frames]
    edges = frontend.band_edges()
    low = int(np.searchsorted(edges, place.low + 1e-6, "right") - 1)
    high = int(np.searchsorted(edges, min(place.high, edges[-1]) - 1e-6, "left"))
    frames = max(0, one - start), min(len(cells), two - start)
    return View(cells, float(frontend.frame_times(start)[0]), frames, (max(0, low), high))


def _layer(model) -> Prototypes:
    layer = model.logits_network.get_layer(PARTS)
    if not isinstance(layer, Prototypes) or layer.whole:
        raise XaiAudioError(
            f"{model.name} has no prototypes of patches or of their places: its parts are a "
            f"{type(layer).__name__}."
        )
    return layer


def _fields(model):
    graph = graph_of(model.logits_network)
    return fields(graph, graph.named(PARTS).parents[0])
