"""The network: an encoder that hears, a decoder that writes; a transformer of Keras's plan.

A. Vaswani and others, "Attention is all you need", NeurIPS 2017; the layer norms stand in front, as
in Whisper and OWSM. Beside the decoder a linear layer reads the words off the encoder by CTC, which
helps the encoder learn, as in OWSM.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from .corpus import RATE, frontend
from .layers import Attention, Normal, gelu
from .vocabulary import LENGTH, TOKENS

#: Frames that become one moment of the encoder, and moments of a string.
STEP, MOMENTS = 4, 80
#: Outputs of the linear layer for CTC: ten words, and none.
CTC = 11


@dataclass(frozen=True)
class Size:
    """How large the network is.

    Attributes
    ----------
    width : int
        Numbers that a moment or a token is described by; a multiple of `heads`.
    layers, heads : int
        Of the encoder and of the decoder, each.
    """

    width: int = 64
    layers: int = 2
    heads: int = 4


def moment_times() -> np.ndarray:
    """Return where the encoder's moments lie, in seconds: float (80,), the middles of 40 ms each.

    Two convolutions of stride 2 look at frames to either side of the fourth of each four.
    """
    mel = frontend()
    frames = STEP * np.arange(MOMENTS) + STEP - 1
    return (frames * mel.hop + mel.window / 2) / RATE


def build(size: Size, mean: float = 0.0, spread: float = 1.0, seed: int = 0) -> keras.Model:
    """Return the network with random weights.

    Parameters
    ----------
    size : Size
    mean, spread : float
        Of the features that it will learn from.
    seed : int

    Returns
    -------
    keras.Model
        From ``features`` (n, 320, 40) and ``tokens`` (n, 13) to logits of the next token
        (n, 13, tokens) and of the words at each moment (n, 80, 11). Its layers ``encoded`` and
        ``cross1``, ``cross2``, ... are what is looked into.
    """
    seeds = iter(range(seed * 1000, seed * 1000 + 1000))

    def first():
        return keras.initializers.GlorotUniform(next(seeds))

    heard = keras.Input((MOMENTS * STEP, frontend().bands), name="features")
    encoded = _encoder(heard, size, mean, spread, first)
    words = keras.layers.Dense(CTC, kernel_initializer=first(), name="words")(encoded)
    tokens = keras.Input((LENGTH,), dtype="int32", name="tokens")
    logits = _decoder(tokens, encoded, size, first)
    return keras.Model([heard, tokens], [logits, words], name="speech")


def encoder_of(network: keras.Model) -> keras.Model:
    """Return the part from the features to the encoder's last states (n, 80, width)."""
    return keras.Model(network.inputs[0], network.get_layer("encoded").output)


def decoder_of(network: keras.Model, *outputs: Any) -> keras.Model:
    """Return the part from encoder states and tokens to the logits, or to other tensors of it."""
    encoded = network.get_layer("encoded").output
    wanted = list(outputs) or network.outputs[0]
    return keras.Model([encoded, network.inputs[1]], wanted)


def _encoder(heard, size, mean, spread, first):
    layers = keras.layers
    tensor = layers.Rescaling(1 / spread, -mean / spread, name="rescaled")(heard)
    for number in (1, 2):
        tensor = layers.Conv1D(
            size.width, 5, 2, "same", activation=gelu, kernel_initializer=first(),
            name=f"conv{number}",
        )(tensor)  # fmt: skip
    tensor = keras.ops.add(tensor, 0.3 * sines(MOMENTS, size.width)[None])
    for number in range(1, size.layers + 1):
        normal = Normal(name=f"hear{number}_before")(tensor)
        mixed = Attention(
            size.heads, size.width // size.heads, kernel_initializer=first(), name=f"hear{number}"
        )(normal, normal)
        tensor = layers.Add(name=f"hear{number}_added")([tensor, mixed])
        tensor = _thought(tensor, size, first, f"encoder{number}")
    return Normal(name="encoded")(tensor)


def _decoder(tokens, encoded, size, first):
    layers = keras.layers
    tensor = layers.Embedding(
        len(TOKENS), size.width,
        embeddings_initializer=keras.initializers.RandomNormal(0, 0.3, seed=first().seed),
        name="embedded",
    )(tokens)  # fmt: skip
    tensor = keras.ops.add(tensor, 0.3 * sines(LENGTH, size.width)[None])
    for number in range(1, size.layers + 1):
        normal = Normal(name=f"self{number}_before")(tensor)
        mixed = Attention(
            size.heads, size.width // size.heads, kernel_initializer=first(), name=f"self{number}"
        )(normal, normal, use_causal_mask=True)
        tensor = layers.Add(name=f"self{number}_added")([tensor, mixed])
        normal = Normal(name=f"cross{number}_before")(tensor)
        # The weights of attention are asked for: they are an output of the layer.
        mixed, _ = Attention(
            size.heads, size.width // size.heads, kernel_initializer=first(), name=f"cross{number}"
        )(normal, encoded, return_attention_scores=True)
        tensor = layers.Add(name=f"cross{number}_added")([tensor, mixed])
        tensor = _thought(tensor, size, first, f"decoder{number}")
    tensor = Normal(name="decoded")(tensor)
    return layers.Dense(len(TOKENS), kernel_initializer=first(), name="logits")(tensor)


def _thought(tensor, size, first, name):
    """Let each moment think for itself."""
    layers = keras.layers
    normal = Normal(name=f"{name}_before")(tensor)
    wide = layers.Dense(
        2 * size.width, activation=gelu, kernel_initializer=first(), name=f"{name}_wide"
    )(normal)
    back = layers.Dense(size.width, kernel_initializer=first(), name=f"{name}_back")(wide)
    return layers.Add(name=name)([tensor, back])


def sines(count: int, width: int) -> np.ndarray:
    """Return the sines and cosines that tell places apart, float32 (count, width)."""
    pace = 1e-3 ** (np.arange(width) // 2 * 2 / width)
    angles = np.arange(count)[:, None] * pace + np.arange(width) % 2 * np.pi / 2
    return np.sin(angles).astype(np.float32)
