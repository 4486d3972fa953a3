"""The networks that can be retrained: VGGish, YAMNet and lite, without their last layers."""

from __future__ import annotations

from dataclasses import dataclass

import keras

from ..errors import XaiAudioError
from ..frontend import LogMel

NAMES = ("vggish", "yamnet", "lite")


@dataclass(frozen=True)
class Backbone:
    """A trained network from patches to embeddings.

    Attributes
    ----------
    name : str
    network : keras.Model
        Flat, from ``(n, frames, bands, 1)`` to ``(n, embedding)``.
    frontend : LogMel
        What it was trained on.
    source : str
        Where its weights are from.
    attribution : str
        Whom they are owed to.
    """

    name: str
    network: keras.Model
    frontend: LogMel
    source: str
    attribution: str = ""


def backbone(name: str, source=None) -> Backbone:
    """Return a trained backbone.

    Parameters
    ----------
    name : {"vggish", "yamnet", "lite"}
    source : str or path-like, optional
        Where the weights of ``"vggish"`` and ``"yamnet"`` are: the address of a TensorFlow Hub
        module, the folder of a SavedModel, or for YAMNet an ``.npz`` file or a folder with one.
        The default is what the environment variable ``XAIAUDIO_VGGISH`` or ``XAIAUDIO_YAMNET``
        names, else TensorFlow Hub (needs the internet once; 288 MB and 17 MB).

    Returns
    -------
    Backbone

    Raises
    ------
    XaiAudioError
        If there is no such backbone, its weights cannot be had, or they do not give the module's
        own embeddings; the message then names the layer.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.models.backbone("lite").network.output_shape
    (None, 128)
    """
    if name not in NAMES:
        raise XaiAudioError(f"No backbone is called {name!r}: there are {', '.join(NAMES)}.")
    if name == "lite":
        if source is not None:
            raise XaiAudioError("lite comes with the package: it takes no source.")
        return _lite()
    from .networks import vggish, yamnet

    network, origin, attribution = {"vggish": vggish, "yamnet": yamnet}[name].load(source)
    frontend = LogMel.vggish() if name == "vggish" else LogMel.yamnet()
    return Backbone(name, network, frontend, origin, attribution)


def _lite() -> Backbone:
    from .saving import load_model

    whole = load_model("lite")
    network = keras.Model(
        whole.network.inputs[0], whole.network.get_layer("embedding").output, name="lite"
    )
    return Backbone("lite", network, whole.frontend, "xaiaudio", whole.attribution)
