"""Files and folders of networks that Keras did not write: opened, and made classifiers of."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from ...errors import XaiAudioError
from .. import checks
from . import function, layout
from .base import ForeignNetwork

if TYPE_CHECKING:
    from ...types import PathLike

BATCH = 32
SUFFIXES = (".tflite", ".onnx")


def open_network(path: PathLike, signature: str | None = None) -> ForeignNetwork:
    """Open a network that Keras did not write, to call it with arrays.

    :func:`xaiaudio.load_model` makes a classifier of such a file at once. This is for what needs a
    few lines of one's own, such as two files one after the other.

    Parameters
    ----------
    path : str or path-like
        A ``.tflite`` or an ``.onnx`` file, or the folder of a SavedModel. All are programs of
        another library. A SavedModel is refused before it is loaded if it holds an operation that
        may do more than compute, such as reading or writing files or calling Python, and only its
        signature is called. A TFLite file is refused if it holds operations of TensorFlow itself
        (*Flex*). Of an ONNX file only onnxruntime's own operations are run, and weights in files of
        their own have to lie beside it.
    signature : str, optional
        Name of the signature to call, of a SavedModel that has several; by default
        ``serving_default``, or the only one.

    Returns
    -------
    ForeignNetwork

    Raises
    ------
    XaiAudioError
        If the file is missing, damaged, holds what is refused, or takes several inputs; or if there
        is no such signature, or none is named of several: the message lists them.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> first = xa.models.open_network("mel.tflite")  # doctest: +SKIP
    >>> second = xa.models.open_network("embedding.tflite")  # doctest: +SKIP
    >>> def scores(waves):  # doctest: +SKIP
    ...     return second(first(waves)) @ weights
    """
    path = Path(path)
    if not path.exists():
        raise XaiAudioError(f"There is no network {path}.")
    if path.is_dir():
        from . import savedmodel

        return savedmodel.read(path, signature)
    if signature is not None:
        raise XaiAudioError(f"{path}: signature is for the folder of a SavedModel, leave it out.")
    return _reader(path)(path)


def _reader(path) -> Callable[[Path], ForeignNetwork]:
    if path.suffix == ".tflite" and path.is_file():
        from .tflite import read
    elif path.suffix == ".onnx" and path.is_file():
        from .onnx import read
    else:
        raise XaiAudioError(
            f"{path} is no .tflite file, no .onnx file and no SavedModel folder: open it with the "
            "library that wrote it, and use AudioClassifier.from_function."
        )
    return read


def is_foreign(path: Path) -> bool:
    """Tell whether a path is that of a network which Keras did not write."""
    return path.suffix in SUFFIXES or (path.is_dir() and (path / "saved_model.pb").exists())


def classifier(
    path: Path,
    *,
    labels=None,
    frontend=None,
    outputs=None,
    activation=None,
    channels=None,
    sample_rate=None,
    seconds=None,
    output_name=None,
    span=None,
    pool="mean",
    signature=None,
):
    """Make a classifier of a file; see :func:`xaiaudio.load_model`."""
    if not path.exists():
        raise XaiAudioError(f"There is no network {path}.")
    if labels is None:
        raise XaiAudioError(
            f"{path} does not know its labels: give them with --labels (command line) or "
            "load_model(path, labels=[...]) (Python)."
        )
    if channels is not None:
        raise XaiAudioError(f"{path}: channels is for networks of Keras, leave it out.")
    labels, end = checks.check_labels(labels), _end(outputs, activation)
    network = open_network(path, signature).with_output(output_name)
    frontend = layout.frontend_of(network.input, network.name, frontend, sample_rate, seconds)
    arrange, changes = layout.arranged(network.input, network.name, frontend)
    made = function.of_function(
        lambda given: network(arrange(given)),
        labels,
        frontend=frontend,
        batch=BATCH,
        outputs=end,
        name=path.stem,
        span=span,
        pool=pool,
        changes=changes,
        lacks=f"is {network.kind}, which only answers",
    )
    about = [signature, network.output, end, span, pool, frontend.to_config()]
    made.identity = _digest(path) + json.dumps(about)
    return made


def _end(outputs, activation) -> str:
    """Return what the network gives, as functions are told, in the words of `load_model`."""
    if outputs == "probabilities" and activation is not None:
        raise XaiAudioError("Probabilities take no activation: leave it out, or outputs.")
    if activation is None:
        return "probabilities" if outputs is None else outputs
    if activation not in ("softmax", "sigmoid"):
        raise XaiAudioError(f"activation is {activation!r}: it must be 'softmax' or 'sigmoid'.")
    return "logits" if activation == "softmax" else "sigmoid"


def _digest(path) -> str:
    """Return a sum over the bytes of a file, or of all files in a folder."""
    files = sorted(path.rglob("*")) if path.is_dir() else [path]
    total = hashlib.sha256()
    for file in files:
        if file.is_file():
            with open(file, "rb") as opened:
                total.update(hashlib.file_digest(opened, "sha256").digest())
    return total.hexdigest()
