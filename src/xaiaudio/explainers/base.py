"""The call that every explanation goes through, and a method with its options as a value."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from scipy.ndimage import zoom

from .. import cache
from ..errors import XaiAudioError
from ..files import check_ordinary, whole
from ..patches import Patches, without_padding
from . import registry
from .checks import check_patches, naming, targets_of, warn_of_flat_maps
from .engines.perturbation import output_of, takes_waves
from .engines.precision import precision_of
from .explanation import Explanation, _plain

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import ArrayLike

    from ..datasets.base import ClipSet
    from ..models.classifier import AudioClassifier
    from ..types import PathLike, Targets

UPSAMPLINGS = ("bilinear", "nearest")


@dataclass(frozen=True, init=False)
class Explainer:
    """A method with its options, as a value: call it with a model and patches.

    Parameters
    ----------
    name : str
        A name from :func:`xaiaudio.methods`.
    upsample : {"bilinear", "nearest"}
        How a coarse map is brought to the size of the patch.
    **options
        The method's own, see :func:`xaiaudio.methods`.

    Attributes
    ----------
    name, upsample : str
    options : object
        The method's options, defaults included.
    weights : mapping of str to ndarray, or None
        What a trained method learnt, see :meth:`fit`.

    Raises
    ------
    XaiAudioError
        For an unknown method, option or upsampling.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model, patches = xa.load_model("lite"), np.zeros((2, 96, 64), "float32")
    >>> lime = xa.Explainer("lime", samples=50)
    >>> lime(model, patches, "Rain").maps.shape
    (2, 96, 64)
    >>> lime.replace(samples=20)
    Explainer('lime', samples=20)
    """

    name: str
    options: Any
    upsample: str = "bilinear"
    weights: Mapping[str, np.ndarray] | None = dataclasses.field(default=None, compare=False)

    def __eq__(self, other: object) -> bool:
        """Tell whether all is the same: method, options, and to the bit what was learnt."""
        if not isinstance(other, Explainer):
            return NotImplemented
        mine, theirs = (
            (one.name, one.options, one.upsample, one.weights_sum) for one in (self, other)
        )
        return mine == theirs

    def __init__(self, name: str, *, upsample: str = "bilinear", **options: Any):
        if upsample not in UPSAMPLINGS:
            raise XaiAudioError(f"upsample is {upsample!r}: it must be one of {UPSAMPLINGS}.")
        self._set(name=name, options=registry.find(name).parse(options), upsample=upsample)

    def _set(self, **values) -> None:
        for field, value in values.items():
            object.__setattr__(self, field, value)

    def _take(self, weights: Mapping[str, np.ndarray]) -> None:
        """Take what was learnt, as a value: the arrays cannot be written to."""
        frozen = {name: np.array(value) for name, value in weights.items()}
        for value in frozen.values():
            value.flags.writeable = False
        self._set(weights=frozen)

    @classmethod
    def of(cls, explainer: str | Explainer) -> Explainer:
        """Return an explainer as it is; a name becomes the method with its defaults."""
        return explainer if isinstance(explainer, Explainer) else cls(explainer)

    @classmethod
    def fit(
        cls,
        name: str,
        model: AudioClassifier,
        clips: ClipSet,
        *,
        upsample: str = "bilinear",
        **options: Any,
    ) -> Explainer:
        """Train a method that learns from sounds before it explains.

        Parameters
        ----------
        name, upsample, **options
            As for `Explainer`.
        model : AudioClassifier
            The network to be explained.
        clips : ClipSet
            What to learn from.

        Returns
        -------
        Explainer
            With its `weights`.

        Raises
        ------
        XaiAudioError
            If the method is not trained.
        """
        made = cls(name, upsample=upsample, **options)
        if made._method.fit is None:
            raise XaiAudioError(
                f"{name} is not trained: call Explainer({name!r}) with a model and patches."
            )
        made._take(made._method.fit(model, clips, made.options))
        return made

    def __repr__(self) -> str:
        defaults = self._method.parse({})
        changed = [
            f"{name}={value!r}"
            for name, value in self.settings.items()
            if value != getattr(defaults, name)
        ]
        return f"Explainer({', '.join([repr(self.name), *changed])})"

    @property
    def _method(self) -> registry.Method:
        return registry.find(self.name)

    @property
    def settings(self) -> dict:
        """All options by name, defaults included."""
        return {
            field.name: getattr(self.options, field.name)
            for field in dataclasses.fields(self.options)
        }

    @property
    def sounds(self) -> bool:
        """Whether the patches must know their sounds; options can ask for it, too."""
        return self._method.sounds or getattr(self.options, "sounds", False)

    @property
    def weights_sum(self) -> str:
        """SHA-256 sum of all that was learnt, in the order of its names; empty if nothing was."""
        learnt = sorted((self.weights or {}).items())
        return cache.sum_of_arrays([value for _, value in learnt]) if learnt else ""

    def takes(self, option: str) -> bool:
        """Tell whether the method has an option."""
        return option in self.settings

    @property
    def seeded(self) -> bool:
        """Whether the maps depend on a seed."""
        return self.takes("seed")

    def replace(self, **options: Any) -> Explainer:
        """Return the same explainer with some options changed."""
        made = type(self)(self.name, upsample=self.upsample, **{**self.settings, **options})
        made._set(weights=self.weights)
        return made

    def with_seed(self, seed: int) -> Explainer:
        """Return the explainer with this seed; the same one if it draws nothing."""
        return self.replace(seed=seed) if self.seeded else self

    def __call__(
        self, model: AudioClassifier, patches: Patches | ArrayLike, targets: Targets = None
    ) -> Explanation:
        """Explain what a network listened to; see :func:`xaiaudio.explain`."""
        inputs = check_patches(model, patches)
        scores = model.scores(inputs)
        targets = targets_of(model, targets, scores)[:, None]
        return self._run(model, patches, inputs, targets, scores)[0]

    def classes(
        self,
        model: AudioClassifier,
        patches: Patches | ArrayLike,
        classes: Sequence[str | int] | None = None,
    ) -> dict[str, Explanation]:
        """Explain several classes; see :func:`xaiaudio.explain_classes`."""
        inputs = check_patches(model, patches)
        scores = model.scores(inputs)
        classes = model.labels if classes is None else np.atleast_1d(np.asarray(classes, object))
        numbers = [model.index(name) for name in classes]
        targets = np.tile(np.asarray(numbers, int), (len(inputs), 1))
        results = self._run(model, patches, inputs, targets, scores)
        return {model.labels[number]: one for number, one in zip(numbers, results, strict=True)}

    def save(self, path: PathLike) -> Path:
        """Write the explainer to one ``.npz`` file; :meth:`load` reads it back.

        Raises
        ------
        XaiAudioError
            If it cannot be written. Nothing half-written stays.
        """
        path = Path(path)
        about = {"name": self.name, "upsample": self.upsample, "options": self.settings}
        text = json.dumps(about, default=_plain)
        with whole(path) as partial, open(partial, "wb") as file:
            np.savez_compressed(file, about=text, **(self.weights or {}))
        return path

    @classmethod
    def load(cls, path: PathLike) -> Explainer:
        """Read what :meth:`save` wrote. Nothing in the file is ever executed.

        Raises
        ------
        XaiAudioError
            If the file is missing, damaged or of another kind.
        """
        check_ordinary(path)
        try:
            with np.load(path, allow_pickle=False) as file:
                weights = {name: file[name] for name in file.files}
            about = json.loads(str(weights.pop("about")))
            options = {name: _tuples(value) for name, value in about["options"].items()}
            made = cls(about["name"], upsample=about["upsample"], **options)
        except Exception as error:  # zip, zlib, NumPy and JSON each have errors of their own
            raise XaiAudioError(
                f"{path} is not an explainer saved by xaiaudio: {error}."
            ) from error
        if weights:
            made._take(weights)
        return made

    def _run(self, model, patches, inputs, targets, scores) -> list[Explanation]:
        """Explain the k targets of each patch: `targets` is (n, k), the result has length k."""
        waves, values = getattr(inputs, "waves", None), np.asarray(inputs)
        if self.sounds and waves is None:
            raise XaiAudioError(
                f"{self.name} changes the sound itself, and these patches do not know theirs: make "
                "them with model.frontend(wave, sounds=True)."
            )
        if not takes_waves(model):
            waves = None
            inputs = inputs if self.sounds else values
        if model.lacks and self._method.needs != registry.ANY:
            alone = getattr(model, "wave_logits_network", None) is not None
            raise XaiAudioError(
                f"{self.name} needs {self._method.needs} in a Keras graph that takes log-mel "
                f"patches, and {model.name} {model.lacks}: use {', '.join(registry.asking())}."
                + alone
                * " Sample by sample, the functions of xaiaudio.explainers.gradients "
                "explain its wave_logits_network."
            )
        settled, started = self._settled(model, values), time.perf_counter()
        with naming(self.name):
            raw, report = self._raw_maps(model, inputs, targets, settled)
        seconds = (time.perf_counter() - started) / targets.shape[1]
        if not np.isfinite(raw).all():
            raise XaiAudioError(
                f"{self.name} gave maps that are not finite: check the network's weights."
            )
        options = dataclasses.asdict(settled)
        known = isinstance(patches, Patches)
        sound = patches.sound if known else None
        warn_of_flat_maps(self.name, raw, values, targets, scores, options, model.has_logits, sound)
        full = raw.shape[2:] == values.shape[1:]
        return [
            Explanation(
                maps=without_padding(upsampled(raw[:, k], values.shape[1:], self.upsample), sound),
                raw=without_padding(raw[:, k], sound if full else None),
                patches=values,
                targets=targets[:, k],
                scores=scores,
                labels=tuple(model.labels),
                method=self.name,
                options=options,
                upsample=self.upsample,
                frontend=patches.frontend if known else model.frontend,
                seconds=seconds,
                starts=patches.starts if known else None,
                length=patches.length if known else None,
                waves=waves,
                sound=sound,
                report={name: numbers[:, k] for name, numbers in report.items()},
                model=model,
            )
            for k in range(targets.shape[1])
        ]

    def _settled(self, model, values) -> Any:
        """Return the options with what a model decides: what it is asked for, in which numbers."""
        settled = self.options
        if self.takes("output"):
            output = output_of(model, settled.output)
            settled = dataclasses.replace(settled, output=output)
        if self.takes("precision"):
            output = getattr(settled, "output", "scores")  # Score-CAM asks for nothing else
            numbers = precision_of(model, settled.precision, values, output)
            settled = dataclasses.replace(settled, precision=numbers)
        return settled

    def _raw_maps(self, model, patches, targets, options) -> tuple[np.ndarray, dict]:
        """Compute maps (n, k, h, w) at the method's own resolution, and their report (n, k)."""
        method, (n, k) = self._method, targets.shape
        more = [] if method.fit is None else [self.learnt()]
        if method.many_targets:
            found = method.function(model, patches, targets, options, *more)
        else:
            repeated = patches[np.repeat(np.arange(n), k)]
            found = method.function(model, repeated, targets.reshape(-1), options, *more)
        if not isinstance(found, registry.Found):
            found = registry.Found(found, {})
        maps = np.asarray(found.maps, np.float32)
        report = {name: np.asarray(value).reshape(n, k) for name, value in found.report.items()}
        return maps.reshape(n, k, *maps.shape[-2:]), report

    def learnt(self) -> Mapping[str, np.ndarray]:
        """Return what a trained method learnt; XaiAudioError if it was not trained."""
        if self.weights is None:
            raise XaiAudioError(
                f"{self.name} has to be trained first: Explainer.fit({self.name!r}, model, clips)."
            )
        return self.weights


