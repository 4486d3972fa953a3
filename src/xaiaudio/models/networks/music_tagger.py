"""Choi's music tagger: a convolutional recurrent network that gives a piece of music 50 tags.

K. Choi, G. Fazekas, M. Sandler and K. Cho, "Convolutional recurrent neural networks for music
classification", ICASSP 2017. It was trained on 29.12 s of each song of the Million Song Dataset.
Its weights are read from the author's HDF5 file, array by array, into a Keras network that has the
time axis first; the file's own layers are those of a Keras that is no longer in use.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import h5py
import keras
import numpy as np

from ...datasets.download import Pinned
from ...errors import XaiAudioError
from ...files import expanded
from ..backbones import BACKBONES, FRAMES

if TYPE_CHECKING:
    from ...types import PathLike
    from ..classifier import AudioClassifier

ADDRESS, VARIABLE = BACKBONES["music"].address, BACKBONES["music"].variable
#: The author's file.
FILE = Pinned(
    ADDRESS,
    "music_tagger_crnn_weights_tensorflow.h5",
    "df63638de9f3113780768181670c554f122fbd1297c63c065836d70a251115a8",
    what="the music tagger",
    variable=VARIABLE,
)
ATTRIBUTION = (
    "Music tagger by Keunwoo Choi (Choi et al., ICASSP 2017), "
    "github.com/keunwoochoi/music-auto_tagging-keras, MIT, (c) 2016 Keunwoo Choi"
)

_TAGS = """
    rock, pop, alternative, indie, electronic, female vocalists, dance, 00s, alternative rock, jazz,
    beautiful, metal, chillout, male vocalists, classic rock, soul, indie rock, Mellow, electronica,
    80s, folk, 90s, chill, instrumental, punk, oldies, blues, hard rock, ambient, acoustic,
    experimental, female vocalist, guitar, Hip-Hop, 70s, party, country, easy listening, sexy,
    catchy, funk, electro, heavy metal, Progressive rock, 60s, rnb, indie pop, sad, House, happy
"""
#: In the order of the network's outputs.
TAGS = tuple(tag.strip() for tag in _TAGS.split(","))

# Frames of zeros before and after the patch, which the first normalisation sees as well.
_PADDING = 37
# Width of each block's convolution, and by how much its pooling makes time and frequency coarser.
_BLOCKS = ((64, 2), (128, 3), (128, 4), (128, 4))
_UNITS = 32
_EPSILON = 1e-6
_NORM = ("gamma", "beta", "running_mean", "running_std")
# The file's gates are clip(0.2 x + 0.5, 0, 1), Keras's are clip(x / 6 + 0.5, 0, 1).
_GATE = 1.2


def classifier(source: PathLike | None = None, *, progress: bool = True) -> AudioClassifier:
    """Return the tagger with its 50 tags; see :func:`xaiaudio.load_model`."""
    from ..classifier import AudioClassifier

    tagger, origin, attribution = _loaded(source, progress)
    frontend = BACKBONES["music"].frontend()
    made = AudioClassifier.from_keras(tagger, TAGS, frontend, name="music", attribution=attribution)
    made.history["source"] = origin
    return made


def load(source: PathLike | None = None) -> tuple[keras.Model, str, str]:
    """Return the network up to its 32-d embedding, its origin, its attribution."""
    tagger, origin, attribution = _loaded(source, True)
    embedding = tagger.get_layer("gru2").output
    return keras.Model(tagger.inputs[0], embedding, name="music"), origin, attribution


def _loaded(source, progress) -> tuple[keras.Model, str, str]:
    source = str(source or os.environ.get(VARIABLE) or FILE.address)
    path = FILE.fetch(source, progress=progress) if "://" in source else _file(source)
    return from_arrays(read(path)), source, ATTRIBUTION


def _file(source: str) -> Path:
    """Return the file that was named, or the only HDF5 file of a folder that was."""
    path = expanded(source)
    if not path.is_dir():
        return path
    files = sorted(path.glob("*.h5"))
    exact = [file for file in files if file.name == FILE.name] or files
    if len(exact) != 1:
        raise XaiAudioError(
            f"{path} holds {len(files)} .h5 files: name the music tagger's in {VARIABLE}."
        )
    return exact[0]


def shapes() -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Yield layer, name of the array and its shape in the author's file, in order."""
    yield from _norm("bn_0_freq", FRAMES + 2 * _PADDING)
    depth = 1
    for number, (width, _) in enumerate(_BLOCKS, 1):
        yield f"conv{number}", "W", (width, depth, 3, 3)
        yield f"conv{number}", "b", (width,)
        yield from _norm(f"bn{number}", width)
        depth = width
    for layer in ("gru1", "gru2"):
        for gate in "zrh":
            yield layer, f"W_{gate}", (depth, _UNITS)
            yield layer, f"U_{gate}", (_UNITS, _UNITS)
            yield layer, f"b_{gate}", (_UNITS,)
        depth = _UNITS
    yield "output", "W", (_UNITS, len(TAGS))
    yield "output", "b", (len(TAGS),)


