"""Saying a digit: from the phones of a word to a clip of one second, with the truth about it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.fft import irfft, rfft, rfftfreq
from scipy.ndimage import convolve1d

from ..errors import XaiAudioError
from . import speech_voice
from .speech_phones import GROUPS, NOISES, PHONES, WORDS
from .speech_speakers import Speaker

RATE = speech_voice.RATE
SAMPLES = RATE  # a clip lasts one second
DIGITS = tuple(WORDS)
_MARGIN = 40  # milliseconds of silence before and after the word, for fading
_KINDS = tuple(NOISES)
_LONGEST = 900  # milliseconds that a word may take


@dataclass(frozen=True)
class Phone:
    """One speech sound of an utterance.

    Attributes
    ----------
    name : str
        Key of `phones.PHONES`.
    group : {"vowel", "glide", "nasal", "fricative", "stop"}
    start, end : float
        In seconds from the beginning of the clip.
    """

    name: str
    group: str
    start: float
    end: float


@dataclass(frozen=True)
class Utterance:
    """A digit, said, and what is true of it.

    Attributes
    ----------
    digit : str
    speaker : Speaker
    take : int
    wave : ndarray of float32, shape (16000,)
        One second at 16 kHz, background noise included.
    phones : tuple of Phone
        In order, without gaps.
    times : ndarray of float64, shape (n,)
        Moments in seconds, one in each millisecond, of the following tracks.
    pitch : ndarray of float64, shape (n,)
        Fundamental frequency in hertz; NaN where the vocal folds do not swing.
    formants : ndarray of float64, shape (n, 3)
        The first three resonances of the tract in hertz; NaN outside the word.
    """

    digit: str
    speaker: Speaker
    take: int
    wave: np.ndarray
    phones: tuple[Phone, ...]
    times: np.ndarray
    pitch: np.ndarray
    formants: np.ndarray


def speak(digit: str | int, speaker: Speaker, take: int = 0, seed: int = 0) -> Utterance:
    """Say a digit.

    What changes from take to take (durations, melody, how far each target is reached, the moment,
    the loudness, the noise) follows from the digit, `speaker.number`, the take and the seed alone.
    The same take with another pitch or tract (``dataclasses.replace``) is therefore the same
    performance by another voice.

    Parameters
    ----------
    digit : str or int
        ``"zero"`` to ``"nine"``, or its number.
    speaker : Speaker
    take, seed : int
        From 0 on.

    Returns
    -------
    Utterance

    Raises
    ------
    XaiAudioError
        For a digit or number that there is not.

    Examples
    --------
    >>> from xaiaudio.datasets import digits
    >>> said = digits.speak("six", digits.speakers()[0])
    >>> [phone.name for phone in said.phones]
    ['s', 'ih', 'k', 's']
    """
    word = _word(digit, take, seed)
    # Chances of their own for each step: a higher voice draws more pulses, and that must not move
    # the word.
    chances = np.random.SeedSequence([seed, speaker.number, DIGITS.index(word), take]).spawn(6)
    rngs = [np.random.default_rng(chance) for chance in chances]
    segments, names, lengths = _timed(rngs[0], word, speaker)
    tracks = _tracks(rngs[1], segments, lengths, speaker)
    pitch = _melody(rngs[2], len(tracks["voice"]), speaker)
    sound = _sound(rngs[3], rngs[4], tracks, pitch, speaker)
    wave, start = _placed(rngs[5], sound)
    times = start + np.arange(len(pitch)) / 1000
    first = start + _MARGIN / 1000
    inside = (times >= first) & (times < times[-1] - (_MARGIN - 1) / 1000)
    return Utterance(
        digit=word,
        speaker=speaker,
        take=take,
        wave=wave,
        phones=_phones(names, lengths, first),
        times=times,
        pitch=np.where(tracks["voice"] > 0.1, pitch, np.nan),
        formants=np.where(inside[:, None], tracks["formants"], np.nan),
    )


def _word(digit, take, seed) -> str:
    words = dict(enumerate(DIGITS)) | {name: name for name in DIGITS}
    if digit not in words:
        raise XaiAudioError(f"{digit!r} is no digit: say {', '.join(DIGITS)}, or 0 to 9.")
    if take < 0 or seed < 0:
        raise XaiAudioError(f"take is {take} and seed is {seed}: both must be 0 or more.")
    return words[digit]


def _timed(rng, word, speaker):
    """List the word's segments, the phone of each, and its length in milliseconds."""
    parts = [(segment, name) for name in WORDS[word] for segment in PHONES[name]]
    # Before the first stop of a word there is silence anyway.
    parts = parts[1:] if parts[0][1] in ("t", "k") else parts
    segments, names = zip(*parts, strict=True)
    lengths = np.array([segment.ms for segment in segments])
    last = np.array([name == names[-1] for name in names])
    lengths = lengths * np.where(last, 1.2, 1.0) / speaker.tempo
    lengths = lengths * rng.uniform(0.92, 1.08) * np.exp(0.08 * rng.standard_normal(len(lengths)))
    lengths = lengths * min(1.0, _LONGEST / lengths.sum())
    return segments, names, np.maximum(np.round(lengths), 4).astype(int)


