"""Writing: the model is asked about strings, and goes on token by token."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ..tracing import traced
from . import network
from .corpus import frontend
from .vocabulary import EOS, LANGUAGES, LENGTH, NUMBER, PAD, PROMPT, SOS, TOKENS, prompt

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from .training import Model

BATCH = 128


def write(
    model: Model,
    heard: ArrayLike,
    language: str = "plain",
    task: str = "transcribe",
    stamps: str = "times",
) -> np.ndarray:
    """Write a line about each string, taking the most probable token each time.

    Parameters
    ----------
    model : Model
    heard : array_like of float, shape (n, 320, 40)
        Of :func:`.corpus.features`.
    language : {"plain", "cipher"}
    task : {"transcribe", "reverse"}
    stamps : {"times", "notimes"}

    Returns
    -------
    ndarray of int32, shape (n, 13)
        With ``<pad>`` after ``<eos>``.
    """
    return written(model, encode(model, heard), prompt(language, task, stamps))


def encode(model: Model, heard: ArrayLike) -> np.ndarray:
    """Return the encoder's states of strings, float32 (n, 80, width): no question is in them."""
    heard = checked(heard)
    listen, _ = _compiled(model)
    parts = [listen(tf.constant(heard[k : k + BATCH])) for k in range(0, len(heard), BATCH)]
    return np.concatenate([part.numpy() for part in parts])


def checked(heard: ArrayLike) -> np.ndarray:
    """Return what a model hears as float32 (n, 320, 40).

    Raises
    ------
    XaiAudioError
        If it is of another shape, such as that of waves, or not finite.
    """
    heard = np.asarray(heard, np.float32)
    wanted = (network.MOMENTS * network.STEP, frontend().bands)
    # Given another shape, TensorFlow ends the whole process.
    if heard.ndim != 3 or heard.shape[1:] != wanted or not len(heard):
        raise XaiAudioError(
            f"What is heard has the shape {heard.shape}: (n, {wanted[0]}, {wanted[1]}) is needed, "
            "which corpus.features() makes of waves."
        )
    if not np.isfinite(heard).all():
        raise XaiAudioError("What is heard has values that are NaN or infinite.")
    return heard


def lines_of(tokens: ArrayLike, count: int) -> np.ndarray:
    """Return lines as int32 (n, 13)."""
    tokens = np.asarray(tokens, np.int32)
    if tokens.shape != (count, LENGTH):
        raise XaiAudioError(
            f"The lines have the shape {tokens.shape}: ({count}, {LENGTH}) is needed, one for "
            "each string."
        )
    if tokens.min() < 0 or tokens.max() >= len(TOKENS):
        raise XaiAudioError(
            f"A line has a token beyond those that there are, 0 to {len(TOKENS) - 1}."
        )
    return tokens


def written(model: Model, states: np.ndarray, question: list[int]) -> np.ndarray:
    """Write a line about each string from the encoder's states of it; see :func:`write`."""
    tokens = np.full((len(states), LENGTH), PAD, np.int32)
    tokens[:, :PROMPT] = question
    _, go_on = _compiled(model)
    for k in range(0, len(states), BATCH):
        some, lines = tf.constant(states[k : k + BATCH]), tokens[k : k + BATCH]
        for place in range(PROMPT, LENGTH):
            ended = (lines[:, PROMPT:place] == EOS).any(axis=1)
            if ended.all():
                break
            # Only what stands before a place decides what is written there.
            likely = go_on(some, tf.constant(lines)).numpy()[:, place - 1].argmax(axis=1)
            lines[:, place] = np.where(ended, PAD, likely)
    return tokens


def chances(model: Model, heard: ArrayLike, tokens: ArrayLike) -> np.ndarray:
    """Return the probabilities of the token after each one of given lines, (n, 13, tokens)."""
    states = encode(model, heard)
    tokens = lines_of(tokens, len(states))
    _, go_on = _compiled(model)
    parts = [
        tf.nn.softmax(go_on(tf.constant(states[k : k + BATCH]), tf.constant(tokens[k : k + BATCH])))
        for k in range(0, len(states), BATCH)
    ]
    return np.concatenate([part.numpy() for part in parts])


def language_chances(model: Model, heard: ArrayLike) -> np.ndarray:
    """Return how probable the model finds each language after ``<sos>``, float (n, 2)."""
    tokens = np.full((len(np.asarray(heard)), LENGTH), PAD, np.int32)
    tokens[:, 0] = SOS
    first = chances(model, heard, tokens)[:, 0, [NUMBER[f"<{name}>"] for name in LANGUAGES]]
    return first / first.sum(axis=1, keepdims=True)


@functools.lru_cache(maxsize=8)
def _compiled(model):
    """Return the two halves of a model: from features to states, and from these and tokens on."""
    encoder, decoder = network.encoder_of(model.network), network.decoder_of(model.network)
    heard = tf.TensorSpec((None, network.MOMENTS * network.STEP, frontend().bands), tf.float32)
    states = tf.TensorSpec((None, network.MOMENTS, model.recipe.width), tf.float32)
    tokens = tf.TensorSpec((None, LENGTH), tf.int32)
    return (
        traced(lambda some: encoder(some, training=False), [heard]),
        traced(lambda some, lines: decoder([some, lines], training=False), [states, tokens]),
    )
