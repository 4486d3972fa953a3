"""A look-alike of ESC-10, made on the spot: ten kinds of sounds, and the truth about each.

Nothing is recorded. Each class is built from what makes its sound in the world
(:mod:`~xaiaudio.synthesis.animal_voices`, :mod:`~xaiaudio.synthesis.beds`), moved into
a place (:mod:`~xaiaudio.datasets.events.scene`) and kept with what no recording can tell: the
event and the background by themselves, and the cells of the spectrogram in which the event is
what one hears (:mod:`~xaiaudio.datasets.events.masks`).
"""

from __future__ import annotations

from ... import cache
from ...errors import XaiAudioError
from ..base import Clip, ClipSet
from . import store
from .generators import LABELS, VERSION, generate
from .masks import event_mask

__all__ = ["LABELS", "VERSION", "event_mask", "generate", "load"]

LICENCE = "CC0 1.0 (generated)"


def load(progress: bool = True, seed: int = 0, clips_per_class: int = 40) -> ClipSet:
    """Return the synthetic set, making it first if it is not in the cache.

    Parameters
    ----------
    progress : bool
        Show a bar while clips are made.
    seed : int
        Another number, other clips.
    clips_per_class : int
        At least 5: every class is in each of the five folds.

    Returns
    -------
    ClipSet
        Five-second clips at 16 kHz, in the order of ESC-10's classes, each class fold by fold.
        Every clip has stems (``event`` and ``background``, whose sum it is) and an event mask.

    Raises
    ------
    XaiAudioError
        For a number out of range, or a cache folder that cannot be written to.

    Examples
    --------
    >>> from xaiaudio.datasets import events
    >>> clips = events.load()  # doctest: +SKIP
    >>> len(clips), clips[0].name  # doctest: +SKIP
    (400, '1-dog_bark-00')
    """
    if seed < 0 or clips_per_class < store.FOLDS:
        raise XaiAudioError(
            f"seed is {seed} and clips_per_class is {clips_per_class}: "
            f"they must be at least 0 and {store.FOLDS}."
        )
    folder = cache.home() / "synthetic" / f"v{VERSION}-seed{seed}-{clips_per_class}"
    wanted = store.jobs(seed, clips_per_class)
    store.ensure(folder, wanted, progress=progress)
    return ClipSet("synthetic", tuple(_clip(job, folder) for job in wanted), LABELS)


def _clip(job: store.Job, folder) -> Clip:
    files = job.files(folder)
    return Clip(
        path=files["clip"],
        label=job.label,
        fold=job.fold,
        licence=LICENCE,
        author="the xaiaudio authors",
        source=f"xaiaudio {job.label!r} {job.index}, seed {job.seed}, version {VERSION}",
        stems=files["stems"],
        events=files["events"],
    )
