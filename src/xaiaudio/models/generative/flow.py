"""From noise to sound: a generator that learns to remove noise from seconds of sound.

On the way from noise to a second of sound, a network is asked again and again which second this is
going to be, and each time the point moves a little towards its answer (flow matching: Y. Lipman et
al., "Flow matching for generative modeling", ICLR 2023).
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ...files import check_ordinary, whole
from ...frontend import LogMel
from ...progress import bar
from ..training.adam import Adam
from ..training.fitting import check_whole, is_number
from .space import Space

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import ArrayLike

    from ...types import PathLike

#: Steps from noise to sound.
STEPS = 40
# Sines and cosines that tell the network the time.
_WAVES = 8
# Steps of the training that are run in one call.
_AT_A_TIME = 50
_FIRST_AND_RATES = (tf.TensorSpec((), tf.int32), tf.TensorSpec((None,), tf.float32))


@dataclass(frozen=True)
class Options:
    """How a generator is built and trained.

    Attributes
    ----------
    width : int
        Units of each of its four hidden layers.
    steps : int
        Steps of the training.
    batch : int
        Seconds a step, drawn with repetition.
    rate : float
        Adam's learning rate at the start; it falls to 0 as half a cosine.
    seed : int
        Decides the first weights, and what is drawn.
    """

    width: int = 256
    steps: int = 2000
    batch: int = 64
    rate: float = 1e-3
    seed: int = 0

    def __post_init__(self):
        check_whole(self, "width", "steps", "batch")
        check_whole(self, "seed", least=0)
        if not is_number(self.rate) or not 0 < self.rate <= 1:
            raise XaiAudioError(f"rate is {self.rate!r}: a number above 0 and up to 1 is needed.")


class Generator:
    """A network that makes seconds of sound of a class.

    Attributes
    ----------
    space : Space
        Where it works.
    labels : tuple of str
        Its classes.
    options : Options
    losses : ndarray of float32, shape (steps,)
        The error at each step of the training; empty before it.
    before, after : keras.Model
        From inputs to the middle, the sum of two hidden layers; from the middle and the inputs to
        the second of sound that is expected.
    """

    def __init__(self, space: Space, labels: Sequence[str], options: Options | None = None):
        self.space, self.labels = space, tuple(labels)
        self.options = options or Options()
        self.losses = np.zeros(0, np.float32)
        self.before, self.after = _network(space.dims, len(self.labels), self.options)
        self._compiled: dict[str, Callable] = {}

    def __repr__(self) -> str:
        return f"Generator({self.space.dims} numbers -> {len(self.labels)} classes)"

    def inputs(self, noisy: Any, time: Any, targets: Any) -> Any:
        """Return the network's inputs: points (n, dims), their time (n, 1), their class (n,)."""
        angles = time * (np.pi / 2 * np.arange(1, _WAVES + 1, dtype=np.float32))
        classes = tf.one_hot(targets, len(self.labels))
        return tf.concat([noisy, tf.sin(angles), tf.cos(angles), classes], axis=1)

    def middle(self, noisy: ArrayLike, time: float, targets: ArrayLike) -> np.ndarray:
        """Return the activations of the middle, float32 (n, width).

        Parameters
        ----------
        noisy : array_like of float, shape (n, dims)
        time : float
            From 0, noise, to 1, sound.
        targets : array_like of int, shape (n,)
        """
        noisy = tf.constant(noisy, tf.float32)
        moment = tf.fill((len(noisy), 1), tf.constant(time, tf.float32))
        return self.before(self.inputs(noisy, moment, tf.constant(targets, tf.int32))).numpy()

    def noise(self, count: int, seed: int = 0) -> np.ndarray:
        """Return points to start from, float32 (count, dims)."""
        return np.random.default_rng(seed).normal(size=(count, self.space.dims)).astype(np.float32)

    def sample(
        self,
        targets: ArrayLike,
        *,
        noise: ArrayLike | None = None,
        seed: int = 0,
        steps: int = STEPS,
        steer: Callable[[np.ndarray, int], np.ndarray] | None = None,
    ) -> np.ndarray:
        """Make seconds of sound.

        Parameters
        ----------
        targets : array_like of int, shape (n,)
            The class of each.
        noise : array_like of float, shape (n, dims), optional
            Where each starts; the rest of the way is determined. By default :meth:`noise`.
        seed : int
            Of the noise.
        steps : int
        steer : callable, optional
            ``(middle, step) -> middle``: what is done to the activations of the middle, float32
            (n, width), at each step.

        Returns
        -------
        ndarray of float32, shape (n, dims)
            `space.decode` makes patches of them.

        Raises
        ------
        XaiAudioError
            If there is no such class, the noise or what `steer` returns has another shape or is
            not finite, or there is no step.
        """
        targets = np.asarray(targets, int)
        if targets.ndim != 1 or not np.isin(targets, np.arange(len(self.labels))).all():
            raise XaiAudioError(
                f"The classes to make are numbers from 0 to {len(self.labels) - 1}, one for each "
                "sound."
            )
        if isinstance(steps, bool) or not isinstance(steps, (int, np.integer)) or steps < 1:
            raise XaiAudioError(f"steps is {steps!r}: a whole number from 1 on is needed.")
        noisy = self.noise(len(targets), seed) if noise is None else np.asarray(noise, np.float32)
        if noisy.shape != (len(targets), self.space.dims):
            raise XaiAudioError(
                f"The noise has the shape {noisy.shape}: {(len(targets), self.space.dims)} is "
                "needed."
            )
        if not np.isfinite(noisy).all():
            raise XaiAudioError("The noise holds NaN or infinity.")
        before, after = self._functions()
        classes = tf.constant(targets, tf.int32)
        for step in range(steps):
            moment = tf.fill((len(noisy), 1), tf.constant(step / steps, tf.float32))
            inputs, hidden = before(tf.constant(noisy), moment, classes)
            if steer is not None:
                hidden = _steered(steer, hidden.numpy(), step)
            noisy = noisy + (after(hidden, inputs).numpy() - noisy) / np.float32(steps - step)
        return noisy

    def _functions(self):
        """Return the two halves of the network, compiled once."""
        if not self._compiled:

            def first(noisy, time, targets):
                inputs = self.inputs(noisy, time, targets)
                return inputs, self.before(inputs)

            def second(hidden, inputs):
                return self.after([hidden, inputs])

            for name, function in (("before", first), ("after", second)):
                self._compiled[name] = tf.function(function, reduce_retracing=True, autograph=False)
        return self._compiled["before"], self._compiled["after"]

    def save(self, path: PathLike) -> Path:
        """Write the generator to one ``.npz`` file; :meth:`load` reads it back."""
        path = Path(path)
        about = {
            "labels": list(self.labels),
            "options": asdict(self.options),
            "frontend": self.space.frontend.to_config(),
            "scale": self.space.scale,
        }
        weights = {f"weight {k}": value for k, value in enumerate(self._weights())}
        with whole(path) as partial, open(partial, "wb") as file:
            np.savez_compressed(
                file,
                about=json.dumps(about),
                mean=self.space.mean,
                basis=self.space.basis,
                losses=self.losses,
                **weights,
            )
        return path

    @classmethod
    def load(cls, path: PathLike) -> Generator:
        """Read what :meth:`save` wrote. Nothing in the file is ever executed.

        Raises
        ------
        XaiAudioError
            If the file is missing, damaged or of another kind.
        """
        check_ordinary(path)
        try:
            with np.load(path, allow_pickle=False) as file:
                found = {name: file[name] for name in file.files}
            about = json.loads(str(found["about"]))
            frontend = LogMel.from_config(about["frontend"])
            space = Space(found["mean"], found["basis"], float(about["scale"]), frontend)
            if space.basis.shape[1:] != (frontend.frames * frontend.bands,):
                raise ValueError(f"its basis has the shape {space.basis.shape}")
            made = cls(space, about["labels"], Options(**about["options"]))
            weights = [found[f"weight {k}"] for k in range(len(made._weights()))]
            halfway = len(made.before.weights)
            made.before.set_weights(weights[:halfway])
            made.after.set_weights(weights[halfway:])
            made.losses = found["losses"]
        except Exception as error:  # zip, zlib, NumPy, JSON and Keras have errors of their own
            raise XaiAudioError(f"{path} is not a generator saved by xaiaudio: {error}.") from error
        return made

    def _weights(self) -> list[np.ndarray]:
        return [*self.before.get_weights(), *self.after.get_weights()]


