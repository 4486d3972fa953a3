"""Where in a spectrogram of synthesised speech the things are that phoneticians speak of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...synthesis.speech_speakers import speakers
from ...synthesis.speech_utterance import Utterance, speak

if TYPE_CHECKING:
    from ...frontend import LogMel
    from ..base import Clip

SOURCE = "xaiaudio digits, {count} speakers, seed {seed}, version {version}"
_SOURCE = re.compile(SOURCE.format(count=r"(\d+)", seed=r"(\d+)", version=r"\d+"))
_NEAR = 0.12  # half the width of a formant's region, as a share of its frequency
_HISS = 2500.0  # hertz from which on the noise of a consonant counts


def truth(clip: Clip) -> Utterance:
    """Return what is known of a synthesised clip.

    Parameters
    ----------
    clip : Clip
        Of :func:`xaiaudio.datasets.digits.synthesised`.

    Returns
    -------
    Utterance
        Its phones, pitch and formants; its wave is the clip's, before rounding to 16 bits.

    Raises
    ------
    XaiAudioError
        If the clip is a recording.

    Examples
    --------
    >>> from xaiaudio.datasets import digits
    >>> clips = digits.synthesised("digit")  # doctest: +SKIP
    >>> digits.truth(clips[0]).digit  # doctest: +SKIP
    'zero'
    """
    made = _SOURCE.fullmatch(clip.source)
    if made is None:
        raise XaiAudioError(
            f"Nothing but the sound is known of {clip.name}: only synthesised digits have a truth."
        )
    count, seed = map(int, made.groups())
    digit, speaker, take = map(int, clip.name.split("_"))
    return speak(digit, speakers(count, seed)[speaker - 1], take, seed)


def groups(said: Utterance, frontend: LogMel) -> np.ndarray:
    """Name what is spoken in each frame of the clip's spectrogram.

    Returns
    -------
    ndarray of str, shape (T,)
        ``"vowel"``, ``"glide"``, ``"nasal"``, ``"fricative"``, ``"stop"`` or ``"silence"``: what
        lies at the middle of the frame's window.
    """
    middle = _middles(said, frontend)
    names = np.full(len(middle), "silence", dtype="U9")
    for phone in said.phones:
        names[(middle >= phone.start) & (middle < phone.end)] = phone.group
    return names


def regions(said: Utterance, frontend: LogMel) -> dict[str, np.ndarray]:
    """Find the cells of the clip's spectrogram that belong to one thing.

    Parameters
    ----------
    said : Utterance
    frontend : LogMel

    Returns
    -------
    dict of str to ndarray of bool, shape (T, bands)
        No cell is in two of them.

        ``"pitch"``
            In voiced frames, bands within half the pitch of the pitch: the first harmonic.
        ``"F1"``, ``"F2"``, ``"F3"``
            In voiced frames, bands within 12 % of that formant.
        ``"noise"``
            In frames of fricatives and stops, bands from 2500 Hz on.
        ``"rest"``
            Everything else in the word.
        ``"silence"``
            Frames outside the word.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.datasets import digits
    >>> said = digits.speak("one", digits.speakers()[0])
    >>> {cells.shape for cells in digits.regions(said, digits.frontend()).values()}
    {(97, 64)}
    """
    names = groups(said, frontend)
    hertz = frontend.band_centres()[None]
    places = np.clip(_nearest(said.times, _middles(said, frontend)), 0, len(said.times) - 1)
    spoken = (names != "silence")[:, None]
    pitch = said.pitch[places, None]
    found = {"pitch": spoken & (np.abs(hertz - pitch) <= 0.5 * pitch)}
    taken = found["pitch"]
    for number in range(3):
        formant = np.where(np.isfinite(pitch), said.formants[places, number, None], np.nan)
        found[f"F{number + 1}"] = spoken & (np.abs(hertz - formant) <= _NEAR * formant) & ~taken
        taken = taken | found[f"F{number + 1}"]
    hissing = np.isin(names, ("fricative", "stop"))[:, None]
    found["noise"] = hissing & (hertz >= _HISS) & ~taken
    found["rest"] = spoken & ~(taken | found["noise"])
    found["silence"] = ~spoken & np.ones_like(taken)
    return found


def _middles(said, frontend) -> np.ndarray:
    frames = 1 + (len(said.wave) - frontend.window) // frontend.hop
    return (np.arange(frames) * frontend.hop + frontend.window / 2) / frontend.sample_rate


def _nearest(times, moments) -> np.ndarray:
    return np.round((moments - times[0]) * 1000).astype(int)
