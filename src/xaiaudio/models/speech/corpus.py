"""Strings of spoken digits with their true onsets, put together from recordings of single ones."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...frontend import LogMel
from .vocabulary import DIGITS, SECONDS

if TYPE_CHECKING:
    from ...datasets.base import ClipSet

#: All sounds are of a telephone's bandwidth, so that made and recorded voices are treated alike.
RATE = 8_000
#: Samples of a string: whole frames of the front end, a little more than its time tokens reach.
SAMPLES = 256 + 319 * 80
# Seconds: the longest word that is used; silence before the first word, and between two.
_LONGEST = 0.72
_BEFORE, _BETWEEN = (0.02, 0.4), (0.03, 0.25)
# A word is what lies within so many decibels of its loudest 10 ms.
_BELOW = 30.0


@dataclass(frozen=True, eq=False)
class Word:
    """A digit said by somebody.

    Attributes
    ----------
    digit : int
    speaker : str
    take : int
    wave : ndarray of float32, shape (samples,)
        At 8 kHz, without the silence around it, of the loudness of all others.
    """

    digit: int
    speaker: str
    take: int
    wave: np.ndarray


@dataclass(frozen=True, eq=False)
class Strings:
    """Strings of digits, each said by one speaker.

    Attributes
    ----------
    waves : ndarray of float32, shape (n, samples)
        3.2 s at 8 kHz.
    digits : tuple of tuple of int
        As they sound.
    onsets, ends : ndarray of float64, shape (n, 4)
        Where each word begins and ends, in seconds; NaN where there is none.
    speakers : tuple of str
    """

    waves: np.ndarray
    digits: tuple[tuple[int, ...], ...]
    onsets: np.ndarray
    ends: np.ndarray
    speakers: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.digits)

    @property
    def counts(self) -> np.ndarray:
        """Digits of each string, int (n,)."""
        return np.array([len(digits) for digits in self.digits])

    def part(self, chosen: Sequence[int] | np.ndarray) -> Strings:
        """Return some of them: their numbers, or bool (n,)."""
        rows = np.arange(len(self))[np.asarray(chosen)]
        return Strings(
            self.waves[rows],
            tuple(self.digits[row] for row in rows),
            self.onsets[rows],
            self.ends[rows],
            tuple(self.speakers[row] for row in rows),
        )


def frontend() -> LogMel:
    """Return the front end: one patch of 320 frames, 10 ms each, 40 bands.

    Examples
    --------
    >>> from xaiaudio.models.speech import corpus
    >>> corpus.frontend().patch_shape
    (320, 40)
    """
    return LogMel(RATE, 256, 80, 256, 40, 60.0, 3900.0, frames=320)


def cut(wave: np.ndarray) -> np.ndarray:
    """Cut a recording to its word, from the first to the last 10 ms that are loud.

    Parameters
    ----------
    wave : ndarray of float, shape (samples,)
        At 8 kHz.

    Returns
    -------
    ndarray of float32
        Made equally loud: its root mean square is 0.1.
    """
    hop = RATE // 100
    pieces = wave[: len(wave) // hop * hop].reshape(-1, hop)
    levels = 10 * np.log10(np.mean(np.square(pieces, dtype=np.float64), axis=1) + 1e-12)
    if len(levels) == 0 or levels.max() < -100:
        raise XaiAudioError("There is no word in a recording without sound.")
    loud = np.flatnonzero(levels > levels.max() - _BELOW)
    word = wave[loud[0] * hop : (loud[-1] + 1) * hop]
    return (word * (0.1 / np.sqrt(np.mean(np.square(word, dtype=np.float64))))).astype(np.float32)


def words(clips: ClipSet) -> list[Word]:
    """Read the words of a set of spoken digits; those longer than 0.72 s are left out.

    Parameters
    ----------
    clips : ClipSet
        Of :func:`xaiaudio.datasets.digits.load` or :func:`xaiaudio.datasets.fsdd.load`: its clips
        are called ``7_03_2``, digit, speaker, take.
    """
    found = []
    for clip in clips:
        parts = clip.name.split("_")
        if len(parts) != 3 or not (parts[0].isdecimal() and parts[2].isdecimal()):
            raise XaiAudioError(
                f"{clip.path} is no spoken digit of digits or fsdd: its name is not like 7_03_2."
            )
        digit, speaker, take = parts
        wave = cut(clip.load(RATE))
        if len(wave) <= _LONGEST * RATE:
            found.append(Word(int(digit), speaker, int(take), wave))
    return found


@dataclass(frozen=True, eq=False)
class Pools:
    """The words of a source in three parts, no recording in two of them.

    Attributes
    ----------
    train : list of Word
        To learn from.
    familiar : list of Word
        Other takes of the same voices.
    strangers : list of Word
        Other voices.
    """

    train: list[Word]
    familiar: list[Word]
    strangers: list[Word]


def pools(clips: ClipSet) -> Pools:
    """Divide a set of spoken digits, labelled for the task ``"digit"``.

    The voices of its last fold are the strangers. Of each other voice the takes that end a row of
    five (4, 9, 14, ...) are kept for testing.

    Parameters
    ----------
    clips : ClipSet

    Returns
    -------
    Pools
    """
    known, others = clips.split()
    mine = words(known)
    kept = [word.take % 5 == 4 for word in mine]
    return Pools(
        [word for word, held in zip(mine, kept, strict=True) if not held],
        [word for word, held in zip(mine, kept, strict=True) if held],
        words(others),
    )


def pitch(strings: Strings) -> np.ndarray:
    """Measure the pitch of each word by YIN: the median over its loud half, in hertz.

    A. de Cheveigné and H. Kawahara, 2002, as librosa has it.

    Returns
    -------
    ndarray of float, shape (words,)
        String by string, word by word.
    """
    import librosa

    found = []
    for row, word in zip(*np.nonzero(~np.isnan(strings.onsets)), strict=True):
        begin, end = (round(at[row, word] * RATE) for at in (strings.onsets, strings.ends))
        wave = strings.waves[row, begin : max(end, begin + 512)]
        hertz = librosa.yin(wave, fmin=60, fmax=400, sr=RATE, frame_length=512, hop_length=80)
        loud = librosa.feature.rms(y=wave, frame_length=512, hop_length=80)[0][: len(hertz)]
        found.append(float(np.median(hertz[loud >= np.median(loud)])))
    return np.array(found)


def draw(
    pool: Sequence[Word],
    count: int,
    seed: int = 0,
    *,
    fits: Callable[[Sequence[int]], bool] | None = None,
    shortest: int = 2,
) -> Strings:
    """Draw strings of two to four digits, each of one speaker's words.

    Parameters
    ----------
    pool : sequence of Word
    count : int
    seed : int
    fits : callable, optional
        Takes the digits of a string and tells whether it may be drawn; others are drawn anew.
    shortest : int
        Digits that a string has at least.

    Returns
    -------
    Strings

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.models.speech import corpus
    >>> beep = np.sin(np.arange(2000)).astype(np.float32)
    >>> pool = [corpus.Word(digit, "ann", 0, beep) for digit in range(10)]
    >>> strings = corpus.draw(pool, 5)
    >>> strings.waves.shape
    (5, 25776)
    """
    if not len(pool) or not 1 <= shortest <= DIGITS:
        raise XaiAudioError(
            f"{len(pool)} words and strings of {shortest} digits at least: a word is needed, and 1 "
            f"to {DIGITS} digits."
        )
    rng = np.random.default_rng([seed, 71])
    by: dict[str, dict[int, list[Word]]] = {}
    for word in pool:
        by.setdefault(word.speaker, {}).setdefault(word.digit, []).append(word)
    names = sorted(by)
    rows = []
    for _ in range(count):
        speaker = names[rng.integers(len(names))]
        rows.append((speaker, _chosen(rng, by[speaker], shortest, fits)))
    return _together(rng, rows)


def say(pool: Sequence[Word], digits: Sequence[int], speaker: str, seed: int = 0) -> Strings:
    """Let a speaker say a string of one's own choice.

    Raises
    ------
    XaiAudioError
        If the speaker never said one of the digits, or the string is too long.
    """
    rng = np.random.default_rng([seed, 72])
    said = []
    for digit in digits:
        takes = [word for word in pool if (word.speaker, word.digit) == (speaker, digit)]
        if not takes:
            raise XaiAudioError(f"There is no recording of {digit} by {speaker}.")
        said.append(takes[rng.integers(len(takes))])
    if not 1 <= len(said) <= DIGITS:
        raise XaiAudioError(f"A string has 1 to {DIGITS} digits, not {len(said)}.")
    return _together(rng, [(speaker, said)])


def _chosen(rng, own, shortest, fits) -> list[Word]:
    known = sorted(own)
    for _ in range(1000):
        count = rng.integers(shortest, DIGITS + 1)
        digits = [known[k] for k in rng.integers(len(known), size=count)]
        if fits is None or fits(digits):
            return [own[digit][rng.integers(len(own[digit]))] for digit in digits]
    raise XaiAudioError("No string of these speakers fits: a thousand were drawn in vain.")


def _together(rng, rows) -> Strings:
    """Put the words of each string one after the other, with silence between, over faint noise."""
    waves = np.zeros((len(rows), SAMPLES), np.float32)
    onsets, ends = np.full((2, len(rows), DIGITS), np.nan)
    for row, (_, said) in enumerate(rows):
        lengths = np.array([len(word.wave) for word in said])
        if lengths.sum() > SECONDS * RATE:
            raise XaiAudioError(
                f"Words of {lengths.sum() / RATE:.2f} s do not fit into a string of {SECONDS} s."
            )
        gaps = np.array([rng.uniform(*_BEFORE)] + [rng.uniform(*_BETWEEN) for _ in said[1:]])
        # What does not fit is said with shorter silences.
        room = SECONDS * RATE - lengths.sum()
        gaps = np.round(gaps * RATE * min(1.0, room / (gaps.sum() * RATE))).astype(int)
        starts = np.cumsum(gaps) + np.cumsum(lengths) - lengths
        for word, start in zip(said, starts, strict=True):
            waves[row, start : start + len(word.wave)] += word.wave
        onsets[row, : len(said)], ends[row, : len(said)] = starts / RATE, (starts + lengths) / RATE
        level = 0.1 * 10 ** (rng.uniform(-45, -30) / 20)
        waves[row] += level * rng.standard_normal(SAMPLES, np.float32)
        waves[row] *= 10 ** (rng.uniform(-6, 6) / 20)
    digits = tuple(tuple(word.digit for word in said) for _, said in rows)
    return Strings(waves, digits, onsets, ends, tuple(speaker for speaker, _ in rows))


def features(waves: np.ndarray, batch: int = 256) -> np.ndarray:
    """Return what the model sees of strings: float32 (n, 320, 40)."""
    mel = frontend()
    parts = [mel.pictures(waves[k : k + batch]) for k in range(0, len(waves), batch)]
    return np.concatenate(parts).astype(np.float32).reshape(len(waves), 320, 40)
