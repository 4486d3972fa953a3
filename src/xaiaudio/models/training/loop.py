"""The training run: epochs of shuffled batches, validated, the best weights kept."""

from __future__ import annotations

import time
from dataclasses import dataclass

import keras
import numpy as np

from ...errors import XaiAudioError
from ...progress import bar
from .checkpoint import Checkpoint, restore, values
from .steps import compiled_step, in_batches, loss_and_accuracy


@dataclass(frozen=True)
class Options:
    """How to train; see :func:`xaiaudio.models.transfer`."""

    epochs: int = 5
    batch_size: int = 128
    learning_rate: float = 1e-3
    halve_every: int = 2
    validate_every: int = 50
    seed: int = 0

    def __post_init__(self):
        for name in ("epochs", "batch_size", "halve_every", "validate_every"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, int) or value < 1:
                raise XaiAudioError(f"{name} is {value!r}: a whole number from 1 on is needed.")
        if isinstance(self.seed, bool) or not isinstance(self.seed, int) or self.seed < 0:
            raise XaiAudioError(f"seed is {self.seed!r}: a whole number from 0 on is needed.")
        if not isinstance(self.learning_rate, (int, float)) or not 0 < self.learning_rate <= 1:
            raise XaiAudioError(
                f"learning_rate is {self.learning_rate!r}: a number above 0 and up to 1 is needed."
            )


def fit(network, data, checked=None, options=None, checkpoint=None, progress: bool = False) -> dict:
    """Train a network of logits in place; return its history.

    Parameters
    ----------
    network : keras.Model
        From inputs to logits (n, classes).
    data, checked : tuple of ndarray, or None for `checked`
        Inputs (n, ...) and class indices (n,), to train on and to validate on.
    options : Options, optional
    checkpoint : Checkpoint, optional
    progress : bool

    Returns
    -------
    dict
        See :func:`xaiaudio.models.transfer`.
    """
    checkpoint = checkpoint or Checkpoint(None, {})
    return _Run(network, data, checked, options or Options(), checkpoint).go(progress)


class _Run:
    """One training run: the network, its optimizer, and how far it has come."""

    def __init__(self, network, data, checked, options, checkpoint):
        self.network, self.options, self.checkpoint = network, options, checkpoint
        self.inputs, self.classes = data
        self.checked = checked
        self.forward = in_batches(network)
        self.one_hot = np.eye(network.outputs[0].shape[-1], dtype=np.float32)
        self.batch = min(options.batch_size, len(self.inputs))
        self.iterations = len(self.inputs) // self.batch
        self.optimizer = keras.optimizers.Adam(options.learning_rate)
        self.step = compiled_step(network, self.optimizer)
        self.best = None
        self.history = {
            "loss": [],
            "accuracy": [],
            "validation_iteration": [],
            "validation_loss": [],
            "validation_accuracy": [],
            "epoch_iteration": [],
            "epochs": options.epochs,
            "best_epoch": None,
            "best_iteration": None,
            "best": None,
            "last": None,
            "seconds": 0.0,
        }

    def go(self, progress: bool) -> dict:
        """Train all epochs that are still to do, keep the best, return the history."""
        done = self._resume()
        epochs = self.options.epochs
        wanted = None if progress else False
        with bar(epochs * self.iterations, wanted, "Training", notebook=True) as tell:
            tell(done * self.iterations)
            for epoch in range(done, epochs):
                started = time.perf_counter()
                self._epoch(epoch, tell)
                self.history["seconds"] += time.perf_counter() - started
                self._save(epoch + 1)
        restore(self.network.weights, self.best)
        return self.history

    def _epoch(self, epoch: int, tell) -> None:
        rate = self.options.learning_rate * 0.5 ** (epoch // self.options.halve_every)
        self.optimizer.learning_rate.assign(rate)
        # A generator of its own for each epoch: a resumed run shuffles as if never interrupted.
        order = np.random.default_rng([self.options.seed, epoch]).permutation(len(self.inputs))
        for number in range(self.iterations):
            chosen = order[number * self.batch : (number + 1) * self.batch]
            loss, accuracy = self.step(self.inputs[chosen], self.one_hot[self.classes[chosen]])
            self._note(epoch, float(loss), float(accuracy), tell)
            last = number == self.iterations - 1
            if self.checked and (last or len(self._losses) % self.options.validate_every == 0):
                self._validate()
                self._judge(epoch)
        self.history["epoch_iteration"].append(len(self._losses))
        if not self.checked:
            self._keep(epoch)

    @property
    def _losses(self) -> list:
        return self.history["loss"]

    def _note(self, epoch, loss, accuracy, tell) -> None:
        if not np.isfinite(loss):
            raise XaiAudioError(
                f"The loss is {loss} after {len(self._losses)} iterations: take a smaller "
                "learning_rate, and check the backbone's weights."
            )
        self.history["loss"].append(loss)
        self.history["accuracy"].append(accuracy)
        text = f"epoch {epoch + 1}  loss {loss:.3f}  patches right {accuracy:.1%}"
        if self.history["validation_accuracy"]:
            text += f"  validation {self.history['validation_accuracy'][-1]:.1%}"
        tell(text=text)

    def _validate(self) -> None:
        inputs, classes = self.checked
        loss, accuracy = loss_and_accuracy(self.forward(inputs), classes)
        self.history["validation_iteration"].append(len(self._losses))
        self.history["validation_loss"].append(loss)
        self.history["validation_accuracy"].append(accuracy)

    def _judge(self, epoch: int) -> None:
        """Keep the weights if the last validation is the best so far."""
        history = self.history
        now = {
            "loss": history["validation_loss"][-1],
            "accuracy": history["validation_accuracy"][-1],
        }
        best = history["best"]
        if best is None or (now["accuracy"], -now["loss"]) > (best["accuracy"], -best["loss"]):
            history["best"] = now
            self._keep(epoch)
        history["last"] = now

    def _keep(self, epoch: int) -> None:
        self.history["best_epoch"], self.history["best_iteration"] = epoch + 1, len(self._losses)
        self.best = values(self.network.weights)

    def _save(self, done: int) -> None:
        groups = {
            "network": values(self.network.variables),
            "optimizer": values(self.optimizer.variables),
            "best": self.best,
        }
        self.checkpoint.save(groups, {"done": done, "history": self.history})

    def _resume(self) -> int:
        found = self.checkpoint.load()
        if found is None:
            return 0
        arrays, state = found
        restore(self.network.variables, arrays["network"])
        restore(self.optimizer.variables, arrays["optimizer"])
        self.best, self.history = arrays["best"], state["history"]
        return state["done"]
