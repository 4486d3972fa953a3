"""Real recordings with a known truth: an event of one over another as background.

Recordings seldom say where in them their sound is. But who mixes two recordings knows when the
event begins and ends, in which band it is, how loud it is against the rest, and from the two parts
which cells of the spectrogram are the event's. No two clips need to be alike for that, so it works
with any recordings of several classes.
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
from .cutting import FADE as FADE
from .cutting import banded, check_band, check_numbers, check_room, fades, loudest, rms

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from numpy.typing import ArrayLike

    from .base import Clip

CEILING = 0.95  # greatest absolute value in a mixture

# Below this rms (-80 dB of full scale) front ends like VGGish's hear nothing.
SILENCE = 1e-4


_TRIES = 50

_HINT = (
    f" (below {20 * np.log10(SILENCE):.0f} dB of full scale): take another recording, or another "
    "place."
)


class _NoBackground(XaiAudioError):
    """The background is silent where the event is to be."""


@dataclass(frozen=True)
class Mixture:
    """An event of one recording at a known place over another recording.

    It can stand in a `ClipSet` in the place of a `Clip`.

    Attributes
    ----------
    wave : ndarray of float32, shape (samples,)
        In [-0.95, 0.95]; the sum of `event` and `background`.
    event, background : ndarray of float32, shape (samples,)
        What it was mixed from, as loud as in `wave`. The event is zero outside of its span.
    events : ndarray of bool, shape (T, bands)
        The cells in which the event is what one hears, on the grid of `frontend`, by
        ``xaiaudio.datasets.events.event_mask``. All False if the background drowns it.
    snr_db : float
        Signal-to-noise ratio in dB, measured: energy of the event over that of the background
        within the event's span, all frequencies together.
    at, seconds : float
        When the event begins, and how long it lasts.
    band : tuple of float or None
        The only frequencies of the event, in hertz; None leaves them as they were.
    cut : float
        Where in its recording the event was cut out, in seconds.
    gain_db : float
        By how much the event was turned up (or down) against its recording.
    scale : float
        Factor of both parts, 1 unless the sum would have clipped; `gain_db` does not contain it.
    frontend : LogMel
    label, other : str or None
        Class of the event and of the background, where they are known.
    group : str
        Name of the event's recording: mixtures of one event are no independent draws.
    name : str
    fold : int or None
        That of the event's recording.
    licence, author, source : str
        Those of both recordings; empty if one of them is not known.
    path : Path
        A name only; there is no file.
    """

    wave: np.ndarray = field(repr=False)
    event: np.ndarray = field(repr=False)
    background: np.ndarray = field(repr=False)
    events: np.ndarray = field(repr=False)
    snr_db: float
    at: float
    seconds: float
    band: tuple[float, float] | None
    cut: float
    gain_db: float
    scale: float
    frontend: LogMel = field(repr=False)
    label: str | None = None
    other: str | None = None
    group: str = "event"
    name: str = "mixture"
    fold: int | None = None
    licence: str = ""
    author: str = ""
    source: str = ""

    @property
    def path(self) -> Path:
        """What messages call it."""
        return Path(self.name)

    def load(self, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
        """Return the waveform, as a `Clip` does."""
        if sample_rate != self.frontend.sample_rate:
            raise XaiAudioError(
                f"{self.name} was mixed at {self.frontend.sample_rate} Hz, not at {sample_rate} Hz."
            )
        return self.wave

    def load_stems(self) -> dict[str, np.ndarray]:
        """Return ``event`` and ``background``, as a `Clip` does."""
        return {"event": self.event, "background": self.background}

    def load_events(self) -> np.ndarray:
        """Return `events`, as a `Clip` does."""
        return self.events


def mix(
    event: Clip | ArrayLike,
    background: Clip | ArrayLike,
    *,
    snr_db: float,
    at: float,
    seconds: float,
    band: tuple[float, float] | None = None,
    frontend: LogMel | None = None,
    seed: int = 0,
) -> Mixture:
    """Place an event of one recording over another one.

    The event is cut out of its recording where that is loudest, with short fades: of a bark, it is
    the bark. A sound that goes on and on, such as rain, has many cuts that are as loud as the
    loudest within 1 dB: there, `seed` chooses.

    Parameters
    ----------
    event, background : Clip or array_like of float, shape (samples,)
        Recordings; arrays are mono, in [-1, 1], at the sample rate of `frontend`. Files of another
        rate are resampled. The mixture is as long as the background.
    snr_db : float
        Wanted signal-to-noise ratio over the event's span, in dB, from -60 to 60.
    at, seconds : float
        When the event begins in the mixture, and how long it lasts.
    band : tuple of float, optional
        Lowest and highest frequency of the event in hertz. What else it has is filtered out.
    frontend : LogMel, optional
        The grid of the mask; VGGish's unless told.
    seed : int

    Returns
    -------
    Mixture

    Raises
    ------
    XaiAudioError
        If a recording is silent where it is needed, the event is longer than its recording or does
        not fit into the background, or the band, the ratio, the times or a waveform make no sense.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.datasets.mixtures import mix
    >>> tone = 0.1 * np.sin(np.arange(32_000) * 0.4)
    >>> hiss = 0.01 * np.random.default_rng(0).normal(size=48_000)
    >>> found = mix(tone, hiss, snr_db=10, at=1.0, seconds=0.5)
    >>> round(found.snr_db, 1), found.events.shape
    (10.0, (298, 64))
    """
    frontend = LogMel.vggish() if frontend is None else frontend
    rate = frontend.sample_rate
    sound, bed = _wave(event, "event", rate), _wave(background, "background", rate)
    check_numbers(snr_db, at, seconds)
    start, length = round(at * rate), round(seconds * rate)
    check_room(length, start, sound, bed, rate)
    if band is not None:
        band = check_band(band, rate)
        sound = banded(sound, band, rate)
    cut = loudest(sound, length, rate, seed)
    piece = sound[cut : cut + length] * fades(length, rate)
    floor = bed[start : start + length]
    if rms(piece) < SILENCE:
        raise XaiAudioError(f"The event is silent{'' if band is None else ' in this band'}{_HINT}")
    if rms(floor) < SILENCE:
        raise _NoBackground(f"The background is silent there{_HINT}")
    gain = rms(floor) / rms(piece) * 10 ** (snr_db / 20)
    placed = np.zeros_like(bed)
    placed[start : start + length] = gain * piece
    scale = min(1.0, CEILING / np.abs(placed + bed).max())
    placed, bed = (np.asarray(scale * part, np.float32) for part in (placed, bed))
    span = slice(start, start + length)
    return Mixture(
        wave=placed + bed,
        event=placed,
        background=bed,
        events=_mask(placed, bed, frontend),
        snr_db=float(20 * np.log10(rms(placed[span]) / rms(bed[span]))),
        at=start / rate,
        seconds=length / rate,
        band=band,
        cut=cut / rate,
        gain_db=float(20 * np.log10(gain)),
        scale=float(scale),
        frontend=frontend,
        **_about(event, background, snr_db),
    )


def mixtures(
    clips: ClipSet,
    *,
    snrs: Sequence[float] = (20, 10, 0),
    per_class: int = 2,
    seconds: float = 0.6,
    frontend: LogMel | None = None,
    seed: int = 0,
) -> ClipSet:
    """Make a benchmark out of recordings of several classes: events whose place is known.

    Of each class, some recordings are drawn for their events. Each is placed at a random time over
    a recording of another class, all other classes being equally likely, once for each
    signal-to-noise ratio: the event, its place and the background stay the same, so that ratios can
    be compared.

    Parameters
    ----------
    clips : ClipSet
    snrs : sequence of float
        Signal-to-noise ratios in dB.
    per_class : int
        Recordings of each class whose event is taken, or all if there are fewer.
    seconds : float
        How long the events last. Shorter than a patch, so that the time matters, too.
    frontend : LogMel, optional
        That of the network to be tested; VGGish's unless told.
    seed : int

    Returns
    -------
    ClipSet
        Of `Mixture`: class by class, event by event, in the order of `snrs`.

    Raises
    ------
    XaiAudioError
        If there are fewer than two classes, or no background can be found for an event.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.datasets.mixtures import mixtures
    >>> test = xa.datasets.load("synthetic").split()[1]  # doctest: +SKIP
    >>> made = mixtures(test, snrs=(10, 0), per_class=1)  # doctest: +SKIP
    >>> len(made), made[0].label  # doctest: +SKIP
    (20, 'Dog bark')
    """
    frontend = LogMel.vggish() if frontend is None else frontend
    piles = {
        label: [clip for clip in clips if clip.label == label]
        for label in clips.labels
        if any(clip.label == label for clip in clips)
    }
    _check_benchmark(clips, piles, snrs, per_class)
    rng = np.random.default_rng(seed)
    made: list[Any] = []  # a mixture is read as a clip is
    for label, pile in piles.items():
        others = [name for name in piles if name != label]
        for number in rng.permutation(len(pile))[:per_class]:
            made += _placed(pile[number], piles, others, snrs, seconds, frontend, rng)
    return ClipSet(f"mixtures of {clips.name}", tuple(made), clips.labels)


def _placed(clip, piles, others, snrs, seconds, frontend, rng) -> list[Mixture]:
    """Mix one event at all ratios, at the first place drawn where there is a background."""
    seed, rate, silent = int(rng.integers(2**31)), frontend.sample_rate, None
    sound = _wave(clip, "event", rate)
    for _ in range(_TRIES):
        pile = piles[others[rng.integers(len(others))]]
        other = pile[rng.integers(len(pile))]
        bed = _wave(other, "background", rate)
        at = rng.uniform(0, max(len(bed) / rate - seconds, 0))
        given = {"at": at, "seconds": seconds, "frontend": frontend, "seed": seed}
        try:
            made = [mix(sound, bed, snr_db=snr, **given) for snr in snrs]
        except _NoBackground as error:
            # Clips are often filled up with silence: another place may do.
            silent = error
        except XaiAudioError as error:
            raise XaiAudioError(f"{clip.name} over {other.name}: {error}") from error
        else:
            pairs = zip(made, snrs, strict=True)
            return [dataclasses.replace(one, **_about(clip, other, snr)) for one, snr in pairs]
    raise XaiAudioError(f"No background was found for {clip.name}: {silent}")


def _check_benchmark(clips, piles, snrs, per_class) -> None:
    if len(piles) < 2:
        raise XaiAudioError(
            f"{clips.name} has clips of {len(piles)} classes: an event needs a background of "
            "another class."
        )
    if isinstance(per_class, bool) or not isinstance(per_class, int) or per_class < 1:
        raise XaiAudioError(f"per_class is {per_class!r}: a whole number from 1 on is needed.")
    if not len(snrs):
        raise XaiAudioError("There is no signal-to-noise ratio: give one at least.")


def _about(event, background, snr_db) -> dict:
    """Say what is known of two recordings; arrays have no names."""
    group = getattr(event, "name", "event")
    return {
        "label": getattr(event, "label", None),
        "other": getattr(background, "label", None),
        "group": group,
        "name": f"{group} over {getattr(background, 'name', 'background')}, {snr_db:g} dB",
        "fold": getattr(event, "fold", None),
        **{what: _of_both(event, background, what) for what in ("licence", "author", "source")},
    }


def _of_both(event, background, what) -> str:
    """Say what is known of both recordings; nothing if it is known of one only."""
    known = [getattr(sound, what, "") for sound in (event, background)]
    return " and ".join(dict.fromkeys(known)) if all(known) else ""


def _wave(sound, name, rate) -> np.ndarray:
    """Return a recording's waveform in double precision."""
    wave = np.asarray(sound.load(rate) if hasattr(sound, "load") else sound)
    if wave.ndim != 1 or wave.size == 0 or wave.dtype.kind != "f":
        raise XaiAudioError(
            f"The {name} is {wave.dtype} of the shape {wave.shape}: give a clip, or a mono "
            "waveform of floats (samples,) in [-1, 1]."
        )
    if not np.isfinite(wave).all():
        raise XaiAudioError(f"The {name} holds NaN or infinite samples.")
    return wave.astype(np.float64)


def _mask(event, background, frontend) -> np.ndarray:
    """Give every cell to what is heard there, by the rule of the synthetic set."""
    # It is only needed here, and brings the generators along.
    from .events import event_mask

    return event_mask(event, background, frontend)
