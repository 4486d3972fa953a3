"""A classifier whose logits are sums of parts: what all networks that explain themselves share."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np

from ...errors import XaiAudioError
from .. import checks, heads
from ..classifier import AudioClassifier
from ..training.steps import in_batches
from .evidence import Evidence

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

    from ...datasets.base import Clip
    from ...frontend import LogMel
    from ...patches import Patches

PARTS, LOGITS = "parts", "logits"


class SelfExplaining(AudioClassifier):
    """A network whose answer is a sum of parts that can be looked at and played.

    Its graph ends in two layers by name. ``parts`` gives one number a part, ``(n, parts)``, or
    one vector a part, ``(n, parts, d)``. ``logits`` is a dense layer on the parts (on the sum of
    their vectors). So what a part adds to a logit is exact: its number, or vector, times the
    weights of the dense layer.

    Make one with :meth:`from_network` or :func:`xaiaudio.models.train_design`.

    Attributes
    ----------
    design : str
        The family's name.
    options : dict
        What it was trained with.
    parts : tuple of Evidence
        What the parts are, one each.
    activation : {"softmax", "sigmoid"}
        What makes probabilities of the logits. With a sigmoid several classes can be heard at once.
    """

    activation: str
    design: str
    options: dict[str, Any]
    parts: tuple[Evidence, ...]

    @classmethod
    def from_network(
        cls,
        network: keras.Model,
        labels: Sequence[str],
        frontend: LogMel,
        parts: Iterable[Evidence],
        *,
        design: str,
        options: Mapping[str, Any] | None = None,
        attribution: str = "",
        history: Mapping[str, Any] | None = None,
        name: str | None = None,
        activation: str = "softmax",
    ) -> SelfExplaining:
        """Take a network from patches (n, frames, bands, 1) to logits that has the two layers.

        Raises
        ------
        XaiAudioError
            If it lacks them, or the pieces of evidence are not as many as its parts.
        """
        scores, logits, _ = heads.split(network, "logits", activation)
        made = cls(
            scores,
            logits,
            labels,
            frontend,
            name=design if name is None else name,
            attribution=attribution,
            history=history,
        )
        made.activation = activation
        made.design, made.options, made.parts = design, dict(options or {}), tuple(parts)
        made._check()
        return made

    @classmethod
    def from_config(
        cls,
        network: keras.Model,
        labels: Sequence[str],
        frontend: LogMel,
        config: Mapping[str, Any],
        **about: Any,
    ) -> SelfExplaining:
        """Return the classifier of a whole network and of what :meth:`to_config` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If the configuration is none.
        """
        _, logits, _ = heads.split(network)
        return cls.from_network(
            logits,
            checks.check_labels(labels),
            frontend,
            [Evidence.from_config(part) for part in config["parts"]],
            design=str(config["name"]),
            options=dict(config["options"]),
            activation=str(config.get("activation", "softmax")),
            **about,
        )

    def to_config(self) -> dict[str, Any]:
        """Return what a file has to know beside the network: plain values."""
        parts = [part.to_config() for part in self.parts]
        made = {"name": self.design, "options": self.options, "parts": parts}
        return made if self.activation == "softmax" else {**made, "activation": self.activation}

    def _check(self) -> None:
        shape, layer = self._parts_tensor.shape, self._last
        wide = len(shape) in (2, 3) and layer.kernel.shape[0] == shape[-1]
        if not wide or layer.kernel.shape[1] != len(self.labels):
            raise XaiAudioError(
                f"{self.name}: its layer {LOGITS!r} takes {layer.kernel.shape[0]} numbers, but "
                f"{PARTS!r} gives the shape {tuple(shape)[1:]}: it must be dense on the parts."
            )
        if shape[1] != len(self.parts):
            raise XaiAudioError(
                f"{self.name} has {shape[1]} parts, but evidence of {len(self.parts)}."
            )
        wanted = {"spectrum": (self.frontend.bands,), "picture": self.frontend.patch_shape}
        for part in self.parts:
            for what, size in wanted.items():
                values = getattr(part, what)
                if values is not None and np.shape(values) != size:
                    raise XaiAudioError(
                        f"{self.name}: the {what} of {part.name!r} has the shape "
                        f"{np.shape(values)}, but its front end's has {size}."
                    )

    def __reduce__(self):
        about = {
            name: getattr(self, name)
            for name in ("design", "options", "parts", "name", "activation")
        }
        about |= {"attribution": self.attribution, "history": self.history}
        return _again, (self.logits_network, self.labels, self.frontend, about)

    @property
    def _last(self):
        return self._layer(LOGITS)

    @property
    def _parts_tensor(self):
        return self._layer(PARTS).output

    def _layer(self, name):
        try:
            return self.logits_network.get_layer(name)
        except ValueError as error:
            raise XaiAudioError(
                f"{self.name} has no layer {name!r}: a network that explains itself ends in "
                f"layers called {PARTS!r} and {LOGITS!r}."
            ) from error

    @property
    def bias(self) -> np.ndarray:
        """What each logit has before any part adds to it, float32 (classes,)."""
        layer = self._last
        if not layer.use_bias:
            return np.zeros(len(self.labels), np.float32)
        return np.asarray(layer.bias.numpy(), np.float32)

    @property
    def weights(self) -> np.ndarray:
        """Weights of the dense layer, float32 (parts or d, classes)."""
        return np.asarray(self._last.kernel.numpy(), np.float32)

    def activations(self, patches: Patches | ArrayLike) -> np.ndarray:
        """Return the numbers, or vectors, of the parts.

        Parameters
        ----------
        patches : array_like of float, shape (n, frames, bands)

        Returns
        -------
        ndarray of float32, shape (n, parts) or (n, parts, d)
        """
        return self.inner("parts", lambda: self._parts_tensor, patches)

    def inner(
        self, name: str, tensor: Callable[[], Any], patches: Patches | ArrayLike
    ) -> np.ndarray:
        """Return what a tensor inside of the network is for patches.

        Parameters
        ----------
        name : str
            What the way to it is kept under, so that it is compiled once.
        tensor : callable
            ``() -> KerasTensor``, of `logits_network`; called when the way is compiled.
        patches : array_like of float, shape (n, frames, bands)

        Returns
        -------
        ndarray of float32, shape (n, ...)

        Raises
        ------
        XaiAudioError
            If the patches are not such as the network takes.
        """
        if name not in self._compiled:
            network = keras.Model(self.logits_network.inputs, tensor())
            self._compiled[name] = in_batches(network)
        patches = np.asarray(patches, np.float32)
        if patches.ndim != 3 or patches.shape[1:] != self.frontend.patch_shape:
            frames, bands = self.frontend.patch_shape
            raise XaiAudioError(
                f"The patches have the shape {patches.shape}, but {self.name} takes "
                f"(n, {frames}, {bands}): make them with model.frontend(wave)."
            )
        if not len(patches):
            return np.zeros((0, *tensor().shape[1:]), np.float32)
        return self._compiled[name](np.asarray(self.as_input(patches)))

    def check_design(self, name: str) -> None:
        """Raise XaiAudioError unless this is a network of that design."""
        if self.design != name:
            raise XaiAudioError(
                f"{self.name} is of the design {self.design!r}, but this is asked of {name!r} only."
            )

    def contributions(self, patches: Patches | ArrayLike) -> np.ndarray:
        """Return what each part adds to each logit.

        Parameters
        ----------
        patches : array_like of float, shape (n, frames, bands)

        Returns
        -------
        ndarray of float32, shape (n, parts, classes)
            With `bias` they sum to the logits.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
        >>> model = xa.models.train_design("pecmae", train)  # doctest: +SKIP
        >>> patches = model.frontend(test[0].load())  # doctest: +SKIP
        >>> sums = model.contributions(patches).sum(axis=1) + model.bias  # doctest: +SKIP
        >>> np.abs(sums - model.logits(patches)).max() < 1e-5  # doctest: +SKIP
        True
        """
        return self.added_by(self.activations(patches))

    def added_by(self, activations: ArrayLike) -> np.ndarray:
        """Return what parts add to each logit, given their numbers or vectors.

        Parameters
        ----------
        activations : array_like of float, shape (n, parts) or (n, parts, d)
            As :meth:`activations` gives them.

        Returns
        -------
        ndarray of float32, shape (n, parts, classes)
        """
        found = np.asarray(activations, np.float32)
        if found.ndim == 3:
            return found @ self.weights
        return found[:, :, None] * self.weights

    def logits_without(self, patches: Patches | ArrayLike, parts: Iterable[int]) -> np.ndarray:
        """Return the logits of the network with some parts set to zero.

        The network's own last layers compute them, from the parts on.

        Parameters
        ----------
        patches : array_like of float, shape (n, frames, bands)
        parts : iterable of int
            Numbers of the parts to leave out.

        Returns
        -------
        ndarray of float32, shape (n, classes)
        """
        chosen = [int(part) for part in parts]
        if wrong := [part for part in chosen if not 0 <= part < len(self.parts)]:
            raise XaiAudioError(
                f"{self.name} has no part {wrong[0]}: they count from 0 to {len(self.parts) - 1}."
            )
        found = self.activations(patches).copy()
        found[:, chosen] = 0
        if "end" not in self._compiled:
            network = keras.Model(self._parts_tensor, self.logits_network.outputs[0])
            self._compiled["end"] = in_batches(network)
        return self._compiled["end"](found) if len(found) else found.reshape(0, len(self.labels))

    def evidence(self, part: int) -> Evidence:
        """Return what a part is, given its number."""
        if not 0 <= part < len(self.parts):
            raise XaiAudioError(
                f"{self.name} has no part {part}: they count from 0 to {len(self.parts) - 1}."
            )
        return self.parts[part]

    def sound(self, part: int, clips: Iterable[Clip] = (), place: int = 0) -> np.ndarray:
        """Return how a part sounds, float32 (samples,) at the front end's rate.

        A place is played from its clip. A picture or a spectrum has no phase: it is given the one
        that fits best, see :mod:`.inversion`. Where there is both, the clips decide: without them
        the picture is heard.

        Parameters
        ----------
        part : int
        clips : iterable of Clip
            Those that the network was trained on; needed for places.
        place : int
            Which of its places.

        Raises
        ------
        XaiAudioError
            If the part has nothing to be heard, or its clip is not among these.
        """
        from . import inversion

        found, clips = self.evidence(part), tuple(clips)
        if found.places and (clips or found.picture is None):
            if not 0 <= place < len(found.places):
                raise XaiAudioError(f"Part {part} has {len(found.places)} places, not {place + 1}.")
            frontend = self.frontend
            return found.places[place].wave(clips, frontend.sample_rate, frontend.min_samples)
        if found.picture is not None:
            return inversion.sound_of_patch(found.picture, self.frontend)
        if found.spectrum is not None:
            return inversion.sound_of_spectrum(found.spectrum, self.frontend)
        raise XaiAudioError(f"Part {part} ({found.name}) of {self.name} has no sound of its own.")


def _again(network, labels, frontend, about) -> SelfExplaining:
    """Put a copied or unpickled classifier together."""
    return SelfExplaining.from_network(network, labels, frontend, **about)
