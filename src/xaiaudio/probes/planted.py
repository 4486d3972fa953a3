"""A small network that learns from nothing, to plant something in: what it holds is then known."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

from ..models.backbones import Backbone

if TYPE_CHECKING:
    from ..frontend import LogMel

#: Channels of its convolutions; all but the first halve both axes, the first one time alone.
WIDTHS = (16, 32, 32)


def small_backbone(frontend: LogMel, *, seed: int = 0) -> Backbone:
    """Return three convolutions with random weights, which :func:`xaiaudio.models.transfer` trains.

    Parameters
    ----------
    frontend : LogMel
    seed : int

    Returns
    -------
    Backbone
        With the layers ``conv1`` to ``conv3`` and ``embedding``.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.probes.planted import small_backbone
    >>> small_backbone(xa.LogMel.vggish()).network.output_shape
    (None, 32)
    """
    tensor = patch = keras.Input((*frontend.patch_shape, 1), name="patch")
    for number, width in enumerate(WIDTHS):
        tensor = keras.layers.Conv2D(
            width,
            3,
            (2, 2 if number else 1),
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(seed=seed + number),
            name=f"conv{number + 1}",
        )(tensor)
    embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(tensor)
    return Backbone("small", keras.Model(patch, embedding, name="small"), frontend, "xaiaudio")
