"""Pairs of sounds, alike or with a planted change of known place, packed into one patch.

Two microphones, or before and after: the question is whether something is heard on one side that is
not on the other. Both sides are the same stretch of a recording; each has its own loudness, its own
small shift in time and its own noise, as two recordings of one thing have. In half of the pairs a
short event of another recording, limited to a band, is mixed into one side. So the time, the
frequencies and the side of the change are known.

The two sides lie in one patch, one behind the other, so that any network and any method takes them.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..audio import SAMPLE_RATE
from ..errors import XaiAudioError
from ..frontend import LogMel
from .base import ClipSet
from .cutting import rms
from .mixtures import SILENCE, mix

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import ArrayLike

#: What a pair can be.
LABELS = ("alike", "changed")
SIDES = ("left", "right")

# What two recordings of one thing differ in anyway: dB of loudness, seconds, dB of noise below it.
_LOUDNESS, _SHIFT, _NOISE = 2.0, 0.004, 20.0
# The event: how loud against the background, how long, and how low its band may begin. The band is
# two octaves wide.
_SNR, _SECONDS, _LOWEST = (-10.0, 5.0), (0.15, 0.4), (200.0, 1800.0)
# The right side begins at a multiple of so many frames, so that strides fall alike on both sides.
_STEP = 8
_TRIES = 50


def gap(frontend: LogMel) -> int:
    """Return how many frames lie between the two sides.

    Windows overlap. Frames whose window reaches into both sides are of neither, so that at least
    these lie between; and the right side begins at a multiple of eight frames.
    """
    mixed = max(0, -(-(frontend.window - frontend.hop) // frontend.hop))
    return mixed + -(frontend.frames + mixed) % _STEP


def paired(frontend: LogMel) -> LogMel:
    """Return the front end of two sides one behind the other.

    Parameters
    ----------
    frontend : LogMel
        That of one side.

    Returns
    -------
    LogMel
        Of twice as many frames, and those of :func:`gap` between.

    Raises
    ------
    XaiAudioError
        If the cells of a side would depend on the other: with `centred`, or with decibels below the
        loudest cell.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.datasets import pairs
    >>> pairs.paired(xa.LogMel.vggish()).frames
    200
    """
    relative = frontend.decibels and (frontend.ref == "max" or frontend.top_db is not None)
    if frontend.centred or relative:
        raise XaiAudioError(
            "Two sides cannot be packed into one patch with this front end: its cells depend on "
            "more than their own window (centred, ref='max' or top_db)."
        )
    frames = 2 * frontend.frames + gap(frontend)
    return dataclasses.replace(frontend, frames=frames, overlap=0.0)


def join(left: ArrayLike, right: ArrayLike, frontend: LogMel) -> np.ndarray:
    """Put two sounds one behind the other, so that each side's cells are those of it alone.

    Parameters
    ----------
    left, right : array_like of float, shape (samples,)
        Each as long as one patch of `frontend` at least; what is longer is cut off.
    frontend : LogMel
        That of one side.

    Returns
    -------
    ndarray of float32, shape (samples,)
        One patch of :func:`paired`. Its first `frames` are the left sound's, its last ones the
        right sound's; between lies silence.

    Raises
    ------
    XaiAudioError
        If a sound is shorter, or as :func:`paired`.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.datasets import pairs
    >>> vggish, sides = xa.LogMel.vggish(), np.random.default_rng(0).normal(0, 0.1, (2, 15_600))
    >>> patch = pairs.paired(vggish)(pairs.join(*sides, vggish)).values[0]
    >>> bool(np.allclose(patch[-96:], vggish(sides[1]).values[0], atol=1e-5))
    True
    """
    both, size = paired(frontend), frontend.min_samples
    made = np.zeros(both.min_samples, np.float32)
    start = (frontend.frames + gap(frontend)) * frontend.hop
    for name, sound, at in (("left", left, 0), ("right", right, start)):
        sound = np.asarray(sound, np.float32)
        if sound.ndim != 1 or len(sound) < size:
            raise XaiAudioError(
                f"The {name} sound has the shape {sound.shape}: ({size},) or longer is needed, one "
                "patch."
            )
        made[at : at + size] = sound[:size]
    return made


def halves(patches: ArrayLike, frontend: LogMel) -> tuple[np.ndarray, np.ndarray]:
    """Return the left and the right side of joined patches (n, frames, bands), or of maps.

    Parameters
    ----------
    patches : array_like, shape (n, 2 * frames + gap, bands)
    frontend : LogMel
        That of one side.
    """
    patches = np.asarray(patches)
    return patches[:, : frontend.frames], patches[:, -frontend.frames :]


@dataclass(frozen=True)
class Pair:
    """Two sounds, and what is known of their difference; stands in a `ClipSet` as a `Clip`.

    Attributes
    ----------
    left, right : ndarray of float32, shape (samples,)
    label : str
        One of `LABELS`.
    side : str or None
        Which of `SIDES` holds the event; None if they are alike.
    at, seconds : float
        When it begins in that side, and how long it lasts; NaN without one.
    band : tuple of float or None
        Its frequencies in hertz.
    snr_db : float
        Its energy over that of the side, within its span, in dB.
    events : ndarray of bool, shape (frames, bands)
        The cells of that side in which it is what one hears.
    frontend : LogMel
        That of one side.
    other, kind : str or None
        Class of the background and of the event.
    name : str
    fold : int or None
        That of the background's recording.
    """

    left: np.ndarray = field(repr=False)
    right: np.ndarray = field(repr=False)
    label: str
    events: np.ndarray = field(repr=False)
    frontend: LogMel = field(repr=False)
    side: str | None = None
    at: float = float("nan")
    seconds: float = float("nan")
    band: tuple[float, float] | None = None
    snr_db: float = float("nan")
    other: str | None = None
    kind: str | None = None
    name: str = "pair"
    fold: int | None = None

    @property
    def path(self) -> Path:
        """What messages call it; there is no file."""
        return Path(self.name)

    def load(self, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
        """Return both sides in one waveform, see :func:`join`."""
        if sample_rate != self.frontend.sample_rate:
            raise XaiAudioError(
                f"{self.name} was made at {self.frontend.sample_rate} Hz, not at {sample_rate} Hz."
            )
        return join(self.left, self.right, self.frontend)

    def rectangle(self) -> np.ndarray:
        """Return the cells in the event's time and band, bool (frames, bands); none if alike."""
        times, edges = self.frontend.times(), self.frontend.band_edges()
        if self.band is None:
            return np.zeros(self.frontend.patch_shape, bool)
        middle = (times[1:] + times[:-1]) / 2
        centres = (edges[1:] + edges[:-1]) / 2
        when = (middle >= self.at) & (middle <= self.at + self.seconds)
        which = (centres >= self.band[0]) & (centres <= self.band[1])
        return when[:, None] & which


