"""Digits that are said, their middles, and what is measured of them independently."""

from xaiaudio.datasets import digits

RATE = 16_000
VOICES = digits.speakers()


def piece(said, start, end):
    return said.wave[round(start * RATE) : round(end * RATE)].astype(float)


def middle_of(said, name, seconds=0.06):
    """Return when the middle of a phone is, and the sound around it."""
    phone = next(phone for phone in said.phones if phone.name == name)
    middle = (phone.start + phone.end) / 2
    return middle, piece(said, middle - seconds / 2, middle + seconds / 2)
