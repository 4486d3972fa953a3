"""Where an event is heard: the truth that explanations can be held against."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ...errors import XaiAudioError
from ...frontend import LogMel
from .scene import FULL_SCALE

#: Float samples beyond this are no sound at full scale 1, but 16-bit samples in another type.
LOUDEST = 8.0

RANGE = 40.0  # cells more than so many dB below the event's loudest are not counted as event


def event_mask(event, background, frontend: LogMel | None = None) -> np.ndarray:
    """Say which cells of a clip's log-mel spectrogram belong to its event.

    A cell belongs to the event where the event alone has

    * a greater mel magnitude than the background alone: it is what one hears there,
    * more than the front end's `offset` (`amin` with decibels): below it the network sees next to
      nothing,
    * more than 1 % (-40 dB) of the event's own loudest cell: the last of the echo, and what the
      window smears beside a loud sound, is not the event.

    Parameters
    ----------
    event, background : ndarray of int16 or float, shape (samples,)
        As :func:`~xaiaudio.datasets.events.generate` returns them (int16, full scale at 32,768),
        or as ``clip.load_stems()`` does (floats, full scale at 1).
    frontend : LogMel, optional
        By default VGGish's.

    Returns
    -------
    ndarray of bool, shape (T, bands)
        (498, 64) for five seconds; ``frontend.cut(mask)`` gives the mask of each patch.

    Raises
    ------
    XaiAudioError
        If the samples are of another type, floats far beyond full scale, or not as many in both.

    Examples
    --------
    >>> from xaiaudio.datasets import events
    >>> events.event_mask(*events.generate("Rooster", 0)).shape
    (498, 64)
    """
    if np.shape(event) != np.shape(background):
        raise XaiAudioError(
            f"The stems have the shapes {np.shape(event)} and {np.shape(background)}: they must be "
            "equally long."
        )
    frontend = frontend or LogMel.vggish()
    if frontend.decibels:
        # Decibels may be relative to the loudest cell of each stem: here they must compare.
        frontend = replace(frontend, decibels=False, offset=frontend.amin)
    sound, rest = (_magnitude(frontend, stem) for stem in (event, background))
    floor = max(frontend.offset, float(sound.max()) * 10 ** (-RANGE * frontend.power / 20))
    return (sound > rest) & (sound > floor)


def _magnitude(frontend, stem) -> np.ndarray:
    stem = np.asarray(stem)
    if stem.dtype == np.int16:
        wave = stem / FULL_SCALE
    elif stem.dtype.kind == "f" and not np.abs(stem).max(initial=0.0) > LOUDEST:
        wave = stem.astype(np.float64)
    else:
        raise XaiAudioError(
            f"The stems are {stem.dtype}, up to {np.abs(stem).max(initial=0):g}: whole samples "
            "must be int16, floats must lie in about [-1, 1]."
        )
    return frontend.expand(frontend.spectrogram(wave))
