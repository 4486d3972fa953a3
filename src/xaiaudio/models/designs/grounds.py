"""What prototypes stand on: a layer of a frozen backbone, computed once for all patches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from ...errors import XaiAudioError
from ..graph import graph_of, is_spatial
from ..receptive import Fields, fields
from ..training.remembered import MOST, outputs
from ..training.steps import in_batches
from .base import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from ..backbones import Backbone
    from .base import SelfExplaining

# Where the draws of one seed begin, so that two of them do not repeat each other.
RANDOM_WEIGHTS, RANDOM_PLACES, CLUSTERS, FIRST = 31, 32, 33, 34


@dataclass(frozen=True, eq=False)
class Ground:
    """A backbone up to one of its layers.

    Attributes
    ----------
    network : keras.Model
        From patches to feature maps (n, h, w, d), or to embeddings (n, d).
    fields : Fields or None
        What each cell of a map sees of the patch; None for embeddings, which see all of it.
    """

    network: keras.Model
    fields: Fields | None

    def maps(self, patches: np.ndarray) -> np.ndarray:
        """Return the layer's output for patches (n, frames, bands)."""
        return _asked(self.network, patches)

    def with_head(self, layers: Iterable[keras.layers.Layer]) -> keras.Model:
        """Return the flat network that goes on with these layers, whose weights it shares."""
        tensor = self.network.outputs[0]
        for layer in layers:
            tensor = layer(tensor)
        return keras.Model(self.network.inputs[0], tensor, name=self.network.name)


def embedding(backbone: Backbone, *, random: bool = False, seed: int = 0) -> Ground:
    """Return a whole backbone.

    Parameters
    ----------
    backbone : Backbone
    random : bool
        True gives it random weights: a control.
    seed : int
        Decides them.
    """
    return Ground(_body(backbone, random, seed), None)


def feature_maps(
    backbone: Backbone, sees: float = 0.5, *, random: bool = False, seed: int = 0
) -> Ground:
    """Return a backbone up to the last layer whose cells see no more than a part of a patch.

    Parameters
    ----------
    backbone : Backbone
    sees : float
        Share of the patch's frames that a cell may see, in (0, 1].
    random : bool
        True gives it random weights: a control.
    seed : int
        Decides them.

    Raises
    ------
    XaiAudioError
        If no layer's cells see as little as that.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.models.designs.grounds import feature_maps
    >>> found = feature_maps(xa.models.backbone("lite"))
    >>> found.network.layers[-1].name, found.network.output_shape
    ('conv4_1', (None, 12, 8, 128))
    """
    network = _body(backbone, random, seed)
    graph = graph_of(network)
    frames = backbone.frontend.frames
    for node in reversed(graph.nodes):
        if node.parents and is_spatial(node):
            found = fields(graph, node)
            if np.diff(found.frames, axis=1).max() <= sees * frames:
                return Ground(keras.Model(network.inputs[0], node.output, name="ground"), found)
    raise XaiAudioError(
        f"No layer of {backbone.name} has cells that see at most {sees:.0%} of a patch: take a "
        "larger share, sees=1 for its last feature map."
    )


def of_length_one(maps: np.ndarray) -> np.ndarray:
    """Return vectors (..., d) brought to length one; those of zeros stay."""
    return maps / np.maximum(np.linalg.norm(maps, axis=-1, keepdims=True), 1e-6)


def activations_on(model: SelfExplaining, backbone: Backbone, patches: np.ndarray) -> np.ndarray:
    """Return the numbers of the parts, where several networks on one backbone are asked the same.

    The backbone is asked once for each patch, and remembered; see :mod:`.training.remembered`.

    Parameters
    ----------
    model : SelfExplaining
        One that does not stand on a backbone is asked as a whole.
    backbone : Backbone
        What it stands on. Its weights may be other ones, as with ``random_backbone=True``.
    patches : ndarray of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, parts) or (n, parts, d)
        Those of ``model.activations(patches)``, to rounding.
    """
    network, known = model.logits_network, {layer.name for layer in backbone.network.layers}
    shared = [layer for layer in network.layers if layer.name in known and layer.weights]
    if not shared:
        return model.activations(patches)
    last = max(network.layers.index(layer) for layer in network.layers if layer.name in known)
    ground = network.layers[last].output
    rest = in_batches(keras.Model(ground, network.get_layer(PARTS).output))
    return rest(_asked(keras.Model(network.inputs[0], ground), patches))


def _asked(network, patches) -> np.ndarray:
    """Return outputs that are remembered, embeddings as what follows from the last feature map.

    Other designs stand on that map: so a patch that all of them learn from goes through the
    convolutions once.
    """
    for layer in reversed(network.layers) if len(network.output_shape) == 2 else ():
        shape = layer.output.shape[1:]
        if isinstance(layer, keras.layers.InputLayer) or np.prod(shape) > MOST:
            break
        if len(shape) == 3 and shape[:2] != (1, 1):
            try:
                rest = keras.Model(layer.output, network.outputs[0])
            except ValueError:  # not all goes through this layer
                break
            maps = outputs(keras.Model(network.inputs[0], layer.output), patches)
            return in_batches(rest)(maps)
    return outputs(network, patches)


def _body(backbone, random, seed) -> keras.Model:
    if random:
        return with_shuffled_weights(backbone.network, [seed, RANDOM_WEIGHTS])
    return backbone.network


def with_shuffled_weights(network: keras.Model, seed: int | list[int]) -> keras.Model:
    """Return a copy whose weights are shuffled, array by array: their sizes stay, not their use."""
    rng = np.random.default_rng(seed)
    made = keras.models.clone_model(network)
    made.set_weights(
        [rng.permutation(weight.ravel()).reshape(weight.shape) for weight in network.get_weights()]
    )
    return made
