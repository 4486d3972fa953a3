"""A long sound as a page: all of it at a glance, and its surest events one by one."""

from __future__ import annotations

import functools
import html
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .. import exports, plots
from ..clock import clock, face
from ..errors import XaiAudioError
from ..explainers.registry import methods
from ..exports.rows import plain
from ..files import put
from ..plots.render import render
from ..sonify.masks import clip_map
from ..sonify.player import ONE_AT_A_TIME, player
from ..timelines.explaining import ExplainedEvent, chosen, explain_events, most_exact
from ..timelines.finding import RELEASE, THRESHOLD, Event, events
from ..timelines.scored import SILENT_DB, Timeline
from ..timelines.scoring import timeline
from .clip import STYLE, picture
from .outputs import Outputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from matplotlib.figure import Figure

    from ..models.classifier import AudioClassifier
    from ..types import PathLike
    from ..unheard import Unheard

# Events that are explained, unless told otherwise.
TOP = 8
# A page is at most so large; explained events beyond that are left out of it.
MOST_BYTES = 4_800_000
# Rows of the table of events.
LISTED = 500
# Seconds of sound in a player, at most.
PLAYED = 20.0


@dataclass(frozen=True, eq=False)
class LongSound:
    """A long sound, what a network hears when, and why it hears some of it.

    Attributes
    ----------
    name : str
        What people know the sound by.
    timeline : Timeline
    events : tuple of Event
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
    events: tuple[Event, ...]
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
        return _page(self)

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
        folder = Path(folder)
        partial = folder / f"{stem}.partial"
        outputs = outputs or Outputs()
        contents = {f"{stem}.html": self.html().encode()}
        for kind in outputs.figures:
            contents[f"{stem}.{kind}"] = render(self.figure, kind, outputs.dpi)
        for name in dict.fromkeys(("csv", *outputs.tables)):
            contents[f"{stem}-events{exports.formats()[name].suffix}"] = self.table(name)
        try:
            partial.mkdir(parents=True, exist_ok=True)
            for name, content in contents.items():
                (partial / name).write_bytes(content)
            for name in contents:
                put(partial / name, folder / name)
        except OSError as error:
            raise XaiAudioError(
                f"Could not write to {folder}: {error.strerror or error}. Make room, or name "
                "another folder with --out."
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return [folder / name for name in contents]


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
        options=options, keep=keep, channel=channel,
    )  # fmt: skip
    return LongSound(name, line, found, explained, model, threshold, label, floor, unheard)


def _page(sound: LongSound) -> str:
    title = html.escape(sound.name)
    head = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: {_count(len(sound.events), "event")}</title>
<style>{STYLE}{_STYLE}</style>
</head>
<body>
<main>
<h1>{title}</h1>
{_answer(sound)}
{_overview(sound)}
"""
    tail = f"""<footer><p>{_footer(sound)}</p></footer>
</main>
<script>
{ONE_AT_A_TIME}</script>
</body>
</html>
"""
    sections = [_section(sound, number, one) for number, one in enumerate(sound.explained, 1)]
    while True:
        page = "".join([head, _table(sound, len(sections)), *sections, tail])
        if len(page.encode()) <= MOST_BYTES or not sections:
            return page
        sections.pop()


def _answer(sound: LongSound) -> str:
    file = sound.timeline.file
    span = clock(file.seconds)
    if file.start:
        span = f"{clock(file.start)} to {clock(file.end)}"
    who = f"The network <em>{html.escape(sound.model.name)}</em> listened to {span} of sound"
    text = f'<p class="answer">{who} {_found(sound)}</p>'
    if file.missing:
        cut = html.escape(file.missing)
        text += f"<p>The file is incomplete: {cut}. What is there was read.</p>"
    if sound.unheard is not None and sound.unheard.worth_saying:
        text += f"<p>{html.escape(str(sound.unheard))}</p>"
    return text


