"""Weights of interpreters as arrays by name: out of a network, into it, and whose they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from ... import cache
from ...errors import XaiAudioError

if TYPE_CHECKING:
    import keras

    from ...models.classifier import AudioClassifier
    from ..base import Explainer

_MODEL = "model"
_REPORT, _HISTORY = "report/", "history/"


def arrays_of(network: keras.Model, prefix: str) -> dict[str, np.ndarray]:
    """Return a network's weights by name: ``prefix/layer/variable``.

    Examples
    --------
    >>> import keras
    >>> from xaiaudio.explainers.trained.weights import arrays_of
    >>> inputs = keras.Input((3,))
    >>> network = keras.Model(inputs, keras.layers.Dense(2, name="out")(inputs))
    >>> list(arrays_of(network, "psi"))
    ['psi/out/kernel', 'psi/out/bias']
    """
    return {f"{prefix}/{variable.path}": variable.numpy() for variable in network.weights}


def restore(network: keras.Model, prefix: str, weights: Mapping[str, np.ndarray]) -> keras.Model:
    """Put weights into a network; return it.

    Raises
    ------
    XaiAudioError
        If one is missing, has another shape, or is of no layer of the network.
    """
    known = {f"{prefix}/{variable.path}" for variable in network.weights}
    strange = [name for name in weights if name.startswith(f"{prefix}/") and name not in known]
    for variable in network.weights:
        name = f"{prefix}/{variable.path}"
        if name not in weights or weights[name].shape != tuple(variable.shape):
            shape = weights[name].shape if name in weights else "none"
            raise XaiAudioError(
                f"The weights of {name} have the shape {shape}, but {tuple(variable.shape)} is "
                "needed: they are of an interpreter with other options or of another network."
            )
        variable.assign(weights[name])
    if strange:
        raise XaiAudioError(
            f"The weights of {strange[0]} are of no layer here: they are of an interpreter with "
            "other options."
        )
    return network


def fingerprint(model: AudioClassifier) -> str:
    """Return what tells one classifier from another: its weights, classes and front end.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.explainers.trained.weights import fingerprint
    >>> lite = xa.load_model("lite")
    >>> fingerprint(lite) == fingerprint(xa.load_model("lite"))
    True
    """
    frontend = model.frontend.with_overlap(0).to_config()
    return cache.key(list(model.labels), frontend, cache.sum_of_arrays(model.network.get_weights()))


def signed(model: AudioClassifier, weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return weights that say which classifier they were trained for, see :func:`check_model`."""
    return {**weights, _MODEL: np.array(fingerprint(model))}


def check_model(name: str, model: AudioClassifier, weights: Mapping[str, np.ndarray]) -> None:
    """Raise XaiAudioError unless weights were trained for this very classifier.

    A network whose weights were changed, be it at random to see whether the maps change with them,
    needs an interpreter of its own: this one never saw its hidden layers.
    """
    if str(weights.get(_MODEL)) != fingerprint(model):
        raise XaiAudioError(
            f"This {name} was trained for another network than {model.name} with its present "
            f"weights, classes and front end: train one, Explainer.fit({name!r}, model, clips)."
        )


def report(explainer: Explainer) -> dict[str, float]:
    """Return what a trained method says of its training, such as its fidelity: numbers by name.

    Parameters
    ----------
    explainer : Explainer
        From `Explainer.fit`.

    Returns
    -------
    dict of str to float

    Raises
    ------
    XaiAudioError
        If it was not trained.
    """
    if explainer.weights is None:
        raise XaiAudioError(
            f"{explainer.name} has not been trained: Explainer.fit({explainer.name!r}, model, "
            "clips)."
        )
    return {
        name.removeprefix(_REPORT): float(value)
        for name, value in explainer.weights.items()
        if name.startswith(_REPORT)
    }


def told(report: Mapping[str, float], history: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the report and the course of a training as arrays that go with the weights."""
    numbers = {_REPORT + name: np.array(value, np.float64) for name, value in report.items()}
    return {**numbers, **{_HISTORY + name: values for name, values in history.items()}}


def history(explainer: Explainer) -> dict[str, np.ndarray]:
    """Return the course of a trained method's training, see :func:`.training.fitting.train`."""
    return {
        name.removeprefix(_HISTORY): value
        for name, value in (explainer.weights or {}).items()
        if name.startswith(_HISTORY)
    }
