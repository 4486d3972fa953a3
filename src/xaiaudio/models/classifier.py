"""A network, its labels and its front end: what every explanation starts from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ..errors import XaiAudioError
from ..frontend import LogMel
from . import checks, heads, inputs, probing, tags
from .flattening import flatten, graph_of
from .tracing import traced
from .votes import ClipPrediction, majority, vote_shares, voters

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from numpy.typing import ArrayLike

    from ..patches import Patches
    from ..types import PathLike

# Patches in one forward pass of `scores`: large enough to keep all cores busy, small enough for
# the widest layer of VGGish to fit into a few hundred megabytes.
BATCH = 128


class AudioClassifier:
    """A Keras network that names log-mel patches, with its labels and its front end.

    Make one with :meth:`from_keras`, :func:`xaiaudio.load_model` or
    :func:`xaiaudio.models.transfer`.

    Attributes
    ----------
    network : keras.Model
        From patches ``(n, frames, bands, 1)`` to probabilities ``(n, classes)``. A network that
        was made for ``(n, frames, bands)`` keeps that input, see :meth:`as_input`.
    logits_network : keras.Model
        The same layers up to the values before the softmax (or sigmoid). Where the probabilities
        were taken as they are, their logarithms (of sigmoids: the log-odds).
    labels : tuple of str
        The classes, in the order of the outputs.
    frontend : LogMel
        Makes the patches.
    name : str
    attribution : str
        Whom the weights and their training data are owed to.
    history : dict
        The course of the training, see :func:`xaiaudio.models.transfer`; empty if unknown.
    outputs : str or None
        ``"probabilities"`` if the network's scores were taken as they are.
    changes : tuple of str
        What was put in front of the network to make it take the patches, in sentences.
    lacks : str
        Why methods that look inside the network cannot; empty where they can.
    """

    #: Patches that methods ask about at once, where they cannot put the network in a graph.
    batch = BATCH
    #: Whether the forward pass is TensorFlow's.
    compiled = True
    lacks = ""
    #: What tells apart networks that have no weights here, such as files of other libraries.
    identity = ""

    def __init__(
        self,
        network: keras.Model,
        logits_network: keras.Model,
        labels: Sequence[str],
        frontend: LogMel,
        *,
        name: str,
        attribution: str = "",
        history: Mapping[str, Any] | None = None,
        outputs: str | None = None,
        changes: Sequence[str] = (),
    ):
        self.network = network
        self.logits_network = logits_network
        self.labels = tuple(labels)
        self.frontend = frontend
        self.name = name
        self.attribution = attribution
        self.history = dict(history or {})
        self.outputs = outputs
        self.changes = tuple(changes)
        self._compiled: dict[bool | str, Callable] = {}

    def __repr__(self) -> str:
        frames, bands = self.frontend.patch_shape
        return f"AudioClassifier({self.name!r}: {frames} x {bands} -> {len(self.labels)} classes)"

    @classmethod
    def from_keras(
        cls,
        keras_model: keras.Model,
        labels: Sequence[str],
        frontend: LogMel | None = None,
        *,
        name: str | None = None,
        attribution: str = "",
        outputs: str | None = None,
        activation: str | None = None,
        channels: str | None = None,
        sample_rate: int | None = None,
    ) -> AudioClassifier:
        """Take a Keras network of one's own.

        Its weights are shared, not copied: train the network further and the classifier follows.
        Models inside the model are flattened, see :func:`xaiaudio.models.flatten`.

        Parameters
        ----------
        keras_model : keras.Model
            Functional or Sequential. One input, ``(frames, bands, 1)`` or ``(frames, bands)``;
            open sizes, exchanged axes and three channels that are alike are made to fit (see
            `changes`). One output, ``(classes,)``: a `Dense` layer with softmax, or a `Softmax` or
            ``Activation("softmax")`` layer, or `keras.ops.softmax`, or plain logits, to which a
            softmax is added (a sigmoid if there is only one). Sigmoids (several classes at once)
            are left as they are: the scores then do not sum to 1, and the predicted class is the
            highest.
        labels : sequence of str
            One per output, in order.
        frontend : LogMel, optional
            What the network was trained on; VGGish's by default.
        name : str, optional
            The Keras model's name by default.
        attribution : str
            Kept in the saved file.
        outputs : {"logits", "probabilities"}, optional
            What the network gives, where its layers do not say: probabilities are taken as they
            are, and the logits are their logarithms (of sigmoids: the log-odds).
        activation : {"softmax", "sigmoid"}, optional
            What turns the logits into probabilities: ``"sigmoid"`` if the network was trained with
            `BinaryCrossentropy(from_logits=True)`.
        channels : {"repeat"}, optional
            Give each of two channels the same patch.
        sample_rate : int, optional
            Of a network that takes samples, ``(samples,)`` or ``(samples, 1)``, in hertz. It
            becomes a `WaveformClassifier`, see :meth:`from_function`; a `WaveFrontend` as
            `frontend` says the same, and how long the sounds are where the network leaves it open.

        Raises
        ------
        XaiAudioError
            If the network is subclassed, has several inputs or outputs, does not fit the labels
            or the front end, or gives probabilities in a way that its layers do not show and
            `outputs` does not say.

        Examples
        --------
        >>> import keras, xaiaudio as xa
        >>> mine = keras.Sequential([
        ...     keras.layers.Input((96, 64, 1)),
        ...     keras.layers.Conv2D(8, 3, activation="relu"),
        ...     keras.layers.GlobalMaxPooling2D(),
        ...     keras.layers.Dense(2, activation="softmax"),
        ... ])
        >>> xa.AudioClassifier.from_keras(mine, ["cat", "dog"]).labels
        ('cat', 'dog')
        """
        from . import waveform

        labels = checks.check_labels(labels)
        frontend = None if frontend is None else checks.check_frontend(frontend)
        heads.check_ends(keras_model)
        flat = flatten(keras_model) if graph_of(keras_model) else keras_model
        samples = waveform.takes_samples(flat, frontend)
        checks.check_kind(keras_model, samples, channels, sample_rate)
        if samples:
            about = {"name": name, "attribution": attribution, "sample_rate": sample_rate}
            about |= {"outputs": outputs, "activation": activation}
            return waveform.of_keras(flat, labels, frontend, **about)
        frontend = LogMel.vggish() if frontend is None else frontend
        fitted, changes = inputs.fitted(flat, frontend, channels)
        network, logits_network, taken = heads.split(
            fitted, outputs, activation, lambda network: probing.answers(network, frontend)
        )
        checks.check_outputs(network, labels)
        return cls(
            network,
            logits_network,
            labels,
            frontend,
            name=keras_model.name if name is None else str(name),
            attribution=attribution,
            outputs="probabilities" if taken else None,
            changes=changes,
        )

    def __reduce__(self):
        # Compiled functions cannot be copied, and the two networks share their weights.
        about = {"name": self.name, "attribution": self.attribution, "history": self.history}
        about |= {"outputs": self.outputs, "changes": self.changes}
        return _again, (self.network, self.labels, self.frontend, about)

    @classmethod
    def from_function(
        cls,
        function: Callable,
        labels: Sequence[str],
        sample_rate: int = 32_000,
        seconds: float = 5.0,
        *,
        frontend: LogMel | None = None,
        outputs: str = "probabilities",
        batch: int = 32,
        span: tuple[float, float] | None = None,
        pool: str = "mean",
        name: str | None = None,
        attribution: str = "",
    ) -> AudioClassifier:
        """Take any function of sounds or of patches: a network of another library, or a service.

        The cells of a function of sounds are those of a log-mel picture, and hiding a cell filters
        the sound. So methods that only ask a network explain it: occlusion, LIME and others.

        Parameters
        ----------
        function : callable
            Takes waveforms, a float32 array ``(n, samples)``, and returns scores ``(n, classes)``
            or, frame by frame, ``(n, frames, classes)``: an array, or a tensor of PyTorch.
        labels : sequence of str
            One per column of the scores, in order.
        sample_rate : int
            That the function takes, in hertz.
        seconds : float
            Length of the sounds that it takes. Longer ones are cut into segments.
        frontend : LogMel, optional
            Of a function that takes log-mel patches ``(n, frames, bands)``, in place of
            `sample_rate` and `seconds`; or a `WaveFrontend`, which says these.
        outputs : {"probabilities", "logits", "sigmoid"}
            What the function returns: probabilities, which are taken as they are; logits, behind
            which a softmax is put; or logits of classes that do not exclude each other, behind
            which sigmoids are put. The logits of probabilities are their logarithms where each row
            sums to 1, and else their log-odds.
        batch : int
            Most sounds or patches that the function is given at once.
        span : tuple of float, optional
            Of a function that answers frame by frame: from when to when, in seconds within each
            segment, frames count. All do by default. Frames share a segment out evenly, and those
            whose middle lies in the span are taken.
        pool : {"mean", "max"}
            What the scores of these frames become, before any softmax.
        name : str, optional
            The function's own by default.
        attribution : str

        Returns
        -------
        WaveformClassifier or PatchFunctionClassifier
            The former for a function of sounds. Its front end, a `WaveFrontend`, cuts sounds into
            segments.

        Raises
        ------
        XaiAudioError
            If this is no function, or its answers to two segments of noise do not fit.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> def loud(waves):
        ...     power = np.square(waves).mean(axis=1)
        ...     return np.stack([power > 0.1, power <= 0.1], axis=1)
        >>> model = xa.AudioClassifier.from_function(loud, ["loud", "soft"], 16_000, seconds=1)
        >>> model.predict_clip(np.full(48_000, 0.1, "float32")).label
        'soft'
        """
        from ..wave_frontend import WaveFrontend
        from .adapters.function import of_function

        return of_function(
            function,
            checks.check_labels(labels),
            frontend=WaveFrontend.of(sample_rate, seconds) if frontend is None else frontend,
            batch=batch,
            outputs=outputs,
            span=span,
            pool=pool,
            name=name,
            attribution=attribution,
        )

    def save(self, path: PathLike) -> Path:
        """Write the network, its labels and its front end to one ``.keras`` file.

        See :func:`xaiaudio.load_model`, which reads it back. Keras itself reads the file too.
        """
        from .saving import save

        return save(self, path)

    def index(self, label: str | int) -> int:
        """Return the number of a class, given its name or number.

        Upper and lower case do not matter where only one class is meant.

        Raises
        ------
        XaiAudioError
            If there is no such class; the message lists the labels.
        """
        return checks.index(label, self.labels, self.name)

    def as_input(self, patches: np.ndarray | tf.Tensor) -> np.ndarray | tf.Tensor:
        """Shape patches ``(n, frames, bands)`` as the network takes them.

        Works on arrays and on tensors, also inside a `tf.function`.
        """
        if len(self.network.inputs[0].shape) == 4 and len(patches.shape) == 3:
            return patches[..., None]
        return patches

    @property
    def has_logits(self) -> bool:
        """Whether the logits are the network's own, and not computed from its probabilities."""
        return self.outputs != "probabilities"

    def forward(self, logits: bool = False) -> Callable:
        """Return the compiled forward pass.

        Parameters
        ----------
        logits : bool
            True stops before the softmax.

        Returns
        -------
        callable
            From a float32 tensor ``(n, frames, bands)`` to float32 ``(n, classes)``; the batch may
            have any size. It is compiled once per classifier.
        """
        if logits not in self._compiled:
            network = self.logits_network if logits else self.network
            signature = [tf.TensorSpec((None, *self.frontend.patch_shape), tf.float32)]

            def run(patches):
                return tf.cast(network(self.as_input(patches), training=False), tf.float32)

            self._compiled[logits] = traced(run, signature)
        return self._compiled[logits]

    def scores(self, patches: Patches | ArrayLike) -> np.ndarray:
        """Return the probabilities of patches.

        Parameters
        ----------
        patches : array_like of float, shape (n, frames, bands)

        Returns
        -------
        ndarray of float32, shape (n, classes)
            Each row sums to 1 (unless the network ends in sigmoids).

        Raises
        ------
        XaiAudioError
            If the patches have another shape, or the network's answer is not finite.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> xa.load_model("lite").scores(np.zeros((3, 96, 64))).shape
        (3, 10)
        """
        return self._batched(patches, logits=False)

    def logits(self, patches: Patches | ArrayLike) -> np.ndarray:
        """Return the values before the softmax; as :meth:`scores` otherwise."""
        return self._batched(patches, logits=True)

    def predict_clip(
        self,
        wave: np.ndarray,
        overlap: float | None = None,
        pad: bool = False,
        silence: str | None = None,
    ) -> ClipPrediction:
        """Name a whole sound by the majority of its patches.

        Patches more than 60 dB below the loudest are silence beside it, and do not vote.

        Parameters
        ----------
        wave : ndarray of float, shape (samples,)
        overlap : float, optional
            Overlap of the patches; the front end's own by default.
        pad : bool
            Lengthen a sound shorter than one patch with silence instead of refusing it.
        silence : str, optional
            The label of a sound that is all silence, such as what is left where a map kept nothing;
            without one it is refused.

        Returns
        -------
        ClipPrediction

        Raises
        ------
        XaiAudioError
            If the sound is silent and has no label, and as the front end and :meth:`scores`.
        """
        patches = self.frontend(wave, overlap=overlap, pad=pad)
        voted = voters(patches.levels)
        if not voted.any():
            if silence is None:
                raise XaiAudioError("The sound is silent: there is nothing to name or to explain.")
            shares = dict.fromkeys(self.labels, 0.0) | {silence: 1.0}
            return ClipPrediction(silence, shares, self.scores(patches), voted)
        scores = self.scores(patches)
        votes = vote_shares(scores[voted]).tolist()
        label = self.labels[majority(scores[voted])]
        return ClipPrediction(label, dict(zip(self.labels, votes, strict=True)), scores, voted)

    def tag_clip(
        self,
        wave: np.ndarray,
        overlap: float | None = None,
        pad: bool = False,
        threshold: float = tags.THRESHOLD,
    ) -> tags.ClipTags:
        """Say for each class how sure the network is of it in a sound, where, and for how long.

        For networks whose classes do not exclude each other, such as ``"yamnet"``: a majority of
        patches, as :meth:`predict_clip` counts it, would hide all but one class.

        Parameters
        ----------
        wave : ndarray of float, shape (samples,)
        overlap : float, optional
            Overlap of the patches; the front end's own by default.
        pad : bool
            Lengthen a sound shorter than one patch with silence instead of refusing it.
        threshold : float
            Probability above which a class is heard. The scores of such networks are seldom
            frequencies: 0.5 is not "every other time".

        Returns
        -------
        ClipTags
            The surest class first.

        Raises
        ------
        XaiAudioError
            If the sound is silent, and as the front end and :meth:`scores`.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> noise = np.random.default_rng(0).normal(0, 0.1, 48_000).astype("float32")
        >>> heard = xa.load_model("lite").tag_clip(noise)
        >>> len(heard), heard[0].score >= heard[1].score
        (10, True)
        """
        return tags.of_clip(self, wave, overlap=overlap, pad=pad, threshold=threshold)

    def _batched(self, patches, logits: bool) -> np.ndarray:
        patches = np.asarray(patches, np.float32)
        frames, bands = self.frontend.patch_shape
        if patches.ndim != 3 or patches.shape[1:] != (frames, bands):
            raise XaiAudioError(
                f"The patches have the shape {patches.shape}, but {self.name} takes "
                f"(n, {frames}, {bands}): make them with model.frontend(wave)."
            )
        run = self.forward(logits)
        parts = [np.zeros((0, len(self.labels)), np.float32)]
        for start in range(0, len(patches), self.batch):
            parts.append(np.asarray(run(tf.constant(patches[start : start + self.batch]))))
        found = np.concatenate(parts)
        if not np.isfinite(found).all():
            row = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
            raise XaiAudioError(
                f"{self.name} gave NaN or infinity for patch {row}: check that patch, then the "
                "network's weights."
            )
        return found


def _again(network, labels, frontend, about) -> AudioClassifier:
    """Put a copied or unpickled classifier together."""
    scores, logits, _ = heads.split(network, about["outputs"])
    return AudioClassifier(scores, logits, labels, frontend, **about)
