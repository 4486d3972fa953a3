"""Checks that the methods share: of inputs, of errors on the way, of maps that say nothing."""

from __future__ import annotations

import contextlib
import re
import warnings
from collections import Counter
from typing import TYPE_CHECKING

import keras
import numpy as np

from ..errors import XaiAudioError, XaiAudioWarning
from ..models import heads
from ..models.graph import made_by
from ..patches import Patches, rows_of_sound

if TYPE_CHECKING:
    from typing import Any

    from ..frontend import LogMel


# A map whose cells differ by less, as a share of the largest, or of a probability or a logit, is
# flat: of a logit of 10, this is what rounding leaves.
FLAT = 1e-6


def checked(network, inputs, targets) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs (n, ...) as float32 and targets (n,) as int32, or say what is wrong with them.

    Parameters
    ----------
    network : keras.Model
        One input, one output (n, classes).
    inputs : array_like of float, shape (n, ...)
    targets : array_like of int, shape (n,)

    Raises
    ------
    XaiAudioError
        If the network has no such graph, or inputs or targets do not fit it.
    """
    check_network(network)
    try:
        inputs, targets = np.asarray(inputs, np.float32), np.asarray(targets)
    except (TypeError, ValueError) as error:
        raise XaiAudioError(f"Inputs and targets must be arrays of numbers: {error}.") from error
    wanted = tuple(network.inputs[0].shape)[1:]
    fits = inputs.ndim == len(wanted) + 1 and all(
        size in (None, length) for size, length in zip(wanted, inputs.shape[1:], strict=True)
    )
    if not fits:
        raise XaiAudioError(
            f"The inputs have the shape {inputs.shape}, but {network.name} takes (n, "
            f"{', '.join(map(str, wanted))})."
        )
    if targets.size and not len(inputs):
        raise XaiAudioError("There are targets but no inputs: n of 1 or more is needed.")
    if not np.isfinite(inputs).all():
        raise XaiAudioError("The inputs hold NaN or infinite values: check the sound first.")
    classes = network.outputs[0].shape[-1]
    fits = targets.shape == inputs.shape[:1] and (targets.dtype.kind in "iu" or not len(targets))
    if not fits or (len(targets) and not (targets.min() >= 0 and targets.max() < classes)):
        raise XaiAudioError(
            f"The targets must be {len(inputs)} whole numbers, one per input, from 0 to "
            f"{classes - 1} for the classes of {network.name}."
        )
    return inputs, targets.astype(np.int32)


def check_network(network) -> None:
    """Raise XaiAudioError unless a network has a graph with one input and one row of logits."""
    inputs: Any = getattr(network, "inputs", None)
    outputs: Any = getattr(network, "outputs", None)
    graph = isinstance(network, keras.Model) and inputs and outputs
    if not graph or len(inputs) != 1 or len(outputs) != 1 or len(outputs[0].shape) != 2:
        raise XaiAudioError(
            f"{getattr(network, 'name', type(network).__name__)} is not a functional Keras model "
            "(it has no graph with one input and one row of logits): give one that is."
        )
    if ends := heads.probabilities_of(network):
        last = made_by(outputs[0]).name
        raise XaiAudioError(
            f"{network.name} ends in {ends}, in {last!r}: the methods explain logits. Give the "
            "network without its last activation (of a classifier: model.logits_network)."
        )


def check_answers(network) -> None:
    """Raise XaiAudioError if a network answers noise in probabilities, whatever its graph says.

    A mean of softmaxes, or a softmax in a function of one's own, is not seen in the graph. Rows of
    logits do not all sum to 1. Only networks of one size of input are asked.
    """
    shape = tuple(network.inputs[0].shape)[1:]
    if None in shape:
        return
    noise = np.random.default_rng(0).normal(size=(4, *shape))
    noise *= np.reshape([0.1, 1, 3, 10], (4, *[1] * len(shape)))
    rows = keras.ops.convert_to_numpy(network(noise.astype(np.float32), training=False))
    if (rows >= 0).all() and rows.shape[1] > 1 and np.abs(rows.sum(axis=1) - 1).max() < 1e-3:
        raise XaiAudioError(
            f"{network.name} answers in probabilities, which sum to 1: the methods explain logits. "
            "Give the network without its last activation (of a classifier: model.logits_network)."
        )


def check_patches(model, patches) -> np.ndarray | Patches:
    """Return what the network is asked about: an array, or `Patches` with their sounds."""
    whole = patches
    if isinstance(patches, Patches) and not _same_cells(patches.frontend, model.frontend):
        raise XaiAudioError(
            "The patches were made by another front end than this network's: make them with "
            "model.frontend(wave)."
        )
    try:
        patches = np.asarray(patches, np.float32)
    except (TypeError, ValueError) as error:
        raise XaiAudioError(
            f"The patches are not an array of numbers ({error}): make them with "
            "model.frontend(wave)."
        ) from error
    if patches.ndim == 2:
        patches = patches[None]
    expected = model.frontend.patch_shape
    if patches.ndim != 3 or patches.shape[1:] != expected:
        raise XaiAudioError(
            f"The patches have the shape {patches.shape}, but this network takes "
            f"(n, {expected[0]}, {expected[1]}): make them with model.frontend(wave)."
        )
    if len(patches) == 0:
        raise XaiAudioError("There is no patch to explain: the sound gave none.")
    if not np.isfinite(patches).all():
        raise XaiAudioError("The patches hold NaN or infinite values: check the sound first.")
    return patches if getattr(whole, "waves", None) is None else whole


def _same_cells(one: LogMel, other: LogMel) -> bool:
    """Tell whether two front ends differ in nothing but the overlap of their patches."""
    return one.with_overlap(0) == other.with_overlap(0)


def targets_of(model, targets, scores) -> np.ndarray:
    """Return the class to explain of each patch by its number, int (n,)."""
    if targets is None:
        return scores.argmax(axis=1)
    if np.ndim(targets) == 0:
        targets = [targets] * len(scores)
    if len(targets) != len(scores):
        raise XaiAudioError(
            f"There are {len(targets)} targets for {len(scores)} patches: "
            "give one for all, or one per patch."
        )
    return np.array([model.index(target) for target in targets], int)


@contextlib.contextmanager
def naming(method: str):
    """Turn an error of TensorFlow, Keras or a layer into one that names the method.

    Examples
    --------
    >>> with naming("saliency"):
    ...     raise TypeError("no gradient for this")
    Traceback (most recent call last):
    ...
    xaiaudio.errors.XaiAudioError: saliency cannot treat this network: TypeError, no gradient for \
