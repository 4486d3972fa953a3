"""Take a layer's vectors out of a network, change them, put them back, and let the rest run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ..errors import XaiAudioError
from ..models.graph import run
from ..models.receptive import fields
from ..models.tracing import traced
from .sensitivities import checked, nodes_of

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..models.classifier import AudioClassifier
    from ..patches import Patches

# Patches in one pass.
BATCH = 64


class Layer:
    """A layer of a network that can be read and written.

    Parameters
    ----------
    model : AudioClassifier
        Of patches.
    name : str
        Of a layer between the patch and the logits.

    Attributes
    ----------
    shape : tuple of int
        Of the layer for one patch, channels last.

    Raises
    ------
    XaiAudioError
        If there is no such layer.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.probes.edits import Layer
    >>> model, patches = xa.load_model("lite"), np.zeros((2, 96, 64))
    >>> layer = Layer(model, "conv4_2")
    >>> values = layer.read(patches)
    >>> values.shape, bool(np.allclose(layer.write(patches, values), model.logits(patches)))
    ((2, 12, 8, 128), True)
    """

    def __init__(self, model: AudioClassifier, name: str):
        self.model, self.name = model, name
        self.graph, (self.node,) = nodes_of(model, [name])
        self.shape = tuple(self.node.output.shape[1:])
        patch = tf.TensorSpec((None, *model.frontend.patch_shape), tf.float32)
        inside = tf.TensorSpec((None, *self.shape), tf.float32)
        self._read = traced(self._run_to, [patch])
        self._write = traced(self._run_from, [patch, inside])

    @property
    def places(self) -> int:
        """How many vectors the layer has for a patch: one for each time and band."""
        return int(np.prod(self.shape[:-1]))

    def seen(self, place: int) -> tuple[tuple[int, int], tuple[int, int]]:
        """Return the frames and the bands of the patch that a place of the layer can see.

        Parameters
        ----------
        place : int
            Counted row by row.

        Returns
        -------
        frames, bands : (int, int)
            The first, and the one behind the last.
        """
        if len(self.shape) != 3:
            frames, bands = self.model.frontend.patch_shape
            return (0, frames), (0, bands)
        return fields(self.graph, self.node).of(place)

    def _run_to(self, patches):
        known = {self.graph.nodes[0]: self.model.as_input(patches)}
        return tf.cast(run(self.graph, known, [self.node])[0], tf.float32)

    def _run_from(self, patches, values):
        # What goes around the layer still comes from the patch.
        known = {self.graph.nodes[0]: self.model.as_input(patches), self.node: values}
        return tf.cast(run(self.graph, known, [self.graph.output])[0], tf.float32)

    def read(self, patches: Patches | ArrayLike) -> np.ndarray:
        """Return the layer's values for patches, float32 (n, ..., channels)."""
        values = checked(self.model, patches)
        parts = [
            self._read(tf.constant(values[start : start + BATCH])).numpy()
            for start in range(0, len(values), BATCH)
        ]
        return np.concatenate(parts)

    def write(self, patches: Patches | ArrayLike, values: ArrayLike) -> np.ndarray:
        """Return the logits of patches if the layer had other values.

        Parameters
        ----------
        patches : array_like of float, shape (n, frames, bands)
        values : array_like of float, shape (n, ..., channels)
            Of the layer. Vectors (n * places, channels) are taken as well.

        Returns
        -------
        ndarray of float32, shape (n, classes)

        Raises
        ------
        XaiAudioError
            If the values have another shape.
        """
        patches, values = checked(self.model, patches), np.asarray(values, np.float32)
        wanted = (len(patches), *self.shape)
        if values.shape != wanted:
            if values.size != np.prod(wanted) or values.shape[-1] != wanted[-1]:
                raise XaiAudioError(
                    f"The values have the shape {values.shape}, but {self.name} has {wanted}."
                )
            values = values.reshape(wanted)
        parts = [
            self._write(
                tf.constant(patches[start : start + BATCH]),
                tf.constant(values[start : start + BATCH]),
            ).numpy()
            for start in range(0, len(patches), BATCH)
        ]
        return np.concatenate(parts)