def _steered(steer, hidden: np.ndarray, step: int) -> tf.Tensor:
    """Return what is made of the middle's activations, if the network can go on with it."""
    turned = np.asarray(steer(hidden, step), np.float32)
    if turned.shape != hidden.shape or not np.isfinite(turned).all():
        raise XaiAudioError(
            f"steer returned the shape {turned.shape} at step {step}: finite values of the shape "
            f"{hidden.shape} are needed, as it was given."
        )
    return tf.constant(turned)


def _network(dims, classes, options):
    """Return the two halves of a network with four hidden layers, each added to those before."""

    def hidden(tensor, number):
        return keras.layers.Dense(
            options.width,
            activation="silu",
            kernel_initializer=keras.initializers.GlorotUniform(seed=options.seed + number),
            name=f"hidden_{number}",
        )(tensor)

    def added(tensor, inputs, number):
        both = keras.layers.Concatenate(name=f"both_{number}")([tensor, inputs])
        return keras.layers.Add(name=f"sum_{number}")([tensor, hidden(both, number)])

    inputs = keras.Input((dims + 2 * _WAVES + classes,), name="inputs")
    middle = added(hidden(inputs, 1), inputs, 2)
    before = keras.Model(inputs, middle, name="before")
    given = keras.Input((options.width,), name="middle")
    tensor = added(added(given, inputs, 3), inputs, 4)
    # Zeros: before the training every second is expected to be the mean one.
    out = keras.layers.Dense(dims, kernel_initializer="zeros", name="expected")(tensor)
    return before, keras.Model([given, inputs], out, name="after")


