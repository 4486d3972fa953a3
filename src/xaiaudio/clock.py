"""Seconds and counts as people write them: 3.2 s, 12:03.4, 1:02:03; 1 clip, 3 clips."""

from __future__ import annotations

import re

from .errors import XaiAudioError

_CLOCK = re.compile(r"(?:(\d+):)?([0-5]?\d):([0-5]?\d(?:[.,]\d*)?)")
_SECONDS = re.compile(r"\d+(?:[.,]\d*)?|[.,]\d+")


def clock(seconds: float, digits: int = 1) -> str:
    """Write a time: seconds below a minute, minutes and hours from there on.

    Parameters
    ----------
    seconds : float
    digits : int
        Of the seconds, behind the point.

    Examples
    --------
    >>> from xaiaudio.clock import clock
    >>> clock(3.21), clock(59.97), clock(723.4), clock(3723, 0)
    ('3.2 s', '1:00.0', '12:03.4', '1:02:03')
    """
    seconds = round(seconds, digits)
    return f"{seconds:.{digits}f} s" if abs(seconds) < 60 else face(seconds, digits)


def face(seconds: float, digits: int = 0) -> str:
    """Write a time as a clock shows it, below a minute too: for axes and columns.

    Examples
    --------
    >>> from xaiaudio.clock import face
    >>> face(3.21), face(90), face(3600), face(-1.5, 1)
    ('0:03', '1:30', '1:00:00', '-0:01.5')
    """
    sign, seconds = "-" if seconds < 0 else "", round(abs(seconds), digits)
    minutes, rest = divmod(seconds, 60)
    rest = round(rest, digits)
    if rest >= 60:
        minutes, rest = minutes + 1, 0.0
    hours, minutes = divmod(int(minutes), 60)
    shown = f"{rest:0{digits + 3 if digits else 2}.{digits}f}"
    return f"{sign}{hours}:{minutes:02d}:{shown}" if hours else f"{sign}{minutes}:{shown}"


def seconds_of(text: str) -> float:
    """Read a time: seconds, m:ss or h:mm:ss, each with a fraction if need be.

    Raises
    ------
    XaiAudioError
        If it is none of them.

    Examples
    --------
    >>> from xaiaudio.clock import seconds_of
    >>> seconds_of("90"), seconds_of("1:30.5"), seconds_of("1:02:03")
    (90.0, 90.5, 3723.0)
    """
    text = text.strip()
    if _SECONDS.fullmatch(text):
        return float(text.replace(",", "."))
    if found := _CLOCK.fullmatch(text):
        hours, minutes, rest = found.groups()
        return 3600 * int(hours or 0) + 60 * int(minutes) + float(rest.replace(",", "."))
    raise XaiAudioError(
        f"{text!r} is no time: write seconds (90), m:ss (1:30) or h:mm:ss (1:02:03)."
    )


def counted(number: int, one: str, several: str = "") -> str:
    """Return a number with its word.

    Examples
    --------
    >>> from xaiaudio.clock import counted
    >>> counted(1, "clip"), counted(3, "clip"), counted(2, "patch", "patches")
    ('1 clip', '3 clips', '2 patches')
    """
    return f"{number} {one if number == 1 else several or one + 's'}"
