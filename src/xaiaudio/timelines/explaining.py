"""Each event of a long sound explained by itself: the patches around its peak."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import XaiAudioError
from ..explainers.base import Explainer
from ..models.networks import audioset
from ..models.tags import THRESHOLD
from ..sonify.masks import Listening, listen
from ..streaming import Blocks, excerpts

if TYPE_CHECKING:
    from ..explainers.explanation import Explanation
    from ..models.classifier import AudioClassifier
    from ..patches import Patches
    from ..types import PathLike
    from .finding import HeardEvent
    from .scored import Timeline

# Patches on either side of the peak's that are explained with it.
AROUND = 1


@dataclass(frozen=True, eq=False)
class ExplainedEvent:
    """An event, the sound around its peak, and what methods found in that.

    Attributes
    ----------
    event : HeardEvent
    start : float
        Where in the file `wave` begins, in seconds.
    wave : ndarray of float32, shape (samples,)
        At the front end's rate.
    results : dict of str to Explanation
        By method; of the patches of `wave`, for the event's class.
    heard : dict of str to Listening
        By method: what is kept and removed, and what the network says of either.
    failed : dict of str to str
        Methods that cannot treat the network, and why.
    """

    event: HeardEvent
    start: float
    wave: np.ndarray = field(repr=False)
    results: dict[str, Explanation] = field(repr=False)
    heard: dict[str, Listening] = field(repr=False)
    failed: dict[str, str] = field(default_factory=dict)

    @property
    def end(self) -> float:
        """Where in the file `wave` ends, in seconds."""
        rate = next(iter(self.heard.values())).sample_rate
        return self.start + len(self.wave) / rate


def chosen(found: Sequence[HeardEvent], count: int) -> tuple[HeardEvent, ...]:
    """Choose events to be explained: the surest of each class first, then the second ones.

    So a class that is heard all the time does not hide one that is heard once.

    Parameters
    ----------
    found : sequence of HeardEvent
    count : int

    Returns
    -------
    tuple of HeardEvent
        By their starts.

    Examples
    --------
    >>> from xaiaudio.timelines import HeardEvent, chosen
    >>> dogs = [HeardEvent("dog", at, at + 1.0, at + 0.5, 0.9) for at in (0.0, 10.0)]
    >>> [event.label for event in chosen([*dogs, HeardEvent("rain", 5.0, 6.0, 5.5, 0.6)], 2)]
    ['dog', 'rain']
    """
    ranks: dict[str, int] = {}
    order = []
    for event in sorted(found, key=lambda one: -one.peak_score):
        ranks[event.label] = ranks.get(event.label, 0) + 1
        order.append((ranks[event.label], -event.peak_score, event.start, event))
    order.sort(key=lambda row: row[:3])
    return tuple(sorted((row[3] for row in order[:count]), key=lambda one: one.start))


def most_exact(found: Sequence[HeardEvent], labels: Sequence[str]) -> tuple[HeardEvent, ...]:
    """Leave out events that say less than others: of AudioSet's classes, the more general ones.

    "Animal" and "Dog" step back where "Bark" is heard as well while they are surest, and "Silence"
    is no event at all.

    Parameters
    ----------
    found : sequence of HeardEvent
    labels : sequence of str
        All classes of the network. If they are not AudioSet's, all events stay.

    Returns
    -------
    tuple of HeardEvent
        In the order in which they were found.

    Examples
    --------
    >>> from xaiaudio.models.networks import audioset
    >>> from xaiaudio.timelines import HeardEvent, most_exact
    >>> dog, bark = (HeardEvent(name, 0.0, 2.0, 0.5, 0.9) for name in ("Dog", "Bark"))
    >>> [event.label for event in most_exact([dog, bark], audioset.classes())]
    ['Bark']
    """
    general = audioset.more_general(labels)
    if not general:
        return tuple(found)
    below: dict[str, list[tuple[float, float]]] = {}
    for event in found:
        for above in general[event.label]:
            below.setdefault(above, []).append((event.start, event.end))
    spans = {label: np.array(edges).T for label, edges in below.items()}
    return tuple(
        event
        for event in found
        if event.label != audioset.SILENCE and not _covered(event, spans.get(event.label))
    )


def _covered(event: HeardEvent, spans: np.ndarray | None) -> bool:
    """Tell whether one of these spans, starts and ends, holds the moment of the event's peak."""
    if spans is None:
        return False
    starts, ends = spans
    return bool(((starts <= event.peak) & (event.peak <= ends)).any())