def pairs(
    clips: ClipSet,
    count: int = 800,
    *,
    frontend: LogMel | None = None,
    changed: float = 0.5,
    seed: int = 0,
) -> ClipSet:
    """Make pairs out of recordings of several classes.

    Parameters
    ----------
    clips : ClipSet
        To test, take others than those whose pairs were learnt from.
    count : int
        How many pairs.
    frontend : LogMel, optional
        That of one side; VGGish's unless told.
    changed : float
        Share of the pairs that hold a change.
    seed : int

    Returns
    -------
    ClipSet
        Of `Pair`, their labels `LABELS`.

    Raises
    ------
    XaiAudioError
        If there are fewer than two classes, no recording is loud enough, or a number makes no
        sense.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.datasets import pairs
    >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
    >>> made = pairs.pairs(test, 40)  # doctest: +SKIP
    >>> made.counts()  # doctest: +SKIP
    {'alike': 20, 'changed': 20}
    """
    frontend = LogMel.vggish() if frontend is None else frontend
    paired(frontend)  # complains of a front end that cannot
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 2:
        raise XaiAudioError(f"count is {count!r}: a whole number from 2 on is needed.")
    if not 0 <= changed <= 1:
        raise XaiAudioError(f"changed is {changed!r}: a share from 0 to 1 is needed.")
    if len({clip.label for clip in clips}) < 2:
        raise XaiAudioError(f"{clips.name} has clips of one class: an event needs another one.")
    source = _Source(clips, frontend)
    made: list[Any] = []  # a pair is read as a clip is
    for number in range(count):
        rng = np.random.default_rng([seed, number])
        # Evenly spread, whatever the share.
        event = int((number + 1) * changed) > int(number * changed)
        made.append(_pair(source, event, rng, f"pair-{number:04d}"))
    return ClipSet(f"pairs of {clips.name}", tuple(made), LABELS)