this. Try another method, such as 'occlusion'.
    """
    try:
        yield
    except XaiAudioError:
        raise
    except Exception as error:  # whatever a network's layers may raise
        plain = re.sub(r"\x1b\[[0-9;]*m|\{\{.*?\}\}", "", str(error))
        lines = [line.strip() for line in plain.splitlines() if line.strip()]
        # Keras says in the first line where, and in the next one what.
        said = next((line for line in lines if not line.startswith("Exception enc")), "")
        raise XaiAudioError(
            f"{method} cannot treat this network: {type(error).__name__}, "
            f"{said[:200].rstrip('. ')}. Try another method, such as 'occlusion'."
        ) from error


def warn_of_flat_maps(
    method, raw, patches, targets, scores, options, has_logits=True, sound=None
) -> None:
    """Say of maps in which no cell differs from another why this is so, and what to do.

    Parameters
    ----------
    method : str
    raw : ndarray of float, shape (n, k, h, w)
        The maps of k targets of each patch, before upsampling.
    patches : ndarray of float, shape (n, frames, bands)
    targets : ndarray of int, shape (n, k)
    scores : ndarray of float, shape (n, classes)
        Probabilities.
    options : dict
        The method's.
    has_logits : bool
        Whether the network has other outputs than its probabilities.
    sound : ndarray of int, shape (n,), or None
        Frames of each patch before its padding, which distinguishes nothing.

    Warns
    -----
    XaiAudioWarning
        Once for each reason.
    """
    frames = patches.shape[1]
    raw, patches = _sound_alone(raw, sound, frames), _sound_alone(patches, sound, frames)
    asks = "output" in options
    largest = np.abs(raw).max(axis=(2, 3))
    flat = np.ptp(raw, axis=(2, 3)) <= np.maximum(FLAT * largest, FLAT if asks else 0.0)
    if asks:  # of a patch without contrast, the map shows where the covers lie and no more
        flat |= (np.ptp(patches, axis=(1, 2)) == 0)[:, None]
    reasons = Counter(
        _reason(raw, patches[n], scores[n, targets[n, k]], options, has_logits)
        for n, k in np.argwhere(flat)
    )
    for reason, count in reasons.items():
        warnings.warn(
            f"{method}: in {count} of {flat.size} maps nothing distinguishes the cells, {reason}",
            XaiAudioWarning,
            stacklevel=4,
        )


def _sound_alone(cells, sound, frames) -> np.ndarray:
    """Return cells (n, ..., h, w) whose rows of padding repeat the first one: no value is new."""
    if sound is None:
        return cells
    cells = np.array(cells)
    for one, last in zip(cells, rows_of_sound(sound, frames, cells.shape[-2]), strict=True):
        one[..., last:, :] = one[..., :1, :]
    return cells


def _reason(raw, patch, score, options, has_logits) -> str:
    if raw.shape[2:] == (1, 1):
        return (
            "as there is only one: the layer has one value for the whole patch. Name an earlier "
            "one with layer=..."
        )
    if np.ptp(patch) == 0:
        return "as the patch is the same everywhere, like silence. Explain a patch with a sound."
    saturated = not FLAT < score < 1 - FLAT
    if options.get("output") == "scores" and saturated:
        advice = (
            "Give output='logits'."
            if has_logits
            else "This model gives nothing but probabilities: explain another class or a less "
            "certain sound."
        )
        return f"as the score is saturated at {score:.6g}, whatever is hidden. {advice}"
    if "layer" in options:
        return (
            "as no feature map speaks for the class. Name another layer with layer=..., or use a "
            "method that also shows what speaks against it, such as 'occlusion'."
        )
    return (
        "as the network's answer does not depend on them as far as this method sees. Try another "
        "method or class, or check the network's weights."
    )
