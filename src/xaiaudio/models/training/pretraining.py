"""How the network that ships with the package was trained: ``xaiaudio pretrain``.

From nothing, on folds 1 to 4 of ESC-10. The recipe is made of parts that are each well known to
help against little data, fixed before fold 5 was looked at:

- Patches are cut anywhere from the clip, taken as a loop (circular time shifts), with a gain of
  up to 10 dB up or down.
- SpecAugment (Park et al., 2019): up to 8 bands and up to 16 frames become the patch's mean.
- Mixup (Zhang et al., 2018), alpha 0.3.
- Batch normalisation, folded into the convolutions afterwards.
- Adam, the learning rate falling along a cosine; the weights are the average over the last
  epochs' ends (Izmailov et al., 2018), where the rate is close to zero.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ...progress import bar
from .. import heads
from ..classifier import AudioClassifier
from ..networks import lite
from . import testing
from .checkpoint import restore, values
from .steps import compiled_step

if TYPE_CHECKING:
    from typing import Any

    pass


ATTRIBUTION = (Path(__file__).parents[1] / "networks" / "LITE-ATTRIBUTION.txt").read_text("utf-8")
GAIN_DB = 10.0
MASKED_BANDS = 8
MASKED_FRAMES = 16
MIXUP = 0.3
AVERAGED = 5


def pretrain(
    clips,
    out=None,
    *,
    seed: int = 0,
    epochs: int = 30,
    batch_size: int = 128,
    learning_rate: float = 2e-3,
    test_fold: int = 5,
    overlap: float = 0.75,
    progress: bool = True,
) -> tuple[AudioClassifier, testing.TestResult]:
    """Train `lite` from nothing, on all folds but one.

    Parameters
    ----------
    clips : ClipSet
        With folds; ESC-10 for the network that ships.
    out : path-like, optional
        A ``.keras`` file to write.
    seed : int
        Decides first weights, shuffling and augmentation. Sums in parallel still differ in their
        last digit from machine to machine, and training amplifies that.
    epochs, batch_size, learning_rate
        As many patches make an epoch as the clips have at `overlap`.
    test_fold : int
        Held out, and looked at once, at the end.
    overlap : float
        Of the patches the test is done with.
    progress : bool

    Returns
    -------
    model : AudioClassifier
    tested : TestResult
        On the held-out fold.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> clips = xa.datasets.load("esc10")  # doctest: +SKIP
    >>> model, tested = xa.models.pretrain(clips, "lite.keras")  # doctest: +SKIP
    >>> tested.clip_accuracy >= 0.925  # doctest: +SKIP
    True
    """
    train, test = clips.split(test_fold)
    frontend = lite.FRONTEND.with_overlap(overlap)
    source = Augmented(train, frontend, seed)
    features = lite.build(frontend.patch_shape, normalise=True, seed=seed)
    network, logits_network = heads.attach(features, len(clips.labels), seed)
    started = time.perf_counter()
    losses = _train(logits_network, source, epochs, batch_size, learning_rate, progress)
    seconds = time.perf_counter() - started
    model = _shipped(logits_network, clips.labels, frontend, seed)
    tested = testing.test(model, test)
    model.history = {
        "loss": losses,
        "test_fold": test_fold,
        "test_patch_accuracy": tested.patch_accuracy,
        "test_clip_accuracy": tested.clip_accuracy,
        "options": {
            "seed": seed,
            "epochs": epochs,
            "batch_size": batch_size,
            "learning_rate": learning_rate,
        },
        "seconds": seconds,
    }
    if out is not None:
        model.save(out)
    return model, tested


def _train(network, source, epochs, batch_size, learning_rate, progress) -> list[float]:
    """Train a network of logits in place; return the mean loss of each epoch."""
    iterations = max(1, source.patches_per_epoch // batch_size)
    schedule = keras.optimizers.schedules.CosineDecay(learning_rate, epochs * iterations)
    step = compiled_step(network, keras.optimizers.Adam(schedule))
    losses: list[float] = []
    total: Any = None
    averaged = min(AVERAGED, epochs)
    wanted = None if progress else False
    with bar(epochs * iterations, wanted, "Training lite", notebook=True) as tell:
        for epoch in range(epochs):
            sums = np.zeros(2)
            for number in range(1, iterations + 1):
                inputs, targets = source.batch(batch_size)
                sums += [float(value) for value in step(tf.constant(inputs), tf.constant(targets))]
                loss, accuracy = sums / number
                tell(text=f"epoch {epoch + 1}  loss {loss:.3f}  patches right {accuracy:.1%}")
            losses.append(float(loss))
            if epoch >= epochs - averaged:
                weights = values(network.weights)
                total = (
                    weights
                    if total is None
                    else [a + b for a, b in zip(total, weights, strict=True)]
                )
    restore(network.weights, [weight / averaged for weight in total])
    return losses


def _shipped(trained, labels, frontend, seed) -> AudioClassifier:
    """Return the classifier without batch normalisation."""
    network, logits_network = heads.attach(lite.folded(trained), len(labels), seed)
    network.get_layer("logits").set_weights(trained.get_layer("logits").get_weights())
    return AudioClassifier(
        network, logits_network, labels, frontend, name="lite", attribution=ATTRIBUTION
    )


class Augmented:
    """An endless stream of altered patches with their targets.

    Parameters
    ----------
    clips : ClipSet
    frontend : LogMel
    seed : int
    """

    def __init__(self, clips, frontend, seed: int):
        self.frontend = frontend
        self.random = np.random.default_rng(seed)
        # Magnitudes, so that a gain is a factor.
        self.mels = [np.exp(frontend.spectrogram(_long_enough(clip, frontend))) for clip in clips]
        self.mels = [np.maximum(mel - frontend.offset, 0) for mel in self.mels]
        self.targets = np.eye(len(clips.labels), dtype=np.float32)[clips.indices]
        self.patches_per_epoch = sum(
            1 + max(0, len(mel) - frontend.frames) // frontend.patch_hop for mel in self.mels
        )
        self._queue = np.zeros(0, int)

    def batch(self, size: int) -> tuple[np.ndarray, np.ndarray]:
        """Return inputs (size, frames, bands, 1) and target distributions (size, classes)."""
        chosen = self._next(size)
        patches = np.stack([self._patch(self.mels[number]) for number in chosen])
        targets = self.targets[chosen]
        share = self.random.beta(MIXUP, MIXUP, size).astype(np.float32)
        other = self.random.permutation(size)
        patches = _mixed(patches, patches[other], share[:, None, None])
        return patches[..., None], _mixed(targets, targets[other], share[:, None])

    def _next(self, size: int) -> np.ndarray:
        """Return numbers of clips: each comes once before any comes again."""
        while len(self._queue) < size:
            self._queue = np.append(self._queue, self.random.permutation(len(self.mels)))
        chosen, self._queue = self._queue[:size], self._queue[size:]
        return chosen

    def _patch(self, mel) -> np.ndarray:
        frames, bands = self.frontend.patch_shape
        rows = (self.random.integers(len(mel)) + np.arange(frames)) % len(mel)
        gain = 10 ** (self.random.uniform(-GAIN_DB, GAIN_DB) / 20)
        patch = np.log(gain * mel[rows] + self.frontend.offset).astype(np.float32)
        mean = patch.mean()
        patch[:, self._stretch(bands, MASKED_BANDS)] = mean
        patch[self._stretch(frames, MASKED_FRAMES)] = mean
        return patch

    def _stretch(self, length: int, longest: int) -> slice:
        width = self.random.integers(longest + 1)
        start = self.random.integers(length - width + 1)
        return slice(start, start + width)


def _mixed(first, second, share):
    return share * first + (1 - share) * second


def _long_enough(clip, frontend):
    wave = clip.load(frontend.sample_rate)
    return np.pad(wave, (0, max(0, frontend.min_samples - len(wave))))