def _found(sound: LongSound) -> str:
    """Say what was found: silence, nothing, or events of so many classes."""
    line = sound.timeline
    if line.silent.all():
        return f"and found it silent: nothing is above {SILENT_DB:g} dB of full scale."
    if not sound.events:
        what = f" of {html.escape(sound.target)}" if sound.target else ""
        best = line.scores[~line.silent].max(axis=0)
        number = line.labels.index(sound.target) if sound.target else int(best.argmax())
        return (
            f"and found <strong>no event</strong>{what}: the highest score is {best[number]:.0%}, "
            f"of {html.escape(line.labels[number])}, and an event needs {sound.threshold:.0%}."
        )
    counts: dict[str, int] = {}
    for event in sound.events:
        counts[event.label] = counts.get(event.label, 0) + 1
    best = sorted(counts.items(), key=lambda item: -item[1])
    named = ", ".join(f"<strong>{html.escape(label)}</strong> ({n})" for label, n in best[:5])
    more = f" and {_count(len(best) - 5, 'more class', 'more classes')}" if best[5:] else ""
    return f"and found {_count(len(sound.events), 'event')}: {named}{more}."


def _overview(sound: LongSound) -> str:
    line = sound.timeline
    shown = vars(sound.figure)["data"]["classes"]
    alt = (
        f"Overview of {sound.name}. Above the envelope of the sound; in the middle a strip of "
        f"scores for each of {len(shown)} classes over time; below the events as bars. The events "
        "are also listed in the table."
    )
    rule = (
        "Of all classes one is heard at a time, the one that scores highest, and there is no "
        "class for none of them: what is none gets the name of the one that it is most like"
        if line.exclusive
        else "Several classes can be heard at once, each with a score of its own"
    )
    left = len(line.labels) - len(shown)
    rows = f" Shown are {len(shown)} of {len(line.labels)} classes." if left else ""
    return f"""<section>
<h2>All of it</h2>
{picture(sound.png, alt)}
<p>{rule}. An event begins and ends where the score passes {RELEASE * sound.threshold:.0%}, and
has reached {sound.threshold:.0%} in between; pauses shorter than a second are closed. Times are as
sharp as the patches: one of {line.ends[0] - line.starts[0]:.2f} s begins every
{_hop(line)}.{rows}</p>
</section>
"""


def _hop(line: Timeline) -> str:
    return f"{(line.starts[1] - line.starts[0]):.2f} s" if len(line) > 1 else "patch"


def _table(sound: LongSound, detailed: int) -> str:
    if not sound.events:
        return ""
    numbers = {id(one.event): n for n, one in enumerate(sound.explained[:detailed], 1)}
    listed = list(sound.events)
    if len(listed) > LISTED:
        keep = {id(event) for event in chosen(listed, LISTED)} | set(numbers)
        listed = [event for event in listed if id(event) in keep]
    rows = "".join(_row(event, numbers.get(id(event))) for event in listed)
    left = len(sound.events) - len(listed)
    cut = f" The {left} less sure ones are in the CSV file beside this page." if left else ""
    unexplained = len(sound.events) - detailed
    others = (
        f" {_count(unexplained, 'other event is', 'other events are')} listed and not explained: "
        "--top asks for more, --from and --to look closer."
        if unexplained
        else ""
    )
    dropped = len(sound.explained) - detailed
    large = (
        f" {_count(dropped, 'explained event was', 'explained events were')} left out to keep "
        "this page below 5 MB."
        if dropped
        else ""
    )
    return f"""<section>
<h2>Events</h2>
<p>{_count(detailed, "event is", "events are")} explained below, the surest of each class
first.{others}{large}{cut}</p>
<div class="events" tabindex="0" role="region" aria-label="Table of the events">
<table><caption>What is heard when</caption>
<thead><tr><th scope="col">begins</th><th scope="col">ends</th><th scope="col">class</th>
<th scope="col">score at its peak</th><th scope="col">peak</th>
<th scope="col">explained</th></tr></thead>
<tbody>{rows}</tbody></table>
</div>
</section>
"""


def _row(event: Event, number: int | None) -> str:
    link = f'<a href="#event-{number}">event {number}</a>' if number else "–"
    return (
        f"<tr><td>{face(event.start, 1)}</td><td>{face(event.end, 1)}</td>"
        f'<th scope="row">{html.escape(event.label)}</th><td>{event.peak_score:.0%}</td>'
        f"<td>{face(event.peak, 1)}</td><td>{link}</td></tr>"
    )


