"""When each word was said, read from the attention of the decoder to the encoder.

The way of Whisper (A. Radford and others, "Robust speech recognition via large-scale weak
supervision", ICML 2023, and its code): the text is given, the weights of cross-attention are
standardised over the tokens, smoothed by a median over time, averaged over some heads, and the best
path through them, which never goes back, tells when one token ends and the next begins.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf
from scipy.ndimage import median_filter

from ..tracing import traced
from . import network
from .generation import BATCH, encode, lines_of
from .vocabulary import DIGITS, LENGTH, PROMPT, line

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from .corpus import Strings
    from .training import Model

#: Moments of 40 ms that the median is taken over.
MEDIAN = 3
#: Heads whose mean is used.
PICKED = 3


def attention(model: Model, heard: ArrayLike, tokens: ArrayLike) -> np.ndarray:
    """Return what each head of the decoder pays to each moment of the encoder.

    Parameters
    ----------
    model : Model
    heard : array_like of float, shape (n, 320, 40)
    tokens : array_like of int, shape (n, 13)
        The lines, given to the decoder.

    Returns
    -------
    ndarray of float32, shape (n, layers * heads, 13, 80)
        Sums over the moments are 1. The row of a token is used to write the one after it.
    """
    states = encode(model, heard)
    tokens = lines_of(tokens, len(states))
    look = _compiled(model)
    parts = [
        look(tf.constant(states[k : k + BATCH]), tf.constant(tokens[k : k + BATCH])).numpy()
        for k in range(0, len(states), BATCH)
    ]
    return np.concatenate(parts)


@functools.lru_cache(maxsize=8)
def _compiled(model):
    made, recipe = model.network, model.recipe
    layers = [made.get_layer(f"cross{k + 1}") for k in range(recipe.layers)]
    decoder = network.decoder_of(made, *(layer.output[1] for layer in layers))
    states = tf.TensorSpec((None, network.MOMENTS, recipe.width), tf.float32)
    tokens = tf.TensorSpec((None, LENGTH), tf.int32)

    def look(some, lines):
        found = decoder([some, lines], training=False)
        return tf.concat(found if recipe.layers > 1 else [found], axis=1)

    return traced(look, [states, tokens])


def paid(model: Model, heard: ArrayLike, strings: Strings) -> np.ndarray:
    """Return the attention with which each word and the end of a string are written.

    The true digits are given, without times: otherwise the answer would stand in the question.

    Returns
    -------
    ndarray of float32, shape (n, layers * heads, 5, 80)
        A row for each digit, then one for ``<eos>``; what comes behind is of no token.
    """
    tokens = np.stack([line(said, [0.0] * len(said), stamps="notimes") for said in strings.digits])
    return attention(model, heard, tokens)[:, :, PROMPT - 1 : PROMPT + DIGITS]


def standardised(weights: np.ndarray, counts: ArrayLike) -> np.ndarray:
    """Bring each moment's weights to mean 0 and standard deviation 1 over the tokens of a string.

    Parameters
    ----------
    weights : ndarray of float, shape (n, heads, tokens, moments)
    counts : array_like of int, shape (n,)
        Tokens that each string has; the others stay out.
    """
    used = np.arange(weights.shape[2])[:, None] < np.asarray(counts)[:, None, None, None]
    total = used.sum(axis=2, keepdims=True)
    mean = (weights * used).sum(axis=2, keepdims=True) / total
    away = (weights - mean) * used
    spread = np.sqrt((away**2).sum(axis=2, keepdims=True) / total)
    return away / np.maximum(spread, 1e-12)


def smoothed(weights: np.ndarray, width: int = MEDIAN) -> np.ndarray:
    """Take the median of so many neighbouring moments; ends are mirrored."""
    return median_filter(weights, size=(*[1] * (weights.ndim - 1), width), mode="reflect")


def paths(gain: np.ndarray, counts: ArrayLike) -> np.ndarray:
    """Find the paths with the largest sums, from the first token and moment to the last.

    Dynamic time warping (H. Sakoe and S. Chiba, 1978): a step goes to the next token, the next
    moment, or both; all strings at once.

    Parameters
    ----------
    gain : ndarray of float, shape (n, tokens, moments)
    counts : array_like of int, shape (n,)
        Tokens that each string has.

    Returns
    -------
    ndarray of bool, shape (n, tokens, moments)
        Which cells each path visits.
    """
    n, tokens, moments = gain.shape
    cost = np.full((n, tokens + 1, moments + 1), np.inf)
    cost[:, 0, 0] = 0
    for token in range(tokens):
        for moment in range(moments):
            before = np.minimum(cost[:, token, moment], cost[:, token, moment + 1])
            before = np.minimum(before, cost[:, token + 1, moment])
            cost[:, token + 1, moment + 1] = before - gain[:, token, moment]
    rows = np.arange(n)
    token, moment = np.asarray(counts) - 1, np.full(n, moments - 1)
    visited = np.zeros(gain.shape, bool)
    visited[rows, token, moment] = True
    for _ in range(tokens + moments):
        steps = ((token, moment), (token, moment + 1), (token + 1, moment))
        options = np.stack([cost[rows, row, column] for row, column in steps])
        best = options.argmin(axis=0)
        start = (token == 0) & (moment == 0)
        token = np.where(start | (best == 2), token, token - 1)
        moment = np.where(start | (best == 1), moment, moment - 1)
        visited[rows, token, moment] = True
    return visited


def orderly(weights: np.ndarray, counts: ArrayLike) -> np.ndarray:
    """Say how much of each head's attention lies on a path that never goes back, (heads,).

    No truth is needed for it: 1 is a head that goes from moment to moment with the tokens.
    """
    n, heads = weights.shape[:2]
    counts = np.asarray(counts)
    flat = weights.reshape(n * heads, *weights.shape[2:])
    on = (flat * paths(flat, np.repeat(counts, heads))).sum(axis=(1, 2)).reshape(n, heads)
    return (on / counts[:, None]).mean(axis=0)


def picked(weights: np.ndarray, counts: ArrayLike, count: int = PICKED) -> np.ndarray:
    """Return the heads that are most orderly, int (count,), the best first."""
    return np.argsort(-orderly(weights, counts), kind="stable")[:count]


def onsets(weights: np.ndarray, counts: ArrayLike, heads: Sequence[int] | np.ndarray) -> np.ndarray:
    """Read the onsets of words from attention.

    Parameters
    ----------
    weights : ndarray of float, shape (n, heads, 5, 80)
        Of :func:`paid`.
    counts : array_like of int, shape (n,)
        Digits of each string.
    heads : sequence of int
        Those whose mean is taken.

    Returns
    -------
    ndarray of float, shape (n, 4)
        In seconds: where the path enters the row of a digit. NaN where there is no digit. The path
        begins at the first moment, so that the first onset always lies there.
    """
    counts = np.asarray(counts)
    gain = smoothed(standardised(weights[:, list(heads)], counts + 1)).mean(axis=1)
    visited = paths(gain, counts + 1)[:, :DIGITS]
    # A moment stands for 40 ms around its middle; a word begins where its first moment does.
    begins = network.moment_times() - 0.5 * (network.moment_times()[1] - network.moment_times()[0])
    found = begins[visited.argmax(axis=2)]
    return np.where(np.arange(DIGITS) < counts[:, None], found, np.nan)


def peaks(weights: np.ndarray, counts: ArrayLike, heads: Sequence[int] | np.ndarray) -> np.ndarray:
    """Return the moment that gets most attention while each word is written.

    Parameters
    ----------
    weights : ndarray of float, shape (n, heads, 5, 80)
        Of :func:`paid`.
    counts : array_like of int, shape (n,)
        Digits of each string.
    heads : sequence of int
        Those whose mean is taken.

    Returns
    -------
    ndarray of float, shape (n, 4)
        In seconds; NaN where there is no digit.
    """
    mean = weights[:, list(heads), :DIGITS].mean(axis=1)
    found = network.moment_times()[mean.argmax(axis=2)]
    return np.where(np.arange(DIGITS) < np.asarray(counts)[:, None], found, np.nan)


def halfway(moments: np.ndarray) -> np.ndarray:
    """Guess onsets from one moment of each word: halfway from the word before.

    Parameters
    ----------
    moments : ndarray of float, shape (n, 4)
        In seconds, such as :func:`peaks`.

    Returns
    -------
    ndarray of float, shape (n, 4)
        The first is the first moment itself.
    """
    return np.concatenate([moments[:, :1], (moments[:, 1:] + moments[:, :-1]) / 2], axis=1)