def train(
    space: Space,
    patches: ArrayLike,
    targets: ArrayLike,
    labels: Sequence[str],
    options: Options | None = None,
    *,
    progress: bool | None = None,
) -> Generator:
    """Train a generator on seconds of sound.

    At each step some seconds are drawn, and for each a time t and noise. The network is given
    ``(1 - t) * noise + t * second``, and the mean square by which it misses the second is made
    smaller.

    Parameters
    ----------
    space : Space
    patches : array_like of float, shape (n, frames, bands)
    targets : array_like of int, shape (n,)
        Their classes, as indices into `labels`.
    labels : sequence of str
    options : Options, optional
    progress : bool, optional
        None shows a bar on a terminal and in a notebook.

    Returns
    -------
    Generator

    Raises
    ------
    XaiAudioError
        If there is nothing to learn from, or a class is missing for a patch.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models import generative
    >>> patches = np.random.default_rng(0).normal(size=(20, 96, 64))
    >>> space = generative.Space.fit(patches, xa.LogMel.vggish(), dims=4)
    >>> options = generative.Options(width=8, steps=5)
    >>> made = generative.train(space, patches, np.zeros(20, int), ["noise"], options)
    >>> made.sample([0, 0, 0]).shape
    (3, 4)
    """
    made = Generator(space, labels, options)
    targets = np.asarray(targets, int)
    if not len(targets) or len(targets) != len(np.asarray(patches)):
        raise XaiAudioError(
            f"There are {len(np.asarray(patches))} patches and {len(targets)} classes to learn "
            "from: give one class for each patch."
        )
    if not np.isin(targets, np.arange(len(made.labels))).all():
        raise XaiAudioError(f"The classes are numbers from 0 to {len(made.labels) - 1}.")
    run = _steps(made, space.encode(patches), targets)
    steps = made.options.steps
    rates = made.options.rate * 0.5 * (1 + np.cos(np.pi * np.arange(steps) / steps))
    losses = []
    with bar(steps, progress, "Training a generator", notebook=True) as tell:
        for first in range(0, steps, _AT_A_TIME):
            some = rates[first : first + _AT_A_TIME]
            losses.append(run(tf.constant(first), tf.constant(some, tf.float32)).numpy())
            tell(len(some))
    made.losses = np.concatenate(losses)
    return made


def _steps(made, latents, targets):
    """Return some steps of the training, compiled; the number of each decides what is drawn."""
    options, dims = made.options, made.space.dims
    variables = [*made.before.trainable_variables, *made.after.trainable_variables]
    optimizer = Adam(options.rate)
    optimizer.build(variables)
    seconds, classes = tf.constant(latents), tf.constant(targets, tf.int32)

    def step(number, rate):
        optimizer.learning_rate.assign(rate)
        which, when, what = (
            tf.stack([tf.constant(3 * options.seed + part), number]) for part in range(3)
        )
        chosen = tf.random.stateless_uniform((options.batch,), which, 0, len(targets), tf.int32)
        time = tf.random.stateless_uniform((options.batch, 1), when)
        noise = tf.random.stateless_normal((options.batch, dims), what)
        second = tf.gather(seconds, chosen)
        inputs = made.inputs((1 - time) * noise + time * second, time, tf.gather(classes, chosen))
        with tf.GradientTape() as tape:
            expected = made.after([made.before(inputs), inputs])
            loss = tf.reduce_mean(tf.square(expected - second))
        optimizer.apply(tape.gradient(loss, variables), variables)
        return loss

    # A step is so short that to begin one from Python takes a third of it.
    @tf.function(autograph=False, input_signature=_FIRST_AND_RATES)
    def run(first, rates):
        def one(number, losses):
            return number + 1, losses.write(number, step(first + number, rates[number]))

        count = tf.size(rates)
        losses = tf.TensorArray(tf.float32, count)
        _, losses = tf.while_loop(lambda number, _: number < count, one, (0, losses))
        return losses.stack()

    return run
