"""Maps over a whole clip, under its spectrogram."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ..patches import sounding
from . import canvas
from .maps import SHARE, _unit, scaled
from .sounds import LOUDNESS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from matplotlib.figure import Figure
    from numpy.typing import ArrayLike

    from ..frontend import LogMel


def clip_maps(
    wave: ArrayLike,
    maps: Mapping[str, ArrayLike],
    frontend: LogMel,
    *,
    normalise: bool = True,
    units: Mapping[str, str] | None = None,
    begins: float = 0.0,
) -> Figure:
    """Draw maps over a whole clip, one below the other, under its spectrogram.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        At `frontend.sample_rate`.
    maps : mapping of str to array_like of float, shape (T, bands)
        Name to map, as :func:`.explainers.masking.clip_map` makes them. What lies beyond the end
        of a map stays grey; padding, of a sound shorter than a patch, is hatched.
    frontend : LogMel
    normalise : bool
        True divides each map by its largest magnitude and draws one scale.
    units : mapping of str to str, optional
        Name to unit, see `Explanation.unit`.
    begins : float
        Where in its file the clip begins, in seconds: the axis counts from the file's beginning.

    Returns
    -------
    matplotlib.figure.Figure
        `data`: ``spectrogram`` (T, bands), and the maps by name; ``sound``, the frames before
        the padding, if there is any.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.sonify.masks import clip_map
    >>> model = xa.load_model("lite")
    >>> wave = np.sin(np.arange(48000) / 5)
    >>> result = xa.explain(model, model.frontend(wave), "Rain")
    >>> figure = xa.plots.clip_maps(wave, {"gradcam": clip_map(result)}, model.frontend)
    """
    canvas.check_any(maps, "map")
    samples, longest = len(wave), max(map(len, maps.values()))
    # A map of a whole patch has more frames than so short a sound: that was lengthened.
    lengthened = samples < frontend.min_samples and longest >= frontend.frames
    if lengthened:
        wave = np.pad(wave, (0, frontend.min_samples - samples))
    spectrogram = frontend.spectrogram(wave)
    shown = {
        name: scaled(cells) if normalise else np.asarray(cells) for name, cells in maps.items()
    }
    own_bars = 0 if normalise else 0.55 * len(maps)
    figure, axes = canvas.grid(
        len(maps) + 1, height=1.5, extra=1.2 + own_bars, width=5.6, sharex=True
    )
    axes = axes[:, 0]
    start = begins + frontend.times()[0]
    spectrum = canvas.image(axes[0], spectrogram, frontend, start=start)
    canvas.title(axes[0], "spectrogram")
    for ax, (name, cells) in zip(axes[1:], shown.items(), strict=True):
        ax.set_facecolor("#bbbbbb")
        limits = (-1, 1) if normalise else canvas.symmetric(cells)
        relevance = canvas.image(
            ax, cells, frontend, start=start, cmap=canvas.SIGNED, limits=limits
        )
        canvas.title(ax, name)
        if not normalise:
            canvas.colour_bar(figure, relevance, ax, _unit(False, False, (units or {}).get(name)))
    for ax in axes:
        canvas.mel_axis(ax, frontend)
    longest = max(len(spectrogram), longest)
    times = start + np.arange(longest + 1) * frontend.hop / frontend.sample_rate
    axes[0].set_xlim(start, times[-1])
    padded = lengthened & (np.arange(longest) >= sounding(samples, frontend))
    canvas.padding(axes, times, padded)
    canvas.time_axis(axes[-1], times[-1])
    canvas.colour_bar(figure, spectrum, axes if normalise else axes[0], LOUDNESS)
    if normalise:
        canvas.colour_bar(figure, relevance, axes, SHARE)
    marks = canvas.padding_data(padded[None])
    return canvas.finish(figure, spectrogram=spectrogram, **shown, **marks)
