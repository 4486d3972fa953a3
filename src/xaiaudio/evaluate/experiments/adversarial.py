"""Fool a network on purpose: the smallest change of a sound that gives it another name.

A change is looked for in the waveform, so that it can be played. It stays a given number of
decibels below the sound. Then one knows why the network answers wrongly: nothing else was changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ...models.caching import PerModel
from ...models.differentiable import patches as patches_of
from ...models.tracing import traced
from ...models.votes import voters
from ...patches import levels
from ...progress import bar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ...models.classifier import AudioClassifier
    from ...types import Targets

# Clips that are changed at the same time.
BATCH = 16
# A logit that leads by this much counts as safe: no more is done for its patch.
MARGIN = 1.0
# How far the first and the last step go, as a share of the largest change allowed.
FIRST, LAST = 0.2, 0.04
# How much of a step's direction stays for the next.
MOMENTUM = 0.8
# By how much a change gets quieter once it works, and louder once it no longer does.
QUIETER, LOUDER = 0.8, 1.12

_STEPS = PerModel()


@dataclass(frozen=True)
class Attack:
    """Sounds that were changed to fool a network.

    Attributes
    ----------
    waves : tuple of ndarray of float32, each (samples,)
        As given.
    changed : tuple of ndarray of float32, each (samples,)
        With the change.
    answers, targets : ndarray of int, shape (n,)
        What the network called each clip before, and what it was meant to call it.
    level_db : ndarray of float, shape (n,)
        Energy of each change below that of its clip, measured on `changed`.
    turned : ndarray of float, shape (n,)
        Share of the clip's patches that vote and now are called the target.
    success : ndarray of bool, shape (n,)
        Whether the clip as a whole is, by the majority of these.
    overlap : float
        Of the patches that vote.
    labels : tuple of str
    """

    waves: tuple[np.ndarray, ...]
    changed: tuple[np.ndarray, ...]
    answers: np.ndarray
    targets: np.ndarray
    level_db: np.ndarray
    turned: np.ndarray
    success: np.ndarray
    overlap: float
    labels: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.waves)

    @property
    def changes(self) -> list[np.ndarray]:
        """What was added to each clip."""
        return [new - old for new, old in zip(self.changed, self.waves, strict=True)]


def attack(
    model: AudioClassifier,
    waves: Sequence[ArrayLike],
    targets: Targets,
    *,
    level_db: float = -30.0,
    rounds: int = 15,
    overlap: float | None = None,
    progress: bool | None = None,
) -> Attack:
    """Change sounds so slightly that hardly anybody hears it, until a network misnames them.

    The change goes down the gradient of the patches' margins, the target's logit minus the highest
    other one, with momentum, in steps of one length. After each step it is cut back to the largest
    energy allowed and to samples in [-1, 1]. In each round all patches of a clip have their turn,
    every fourth at 75 % overlap in each step. A clip whose patches all turned goes on with a
    quieter change. The quietest change with all patches turned is kept; where there is none, the
    one with most. Patches that are silence beside the loudest have no vote, and are left alone.

    Parameters
    ----------
    model : AudioClassifier
    waves : sequence of array_like of float, each (samples,)
        Clips at the front end's sample rate, of any length from one patch on. All are changed at
        the same time.
    targets : str, int or sequence of either
        What the network is to call them: one for all, or one a clip.
    level_db : float
        The change stays this far below its clip, at least: the ratio of their energies in
        decibels, below 0.
    rounds : int
        Times that all patches have their turn.
    overlap : float, optional
        Of the patches that vote on a clip's name; the front end's own by default.
    progress : bool or None
        Show a progress bar; None shows one on a terminal only.

    Returns
    -------
    Attack

    Raises
    ------
    XaiAudioError
        If a clip is too short, silent, or called the target already; if a class is unknown or an
        option makes no sense; if no gradient comes back through the network.

    References
    ----------
    Szegedy et al. 2014, Intriguing properties of neural networks; Rony et al. 2019, Decoupling
    direction and norm (quieter once it works); Praher et al. 2021, On the veracity of local,
    model-agnostic explanations in audio classification (in the waveform, to test explanations).

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.evaluate.experiments.adversarial import attack
    >>> model = xa.load_model("lite")
    >>> wave = 0.1 * np.random.default_rng(0).standard_normal(20_000).astype("float32")
    >>> found = attack(model, [wave], "Rooster", level_db=-20, rounds=2)
    >>> bool(found.level_db[0] <= -20)
    True
    """
    frontend = model.frontend if overlap is None else model.frontend.with_overlap(overlap)
    if not (np.isfinite(level_db) and level_db < 0):
        raise XaiAudioError(f"level_db is {level_db!r}: it must be below 0, such as -30.")
    if isinstance(rounds, bool) or not isinstance(rounds, int) or rounds < 1:
        raise XaiAudioError(f"rounds is {rounds!r}: a whole number from 1 on is needed.")
    waves = _waves(waves)
    numbers = _targets(model, targets, len(waves))
    answers = _check(model, frontend, waves, numbers)
    changed = []
    turns = -(-len(waves) // BATCH) * rounds
    with bar(turns, progress) as advance:
        for start in range(0, len(waves), BATCH):
            part = slice(start, start + BATCH)
            changed += _changed(
                model, frontend, waves[part], numbers[part], level_db, rounds, advance
            )
    found = [model.predict_clip(wave, overlap=frontend.overlap) for wave in changed]
    wished = [model.labels[number] for number in numbers]
    return Attack(
        waves=tuple(waves),
        changed=tuple(changed),
        answers=answers,
        targets=numbers,
        level_db=np.array([level(new - old, old) for new, old in zip(changed, waves, strict=True)]),
        turned=np.array([one.shares[label] for one, label in zip(found, wished, strict=True)]),
        success=np.array([one.label == label for one, label in zip(found, wished, strict=True)]),
        overlap=frontend.overlap,
        labels=tuple(model.labels),
    )


def level(change: ArrayLike, wave: ArrayLike) -> float:
    """Return the energy of a change relative to that of a sound, in decibels; -inf for no change.

    Parameters
    ----------
    change, wave : array_like of float, shape (samples,)

    Examples
    --------
    >>> from xaiaudio.evaluate.experiments.adversarial import level
    >>> round(level([0.1, -0.1], [1.0, -1.0]), 6)
    -20.0
    """
    inside, whole = (float(np.sum(np.square(part, dtype=np.float64))) for part in (change, wave))
    if whole == 0:
        raise XaiAudioError("The sound is silent: nothing can be said to be below it.")
    return 10 * float(np.log10(inside / whole)) if inside else -np.inf


def _waves(waves) -> list[np.ndarray]:
    if isinstance(waves, np.ndarray) and waves.ndim == 1:
        waves = [waves]
    waves = [np.asarray(wave) for wave in waves]
    if not waves:
        raise XaiAudioError("There is no sound to change: give one at least.")
    return [wave.astype(np.float32) if wave.dtype.kind == "f" else wave for wave in waves]


def _targets(model, targets, count) -> np.ndarray:
    targets = [targets] * count if np.ndim(targets) == 0 else list(targets)
    if len(targets) != count:
        raise XaiAudioError(
            f"There are {len(targets)} targets for {count} clips: give one for all, or one a clip."
        )
    return np.array([model.index(target) for target in targets], int)


def _check(model, frontend, waves, targets) -> np.ndarray:
    """Return what the network calls each clip, or say which clip cannot be used."""
    answers = []
    for number, (wave, target) in enumerate(zip(waves, targets, strict=True)):
        try:
            frontend(wave)
        except XaiAudioError as error:
            raise XaiAudioError(f"Clip {number} cannot be used. {error}") from error
        if not wave.any():
            raise XaiAudioError(
                f"Clip {number} is silent: there is no level to stay below. Leave it out."
            )
        answers.append(model.index(model.predict_clip(wave, overlap=frontend.overlap).label))
        if answers[-1] == target:
            raise XaiAudioError(
                f"Clip {number} is called {model.labels[target]!r} already: choose another target."
            )
    return np.array(answers, int)


def _changed(model, frontend, waves, targets, level_db, rounds, advance) -> list[np.ndarray]:
    """Return the changed sounds of one batch."""
    lengths = [len(wave) for wave in waves]
    sounds = np.stack([np.pad(wave, (0, max(lengths) - len(wave))) for wave in waves])
    # A little below, so that rounding to float32 never ends above.
    loudest = 0.9999 * np.linalg.norm(sounds, axis=1) * 10 ** (level_db / 20)
    state = _State(sounds, loudest)
    gradients, judged = _steps_of(model, frontend)
    # A short clip has fewer patches than a round has steps, and a step without any cannot be taken.
    most = max(_count(frontend, length) for length in lengths)
    steps = min(-(-frontend.frames // frontend.patch_hop), most)
    wanted = tf.constant(targets, tf.int32)
    for stride in np.linspace(FIRST, LAST, rounds).tolist():
        for first in range(steps):
            given = state.sounds + state.change
            voting = _voting(frontend, given, lengths)
            found = gradients(tf.constant(given), wanted, tf.constant(voting), tf.constant(first))
            state.move(found.numpy(), stride)
        given = state.sounds + state.change
        found = judged(tf.constant(given), wanted, tf.constant(_voting(frontend, given, lengths)))
        state.judge(*(part.numpy() for part in found))
        advance()
    return [wave[:length] for wave, length in zip(state.sounds + state.best, lengths, strict=True)]


def _count(frontend, length: int) -> int:
    """Return how many patches a sound of so many samples has."""
    return 1 + ((length - frontend.min_samples) // frontend.hop) // frontend.patch_hop


def _voting(frontend, sounds, lengths) -> np.ndarray:
    """Tell which patches of each sound lie within it and are no silence, bool (n, patches)."""
    counts = [_count(frontend, length) for length in lengths]
    found = np.zeros((len(sounds), max(counts)), bool)
    for row, wave, count in zip(found, sounds, counts, strict=True):
        row[:count] = voters(levels(wave, np.arange(count) * frontend.patch_hop, frontend))
    return found


class _State:
    """The change of each clip of a batch, and the best one so far."""

    def __init__(self, sounds, loudest):
        self.sounds, self.loudest = sounds, loudest
        self.limit = loudest.copy()
        self.change, self.best = np.zeros_like(sounds), np.zeros_like(sounds)
        self.speed = np.zeros_like(sounds)
        self.turned, self.badness = np.full(len(sounds), -1.0), np.full(len(sounds), np.inf)

    def move(self, gradients, stride) -> None:
        """Go one step down the gradients, and back to where the change is allowed to be."""
        self.speed = MOMENTUM * self.speed + _unit(gradients)
        moved = self.change - stride * self.limit[:, None] * _unit(self.speed)
        moved *= np.minimum(1, self.limit / np.maximum(_norm(moved), 1e-30))[:, None]
        self.change = np.clip(self.sounds + moved, -1, 1) - self.sounds

    def judge(self, turned, losses) -> None:
        """Keep changes that are better than the best; make the next ones quieter or louder."""
        # Where all patches turned, the quieter change is better; else that which came closer.
        badness = np.where(turned == 1, _norm(self.change), losses)
        equal = turned == self.turned
        better = (turned > self.turned) | (equal & (badness < self.badness))
        self.best[better] = self.change[better]
        self.turned[better], self.badness[better] = turned[better], badness[better]
        limit = self.limit * np.where(turned == 1, QUIETER, LOUDER)
        self.limit = np.minimum(limit, self.loudest).astype(np.float32)


def _norm(rows) -> np.ndarray:
    return np.linalg.norm(rows, axis=1)


def _unit(rows) -> np.ndarray:
    return rows / np.maximum(_norm(rows), 1e-30)[:, None]


def _steps_of(model, frontend):
    """Return the compiled gradient and the compiled count; they go when the model goes."""
    return _STEPS(model, frontend, lambda alive: _compiled(alive, frontend))


def _compiled(alive, frontend):
    steps = -(-frontend.frames // frontend.patch_hop)
    waves = tf.TensorSpec((None, None), tf.float32)
    whole = tf.TensorSpec((None,), tf.int32)

    def margins(sounds, targets, first, step):
        """Return how far each patch's target leads, (n, patches)."""
        model = alive()
        patches = patches_of(sounds, frontend, first, step)
        shape = tf.shape(patches)
        flat = tf.reshape(patches, (-1, *frontend.patch_shape))
        logits = model.logits_network(model.as_input(flat), training=False)
        logits = tf.reshape(tf.cast(logits, tf.float32), (shape[0], shape[1], len(model.labels)))
        chosen = tf.one_hot(targets, len(model.labels), on_value=True, off_value=False)[:, None]
        others = tf.where(chosen, -np.inf, logits)
        return tf.gather(logits, targets, axis=2, batch_dims=1) - tf.reduce_max(others, axis=2)

    def loss(leads, voting):
        """Sum what each patch that votes misses, (n,)."""
        return tf.reduce_sum(tf.where(voting, tf.nn.relu(MARGIN - leads), 0.0), axis=1)

    def gradients(sounds, targets, voting, first):
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(sounds)
            missing = loss(margins(sounds, targets, first, steps), voting[:, first::steps])
        found = tape.gradient(missing, sounds)
        if found is None:
            raise XaiAudioError(
                "No gradient comes back to the sound: some layer of the network is not "
                "differentiable."
            )
        return found

    def judged(sounds, targets, voting):
        """Return the share of each clip's votes that turned, and what they miss."""
        leads = margins(sounds, targets, 0, 1)
        hits, votes = (
            tf.reduce_sum(tf.cast(which, tf.float32), axis=1)
            for which in ((leads > 0) & voting, voting)
        )
        return hits / votes, loss(leads, voting)

    some, first = tf.TensorSpec((None, None), tf.bool), tf.TensorSpec((), tf.int32)
    return traced(gradients, [waves, whole, some, first]), traced(judged, [waves, whole, some])
