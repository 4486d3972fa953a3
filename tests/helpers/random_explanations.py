"""Explanations of random maps, for figures that need no network."""

import numpy as np

from xaiaudio.explainers.base import upsampled
from xaiaudio.explainers.explanation import Explanation
from xaiaudio.frontend import LogMel
from xaiaudio.plots.thumbnails import thumbnail

LABELS = ("Rain", "Rooster", "Chainsaw")
FRONTEND = LogMel.vggish(overlap=0.5)


def explanation(n=3, *, seed=0, method="gradcam", scale=1.0):
    """Return maps of `n` random patches, each of a class of its own."""
    rng = np.random.default_rng(seed)
    raw = (scale * rng.normal(size=(n, 6, 4))).astype("float32")
    return Explanation(
        maps=upsampled(raw, FRONTEND.patch_shape),
        raw=raw,
        patches=rng.normal(size=(n, 96, 64)).astype("float32"),
        targets=np.arange(n) % 3,
        scores=rng.dirichlet(np.ones(3), n).astype("float32"),
        labels=LABELS,
        method=method,
        options={},
        upsample="bilinear",
        frontend=FRONTEND,
    )


def noisy_thumbnail(seed=0, frames=500):
    """Return the small picture of noise, which compresses worst."""
    rng = np.random.default_rng(seed)
    return thumbnail(rng.normal(size=(frames, 64)), rng.normal(size=(frames, 64)))
