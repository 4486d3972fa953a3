"""A mood by way of what it is made of: sound, then perceptual qualities, then the mood.

The first stage is a small convolutional network that hears qualities, such as dissonance. The
second is a linear model, so that a mood is a sum of *effects*, each a quality times its weight.
Both are classifiers in form: a quality or a mood is a logit, without a softmax over them.

S. Chowdhury, V. Praher and G. Widmer, "Tracing back music emotion predictions to sound sources and
intuitive perceptual qualities", SMC 2021.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import keras
import numpy as np

from .. import cache
from ..datasets import music
from ..errors import XaiAudioError
from ..frontend import LogMel
from ..progress import bar
from .classifier import AudioClassifier

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..datasets.base import ClipSet

ATTRIBUTION = "Trained on music made by xaiaudio, CC0"
TRAINED_ON, VALIDATED_ON = 400, 60  # pieces
_EPOCHS, _BATCH, _RATE = 24, 20, 2e-3
# The penalty of the second stage on its squared weights, beside a sum over pieces.
_RIDGE = 1.0


def frontend() -> LogMel:
    """Return the front end of the qualities: one patch of 4 s, bands narrower than a semitone.

    Examples
    --------
    >>> frontend().patch_shape
    (123, 96)
    """
    return LogMel(window=1024, fft=2048, hop=512, bands=96, fmin=60.0, fmax=4000.0, frames=123)


def network(seed: int = 0) -> keras.Model:
    """Return the first stage with random weights: from a patch to one number for each quality.

    Time is averaged out before the dense layers, frequency is not: which notes sound is in it.
    """
    layers, seeds = keras.layers, iter(range(10 * seed, 10 * seed + 10))

    def first():
        return keras.initializers.GlorotUniform(seed=next(seeds))

    def convolved(tensor, width, name, pool):
        tensor = layers.Conv2D(
            width, 3, padding="same", activation="relu", kernel_initializer=first(), name=name
        )(tensor)
        return layers.AveragePooling2D(pool, name=f"{name}_pool")(tensor)

    patch = tensor = layers.Input((*frontend().patch_shape, 1), name="patch")
    for name, width, pool in (("conv1", 8, (2, 1)), ("conv2", 12, (2, 2)), ("conv3", 24, (30, 1))):
        tensor = convolved(tensor, width, name, pool)
    tensor = layers.Flatten(name="bands")(tensor)
    tensor = layers.Dense(64, activation="relu", kernel_initializer=first(), name="mixed")(tensor)
    qualities = layers.Dense(len(music.QUALITIES), kernel_initializer=first(), name="qualities")(
        tensor
    )
    return keras.Model(patch, qualities, name="qualities")


@dataclass(frozen=True, eq=False)
class MoodModel:
    """Both stages.

    Attributes
    ----------
    qualities : AudioClassifier
        Its logits are the qualities of a sound, about from -1 to 1; its probabilities, their
        sigmoids, mean nothing.
    weights : ndarray of float64, shape (qualities, moods)
        Of the second stage.
    bias : ndarray of float64, shape (moods,)
    names : tuple of str
        Of the moods.
    """

    qualities: AudioClassifier
    weights: np.ndarray
    bias: np.ndarray
    names: tuple[str, ...] = music.MOODS

    def effects(self, qualities: ArrayLike) -> np.ndarray:
        """Return what each quality adds to each mood.

        Parameters
        ----------
        qualities : array_like of float, shape (n, qualities)

        Returns
        -------
        ndarray of float64, shape (n, qualities, moods)
            Summed over the qualities, and with the bias, the moods.
        """
        return np.asarray(qualities, np.float64)[:, :, None] * self.weights

    @cached_property
    def moods(self) -> AudioClassifier:
        """The whole way from sound to mood as one network: its logits are the moods."""
        first = self.qualities.logits_network
        last = keras.layers.Dense(len(self.names), name="moods")
        built = keras.Model(first.inputs[0], last(first.outputs[0]), name="moods")
        last.set_weights([self.weights.astype(np.float32), self.bias.astype(np.float32)])
        return AudioClassifier.from_keras(
            built,
            self.names,
            self.qualities.frontend,
            outputs="logits",
            activation="sigmoid",
            attribution=self.qualities.attribution,
        )

    def taught(self, excerpts: ClipSet | Sequence, *, moods: ArrayLike | None = None) -> MoodModel:
        """Return the model with its second stage fitted to other pieces.

        Parameters
        ----------
        excerpts : ClipSet or sequence of Excerpt
        moods : array_like of float, shape (n, moods), optional
            What the pieces are said to be; by default what the formula says.

        Returns
        -------
        MoodModel
            With the same first stage.
        """
        heard = self.qualities.logits(patches(excerpts))
        wanted = [excerpt.moods for excerpt in excerpts] if moods is None else moods
        weights, bias = second_stage(heard, wanted)
        return dataclasses.replace(self, weights=weights, bias=bias)


def second_stage(qualities: ArrayLike, moods: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Fit moods linearly to qualities, by a ridge regression.

    Parameters
    ----------
    qualities : array_like of float, shape (n, q)
    moods : array_like of float, shape (n, m)

    Returns
    -------
    weights : ndarray of float64, shape (q, m)
    bias : ndarray of float64, shape (m,)

    Examples
    --------
    >>> qualities = np.random.default_rng(0).normal(size=(1000, 2))
    >>> weights, bias = second_stage(qualities, qualities @ [[2.0], [-1.0]] + 3)
    >>> weights.round(1).tolist(), bias.round(1).tolist()
    ([[2.0], [-1.0]], [3.0])
    """
    from sklearn.linear_model import Ridge

    qualities, moods = np.asarray(qualities, float), np.asarray(moods, float)
    if qualities.ndim != 2 or moods.ndim != 2 or len(qualities) != len(moods) or not len(moods):
        raise XaiAudioError(
            f"The qualities have the shape {qualities.shape} and the moods {moods.shape}: a row of "
            "each for every piece is needed."
        )
    fitted = Ridge(alpha=_RIDGE).fit(qualities, moods)
    # Of a single mood, scikit-learn leaves out an axis.
    weights = np.reshape(fitted.coef_, (moods.shape[1], qualities.shape[1])).T
    return weights, np.reshape(fitted.intercept_, moods.shape[1])