def explain(
    model: AudioClassifier,
    patches: Patches | ArrayLike,
    targets: Targets = None,
    method: str = "gradcam",
    *,
    upsample: str = "bilinear",
    **options: Any,
) -> Explanation:
    """Explain what a network listened to.

    Parameters
    ----------
    model : AudioClassifier
    patches : Patches, or array_like of float of shape (n, frames, bands) or (frames, bands)
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
    return Explainer(method, upsample=upsample, **options)(model, patches, targets)


def explain_classes(
    model: AudioClassifier,
    patches: Patches | ArrayLike,
    classes: Sequence[str | int] | None = None,
    method: str = "occlusion",
    *,
    upsample: str = "bilinear",
    **options: Any,
) -> dict[str, Explanation]:
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
    return Explainer(method, upsample=upsample, **options).classes(model, patches, classes)


def upsampled(raw: np.ndarray, shape: tuple[int, ...], how: str = "bilinear") -> np.ndarray:
    """Bring maps (n, h, w) to the shape (frames, bands) of a patch.

    Each coarse value stands for an equal share of the patch: ``"nearest"`` repeats it over its
    share, ``"bilinear"`` interpolates between the shares' centres and holds the value beyond them.
    """
    factors = (1, shape[0] / raw.shape[1], shape[1] / raw.shape[2])
    if factors == (1, 1, 1):
        return np.array(raw, np.float32)
    order = {"nearest": 0, "bilinear": 1}[how]
    return zoom(raw, factors, order=order, mode="nearest", grid_mode=True).astype(np.float32)


def _tuples(value):
    """Turn the lists that JSON makes of pairs back into tuples."""
    return tuple(value) if isinstance(value, list) else value