class _Source:
    """Recordings, each read once."""

    def __init__(self, clips, frontend):
        self.clips, self.frontend, self._waves = clips, frontend, {}

    def wave(self, number: int) -> np.ndarray:
        if number not in self._waves:
            wave = self.clips[number].load(self.frontend.sample_rate)
            self._waves[number] = np.asarray(wave, np.float32)
        return self._waves[number]

    def draw(self, rng, size: int, other_than: str | None = None):
        """Draw a recording that is long enough, and of another class if asked."""
        passed_over: set[int] = set()
        while len(passed_over) < len(self.clips):
            number = int(rng.integers(len(self.clips)))
            if self.clips[number].label != other_than and len(self.wave(number)) >= size:
                return self.clips[number], self.wave(number)
            passed_over.add(number)
        seconds = size / self.frontend.sample_rate
        raise XaiAudioError(f"no recording of another class lasts {seconds:.2f} s.")


def _pair(source, changed: bool, rng, name: str) -> Pair:
    """Draw until the background is loud enough where it is needed."""
    reason = "all are silent, or shorter than a patch"
    for _ in range(_TRIES):
        try:
            return _drawn(source, changed, rng, name)
        except XaiAudioError as error:
            reason = str(error)
    raise XaiAudioError(f"No pair can be made of {source.clips.name}: {reason}")


def _drawn(source, changed, rng, name) -> Pair:
    frontend = source.frontend
    rate, size = frontend.sample_rate, frontend.min_samples
    slack = round(_SHIFT * rate)
    bed, wave = source.draw(rng, 0)
    wave = np.pad(wave, (0, max(0, size + 2 * slack - len(wave))))
    start = int(rng.integers(len(wave) - size - 2 * slack + 1))
    level = rms(wave[start : start + size])
    if level < 10 * SILENCE:
        raise XaiAudioError("the background is silent.")
    both = []
    for shift in rng.integers(2 * slack + 1, size=2):
        side = wave[start + shift : start + shift + size].astype(float)
        side = side * 10 ** (rng.uniform(-_LOUDNESS, _LOUDNESS) / 20)
        both.append(side + rng.normal(0, level * 10 ** (-_NOISE / 20), size))
    about: dict[str, Any] = {"label": "alike", "events": np.zeros(frontend.patch_shape, bool)}
    if changed:
        where = int(rng.integers(2))
        mixed, found = _changed(source, both[where], bed.label, rng)
        both[where] = mixed
        about = {"label": "changed", "side": SIDES[where], **found}
    left, right = (np.asarray(np.clip(side, -1, 1), np.float32) for side in both)
    return Pair(left, right, frontend=frontend, other=bed.label, name=name, fold=bed.fold, **about)


def _changed(source, side, label, rng) -> tuple[np.ndarray, dict]:
    """Mix an event into a side."""
    frontend = source.frontend
    length = len(side) / frontend.sample_rate
    seconds = min(rng.uniform(*_SECONDS), 0.6 * length)
    low = float(np.exp(rng.uniform(*np.log(_LOWEST))))
    event, wave = source.draw(rng, round(seconds * frontend.sample_rate) + 1, label)
    mixed = mix(
        wave,
        side,
        snr_db=float(rng.uniform(*_SNR)),
        at=float(rng.uniform(0, length - seconds)),
        seconds=seconds,
        band=(low, 4 * low),
        frontend=frontend,
        seed=int(rng.integers(2**31)),
    )
    about = {"at": mixed.at, "seconds": mixed.seconds, "band": mixed.band, "snr_db": mixed.snr_db}
    return mixed.wave, {**about, "events": mixed.events, "kind": event.label}