def explain_events(
    model: AudioClassifier,
    path: PathLike,
    timeline: Timeline,
    found: Sequence[HeardEvent],
    *,
    methods: Sequence[str] = ("gradcam",),
    options: Mapping[str, Mapping] | None = None,
    keep: float | None = None,
    around: int = AROUND,
    channel: int | None = None,
    threshold: float = THRESHOLD,
) -> tuple[ExplainedEvent, ...]:
    """Explain events of a sound file, each by itself.

    Only the sound around each peak is read again: the patch in which the class scores highest and
    its neighbours. All of them are explained at once.

    Parameters
    ----------
    model : AudioClassifier
    path : str or path-like
        The file that the timeline is of.
    timeline : Timeline
    found : sequence of HeardEvent
        Those to explain, see :func:`chosen`.
    methods : sequence of str
    options : mapping of str to mapping, optional
        Options by method.
    keep : float, optional
        Share of the cells in the kept sounds, see :func:`xaiaudio.listen`.
    around : int
        Patches on either side of the peak's.
    channel : int, optional
        As the timeline was made.
    threshold : float
        Above which the network hears a class in the kept and removed sounds, where it can hear
        several at once.

    Returns
    -------
    tuple of ExplainedEvent
        In the order of `found`.

    Raises
    ------
    XaiAudioError
        If none of the methods can treat the network, or the file is another one now.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio import timelines
    >>> model = xa.load_model("lite")
    >>> line = timelines.timeline(model, "field.wav", overlap=0.5)  # doctest: +SKIP
    >>> first = timelines.events(line)[:1]  # doctest: +SKIP
    >>> (one,) = timelines.explain_events(model, "field.wav", line, first)  # doctest: +SKIP
    >>> print(one.heard["gradcam"].answers["kept"])  # doctest: +SKIP
    The network hears Rain (probability 98%).
    """
    if not found:
        return ()
    frontend = model.frontend
    spans, overlap = _spans(timeline, found, frontend, around)
    whole = timeline.file
    blocks = Blocks(path, frontend.sample_rate, start=whole.start, channel=channel)
    waves = excerpts(blocks, spans)
    if any(len(wave) < frontend.min_samples for wave in waves):
        raise XaiAudioError(f"{path} is shorter than when its timeline was made: make it again.")
    asked = {name: Explainer(name, **dict((options or {}).get(name, {}))) for name in methods}
    sounds = any(one.sounds for one in asked.values())
    cut = [frontend(wave, overlap=overlap, sounds=sounds) for wave in waves]
    targets = [one.label for one, part in zip(found, cut, strict=True) for _ in range(len(part))]
    results, failed = {}, {}
    for name, method in asked.items():
        try:
            results[name] = _apart(method(model, _together(cut), targets), cut)
        except XaiAudioError as error:
            failed[name] = str(error)
    if not results:
        raise XaiAudioError(next(iter(failed.values())))
    made = []
    asking: dict[str, Any] = {"keep": keep, "overlap": overlap, "threshold": threshold}
    for number, (event, wave) in enumerate(zip(found, waves, strict=True)):
        own = {name: parts[number] for name, parts in results.items()}
        heard = {name: listen(part, wave, **asking) for name, part in own.items()}
        start = whole.start + spans[number][0] / frontend.sample_rate
        made.append(ExplainedEvent(event, start, wave, own, heard, failed))
    return tuple(made)


def _spans(timeline, found, frontend, around) -> tuple[list[tuple[int, int]], float]:
    """Return which samples are read of each event, and the overlap of the patches."""
    hop = frontend.hop / frontend.sample_rate
    begins = timeline.starts - timeline.file.start - frontend.frame_times()[0]
    frames = np.rint(begins / hop).astype(int)
    step = int(frames[1] - frames[0]) if len(frames) > 1 else frontend.frames
    overlap = max(0.0, 1 - step / frontend.frames)
    peaks = np.array([np.abs(timeline.middles - event.peak).argmin() for event in found])
    first = frames[np.maximum(peaks - around, 0)] * frontend.hop
    last = frames[np.minimum(peaks + around, len(frames) - 1)] * frontend.hop
    stops = last + frontend.min_samples
    return list(zip(first.tolist(), stops.tolist(), strict=True)), overlap


def _together(cut: Sequence[Patches]) -> Patches:
    """Put the patches of several excerpts into one table; each start is in its own excerpt."""
    waves = [part.waves for part in cut]
    return replace(
        cut[0],
        values=np.concatenate([part.values for part in cut]),
        starts=np.concatenate([part.starts for part in cut]),
        length=max(part.length for part in cut),
        levels=np.concatenate([np.asarray(part.levels) for part in cut]),
        waves=None if any(wave is None for wave in waves) else np.concatenate(waves),
    )


def _apart(result: Explanation, cut: Sequence[Patches]) -> list[Explanation]:
    """Give each excerpt the explanation of its patches."""
    bounds = np.cumsum([0, *map(len, cut)])
    return [
        replace(result[first:last], length=part.length)
        for first, last, part in zip(bounds[:-1], bounds[1:], cut, strict=True)
    ]
