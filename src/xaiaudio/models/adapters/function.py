"""Classifiers of functions: of sounds, or of log-mel patches."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError, XaiAudioWarning
from ...wave_frontend import WaveFrontend
from ..checks import check_frontend
from ..classifier import AudioClassifier
from ..probing import trial_patches
from ..waveform import WaveformClassifier
from .answers import Asked, check_pool
from .patches import PatchFunctionClassifier

OUTPUTS = ("probabilities", "logits", "sigmoid")

# Numbers of 16 bits are added up otherwise in a batch of another size, by less than this share.
SAME = 0.02

SAY = "say outputs='logits' if a softmax belongs behind them, or 'sigmoid'"


def of_function(
    function,
    labels,
    *,
    frontend,
    batch,
    outputs,
    name,
    attribution="",
    span=None,
    pool="mean",
    changes=(),
    **about,
) -> AudioClassifier:
    """Make a classifier of a function; see :meth:`.AudioClassifier.from_function`.

    Parameters
    ----------
    changes : sequence of str
        What is done to the input before, in sentences.
    about
        For the classifier: `lacks`, `identity`.
    """
    if not callable(function):
        raise XaiAudioError(
            f"This is a {type(function).__name__}, not a function: give one that takes waveforms "
            "(n, samples) and returns scores (n, classes)."
        )
    if outputs not in OUTPUTS:
        raise XaiAudioError(f"outputs is {outputs!r}: it must be one of {OUTPUTS}.")
    if isinstance(batch, bool) or not isinstance(batch, int) or batch < 1:
        raise XaiAudioError(f"batch is {batch!r}: it must be a whole number of at least 1.")
    check_pool(span, pool)
    check_frontend(frontend)
    name = getattr(function, "__name__", type(function).__name__) if name is None else str(name)
    sounds = isinstance(frontend, WaveFrontend)
    seconds = frontend.samples / frontend.sample_rate if sounds else frontend.patch_seconds
    what = "sounds" if sounds else "patches"
    ask = Asked(function, name, len(labels), seconds, span, pool, what)
    # Two segments: what is wrong with the function shows now, and not in the middle.
    given = _trial(frontend, sounds)[:batch]
    answers = ask(given)
    _check_range(answers, outputs, name)
    _check_again(answers[:1], ask(given[:1]), name)
    scores, logits = _ends(ask, outputs, one=_sum_to_one(answers))
    kind = WaveformClassifier if sounds else PatchFunctionClassifier
    made = kind(
        scores,
        logits,
        labels,
        frontend,
        name=name,
        batch=batch,
        attribution=attribution,
        outputs="probabilities" if outputs == "probabilities" else None,
        **about,
    )
    made.changes = tuple(changes)
    return made


def _trial(frontend, sounds) -> np.ndarray:
    """Return two segments of noise, or patches of noise and of a tone."""
    if not sounds:
        return trial_patches(frontend)[[3, 5]]
    return np.random.default_rng(0).normal(0, 0.1, (2, frontend.samples)).astype(np.float32)


def _ends(ask, outputs, one: bool) -> tuple[Callable, Callable]:
    """Return functions to probabilities and to logits; `one` tells whether rows sum to 1."""
    if outputs == "probabilities":
        back = _logarithm if one else _log_odds
        return ask, lambda given: back(ask(given))
    # The softmax of a single logit is always 1.
    softmax = outputs == "logits" and ask.classes > 1
    activation = tf.nn.softmax if softmax else tf.nn.sigmoid
    return (lambda given: activation(ask(given)).numpy()), ask


def _logarithm(scores) -> np.ndarray:
    return np.log(np.maximum(scores, np.finfo(np.float32).tiny))


def _log_odds(scores) -> np.ndarray:
    least = np.finfo(np.float32).eps / 2
    scores = np.clip(scores.astype(np.float64), least, 1 - least)
    return np.log(scores / (1 - scores)).astype(np.float32)


def _sum_to_one(answers) -> bool:
    return answers.shape[1] > 1 and np.allclose(answers.sum(axis=1), 1, atol=1e-4)


def _check_again(answers, again, name) -> None:
    """Warn where the same input has another answer, which no map could tell from what it hid."""
    if np.abs(again - answers).max() > SAME * max(np.abs(answers).max(), np.abs(again).max()):
        warnings.warn(
            f"{name} answers otherwise when it is asked again, or alone: if it is still in "
            "training mode (dropout, normalisation by the batch), end that, in PyTorch by .eval().",
            XaiAudioWarning,
            stacklevel=4,
        )


def _check_range(answers, outputs, name) -> None:
    if not np.isfinite(answers).all():
        raise XaiAudioError(
            f"{name} gave NaN or infinity for noise: check the network, and what it is to be given."
        )
    inside = bool((answers >= -1e-6).all() and (answers <= 1 + 1e-6).all())
    if outputs == "probabilities" and not inside:
        raise XaiAudioError(
            f"{name} gives values from {answers.min():.3g} to {answers.max():.3g}, which are no "
            f"probabilities: {SAY} (--ends-in logits, --activation sigmoid)."
        )
    if outputs != "probabilities" and inside and _sum_to_one(answers):
        raise XaiAudioError(
            f"{name} gives rows from 0 to 1 that sum to 1: they are probabilities already, say "
            "outputs='probabilities'."
        )
