"""The page of a long sound: the overview, the table of events, and each explained one."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

from .. import plots
from ..clock import clock, counted, face
from ..explainers.registry import methods
from ..plots.render import render
from ..sonify.masks import clip_map
from ..sonify.player import ONE_AT_A_TIME, player
from ..timelines.explaining import ExplainedEvent, chosen
from ..timelines.finding import RELEASE, HeardEvent
from ..timelines.scored import SILENT_DB, Timeline
from .common import STYLE, picture

if TYPE_CHECKING:
    from .long_sound import LongSound

# A page is at most so large; explained events beyond that are left out of it.
MOST_BYTES = 4_800_000
# Rows of the table of events.
LISTED = 500
# Seconds of sound in a player, at most.
PLAYED = 20.0


def page(sound: LongSound) -> str:
    """Return the page of a long sound as HTML, below 5 MB."""
    title = html.escape(sound.name)
    head = f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: {counted(len(sound.events), "event")}</title>
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
        text = "".join([head, _table(sound, len(sections)), *sections, tail])
        if len(text.encode()) <= MOST_BYTES or not sections:
            return text
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
        text += f"<p>The file is incomplete: {cut}. The rest was read.</p>"
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
    more = f" and {counted(len(best) - 5, 'more class', 'more classes')}" if best[5:] else ""
    return f"and found {counted(len(sound.events), 'event')}: {named}{more}."


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
        f" {counted(unexplained, 'other event is', 'other events are')} listed and not explained: "
        "--top asks for more, --from and --to look closer."
        if unexplained
        else ""
    )
    dropped = len(sound.explained) - detailed
    large = (
        f" {counted(dropped, 'explained event was', 'explained events were')} left out to keep "
        "this page below 5 MB."
        if dropped
        else ""
    )
    return f"""<section>
<h2>Events</h2>
<p>{counted(detailed, "event is", "events are")} explained below, the surest of each class
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


def _row(event: HeardEvent, number: int | None) -> str:
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


def _footer(sound: LongSound) -> str:
    file, frontend = sound.timeline.file, sound.model.frontend
    text = (
        f"{clock(file.seconds)} at {file.sample_rate} Hz, {counted(file.channels, 'channel')}; the "
        f"network listens at {frontend.sample_rate} Hz, to "
        f"{counted(len(sound.timeline), 'patch', 'patches')} of {frontend.patch_seconds:.2f} s. "
        f"Patches softer than {sound.floor:g} dB of full scale belong to no event."
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
