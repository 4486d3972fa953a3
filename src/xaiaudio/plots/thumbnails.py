"""Small pictures of clips, a few kilobytes each, for pages that show hundreds."""

from __future__ import annotations

import io

import numpy as np

#: Width and height in pixels.
SIZE = (160, 48)
_COLOURS = 24
_RED = np.array([213.0, 30.0, 0.0])


def thumbnail(rows, relevance) -> bytes:
    """Draw a spectrogram in grey, and in red what speaks for a class.

    Parameters
    ----------
    rows : array_like of float, shape (T, bands)
    relevance : array_like of float, shape (T, bands)

    Returns
    -------
    bytes
        A PNG of at most 5 kB; the same for the same numbers.
    """
    from PIL import Image

    rows, positive = np.asarray(rows, float), np.maximum(np.asarray(relevance, float), 0)
    low, high = np.percentile(rows, [5, 99.5])
    grey = 235 * np.clip((rows - low) / max(high - low, 1e-9), 0, 1)
    share = (positive / max(positive.max(initial=0), 1e-12))[..., None] ** 0.7
    colours = grey[..., None] * (1 - share) + _RED * share
    picture = Image.fromarray(colours.transpose(1, 0, 2)[::-1].astype(np.uint8))
    small = picture.resize(SIZE, Image.Resampling.BOX).quantize(_COLOURS, dither=Image.Dither.NONE)
    buffer = io.BytesIO()
    small.save(buffer, "PNG", optimize=True)
    return buffer.getvalue()
