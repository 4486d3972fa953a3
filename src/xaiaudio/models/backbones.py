"""The networks that can be retrained, without their last layers."""

from __future__ import annotations

import functools
import importlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import cache
from ..errors import XaiAudioError
from ..files import expanded
from ..frontend import LogMel

if TYPE_CHECKING:
    import keras

    from ..types import PathLike


@dataclass(frozen=True)
class Entry:
    """A backbone that has a name; adding one is adding a module and a line to `BACKBONES`.

    Attributes
    ----------
    module : str
        Module of this package with ``load(source)``, which returns the network, where it is from
        and its attribution.
    frontend : callable
        Makes the front end that it was trained on.
    variable : str
        Environment variable that names a local copy of the weights.
    address : str
        Where they are fetched from otherwise. Both are empty if they come with the package.
    """

    module: str
    frontend: Callable[[], LogMel]
    variable: str = ""
    address: str = ""


# Frames of the music tagger's patch: 29.12 s.
FRAMES = 1366


def _of_music() -> LogMel:
    """Return the music tagger's front end: powers of 96 bands, squared again, in decibels.

    Squared again, so that 40 dB below the loudest cell are 80: there the author's version of
    librosa ends, as the example that he publishes shows.
    """
    return LogMel.librosa(
        sample_rate=12_000,
        fft=512,
        hop=256,
        bands=96,
        frames=FRAMES,
        amin=1e-5,
        top_db=40.0,
        scale=2.0,
    )


BACKBONES = {
    "vggish": Entry(
        "networks.vggish",
        LogMel.vggish,
        "XAIAUDIO_VGGISH",
        "https://tfhub.dev/google/vggish/1",
    ),
    "yamnet": Entry(
        "networks.yamnet",
        LogMel.yamnet,
        "XAIAUDIO_YAMNET",
        "https://tfhub.dev/google/yamnet/1",
    ),
    "lite": Entry("networks.lite", functools.partial(LogMel.vggish, overlap=0.75)),
    "music": Entry(
        "networks.music_tagger",
        _of_music,
        "XAIAUDIO_MUSIC",
        "https://raw.githubusercontent.com/keunwoochoi/music-auto_tagging-keras/"
        "90b294091adaada477b9003201dd20a9fe15a3c1/data/music_tagger_crnn_weights_tensorflow.h5",
    ),
}


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


def backbone(name: str | Backbone, source: PathLike | None = None) -> Backbone:
    """Return a trained backbone.

    Parameters
    ----------
    name : {"vggish", "yamnet", "lite", "music"} or Backbone
        What is a backbone already is returned as it is.
    source : str or path-like, optional
        Where the weights of ``"vggish"`` and ``"yamnet"`` are: the address of a TensorFlow Hub
        module, the folder of a SavedModel, or for YAMNet an ``.npz`` or ``.tflite`` file or a
        folder with one;
        for ``"music"`` the author's HDF5 file. The default is what the environment variable
        ``XAIAUDIO_VGGISH``, ``XAIAUDIO_YAMNET`` or ``XAIAUDIO_MUSIC`` names, else the internet
        (needed once; 288 MB, 17 MB and 2 MB).

    Returns
    -------
    Backbone

    Raises
    ------
    XaiAudioError
        If there is no such backbone, its weights cannot be had, they do not give the module's own
        embeddings (the message then names the layer), or one that takes no source is given one.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.models.backbone("lite").network.output_shape
    (None, 128)
    """
    if isinstance(name, Backbone):
        if source is not None:
            raise XaiAudioError(f"{name.name} has its weights already: it takes no source.")
        return name
    entry = find(name)
    if source is not None and not entry.address:
        raise XaiAudioError(f"{name} comes with the package: it takes no source.")
    module = importlib.import_module(f"{__package__}.{entry.module}")
    network, origin, attribution = module.load(source)
    return Backbone(name, network, entry.frontend(), origin, attribution)


def find(name: str) -> Entry:
    """Return what is known of a backbone, or say which ones there are."""
    if not isinstance(name, str) or name not in BACKBONES:
        raise XaiAudioError(f"No backbone is called {name!r}: there are {', '.join(BACKBONES)}.")
    return BACKBONES[name]


def weights(name: str) -> tuple[str, list[Path]]:
    """Say where a backbone's weights are, for a :func:`xaiaudio.cache.key`.

    Parameters
    ----------
    name : str

    Returns
    -------
    address : str
        Empty if they are in files.
    files : list of Path
        Empty if they come with the package, whose own files count anyway, or from an address.
    """
    entry = find(name)
    place = os.environ.get(entry.variable, "") or entry.address
    if place and expanded(place).exists():
        return "", cache.files_in(place)
    return place, []
