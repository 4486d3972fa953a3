"""Plain measures of log-mel patches, for sounds that are made as patches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..frontend import LogMel

#: What is measured, and its unit.
TRAITS = {
    "loudness": "dB",
    "brightness": "octaves",
    "flicker": "dB",
    "tonality": "dB",
}
_DB = 20 / np.log(10)


def measure(patches: ArrayLike, frontend: LogMel) -> dict[str, np.ndarray]:
    """Measure four traits of patches.

    Parameters
    ----------
    patches : array_like of float, shape (n, frames, bands)
        Natural logarithms of magnitudes, as VGGish's and YAMNet's front ends make them.
    frontend : LogMel

    Returns
    -------
    dict of str to ndarray of float64, shape (n,)
        ``loudness``: level of the mean magnitude; ``brightness``: octaves of the mean frequency
        above 1000 Hz, by magnitude; ``flicker``: standard deviation of the frames' levels;
        ``tonality``: by how much the mean over bands of the magnitudes lies above their geometric
        mean, averaged over frames.

    Raises
    ------
    XaiAudioError
        If the front end makes decibels or takes powers, or the patches have another shape.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.probes import traits
    >>> hiss = np.random.default_rng(0).normal(0, 0.1, 16_000)
    >>> frontend = xa.LogMel.vggish()
    >>> soft, loud = (frontend(gain * hiss).values for gain in (1, 2))
    >>> np.diff([traits.measure(one, frontend)["loudness"][0] for one in (soft, loud)]).round(1)
    array([6.])
    """
    cells = np.asarray(patches, float)
    plain = not frontend.decibels and frontend.power == 1 and frontend.scale == 1
    if not plain or cells.ndim != 3 or cells.shape[2] != frontend.bands:
        raise XaiAudioError(
            f"Patches of the shape {cells.shape} cannot be measured: (n, frames, "
            f"{frontend.bands}) of natural logarithms of magnitudes are needed."
        )
    heights = np.maximum(np.exp(cells) - frontend.offset, 1e-3 * frontend.offset)
    edges = np.asarray(frontend.band_edges(), float)
    hertz = np.sqrt(edges[:-1] * edges[1:])
    frames = heights.mean(axis=2)
    levels = _DB * np.log(frames)
    peaked = levels - _DB * np.log(heights).mean(axis=2)
    shares = heights.sum(axis=1)
    return {
        "loudness": _DB * np.log(frames.mean(axis=1)),
        "brightness": np.log2(shares @ hertz / shares.sum(axis=1) / 1000),
        "flicker": levels.std(axis=1),
        "tonality": peaked.mean(axis=1),
    }