def _section(sound: LongSound, number: int, one: ExplainedEvent) -> str:
    event, about = one.event, methods()
    label = html.escape(event.label)
    maps = {name: clip_map(result) for name, result in one.results.items()}
    units = {name: result.unit for name, result in one.results.items()}
    frontend = next(iter(one.results.values())).frontend
    figure = plots.clip_maps(
        one.wave, maps, frontend, normalise=len(maps) > 1, units=units, begins=one.start
    )
    alt = (
        f"Spectrogram of {sound.name} from {clock(one.start)} to {clock(one.end)}, and below it "
        f"the maps of {', '.join(maps)} for {event.label}."
    )
    first = next(iter(one.heard.values()))
    original = player(
        _short(first.original, first.sample_rate), first.sample_rate,
        first.captions()["original"].replace("the whole clip", "the sound around the peak"),
        about=f"{sound.name} at {clock(event.peak)}",
    )  # fmt: skip
    parts = "".join(_method(sound, one, name, about[name]["summary"]) for name in one.heard)
    failed = "".join(
        f"<p>Left out: <em>{html.escape(name)}</em>. {html.escape(reason)}</p>"
        for name, reason in one.failed.items()
    )
    return f"""<section id="event-{number}">
<h2>{number}. {label}, {clock(event.start)} to {clock(event.end)}</h2>
<p>It is heard most at {clock(event.peak)}, with a score of {event.peak_score:.0%}. Explained is
the sound from {clock(one.start)} to {clock(one.end)}: red cells speak for
<strong>{label}</strong>, blue ones against it.</p>
{picture(render(figure), alt)}
<div class="players">{original}</div>
{parts}{failed}
</section>
"""


def _method(sound: LongSound, one: ExplainedEvent, name: str, summary: str) -> str:
    heard = one.heard[name]
    captions, waves = heard.captions(), heard.sounds()
    players = "".join(
        player(
            _short(waves[kind], heard.sample_rate), heard.sample_rate, captions[kind],
            about=f"{sound.name} at {clock(one.event.peak)}, {name}. {captions[kind]}",
        )
        for kind in ("kept", "removed")
    )  # fmt: skip
    verdict = "" if heard.answers is None else f"<p>{html.escape(heard.answers.verdict)}</p>"
    return f"""<h3>{html.escape(name)}</h3>
<p class="paper">{html.escape(summary)}</p>
{verdict}
<div class="players">{players}</div>
"""


def _short(wave, rate):
    """Return the first seconds of a sound: those of a network with long patches are many."""
    return wave[: round(PLAYED * rate)]


def _count(number: int, one: str, many: str = "") -> str:
    return f"{number} {one if number == 1 else many or one + 's'}"


def _footer(sound: LongSound) -> str:
    file, frontend = sound.timeline.file, sound.model.frontend
    text = (
        f"{clock(file.seconds)} at {file.sample_rate} Hz, "
        f"{_count(file.channels, 'channel')}; the network listens at {frontend.sample_rate} Hz, to "
        f"{len(sound.timeline)} patches of {frontend.patch_seconds:.2f} s. Patches softer "
        f"than {sound.floor:g} dB of full scale belong to no event."
    )
    owed = re.sub(r"\s+", " ", getattr(sound.model, "attribution", "") or "")
    return html.escape(f"{text} {owed}".strip())


_STYLE = """
h3 { font-size: 1.05rem; margin: 1rem 0 .25rem; }
.events { max-height: 24rem; overflow: auto; border: 1px solid var(--line); border-radius: 6px;
  padding: 0 .75rem; }
.events table { max-width: none; font-variant-numeric: tabular-nums; }
.events th, .events td, .events td:last-child { width: auto; text-align: left;
  padding: .2rem .75rem .2rem 0; }
.events thead th { position: sticky; top: 0; background: var(--page); color: var(--soft); }
a { color: var(--bar); }
:focus-visible { outline: 3px solid var(--bar); outline-offset: 2px; }
"""
