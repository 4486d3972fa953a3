"""What the model reads and writes: one list of tokens, after OWSM's manner.

A line of text is ``<sos> <language> <task> <times> <0.24> 7 <0.80> 3 ... <eos>``: who asks gives
the first four, the model goes on. With ``<notimes>`` for ``<times>`` it writes digits alone.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...errors import XaiAudioError

#: Seconds from one time token to the next.
BIN = 0.04
#: The longest string of digits.
DIGITS = 4
SECONDS = 3.2

LANGUAGES = ("plain", "cipher")
TASKS = ("transcribe", "reverse")
STAMPS = ("times", "notimes")

_BINS = round(SECONDS / BIN) + 1
#: Every token, by its number.
TOKENS = (
    "<pad>",
    "<sos>",
    "<eos>",
    *(f"<{name}>" for name in (*LANGUAGES, *TASKS, *STAMPS)),
    *map(str, range(10)),
    *(f"<{number * BIN:.2f}>" for number in range(_BINS)),
)
NUMBER = {token: number for number, token in enumerate(TOKENS)}
PAD, SOS, EOS = range(3)
FIRST_DIGIT, FIRST_TIME = NUMBER["0"], NUMBER["<0.00>"]

#: Tokens that a question takes: <sos>, language, task, stamps.
PROMPT = 4
#: Tokens of the longest line.
LENGTH = PROMPT + 2 * DIGITS + 1

#: What the word of each digit means in the language "cipher": times 3, plus 7, the last digit.
CIPHER = tuple((3 * digit + 7) % 10 for digit in range(10))


def meaning(digits: Sequence[int], language: str) -> list[int]:
    """Return what words of digits mean in a language.

    Examples
    --------
    >>> from xaiaudio.models.speech import vocabulary
    >>> vocabulary.meaning([0, 1, 2], "plain"), vocabulary.meaning([0, 1, 2], "cipher")
    ([0, 1, 2], [7, 0, 3])
    """
    check("language", language, LANGUAGES)
    if not all(0 <= digit <= 9 for digit in digits):
        raise XaiAudioError(f"The digits are {list(digits)}: each must be one of 0 to 9.")
    return [CIPHER[digit] if language == "cipher" else digit for digit in digits]


def time_token(seconds: float) -> int:
    """Return the token of the time closest to some seconds."""
    return FIRST_TIME + int(np.clip(round(seconds / BIN), 0, _BINS - 1))


def prompt(language: str = "plain", task: str = "transcribe", stamps: str = "times") -> list[int]:
    """Return the four tokens that ask for a line.

    Examples
    --------
    >>> from xaiaudio.models.speech import vocabulary
    >>> vocabulary.text(vocabulary.prompt("cipher", "reverse"))
    '<sos> <cipher> <reverse> <times>'
    """
    check("language", language, LANGUAGES)
    check("task", task, TASKS)
    check("stamps", stamps, STAMPS)
    return [SOS, *(NUMBER[f"<{name}>"] for name in (language, task, stamps))]


def line(
    digits: Sequence[int],
    onsets: Sequence[float],
    language: str = "plain",
    task: str = "transcribe",
    stamps: str = "times",
) -> np.ndarray:
    """Return the true line of a string of digits.

    Parameters
    ----------
    digits : sequence of int
        As they sound, at most four.
    onsets : sequence of float
        Where each begins, in seconds.
    language : {"plain", "cipher"}
    task : {"transcribe", "reverse"}
    stamps : {"times", "notimes"}

    Returns
    -------
    ndarray of int32, shape (13,)
        With ``<pad>`` after ``<eos>``.

    Examples
    --------
    >>> from xaiaudio.models.speech import vocabulary
    >>> tokens = vocabulary.line([7, 3], [0.25, 0.79], task="reverse")
    >>> vocabulary.text(tokens)
    '<sos> <plain> <reverse> <times> <0.80> 3 <0.24> 7 <eos>'
    """
    if len(digits) > DIGITS:
        raise XaiAudioError(f"There are {len(digits)} digits: a line has room for {DIGITS}.")
    if len(onsets) != len(digits) or not np.isfinite(onsets).all():
        raise XaiAudioError(
            f"There are {len(digits)} digits and the onsets {list(onsets)}: each digit needs its "
            "time in seconds."
        )
    pairs = list(zip(onsets, meaning(digits, language), strict=True))
    if task == "reverse":
        pairs.reverse()
    tokens = prompt(language, task, stamps)
    for onset, digit in pairs:
        if stamps == "times":
            tokens.append(time_token(onset))
        tokens.append(FIRST_DIGIT + digit)
    tokens.append(EOS)
    return np.array(tokens + [PAD] * (LENGTH - len(tokens)), np.int32)


def digits_of(tokens: Sequence[int]) -> list[int]:
    """Return the digits of a line, in its order, up to ``<eos>``."""
    return [number - FIRST_DIGIT for number in _upto_end(tokens) if is_digit(number)]


def times_of(tokens: Sequence[int]) -> list[float]:
    """Return the times of a line in seconds, in its order, up to ``<eos>``."""
    return [(number - FIRST_TIME) * BIN for number in _upto_end(tokens) if number >= FIRST_TIME]


def is_digit(number: int) -> bool:
    """Tell whether a token is a digit."""
    return FIRST_DIGIT <= number < FIRST_DIGIT + 10


def text(tokens: Sequence[int]) -> str:
    """Write a line out, up to ``<eos>``."""
    kept = _upto_end(tokens)
    ended = len(kept) < len(tokens) and int(tokens[len(kept)]) == EOS
    return " ".join([TOKENS[number] for number in kept] + ["<eos>"] * ended)


def check(what: str, name: str, known: Sequence[str]) -> None:
    """Raise an error if a name is none of those that there are."""
    if name not in known:
        raise XaiAudioError(f"The {what} is {name!r}: it must be one of {', '.join(known)}.")


def _upto_end(tokens) -> list[int]:
    tokens = [int(number) for number in tokens]
    ends = [place for place, number in enumerate(tokens) if number in (EOS, PAD)]
    return tokens[: ends[0]] if ends else tokens
