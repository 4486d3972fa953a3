"""Classifiers that take samples: any function of sounds, and Keras networks of waveforms.

Their cells are those of a log-mel picture of the sound. What happens to a cell happens to the
sound: it is filtered so that its picture changes there, and the network hears it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ..errors import XaiAudioError
from ..wave_frontend import WaveFrontend
from . import heads
from .black_box import BlackBox
from .classifier import AudioClassifier
from .differentiable import filtered
from .tracing import traced

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from numpy.typing import ArrayLike

    from ..patches import Patches
    from ..types import PathLike

# Sounds in one forward pass: they are long, and so are the layers of networks that take them.
BATCH = 32


class WaveformClassifier(BlackBox):
    """A classifier that takes samples.

    Make one with :meth:`.AudioClassifier.from_function`, or with
    :meth:`.AudioClassifier.from_keras` of a network of samples. It is asked and explained as any
    `AudioClassifier`; methods that look into a network of patches say that there is none.

    Attributes
    ----------
    labels : tuple of str
    frontend : WaveFrontend
    name : str
    attribution : str
    batch : int
        Most sounds in one forward pass.
    compiled : bool
        Whether the forward pass is TensorFlow's.
    lacks : str
        Why methods that look inside a network of patches cannot.
    identity : str
        Tells apart the files that networks came from which Keras did not write.
    wave_network : keras.Model or None
        From samples to probabilities, where the classifier is a Keras network.
    wave_logits_network : keras.Model or None
        The same up to the logits: for the functions of `explainers.gradients` and `explainers.lrp`,
        which explain a network sample by sample.
    """

    frontend: WaveFrontend

    def __init__(
        self,
        scores: Callable,
        logits: Callable | None,
        labels: Sequence[str],
        frontend: WaveFrontend,
        *,
        network: keras.Model | None = None,
        logits_network: keras.Model | None = None,
        batch: int = BATCH,
        **about: Any,
    ):
        super().__init__(scores, logits, labels, frontend, batch=batch, **about)
        self.wave_network = network
        self.wave_logits_network = logits_network
        self.compiled = network is not None

    def as_input(self, patches: Patches | ArrayLike) -> ArrayLike:
        """Return the sounds (n, samples) of segments."""
        waves = getattr(patches, "waves", patches)
        if waves is None or np.ndim(waves) != 2 or np.shape(waves)[1] != self.frontend.samples:
            raise XaiAudioError(
                f"{self.name} takes sounds (n, {self.frontend.samples}), and got "
                f"{np.shape(patches)} without them: make segments with model.frontend(wave)."
            )
        return waves

    def render(self, waves: tf.Tensor, patches: tf.Tensor, wanted: tf.Tensor) -> tf.Tensor:
        """Filter sounds so that their pictures become what is wanted, as far as a filter can.

        Works on tensors, also inside a `tf.function`.

        Parameters
        ----------
        waves : tensor of float32, shape (n, samples)
        patches, wanted : tensor of float32, shape (n, frames, bands)
            The sounds' pictures as they are, and what they are to become. A cell is turned down by
            the ratio of the two magnitudes; none is turned up.

        Returns
        -------
        tensor of float32, shape (n, samples)
            Where all cells are to stay, the sounds themselves, bit for bit.
        """
        offset = self.frontend.offset
        have, want = tf.exp(patches) - offset, tf.exp(wanted) - offset
        ratio = tf.clip_by_value(tf.math.divide_no_nan(want, have), 0, 1)
        return filtered(waves, tf.where(wanted < patches, ratio, 1.0), self.frontend)

    def changed(self, patches: Patches, wanted: ArrayLike) -> Patches:
        """Return segments whose pictures become what is wanted, see :meth:`render`.

        Parameters
        ----------
        patches : Patches
        wanted : array_like of float, shape (n, frames, bands)

        Returns
        -------
        Patches
            With the filtered sounds and their own pictures.
        """
        waves, values = np.asarray(self.as_input(patches)), np.asarray(patches, np.float32)
        wanted = np.asarray(wanted, np.float32)
        found = [
            self.render(*(tf.constant(part[row : row + self.batch]) for part in parts)).numpy()
            for parts in [(waves, values, wanted)]
            for row in range(0, len(waves), self.batch)
        ]
        waves = np.concatenate(found)
        pictures = np.stack([self.frontend.spectrogram(wave) for wave in waves])
        return dataclasses.replace(patches, values=pictures, waves=waves)

    def save(self, path: PathLike) -> Path:
        """Write a Keras network to a file, see :meth:`.AudioClassifier.save`.

        Raises
        ------
        XaiAudioError
            If the classifier is a function, which no file can hold.
        """
        if self.wave_network is None:
            return super().save(path)
        return AudioClassifier.save(self, path)

    def _batched(self, patches, logits: bool) -> np.ndarray:
        waves = np.asarray(self.as_input(patches), np.float32)
        run = self.forward(logits)
        parts = [np.zeros((0, len(self.labels)), np.float32)]
        for start in range(0, len(waves), self.batch):
            parts.append(np.asarray(run(tf.constant(waves[start : start + self.batch]))))
        found = np.concatenate(parts)
        if not np.isfinite(found).all():
            row = int(np.flatnonzero(~np.isfinite(found).all(axis=1))[0])
            raise XaiAudioError(
                f"{self.name} gave NaN or infinity for segment {row}: check that sound, then the "
                "network."
            )
        return found


def takes_samples(model, frontend=None) -> bool:
    """Tell whether a Keras network takes samples: (samples,) or (samples, 1)."""
    if frontend is not None and not isinstance(frontend, WaveFrontend) and frontend.bands == 1:
        return False
    inputs = getattr(model, "inputs", None) or []
    shape = tuple(inputs[0].shape)[1:] if len(inputs) == 1 else ()
    return len(shape) == 1 or (len(shape) == 2 and shape[1] == 1)


def of_keras(
    model,
    labels,
    frontend=None,
    *,
    sample_rate=None,
    name=None,
    attribution="",
    outputs=None,
    activation=None,
) -> WaveformClassifier:
    """Make a classifier of a Keras network of samples; see :meth:`.AudioClassifier.from_keras`."""
    samples = model.inputs[0].shape[1]
    if frontend is None and sample_rate is not None and samples is not None:
        frontend = WaveFrontend.of(sample_rate, samples=samples)
    if not isinstance(frontend, WaveFrontend):
        raise XaiAudioError(
            f"{model.name} takes waveforms, not log-mel patches: say at which rate, such as "
            "AudioClassifier.from_keras(network, labels, sample_rate=16000), or with frontend="
            "xaiaudio.WaveFrontend.of(16000, seconds=1); on the command line with --sample-rate "
            "16000, and --seconds 1 where the network leaves the length open."
        )
    if samples not in (None, frontend.samples):
        raise XaiAudioError(
            f"{model.name} takes {samples} samples, but the front end cuts segments of "
            f"{frontend.samples}."
        )
    network, logits_network, taken = heads.split(
        model, outputs, activation, lambda network: _answers(network, frontend)
    )
    if network.outputs[0].shape[-1] != len(labels):
        raise XaiAudioError(
            f"The network has {network.outputs[0].shape[-1]} outputs but there are {len(labels)} "
            "labels: give one label for each output, in order."
        )
    name = model.name if name is None else str(name)
    runs = [_compiled(part, frontend.samples) for part in (network, logits_network)]
    return WaveformClassifier(
        runs[0],
        runs[1],
        labels,
        frontend,
        name=name,
        network=network,
        logits_network=logits_network,
        attribution=attribution,
        outputs="probabilities" if taken else None,
        lacks="takes sounds",
    )


def _answers(network: keras.Model, frontend) -> np.ndarray:
    """Return a network's outputs for a few sounds, to see what kind of numbers they are."""
    noise = np.random.default_rng(0).normal(0, 1, (5, frontend.samples)).astype(np.float32)
    waves = noise * np.float32([0, 0.001, 0.01, 0.1, 0.3])[:, None]
    return _compiled(network, frontend.samples)(tf.constant(waves)).numpy()


def _compiled(network: keras.Model, samples: int) -> Callable:
    channel = len(network.inputs[0].shape) == 3

    def run(waves):
        return tf.cast(network(waves[..., None] if channel else waves, training=False), tf.float32)

    return traced(run, [tf.TensorSpec((None, samples), tf.float32)])