def _norm(layer, width):
    return ((layer, part, (width,)) for part in _NORM)


def read(path: PathLike) -> dict[str, dict[str, np.ndarray]]:
    """Read the author's file: arrays only, nothing in it is run.

    Parameters
    ----------
    path : path-like

    Returns
    -------
    dict
        Layer to name to array, as :func:`shapes` lists them.

    Raises
    ------
    XaiAudioError
        If it is no HDF5 file, or an array is missing, of another shape or not finite.
    """
    arrays: dict[str, dict[str, np.ndarray]] = {}
    try:
        with h5py.File(path, "r") as file:
            for layer, name, shape in shapes():
                arrays.setdefault(layer, {})[name] = _array(file, layer, name, shape, path)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise XaiAudioError(
            f"{path} is missing or no HDF5 file of weights: check {VARIABLE}."
        ) from error
    return arrays


def _array(file, layer, name, shape, path) -> np.ndarray:
    """Return one array of the file; its name there may end in ``_1:0`` or ``:0``."""
    group = _inside(file, layer)
    group = _inside(group, layer) or group  # Keras 2 names the layer once more
    names = (f"{layer}_{name}", f"{layer}_{name}:0", f"{layer}_{name}_1:0")
    found = next(filter(None, (_inside(group, key) for key in names)), None)
    if not isinstance(found, h5py.Dataset):
        raise XaiAudioError(
            f"{path} is not the music tagger: its layer {layer} has no array {name}. Check "
            f"{VARIABLE}."
        )
    if found.shape != shape or found.dtype.kind != "f":
        raise XaiAudioError(
            f"{path} is not the music tagger: the array {name} of its layer {layer} is "
            f"{found.dtype} of the shape {found.shape} instead of {shape}. Check {VARIABLE}."
        )
    if found.external or found.is_virtual:
        raise XaiAudioError(f"{path}: {name} of {layer} lies in another file: refused.")
    array = found[()].astype(np.float32)
    if not np.isfinite(array).all():
        raise XaiAudioError(f"{path}: {name} of the layer {layer} holds NaN or infinity.")
    return array


def _inside(group, key):
    """Return what a group of the file itself holds under a name: no link leads elsewhere."""
    if not isinstance(group, h5py.Group) or key not in group:
        return None
    return group[key] if isinstance(group.get(key, getlink=True), h5py.HardLink) else None


def network() -> keras.Model:
    """Return the network with random weights.

    Returns
    -------
    keras.Model
        From patches (n, 1366, 96, 1), in decibels, to the 50 tags' probabilities, which do not sum
        to 1. The author's takes the bands first; here time is first all the way.
    """
    layers = keras.layers
    bands = BACKBONES["music"].frontend().bands
    patch = layers.Input((FRAMES, bands, 1), name="patch")
    tensor = layers.ZeroPadding2D(((_PADDING, _PADDING), (0, 0)), name="padding")(patch)
    tensor = layers.BatchNormalization(axis=1, epsilon=_EPSILON, name="bn_0_freq")(tensor)
    for number, (width, coarser) in enumerate(_BLOCKS, 1):
        tensor = layers.Conv2D(width, 3, padding="same", name=f"conv{number}")(tensor)
        tensor = layers.BatchNormalization(epsilon=_EPSILON, name=f"bn{number}")(tensor)
        tensor = layers.ELU(name=f"elu{number}")(tensor)
        tensor = layers.MaxPooling2D(coarser, name=f"pool{number}")(tensor)
    tensor = layers.Reshape((tensor.shape[1], tensor.shape[2] * tensor.shape[3]), name="sequence")(
        tensor
    )
    for name, whole in (("gru1", True), ("gru2", False)):
        tensor = layers.GRU(
            _UNITS,
            return_sequences=whole,
            reset_after=False,
            recurrent_activation="hard_sigmoid",
            name=name,
        )(tensor)
    tensor = layers.Dense(len(TAGS), activation="sigmoid", name="output")(tensor)
    return keras.Model(patch, tensor, name="music")


def from_arrays(arrays: dict[str, dict[str, np.ndarray]]) -> keras.Model:
    """Return the network with the weights that :func:`read` returned."""
    built = network()
    for name, stored in arrays.items():
        built.get_layer(name).set_weights(_in_keras_order(name, stored))
    return built


def _in_keras_order(name: str, stored) -> list[np.ndarray]:
    if name.startswith("bn"):
        return [stored[part] for part in _NORM]  # what it calls running_std is the variance
    if name.startswith("gru"):
        gates = (("z", _GATE), ("r", _GATE), ("h", 1.0))
        return [
            np.concatenate([stored[f"{part}_{gate}"] * factor for gate, factor in gates], axis=-1)
            for part in "WUb"
        ]
    if name.startswith("conv"):
        # (out, in, bands, frames) becomes (frames, bands, in, out).
        return [stored["W"].transpose(3, 2, 1, 0), stored["b"]]
    return [stored["W"], stored["b"]]
