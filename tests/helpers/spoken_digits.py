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


# Speakers of a small copy of AudioMNIST.
META = {"01": "male", "02": "Female", "03": "male", "04": "female", "05": "male", "07": "female"}


def parts_of(clips):
    """Return digit, speaker and take of clips, as their names say them."""
    return [tuple(clip.name.split("_")) for clip in clips]
