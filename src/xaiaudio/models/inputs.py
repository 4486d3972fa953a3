"""The beginning of a network: make it take the front end's patches as they are."""

from __future__ import annotations

import keras

from ..errors import XaiAudioError
from .flattening import reapplied

REPEAT = "repeat"


def fitted(model, frontend, channels: str | None = None) -> tuple[keras.Model, tuple[str, ...]]:
    """Return a network that takes patches (frames, bands) or (frames, bands, 1), and what changed.

    Sizes that the network leaves open become the front end's. In front of a network that takes
    (bands, frames) the axes are exchanged; in front of one that takes three channels the patch is
    repeated.

    Parameters
    ----------
    model : keras.Model
        With one input, without models inside.
    frontend : LogMel
    channels : {None, "repeat"}
        ``"repeat"`` gives every channel the same patch also where there are two.

    Raises
    ------
    XaiAudioError
        If the network takes something else.
    """
    if channels not in (None, REPEAT):
        raise XaiAudioError(f'channels is {channels!r}: it must be "repeat" or left out.')
    entry = model.inputs[0]
    shape, patch = tuple(entry.shape)[1:], tuple(frontend.patch_shape)
    if shape in (patch, (*patch, 1)):
        return model, ()
    _check_patches(model, shape)
    count = (shape[2] or 1) if len(shape) == 3 else None
    turned = not _match(shape[:2], patch)
    if turned and not _match(shape[:2], patch[::-1]):
        raise XaiAudioError(_misfit(shape, patch))
    if count == 2 and channels is None:
        raise XaiAudioError(
            f'{model.name} takes two channels, {shape}: say channels="repeat" (on the command '
            "line --repeat-channels) to give the patch to both. If the second is another feature, "
            "such as the change over time, let layers inside the network compute it."
        )
    return _wrapped(model, patch, count, turned)


def _wrapped(model, patch, count, turned):
    """Put in front of the network what its input lacks."""
    entry = model.inputs[0]
    tail = () if count is None else (1,)
    first = tensor = keras.Input((*patch, *tail), name=entry.name, dtype=entry.dtype)
    changes = []
    if turned:
        order = (2, 1) if count is None else (2, 1, 3)
        tensor = keras.layers.Permute(order, name="transposed")(tensor)
        changes.append(
            f"{model.name} takes (bands, frames): the axes of each patch are exchanged in front "
            "of it."
        )
    if count is not None and count > 1:
        tensor = keras.layers.Concatenate(name="channels")([tensor] * count)
        changes.append(f"{model.name} takes {count} channels: each gets the same patch.")
    (output,) = reapplied(model, tensor)
    return keras.Model(first, output, name=model.name), tuple(changes)


def _match(sizes, wanted) -> bool:
    return all(size in (None, number) for size, number in zip(sizes, wanted, strict=True))


def _check_patches(model, shape) -> None:
    if len(shape) == 3 and shape[-1] in (None, 1, 2, 3):
        return
    if len(shape) != 2:
        raise XaiAudioError(
            f"{model.name} takes inputs of the shape {shape}: (frames, bands), (frames, bands, 1) "
            "or three channels that are alike can be given from a patch."
        )


def _misfit(shape, patch) -> str:
    frames, bands = patch
    return (
        f"The network takes inputs of the shape {shape}, but the front end makes patches of "
        f"({frames}, {bands}): give a LogMel with its frames and bands (AudioClassifier.save "
        f"keeps it in the file), or a network for ({frames}, {bands}, 1)."
    )