def _tracks(rng, segments, lengths, speaker) -> dict:
    """Draw what changes within the word, one value a millisecond.

    Formants glide from target to target in about 60 ms, as the tongue is slow; pulses and noises
    set in faster.
    """
    goals = np.array([segment.formants for segment in segments], float)
    ends = np.array([segment.end or segment.formants for segment in segments], float)
    # No two takes reach a target alike.
    miss = np.exp(0.025 * rng.standard_normal(goals.shape)) * speaker.tract
    which = np.repeat(np.arange(len(segments)), lengths)
    share = np.concatenate([np.linspace(0, 1, length) for length in lengths])[:, None]
    formants = (goals * miss)[which] * (1 - share) + (ends * miss)[which] * share
    formants = np.pad(formants, ((_MARGIN, _MARGIN), (0, 0)), mode="edge")
    tracks = {"formants": _smooth(formants, 60, "nearest")}
    for name, milliseconds in (("voice", 36), ("breath", 16), ("nasal", 16)):
        values = np.array([getattr(segment, name) for segment in segments], float)[which]
        tracks[name] = _smooth(np.pad(values, _MARGIN), milliseconds)
    tracks["voice"] *= _breath_group(len(tracks["voice"]))
    noise = np.zeros((len(which) + 2 * _MARGIN, len(_KINDS)))
    kinds = np.array([_KINDS.index(segment.kind) for segment in segments])[which]
    strengths = np.array([segment.noise for segment in segments])[which]
    noise[np.arange(len(which)) + _MARGIN, kinds] = strengths
    # A burst is over in hundredths of a second; the hiss of an s takes longer to build up.
    tracks["noise"] = _smooth(noise, 10)
    return tracks


def _breath_group(count) -> np.ndarray:
    """Loudness over a word said by itself: it dies away towards the end."""
    return np.interp(np.linspace(0, 1, count), [0, 0.25, 0.65, 1], [0.8, 1, 0.8, 0.2])


def _smooth(values, milliseconds, mode="constant") -> np.ndarray:
    kernel = np.hanning(milliseconds + 1)[:-1]
    return convolve1d(values, kernel / kernel.sum(), axis=0, mode=mode)


def _melody(rng, count, speaker) -> np.ndarray:
    """Pitch in hertz, one value a millisecond: it rises a little and falls to the end."""
    top = rng.uniform(0.15, 0.3)
    shape = np.interp(np.linspace(0, 1, count), [0, top, 1], [0.2, 0.4, -0.6])
    wander = 0.15 * np.interp(
        np.arange(count), np.arange(0, count + 100, 100), rng.standard_normal(-(-count // 100) + 1)
    )
    octaves = (_smooth(shape, 80, "nearest") + wander) * speaker.range / 12
    return speaker.pitch * np.exp(0.03 * rng.standard_normal()) * 2.0**octaves


def _sound(pulse_rng, noise_rng, tracks, pitch, speaker) -> np.ndarray:
    """Make the word: voice, breath and noise, each through its filter."""
    n = len(pitch) * RATE // 1000
    frames = (np.arange(-(-n // speech_voice.HOP) + 1) * speech_voice.HOP * 1000) // RATE
    frames = np.minimum(frames, len(pitch) - 1)
    phase = np.cumsum(_dense(pitch, n)) / RATE
    mouth = speech_voice.tract(tracks["formants"][frames], tracks["nasal"][frames], speaker.tract)
    strength = _dense(tracks["voice"], n)
    # Pulses of the same strength carry the same power at any pitch.
    beats = speech_voice.pulses(pulse_rng, phase, strength / np.sqrt(_dense(pitch, n)))
    said = speech_voice.through(beats, mouth * speech_voice.glottis(speaker.pitch, speaker.edge))
    said = said / speech_voice.loudness(said)
    # In a voice, the hiss comes in puffs, one a period.
    hiss = noise_rng.standard_normal(n) * (0.6 - 0.4 * np.cos(2 * np.pi * phase))
    air = speech_voice.through(hiss, mouth * speech_voice.lips())
    air = air / max(np.sqrt(np.mean(air**2)), 1e-12)
    said = said + air * (speaker.breath * strength + _dense(tracks["breath"], n))
    colour = speech_voice.noises(_KINDS, speaker.tract)
    for row, kind in zip(tracks["noise"].T, colour, strict=True):
        if row.any():
            said = said + speech_voice.through(
                noise_rng.standard_normal(n) * _dense(row, n), kind[None]
            )
    return said / speech_voice.loudness(said)


def _dense(track, n) -> np.ndarray:
    """Draw a track of milliseconds through all samples."""
    return np.interp(np.arange(n) * (1000 / RATE), np.arange(len(track)), track)


def _placed(rng, sound) -> tuple[np.ndarray, float]:
    """Put the word into a second of faint noise, somewhere, at some loudness."""
    sound = sound[:SAMPLES]
    start = int(rng.integers(0, SAMPLES - len(sound) + 1))
    hertz = rfftfreq(SAMPLES, 1 / RATE)
    noise = irfft(rfft(rng.standard_normal(SAMPLES)) / np.sqrt(np.maximum(hertz, 40.0)), SAMPLES)
    wave = 10 ** (rng.uniform(-45, -35) / 20) * noise / np.sqrt(np.mean(noise**2))
    wave[start : start + len(sound)] += sound
    level = 10 ** (rng.uniform(-20, -14) / 20)
    # Consonants with narrow pulses can be spiky: nothing may be clipped.
    wave = wave * min(level, 0.98 / np.abs(wave).max())
    return wave.astype(np.float32), start / RATE


def _phones(names, lengths, first) -> tuple[Phone, ...]:
    """Join the segments of each phone; `first` is when the word begins, in seconds."""
    borders = first + np.concatenate([[0], np.cumsum(lengths)]) / 1000
    found: list[Phone] = []
    for name, start, end in zip(names, borders[:-1], borders[1:], strict=True):
        if found and found[-1].name == name:
            start = found.pop().start
        found.append(Phone(name, GROUPS[name], float(start), float(end)))
    return tuple(found)
