"""A training run with losses of one's own: seeded epochs, the best weights by validation kept."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Integral, Real
from typing import TypeGuard

import keras
import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ...progress import bar

# Several are made of one seed, a hundred apart, and each has to fit in 32 bits.
_SEEDS = 2**25


@dataclass(frozen=True)
class Settings:
    """How to train; the options of what is trained begin with these.

    Attributes
    ----------
    epochs : int
        At most. The learning rate falls to 0 over them, as half a cosine.
    batch : int
        Patches a step.
    rate : float
        Adam's learning rate at the start.
    patience : int
        Epochs without a better validation after which training stops.
    seed : int
        Decides the order of the patches.
    """

    epochs: int = 30
    batch: int = 32
    rate: float = 1e-3
    patience: int = 6
    seed: int = 0

    def __post_init__(self):
        check_whole(self, "epochs", "batch", "patience")
        check_whole(self, "seed", least=0)
        if self.seed >= _SEEDS:
            raise XaiAudioError(f"seed is {self.seed}: it must be below {_SEEDS}.")
        if not is_number(self.rate) or not 0 < self.rate <= 1:
            raise XaiAudioError(f"rate is {self.rate!r}: a number above 0 and up to 1 is needed.")


def check_whole(options: object, *names: str, least: int = 1) -> None:
    """Raise XaiAudioError unless these attributes are whole numbers, and no less than that."""
    for name in names:
        value = getattr(options, name)
        if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
            raise XaiAudioError(f"{name} is {value!r}: a whole number from {least} on is needed.")


def check_weights(options: object, *names: str) -> None:
    """Raise XaiAudioError unless these attributes are numbers from 0 on, as losses weigh."""
    for name in names:
        value = getattr(options, name)
        if not is_number(value) or not 0 <= value < np.inf:
            raise XaiAudioError(f"{name} is {value!r}: a weight from 0 on is needed.")


def is_number(value: object) -> TypeGuard[float]:
    """Tell whether a value is a real number, and not a truth value."""
    return isinstance(value, Real) and not isinstance(value, bool)


def train(
    losses: Callable,
    variables: Sequence,
    learnt: Sequence[np.ndarray],
    checked: Sequence[np.ndarray],
    settings: Settings | None = None,
    *,
    beside: Sequence = (),
    optimizer: Callable = keras.optimizers.Adam,
    progress: bool | None = None,
    title: str = "Training",
) -> dict[str, np.ndarray]:
    """Minimise the sum of some losses; keep the weights whose validation was best.

    Parameters
    ----------
    losses : callable
        ``(*batch, training) -> dict`` of scalar tensors by name, weighted and ready to be summed.
        The batch are tensors of float32, of arrays in half precision too; integers stay.
    variables : sequence of keras.Variable
        What is trained. Those of the network that is explained have no place here, and it is called
        with ``training=False``, so that its batch normalisations stay as they are.
    learnt, checked : sequence of ndarray, each (n, ...)
        The arrays to learn from and to validate on, in the order that `losses` takes them.
    settings : Settings, optional
    beside : sequence of keras.Variable
        What the losses change by themselves, such as the running means of batch normalisations of
        one's own: kept with the best weights.
    optimizer : callable
        Makes a Keras optimizer of a learning rate.
    progress : bool, optional
        None shows a bar on a terminal and in a notebook.
    title : str

    Returns
    -------
    dict of str to ndarray
        ``training/NAME`` and ``validation/NAME`` of each loss, and of their ``total``, one number
        an epoch; ``best``, the epoch that was kept, from 1; ``seconds``.

    Raises
    ------
    XaiAudioError
        If there is nothing to learn from or to validate on, or a loss is no longer finite.
    """
    settings = settings or Settings()
    for arrays, what in ((learnt, "learn from"), (checked, "validate on")):
        if not len(arrays[0]):
            raise XaiAudioError(f"There is nothing to {what}: give more sounds.")
    step, judge = _compiled(losses, list(variables), optimizer(settings.rate))
    batch = min(settings.batch, len(learnt[0]))
    steps = len(learnt[0]) // batch
    history: dict[str, list] = {}
    best, kept, started = np.inf, 0, time.perf_counter()
    held = [*variables, *beside]
    weights = [variable.numpy() for variable in held]
    with bar(settings.epochs * steps, progress, title, notebook=True) as tell:
        for epoch in range(settings.epochs):
            order = np.random.default_rng([settings.seed, epoch]).permutation(len(learnt[0]))
            terms = []
            for number in range(steps):
                chosen = np.sort(order[number * batch : (number + 1) * batch])
                rate = settings.rate * _falling(
                    (epoch * steps + number) / (settings.epochs * steps)
                )
                terms.append(step(*_part(learnt, chosen), tf.constant(rate, tf.float32)))
                tell(text=f"epoch {epoch + 1}  best {best:.4f}")
            _note(history, "training", _means(terms, np.ones(len(terms))))
            total = _note(history, "validation", _validate(judge, checked, settings.batch))
            if not np.isfinite([total, history["training/total"][-1]]).all():
                raise XaiAudioError(
                    f"The loss is no longer finite after {epoch + 1} epochs: take a smaller rate."
                )
            if total < best:
                best, kept = total, epoch + 1
                weights = [variable.numpy() for variable in held]
            elif epoch + 1 - kept >= settings.patience:
                break
    for variable, value in zip(held, weights, strict=True):
        variable.assign(value)
    told = {name: np.array(values, np.float32) for name, values in history.items()}
    return {
        **told,
        "best": np.array(kept),
        "seconds": np.array(time.perf_counter() - started),
    }


def _compiled(losses, variables, optimizer):
    """Return the step of training and the one of validation; both give the losses by name."""
    optimizer.build(variables)

    def judged(batch, training):
        return losses(*batch, training=training)

    @tf.function(reduce_retracing=True, autograph=False)
    def step(*given):
        *batch, rate = given
        optimizer.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            terms = judged(batch, True)
            total = tf.add_n(list(terms.values()))
        optimizer.apply(tape.gradient(total, variables), variables)
        return terms

    @tf.function(reduce_retracing=True, autograph=False)
    def judge(*batch):
        return judged(batch, False)

    return step, judge


def _validate(judge, arrays, size):
    starts = range(0, len(arrays[0]), size)
    terms = [judge(*_part(arrays, slice(start, start + size))) for start in starts]
    return _means(terms, [min(size, len(arrays[0]) - start) for start in starts])


def _means(terms, counts) -> dict[str, float]:
    """Return the mean of each loss over batches of different sizes."""
    return {
        name: float(np.average([float(one[name]) for one in terms], weights=counts))
        for name in terms[0]
    }


def _note(history, part, means) -> float:
    total = sum(means.values())
    for name, value in {**means, "total": total}.items():
        history.setdefault(f"{part}/{name}", []).append(value)
    return total


def _part(arrays, chosen) -> list:
    """Return some rows of arrays as tensors; half precision becomes single."""
    return [_tensor(array[chosen]) for array in arrays]


def _tensor(rows):
    if rows.dtype == np.float16:  # as bits, since TensorFlow warns of what is in half precision
        return _single(tf.constant(rows.view(np.uint16)))
    return tf.constant(rows.astype(np.float32, copy=False) if rows.dtype.kind == "f" else rows)


@tf.function(input_signature=[tf.TensorSpec(None, tf.uint16)], autograph=False)
def _single(bits):
    """Make single precision of half; NumPy would take several times as long."""
    return tf.cast(tf.bitcast(bits, tf.float16), tf.float32)


def _falling(share: float) -> float:
    """Return what is left of the learning rate: half a cosine from 1 to 0."""
    return 0.5 * (1 + np.cos(np.pi * share))