def patches(excerpts: ClipSet | Sequence) -> np.ndarray:
    """Return one patch of each piece, float32 (n, frames, bands)."""
    cut = frontend()
    return np.concatenate([cut(excerpt.load(), pad=True).values[:1] for excerpt in excerpts])


def r2(found: ArrayLike, true: ArrayLike) -> np.ndarray:
    """Return the share of each column's variance that is explained: (q,), 1 where all is."""
    found, true = np.asarray(found, float), np.asarray(true, float)
    return 1 - np.square(found - true).sum(axis=0) / np.square(true - true.mean(axis=0)).sum(axis=0)


def train(
    pieces: int = TRAINED_ON,
    *,
    validated: int = VALIDATED_ON,
    epochs: int = _EPOCHS,
    seed: int = 0,
    progress: bool = True,
) -> AudioClassifier:
    """Train the first stage on made music.

    The weights of the epoch are kept that hears the validation pieces best; those are made from
    another seed.

    Parameters
    ----------
    pieces, validated : int
        Numbers of pieces.
    epochs : int
    seed : int
        Decides the pieces, the first weights and the order.
    progress : bool
        Show a bar.

    Returns
    -------
    AudioClassifier
        See :class:`MoodModel`. Its history holds ``validation``, the mean square error after each
        epoch, and ``r2``, that of each quality on the validation pieces.

    Raises
    ------
    XaiAudioError
        If there is nothing to train on, or no epoch.
    """
    if min(pieces, validated, epochs) < 1:
        raise XaiAudioError("At least one piece to train on, one to validate on and one epoch.")
    sets = music.load(pieces, seed=2 * seed), music.load(validated, seed=2 * seed + 1)
    (given, wanted), (seen, truth) = (
        (patches(one)[..., None], np.array([excerpt.qualities for excerpt in one])) for one in sets
    )
    built = network(seed)
    steps = -(-pieces // _BATCH)
    rate = keras.optimizers.schedules.CosineDecay(_RATE, epochs * steps)
    built.compile(keras.optimizers.Adam(rate), "mse")
    rng, best, course = np.random.default_rng(seed), None, []
    with bar(epochs, None if progress else False, "Training the qualities") as step:
        for _ in range(epochs):
            for rows in np.array_split(rng.permutation(pieces), steps):
                built.train_on_batch(given[rows], wanted[rows])
            heard = built.predict_on_batch(seen)
            course.append(float(np.square(heard - truth).mean()))
            if course[-1] == min(course):
                best = built.get_weights(), r2(heard, truth)
            step()
    assert best is not None  # there was an epoch
    built.set_weights(best[0])
    made = AudioClassifier.from_keras(
        built,
        music.QUALITIES,
        frontend(),
        outputs="logits",
        activation="sigmoid",
        attribution=ATTRIBUTION,
    )
    scored = dict(zip(music.QUALITIES, best[1].tolist(), strict=True))
    heard = built.predict_on_batch(given).tolist()
    made.history = {"validation": course, "r2": scored, "heard": heard, "seed": seed}
    return made


def load(seed: int = 0, *, progress: bool = True) -> MoodModel:
    """Return both stages, trained on made music; the first call trains and keeps the first stage.

    Parameters
    ----------
    seed : int
    progress : bool

    Returns
    -------
    MoodModel
        Its second stage is fitted to what the first hears in its training pieces.
    """
    from .saving import load_model

    about = [TRAINED_ON, VALIDATED_ON, _EPOCHS, seed]
    path = cache.home() / "models" / f"qualities-{cache.key(about, modules=('models.mood',))}.keras"

    def build(file):
        made = train(
            TRAINED_ON, validated=VALIDATED_ON, epochs=_EPOCHS, seed=seed, progress=progress
        )
        made.save(file)

    qualities = cache.artifact(path, build, load_model)
    pieces = music.load(TRAINED_ON, seed=2 * seed)
    weights, bias = second_stage(qualities.history["heard"], [piece.moods for piece in pieces])
    return MoodModel(qualities, weights, bias)
