"""The call that every explanation goes through, and what it returns."""

from __future__ import annotations

import dataclasses
import json
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.ndimage import zoom

from ..errors import XaiAudioError
from ..files import whole
from ..frontend import LogMel
from . import registry

UPSAMPLINGS = ("bilinear", "nearest")


@dataclass(frozen=True)
class Explanation:
    """What a network listened to in each patch.

    Attributes
    ----------
    maps : ndarray of float32, shape (n, frames, bands)
        One value a patch cell; positive speaks for the target.
    raw : ndarray of float32, shape (n, h, w)
        The same at the method's own resolution, before upsampling.
    patches : ndarray of float32, shape (n, frames, bands)
        The log-mel patches explained.
    targets : ndarray of int, shape (n,)
        Index into `labels` of the class each map speaks for.
    scores : ndarray of float32, shape (n, classes)
        The network's probabilities for each patch.
    labels : tuple of str
        The network's classes.
    method : str
    options : dict
        The method's options, defaults included.
    upsample : str
        How `raw` became `maps`: ``"bilinear"`` or ``"nearest"``.
    frontend : LogMel
        Converts patch cells to seconds and hertz.
    seconds : float
        Wall-clock time the maps took.
    """

    maps: np.ndarray
    raw: np.ndarray
    patches: np.ndarray
    targets: np.ndarray
    scores: np.ndarray
    labels: tuple[str, ...]
    method: str
    options: dict
    upsample: str
    frontend: LogMel
    seconds: float = 0.0

    def __len__(self) -> int:
        return len(self.maps)

    @property
    def target_labels(self) -> list[str]:
        """The class each map speaks for, by name."""
        return [self.labels[target] for target in self.targets]

    def __getitem__(self, index) -> Explanation:
        """Return the explanation of some of the patches (slice, mask or list of indices)."""
        if isinstance(index, (int, np.integer)):
            index = [index]
        parts = {
            name: getattr(self, name)[index]
            for name in ("maps", "raw", "patches", "targets", "scores")
        }
        return dataclasses.replace(self, **parts)

    def save(self, path) -> Path:
        """Write everything to one ``.npz`` file; :meth:`load` reads it back.

        Parameters
        ----------
        path : path-like
            In a folder that is there.

        Returns
        -------
        Path

        Raises
        ------
        XaiAudioError
            If it cannot be written. Nothing half-written stays.
        """
        path = Path(path)
        arrays = {
            name: getattr(self, name) for name in ("maps", "raw", "patches", "targets", "scores")
        }
        about = {
            "labels": list(self.labels),
            "method": self.method,
            "options": self.options,
            "upsample": self.upsample,
            "frontend": self.frontend.to_config(),
            "seconds": self.seconds,
        }
        with whole(path) as partial, open(partial, "wb") as file:
            np.savez_compressed(file, about=json.dumps(about, default=_plain), **arrays)
        return path

    @classmethod
    def load(cls, path) -> Explanation:
        """Read what :meth:`save` wrote. Nothing in the file is ever executed.

        Parameters
        ----------
        path : path-like

        Returns
        -------
        Explanation

        Raises
        ------
        XaiAudioError
            If the file is missing, damaged or of another kind.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                data = {name: file[name] for name in file.files}
            about = json.loads(str(data.pop("about")))
            frontend = LogMel.from_config(about.pop("frontend"))
            labels = tuple(about.pop("labels"))
            return cls(**data, **about, labels=labels, frontend=frontend)
        except Exception as error:  # zip, zlib, NumPy and JSON each have errors of their own
            raise XaiAudioError(
                f"{path} is not an explanation saved by xaiaudio: {error}."
            ) from error


def explain(model, patches, targets=None, method="gradcam", *, upsample="bilinear", **options):
    """Explain what a network listened to.

    Parameters
    ----------
    model : AudioClassifier
    patches : array_like of float, shape (n, frames, bands) or (frames, bands)
        Log-mel patches, as `model.frontend` makes them.
    targets : str, int, sequence of either, or None
        The class to explain: one for all patches or one per patch. None explains the class that
        the network predicts for each patch.
    method : str
        A name from :func:`xaiaudio.methods`.
    upsample : {"bilinear", "nearest"}
        How a coarse map is brought to the size of the patch.
    **options
        The method's own, see :func:`xaiaudio.methods`.

    Returns
    -------
    Explanation

    Raises
    ------
    XaiAudioError
        For an unknown method, option, class or upsampling, patches that do not fit the network,
        NaN in the patches, or a network that the method cannot treat.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model = xa.load_model("lite")
    >>> patches = np.zeros((2, 96, 64), "float32")
    >>> xa.explain(model, patches, "Rain", method="occlusion").maps.shape
    (2, 96, 64)
    """
    patches = _check_patches(model, patches)
    scores = model.scores(patches)
    targets = _indices(model, targets, scores)[:, None]
    return _run(model, patches, targets, scores, method, upsample, options)[0]


def explain_classes(
    model, patches, classes=None, method="occlusion", *, upsample="bilinear", **options
):
    """Explain several classes for the same patches.

    Methods that perturb the input answer for all classes from the same forward passes; for the
    others this is as many calls of :func:`explain`.

    Parameters
    ----------
    model, patches, method, upsample, **options
        As in :func:`explain`.
    classes : sequence of str or int, or None
        The classes; None takes all of them.

    Returns
    -------
    dict of str to Explanation
        In the order of `classes`.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model = xa.load_model("lite")
    >>> patches = np.zeros((1, 96, 64), "float32")
    >>> list(xa.explain_classes(model, patches, ["Rain", "Helicopter"]))
    ['Rain', 'Helicopter']
    """
    patches = _check_patches(model, patches)
    scores = model.scores(patches)
    classes = model.labels if classes is None else np.atleast_1d(np.asarray(classes, object))
    classes = [model.index(name) for name in classes]
    targets = np.tile(np.asarray(classes, int), (len(patches), 1))
    results = _run(model, patches, targets, scores, method, upsample, options)
    return {model.labels[index]: result for index, result in zip(classes, results, strict=True)}


def _run(model, patches, targets, scores, method, upsample, options) -> list[Explanation]:
    """Explain the k targets of each patch: `targets` is (n, k), the result has length k."""
    if upsample not in UPSAMPLINGS:
        raise XaiAudioError(f"upsample is {upsample!r}: it must be one of {UPSAMPLINGS}.")
    chosen = registry.find(method)
    parsed = chosen.parse(options)
    started = time.perf_counter()
    raw = _raw_maps(chosen, model, patches, targets, parsed)
    seconds = (time.perf_counter() - started) / targets.shape[1]
    if not np.isfinite(raw).all():
        raise XaiAudioError(f"{method} gave maps that are not finite: check the network's weights.")
    return [
        Explanation(
            maps=upsampled(raw[:, k], patches.shape[1:], upsample),
            raw=raw[:, k],
            patches=patches,
            targets=targets[:, k],
            scores=scores,
            labels=tuple(model.labels),
            method=method,
            options=dataclasses.asdict(parsed),
            upsample=upsample,
            frontend=model.frontend,
            seconds=seconds,
        )
        for k in range(targets.shape[1])
    ]


def _raw_maps(chosen, model, patches, targets, options) -> np.ndarray:
    """Compute maps (n, k, h, w) at the method's own resolution."""
    n, k = targets.shape
    if chosen.many_targets:
        return np.asarray(chosen.function(model, patches, targets, options), np.float32)
    flat = chosen.function(model, np.repeat(patches, k, axis=0), targets.reshape(-1), options)
    flat = np.asarray(flat, np.float32)
    return flat.reshape(n, k, *flat.shape[1:])


def upsampled(raw, shape, how="bilinear") -> np.ndarray:
    """Bring maps (n, h, w) to the shape (frames, bands) of a patch.

    Each coarse value stands for an equal share of the patch: ``"nearest"`` repeats it over its
    share, ``"bilinear"`` interpolates between the shares' centres and holds the value beyond them.
    """
    factors = (1, shape[0] / raw.shape[1], shape[1] / raw.shape[2])
    if factors == (1, 1, 1):
        return np.array(raw, np.float32)
    order = {"nearest": 0, "bilinear": 1}[how]
    return zoom(raw, factors, order=order, mode="nearest", grid_mode=True).astype(np.float32)


def _plain(value):
    """Turn a NumPy number among the options into one that JSON knows."""
    return value.item() if isinstance(value, np.generic) else str(value)


def _check_patches(model, patches) -> np.ndarray:
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
    return patches


def _indices(model, targets, scores) -> np.ndarray:
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
