"""A long sound as a page: all of it at a glance, and its surest events one by one."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .. import exports, plots
from ..exports.rows import plain
from ..plots.render import render
from ..timelines.explaining import ExplainedEvent, chosen, explain_events, most_exact
from ..timelines.finding import THRESHOLD, HeardEvent, events
from ..timelines.scored import SILENT_DB, Timeline
from ..timelines.scoring import timeline
from . import long_sound_page
from .outputs import Outputs, put_down, write_all

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from ..models.classifier import AudioClassifier
    from ..types import PathLike
    from ..unheard import Unheard

# Events that are explained, unless told otherwise.
TOP = 8


@dataclass(frozen=True, eq=False)
class LongSound:
    """A long sound, what a network hears when, and why it hears some of it.

    Attributes
    ----------
    name : str
        What people know the sound by.
    timeline : Timeline
    events : tuple of HeardEvent
        All that were found.
    explained : tuple of ExplainedEvent
        Some of them.
    model : AudioClassifier
    threshold : float
        With which the events were found.
    target : str or None
        The only class that was looked for.
    floor : float
        What is softer belongs to no event, in dB of full scale.
    unheard : Unheard or None
        What of the sound the front end cannot hear.
    """

    name: str
    timeline: Timeline
    events: tuple[HeardEvent, ...]
    explained: tuple[ExplainedEvent, ...]
    model: AudioClassifier
    threshold: float = THRESHOLD
    target: str | None = None
    floor: float = SILENT_DB
    unheard: Unheard | None = None

    @property
    def failed(self) -> dict[str, str]:
        """Methods that could not treat the network, and why."""
        return self.explained[0].failed if self.explained else {}

    @functools.cached_property
    def figure(self) -> Figure:
        """The overview; explained events have numbers."""
        marked = [one.event for one in self.explained]
        return plots.overview(self.timeline, self.events, marked=marked)

    @functools.cached_property
    def png(self) -> bytes:
        """The overview as a PNG file."""
        return render(self.figure)

    def table(self, format: str = "csv") -> bytes:
        """Return the events as a file of a format of :func:`xaiaudio.exports.formats`."""
        frontend = self.model.frontend
        band = {"low": float(frontend.fmin), "high": float(frontend.fmax)}
        rows = exports.rows_of_events(self.events, file=self.name, **band)
        return exports.formats()[format].encode(plain(rows))

    def html(self) -> str:
        """Return a page that needs no other file, below 5 MB."""
        return long_sound_page.page(self)

    def write(self, folder: PathLike, stem: str, outputs: Outputs | None = None) -> list[Path]:
        """Write the page, its overview and the table of events into a folder: all or none.

        Parameters
        ----------
        folder : path-like
            Made if need be.
        stem : str
            What the files' names begin with.
        outputs : Outputs, optional
            Formats of the overview, and of the table beside CSV.

        Returns
        -------
        list of Path
            The page first.

        Raises
        ------
        XaiAudioError
            If they cannot be written.
        """
        outputs = outputs or Outputs()
        contents = {f"{stem}.html": self.html().encode()}
        for kind in outputs.figures:
            contents[f"{stem}.{kind}"] = render(self.figure, kind, outputs.dpi)
        for name in dict.fromkeys(("csv", *outputs.tables)):
            contents[f"{stem}-events{exports.formats()[name].suffix}"] = self.table(name)
        return write_all(folder, stem, lambda partial: put_down(contents, partial))


def explain_long(
    model: AudioClassifier,
    path: PathLike,
    name: str,
    *,
    methods: Sequence[str] = ("gradcam",),
    target: str | None = None,
    overlap: float = 0.5,
    start: float | None = None,
    end: float | None = None,
    channel: int | None = None,
    threshold: float = THRESHOLD,
    floor: float = SILENT_DB,
    top: int = TOP,
    keep: float | None = None,
    options: Mapping[str, Mapping] | None = None,
    unheard: Unheard | None = None,
    progress: bool | None = None,
) -> LongSound:
    """Find the events of a sound file of any length, and explain the surest.

    Parameters
    ----------
    model : AudioClassifier
    path : str or path-like
    name : str
        What the page calls the sound.
    methods : sequence of str
    target : str, optional
        The only class to look for; by default all.
    overlap : float
        Of the patches, in [0, 1).
    start, end : float, optional
        The seconds of the file to listen to.
    channel : int, optional
        The channel to take, counted from 0; by default the mean of all.
    threshold, floor : float
        What a class must reach to be an event, and how loud it must be, see
        :func:`xaiaudio.timelines.events`.
    top : int
        Events to explain: the surest of each class first.
    keep, options
        See :func:`xaiaudio.timelines.explain_events`.
    unheard : Unheard, optional
        What of the sound the front end cannot hear, for the page.
    progress : bool, optional
        Show a bar; by default on a terminal only.

    Returns
    -------
    LongSound

    Raises
    ------
    XaiAudioError
        As :func:`xaiaudio.timelines.timeline` and :func:`xaiaudio.timelines.explain_events`.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.pages.long_sound import explain_long
    >>> page = explain_long(xa.load_model("lite"), "field.wav", "field")  # doctest: +SKIP
    >>> page.write("explained", "field")  # doctest: +SKIP
    """
    label = None if target is None else model.labels[model.index(target)]
    line = timeline(
        model, path, overlap=overlap, start=start, end=end, channel=channel, progress=progress
    )
    found = events(line, threshold, floor=floor)
    found = tuple(one for one in found if label is None or one.label == label)
    explained = explain_events(
        model, path, line, chosen(most_exact(found, line.labels), top), methods=methods,
        options=options, keep=keep, channel=channel, threshold=threshold,
    )  # fmt: skip
    return LongSound(name, line, found, explained, model, threshold, label, floor, unheard)
