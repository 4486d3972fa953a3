"""Maps as rows: every cell with its seconds and hertz, and the regions of the strongest cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import ndimage

from ..errors import XaiAudioError
from .masking import clip_map, mask_from_map, places_of

if TYPE_CHECKING:
    from .explanation import Explanation

#: Share of all cells that regions are made of, where nobody says otherwise.
KEEP = 0.1
#: Regions with less of the positive relevance than this are left out, likewise.
LEAST = 0.01


@dataclass(frozen=True)
class Region:
    """A box around neighbouring cells of a map that speak most for a class.

    Attributes
    ----------
    label : str
        The class explained.
    start, end : float
        In seconds of the sound.
    low, high : float
        In hertz.
    relevance : float
        Mean of the map over the region's cells.
    share : float
        What the region has of all that speaks for the class, 0 to 1.
    cells : int
        How many cells it has: as many as the box, or fewer.
    """

    label: str
    start: float
    end: float
    low: float
    high: float
    relevance: float
    share: float
    cells: int


def regions(
    result: Explanation, *, keep: float = KEEP, least: float = LEAST, how: str = "mean"
) -> list[Region]:
    """Return boxes around the strongest cells of a sound's maps, the largest share first.

    The cells are those that :func:`xaiaudio.listen` keeps with the same `keep`; cells that share a
    side are one region.

    Parameters
    ----------
    result : Explanation
        Of patches that know where they lie, as front ends return them. If its maps speak for
        several classes, each has regions of its own.
    keep : float
        Share of all cells, in (0, 1]: the most relevant ones, fewer if fewer are positive.
    least : float
        Leave out regions with a smaller share of the positive relevance, in [0, 1].
    how : {"mean", "max"}
        How overlapping patches are joined, see :func:`.explainers.masking.clip_map`.

    Returns
    -------
    list of Region
        Empty if nothing speaks for the class.

    Raises
    ------
    XaiAudioError
        If it is unknown where the patches lie, or for a share that is none.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.regions import regions
    >>> model = xa.load_model("lite")
    >>> wave = np.random.default_rng(0).normal(0, 0.1, 48_000).astype("float32")
    >>> found = regions(xa.explain(model, model.frontend(wave), "Rain"), keep=0.05)
    >>> found[0].share >= found[-1].share, found[0].label
    (True, 'Rain')
    """
    if not isinstance(least, (int, float)) or not 0 <= least <= 1:
        raise XaiAudioError(f"least is {least!r}: it must be a share from 0 to 1.")
    if keep is None:
        raise XaiAudioError("keep is None: regions need a share of the cells, such as 0.1.")
    found: list[Region] = []
    for target in dict.fromkeys(result.targets.tolist()):
        found += _of_class(result[result.targets == target], keep, how)
    # By rounded shares, so that regions alike stay in the order of time on every machine.
    found.sort(key=lambda one: (-round(one.share, 6), one.start, one.low))
    return [one for one in found if one.share >= least]


def _of_class(result, keep, how) -> list[Region]:
    relevance, frontend = clip_map(result, how=how), result.frontend
    starts, length = places_of(result)
    sound = length if result.sound is None else int((starts + result.sound).max())
    relevance = relevance[:sound]
    mask = mask_from_map(relevance, keep=keep)
    numbers, count = ndimage.label(mask)
    if not count:
        return []
    which = np.arange(1, count + 1)
    sizes = ndimage.sum_labels(mask, numbers, which)
    sums = ndimage.sum_labels(relevance.astype(np.float64), numbers, which)
    whole = np.maximum(relevance, 0).sum(dtype=np.float64)
    times, hertz = _edges_of_frames(frontend, len(relevance)), frontend.band_edges()
    boxes = ndimage.find_objects(numbers)
    return [
        Region(
            label=result.target_labels[0],
            start=float(max(times[frames.start], 0.0)),
            end=float(times[frames.stop]),
            low=float(hertz[bands.start]),
            high=float(hertz[bands.stop]),
            relevance=float(total / size),
            share=float(total / whole),
            cells=int(size),
        )
        for (frames, bands), total, size in zip(boxes, sums, sizes, strict=True)
    ]


def _edges_of_frames(frontend, count: int) -> np.ndarray:
    """Return where the frames of a sound begin and end, in seconds: (count + 1,)."""
    first = frontend.frame_times(0)[0]
    return first + np.arange(count + 1) * frontend.hop / frontend.sample_rate


def cells(result: Explanation, file: str = "") -> dict[str, np.ndarray]:
    """Return every cell of the maps as a table: a dict of columns, as pandas takes it.

    Parameters
    ----------
    result : Explanation
    file : str
        What the sound is called.

    Returns
    -------
    dict of str to ndarray, shape (cells,)
        ``file``, ``class``, ``method``, ``patch`` (its number), ``start_s``, ``end_s``, ``low_hz``,
        ``high_hz``, ``relevance`` and ``unit``. Patch by patch, frame by frame, from the lowest
        band up. Cells of padding are left out. The seconds are the sound's own; from the patch's
        beginning if it is unknown where it lies.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.regions import cells
    >>> model, patch = xa.load_model("lite"), np.zeros((96, 64), "float32")
    >>> table = cells(xa.explain(model, patch, "Rain"), "rain.wav")
    >>> {name: str(column[0]) for name, column in table.items() if name in ("file", "class")}
    {'file': 'rain.wav', 'class': 'Rain'}
    >>> len(table["relevance"])
    6144
    """
    patch, frame, band = np.nonzero(np.broadcast_to(~result.padding[..., None], result.maps.shape))
    times = np.stack([result.times(number) for number in range(len(result))])
    hertz = result.frontend.band_edges()

    def same(text):
        return np.full(len(patch), text, object)

    return {
        "file": same(file),
        "class": np.array(result.target_labels, object)[patch],
        "method": same(result.method),
        "patch": patch,
        "start_s": times[patch, frame],
        "end_s": times[patch, frame + 1],
        "low_hz": hertz[band],
        "high_hz": hertz[band + 1],
        "relevance": result.maps[patch, frame, band],
        "unit": same(result.unit),
    }
