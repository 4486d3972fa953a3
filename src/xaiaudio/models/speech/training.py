"""The open recipe: all that decides what the model hears and learns, and the training itself."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import keras
import numpy as np
import tensorflow as tf

from ... import cache
from ...errors import DamagedError, XaiAudioError
from ...files import whole
from ...progress import bar
from ..training.adam import AdamW
from . import corpus, network
from .vocabulary import LANGUAGES, LENGTH, PAD, PROMPT, STAMPS, TASKS, line

if TYPE_CHECKING:
    from ...types import PathLike

#: Every way to ask: language, task, stamps.
QUESTIONS = tuple((one, two, three) for one in LANGUAGES for two in TASKS for three in STAMPS)
# Questions about each string in a step: it is heard once and written several times.
_ASKED = 2
# Steps over which the learning rate rises.
_WARM = 100


@dataclass(frozen=True)
class TrainingRecipe:
    """What the model is made from and how: the whole book of its making.

    Attributes
    ----------
    source : {"digits", "fsdd"}
        The module of ``xaiaudio.datasets`` that the words come from.
    strings : int
        Strings of digits to learn from.
    epochs, batch : int
    rate : float
        AdamW's largest learning rate; it rises over 100 steps and falls as half a cosine.
    width, layers, heads : int
        See :class:`.network.Size`.
    seed : int
        Decides the strings, the first weights, the order and what is asked.
    without_speaker : str
        A voice that is left out of the training strings.
    without_pair : tuple of int
        Two digits that never follow each other in the training strings, in this order.
    without_question : tuple of str
        A language and a task that are never asked for together.
    """

    source: str = "digits"
    strings: int = 2000
    epochs: int = 16
    batch: int = 16
    rate: float = 2e-3
    width: int = 64
    layers: int = 2
    heads: int = 4
    seed: int = 0
    without_speaker: str = ""
    without_pair: tuple[int, ...] = ()
    without_question: tuple[str, ...] = ()

    def __post_init__(self):
        if len(self.without_pair) not in (0, 2):
            raise XaiAudioError(f"without_pair is {self.without_pair}: two digits, or none.")
        asked = [one[:2] for one in QUESTIONS]
        # What names nothing would leave nothing out, and the model would be taken for another one.
        if self.without_question and self.without_question not in asked:
            raise XaiAudioError(
                f"without_question is {self.without_question!r}: it must be a tuple of "
                f"{' or '.join(LANGUAGES)}, and {' or '.join(TASKS)}."
            )

    @property
    def size(self) -> network.Size:
        """How large the network is."""
        return network.Size(self.width, self.layers, self.heads)

    @property
    def questions(self) -> tuple[tuple[str, str, str], ...]:
        """The questions that are asked while it learns."""
        return tuple(one for one in QUESTIONS if one[:2] != self.without_question)

    def with_seed(self, seed: int) -> TrainingRecipe:
        """Return the same with other chances."""
        return replace(self, seed=seed)


def recipe(source: str = "digits", *, quick: bool = False, seed: int = 0) -> TrainingRecipe:
    """Return the recipe for a source of words.

    Parameters
    ----------
    source : {"digits", "fsdd"}
    quick : bool
        Whether each string is heard three quarters as often, in as many steps with smaller batches:
        that takes three quarters of the time.
    seed : int

    Examples
    --------
    >>> from xaiaudio.models import speech
    >>> speech.recipe("digits").strings
    2000
    """
    strings = {"digits": 2000, "fsdd": 4000}
    if source not in strings:
        raise XaiAudioError(f"There is no recipe for {source!r}: choose digits or fsdd.")
    made = TrainingRecipe(source, strings=strings[source], seed=seed)
    return replace(made, epochs=12, batch=12) if quick else made


@dataclass(frozen=True, eq=False)
class Model:
    """A trained speech model, with the recipe that it came from.

    Attributes
    ----------
    network : keras.Model
        See :func:`.network.build`.
    recipe : TrainingRecipe
    mean, spread : float
        Of the features that it learnt from.
    course : dict of str to list of float
        Mean losses of each epoch: ``"text"`` and ``"words"``.
    seconds : float
        That training took.
    """

    network: keras.Model
    recipe: TrainingRecipe
    mean: float
    spread: float
    course: Mapping[str, list[float]]
    seconds: float

    def save(self, path: PathLike) -> None:
        """Write the weights and the recipe to an ``.npz`` file: arrays and text, nothing to run."""
        weights = {f"weight{k}": value for k, value in enumerate(self.network.get_weights())}
        course = {f"course/{name}": np.array(values) for name, values in self.course.items()}
        with whole(path) as partial, open(partial, "wb") as file:
            np.savez(
                file,
                **weights,
                **course,
                about=np.array([self.mean, self.spread, self.seconds]),
                recipe=np.array(repr(sorted(asdict(self.recipe).items()))),
            )


def load(path: PathLike, recipe: TrainingRecipe) -> Model:
    """Return a model from the file that :meth:`Model.save` wrote.

    The network is built from the recipe, and the file holds numbers only.

    Parameters
    ----------
    path : path-like
    recipe : TrainingRecipe
        The one that it was trained by.

    Raises
    ------
    XaiAudioError
        If the file is damaged, or of another recipe.
    """
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        mean, spread, seconds = map(float, arrays["about"])
        if str(arrays["recipe"]) != repr(sorted(asdict(recipe).items())):
            raise XaiAudioError(f"{path} is a speech model of another recipe.")
        made = network.build(recipe.size, mean, spread, recipe.seed)
        made.set_weights([arrays[f"weight{k}"] for k in range(len(made.weights))])
    except XaiAudioError:
        raise
    except Exception as error:  # zip, zlib, NumPy and Keras each have errors of their own
        raise DamagedError(f"{path} is no speech model: {str(error)[:100]}.") from error
    prefix = "course/"
    course = {
        name.removeprefix(prefix): values.tolist()
        for name, values in arrays.items()
        if name.startswith(prefix)
    }
    return Model(made, recipe, mean, spread, course, seconds)


def learned(
    recipe: TrainingRecipe, pool: list[corpus.Word], *, progress: bool | None = None
) -> Model:
    """Return the model of a recipe; the first call trains and keeps it.

    Parameters
    ----------
    recipe : TrainingRecipe
    pool : list of Word
        The words to learn from; see :func:`.corpus.pools`.
    progress : bool, optional
        None shows a bar on a terminal and in a notebook.
    """
    about = [[word.digit, word.speaker, word.take] for word in pool]
    sounds = cache.sum_of_arrays([word.wave for word in pool])
    key = cache.key([asdict(recipe), about, sounds], modules=("models.speech.training",))
    return cache.artifact(
        cache.home() / "speech" / f"{recipe.source}-{key}.npz",
        lambda path: train(recipe, pool, progress=progress).save(path),
        lambda path: load(path, recipe),
    )


def untrained(model: Model) -> Model:
    """Return the same network with random weights: a control."""
    made = network.build(model.recipe.size, model.mean, model.spread, model.recipe.seed + 1)
    return replace(model, network=made, course={}, seconds=0.0)


def strings_of(recipe: TrainingRecipe, pool: list[corpus.Word]) -> corpus.Strings:
    """Return the strings that a recipe learns from."""
    voices = sorted({word.speaker for word in pool})
    if recipe.without_speaker and recipe.without_speaker not in voices:
        raise XaiAudioError(
            f"{recipe.without_speaker!r} cannot be left out: the voices are {', '.join(voices)}."
        )
    kept = [word for word in pool if word.speaker != recipe.without_speaker]
    first, second = recipe.without_pair or (-1, -1)

    def fits(digits):
        return (first, second) not in zip(digits, digits[1:], strict=False)

    return corpus.draw(kept, recipe.strings, recipe.seed, fits=fits)


def train(
    recipe: TrainingRecipe, pool: list[corpus.Word], *, progress: bool | None = None
) -> Model:
    """Train the model of a recipe.

    In each step some strings are heard, and each is written in answer to two questions, drawn at
    random. The loss is OWSM's: 0.7 times the cross-entropy of the next token, where the task and
    the stamps, which are given, do not count, and 0.3 times the CTC loss per word of the linear
    layer on the encoder.

    Parameters
    ----------
    recipe : TrainingRecipe
    pool : list of Word
    progress : bool, optional
        None shows a bar on a terminal and in a notebook.

    Returns
    -------
    Model
    """
    began = time.perf_counter()
    strings = strings_of(recipe, pool)
    if len(strings) < recipe.batch:
        raise XaiAudioError(f"{len(strings)} strings are fewer than a batch of {recipe.batch}.")
    heard = corpus.features(strings.waves)
    mean, spread = float(heard.mean()), float(heard.std())
    made = network.build(recipe.size, mean, spread, recipe.seed)
    lines = np.stack([_lines(strings, row, recipe.questions) for row in range(len(strings))])
    words = np.array([[*(d + 1 for d in said), 0, 0, 0, 0][:4] for said in strings.digits], "int32")
    counts = strings.counts.astype(np.int32)
    step = _step(made, recipe)
    steps = len(strings) // recipe.batch
    course: dict[str, list[float]] = {"text": [], "words": []}
    with bar(recipe.epochs * steps, progress, "Training speech", notebook=True) as tell:
        for epoch in range(recipe.epochs):
            rng = np.random.default_rng([recipe.seed, epoch, 73])
            losses = []
            for number, rows in enumerate(_batches(rng, len(strings), recipe.batch)):
                done = (epoch * steps + number) / (recipe.epochs * steps)
                rise = min(1.0, (epoch * steps + number + 1) / _WARM)
                rate = recipe.rate * rise * (0.5 + 0.5 * np.cos(np.pi * done))
                asked = _asked(rng, lines[rows])
                batch = (_varied(rng, heard[rows], spread), asked, words[rows], counts[rows])
                losses.append(step(*map(tf.constant, batch), tf.constant(rate, tf.float32)))
                tell()
            for name, value in zip(course, np.mean(losses, axis=0), strict=True):
                course[name].append(float(value))
    return Model(made, recipe, mean, spread, course, time.perf_counter() - began)


def _lines(strings, row, questions) -> np.ndarray:
    said = strings.digits[row]
    onsets = strings.onsets[row, : len(said)].tolist()
    return np.stack([line(said, onsets, *question) for question in questions])


def _batches(rng, count, size):
    order = rng.permutation(count)
    return [order[k : k + size] for k in range(0, count - size + 1, size)]


def _asked(rng, lines) -> np.ndarray:
    """Choose two questions about each string: int32 (batch, 2, 13)."""
    chosen = np.argsort(rng.random(lines.shape[:2]), axis=1)[:, :_ASKED]
    return np.take_along_axis(lines, chosen[:, :, None], axis=1)


def _varied(rng, heard, spread) -> np.ndarray:
    """Make strings a little louder or softer, and move them by up to two bands."""
    shifts = rng.integers(-2, 3, len(heard))
    bands = (np.arange(heard.shape[2]) - shifts[:, None]) % heard.shape[2]
    moved = np.take_along_axis(heard, bands[:, None], axis=2)
    return moved + np.float32(0.3 * spread) * rng.standard_normal((len(heard), 1, 1), np.float32)


def _step(made, recipe):
    """Return the compiled step: a batch and a learning rate to the two losses."""
    encoder, decoder = network.encoder_of(made), network.decoder_of(made)
    reader = made.get_layer("words")
    optimizer = AdamW(recipe.rate, weight_decay=0.01)
    optimizer.build(made.trainable_variables)
    # The token that follows <sos> is guessed; the task and the stamps are given.
    counts = tf.constant([1.0] + [0.0] * (PROMPT - 2) + [1.0] * (LENGTH - PROMPT))

    @tf.function(reduce_retracing=True, autograph=False)
    def step(heard, asked, words, lengths, rate):
        optimizer.learning_rate.assign(rate)
        with tf.GradientTape() as tape:
            states = encoder(heard, training=True)
            moments = tf.fill(tf.shape(lengths), network.MOMENTS)
            # Given sparse words, TensorFlow takes a kernel that is five times as fast.
            sparse = tf.sparse.from_dense(words)
            ctc = tf.nn.ctc_loss(
                sparse, reader(states), None, moments, logits_time_major=False, blank_index=0
            )
            per_word = tf.reduce_mean(ctc / tf.cast(lengths, tf.float32))
            tokens = tf.reshape(asked, (-1, LENGTH))
            logits = decoder([states, tokens], training=True)
            wanted = tokens[:, 1:]
            weights = tf.cast(wanted != PAD, tf.float32) * counts
            costs = tf.nn.sparse_softmax_cross_entropy_with_logits(wanted, logits[:, :-1])
            text = tf.reduce_sum(costs * weights) / tf.reduce_sum(weights)
            total = 0.7 * text + 0.3 * per_word
        variables = made.trainable_variables
        optimizer.apply(tape.gradient(total, variables), variables)
        return text, per_word

    return step
