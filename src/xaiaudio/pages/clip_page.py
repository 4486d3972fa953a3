"""The page of an explained clip: what the network answered, each method's map and its sounds."""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING

import numpy as np

from ..clock import clock, counted
from ..explainers.registry import methods
from ..sonify.player import ONE_AT_A_TIME, player
from . import tag_table
from .common import STYLE, picture

if TYPE_CHECKING:
    from ..sonify.masks import Listening
    from ..sonify.own_rate import OwnRate
    from .clip import ExplainedClip, Part


def page(clip: ExplainedClip) -> str:
    """Return the page of a clip as HTML."""
    rate = clip.frontend.sample_rate
    title = html.escape(clip.name)
    heard = clip.prediction.label if clip.tags is None else tag_table.sentence(clip.tags)
    style = STYLE if clip.tags is None else STYLE + tag_table.STYLE
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}: {html.escape(heard)}</title>
<style>{style}</style>
</head>
<body>
<main>
<h1>{title}</h1>
<p class="answer">{_answer(clip)}</p>
{_notes(clip)}{player(clip.wave, rate, clip.parts[0].heard.captions()["original"])}
<section>
<h2>What the network answered</h2>
{_answered(clip)}
</section>
{_explained(clip)}
{_failed(clip.failed)}
<footer><p>{_footer(clip)}</p></footer>
</main>
<script>
{ONE_AT_A_TIME}</script>
</body>
</html>
"""


def _answer(clip: ExplainedClip) -> str:
    """Say what the network hears: by the votes of the patches, or class by class."""
    name = f"The network <em>{html.escape(clip.model.name)}</em> hears"
    if clip.tags is not None:
        return f"{name} <strong>{html.escape(tag_table.sentence(clip.tags))}</strong>."
    label, quiet = clip.prediction.label, clip.prediction.quiet
    count, share = int(clip.prediction.voted.sum()), clip.prediction.shares[label]
    return (
        f"{name}\n<strong>{html.escape(label)}</strong> in {share:.0%} of\n"
        f"{counted(count, 'patch', 'patches')}{_silent(quiet)}."
    )


def _explained(clip: ExplainedClip) -> str:
    """Return the maps, sounds and the mixer: of the one class, or of each class under its name."""
    if clip.tags is None:
        sections = "".join(_section(clip, part) for part in clip.parts)
        return f"{_overview(clip)}\n{_mixer(clip)}\n{sections}"
    classes = "".join(
        tag_table.heading(clip.tags, one.target, number)
        + _overview(one, level=3)
        + "".join(_section(one, part, level=3) for part in one.parts)
        for number, one in enumerate((clip, *clip.others))
    )
    return f"{classes}\n{_mixer(clip)}"


def _answered(clip: ExplainedClip) -> str:
    if clip.tags is None:
        return _shares(clip.prediction.shares, clip.target)
    return tag_table.table(clip.tags, clip.targets)


def _notes(clip: ExplainedClip) -> str:
    """Say what of the sound the front end cannot hear, and what it hears that is none of it."""
    if clip.unheard is None or not clip.unheard.worth_saying:
        return _padding(clip)
    return f"<p>{html.escape(str(clip.unheard))}</p>\n{_padding(clip)}"


def _padding(clip: ExplainedClip) -> str:
    """Say how long a sound is that was lengthened to a patch, if it was."""
    if not clip.parts[0].result.padding.any():
        return ""
    frontend = clip.frontend
    whole = frontend.min_samples / frontend.sample_rate
    return (
        f"<p>The sound lasts {len(clip.wave) / frontend.sample_rate:.2f} s, and a patch "
        f"{whole:.2f} s: the rest is padding, silence that the network heard too. It is hatched "
        "in the pictures and has no relevance.</p>\n"
    )


def _mixer(clip: ExplainedClip) -> str:
    if clip.mixer is None:
        return ""
    choices = len(clip.mixer.scores)
    return f"""<section>
<h2>What it needs to hear</h2>
<p>Switch parts of the sound off, and see what the network makes of the rest.</p>
{clip.mixer.html()}
<p class="paper">The network was asked about {choices} mixes. Took {clip.mixer_seconds:.1f} s.</p>
</section>
"""


def _failed(failed: dict[str, str]) -> str:
    """Name the methods that could not treat the network, if any."""
    rows = "".join(
        f"<li><em>{html.escape(method)}</em>: {html.escape(reason)}</li>"
        for method, reason in failed.items()
    )
    return f"<section><h2>What could not be asked</h2><ul>{rows}</ul></section>" if rows else ""


def _silent(quiet: int) -> str:
    """Say how many patches had no vote, if any."""
    return (
        f"; {quiet} more {'is' if quiet == 1 else 'are'} silent and did not vote" if quiet else ""
    )


def _overview(clip: ExplainedClip, level: int = 2) -> str:
    if len(clip.parts) == 1:
        return ""
    alt = (
        f"Spectrogram of {clip.name}, and below it the maps of "
        f"{', '.join(part.method for part in clip.parts)} for {clip.target}."
    )
    return f"""<section>
<h{level}>What it listened to</h{level}>
<p>Red cells speak for <strong>{html.escape(clip.target)}</strong>, blue ones against it.
Each map is divided by its largest magnitude.</p>
{picture(clip.png, alt)}
</section>
"""


def _section(clip: ExplainedClip, part: Part, level: int = 2) -> str:
    about = methods(attention=True)[part.method]
    captions = part.heard.captions()
    sounds = "".join(
        player(
            wave,
            part.heard.sample_rate,
            captions[name],
            about=f"{clip.name}. {captions[name]}",
        )
        for name, wave in part.heard.sounds().items()
    )
    options = ", ".join(f"{name}={value}" for name, value in part.result.options.items())
    size = f"{np.abs(part.relevance).max():.2g}"
    unit = part.result.unit
    stake = f"<p>The largest effect on the {unit} is {size}.</p>" if unit else ""
    if not about["of_class"]:
        stake = "<p>It looks at no class: this map is the same for every answer.</p>"
    return f"""<section>
<h{level}>{html.escape(part.method)}</h{level}>
<p>{html.escape(about["summary"])} <span class="paper">{html.escape(about["paper"])}</span></p>
{picture(clip.png_of(part), _describe(clip, part))}
{stake}
{_verdict(part.heard)}
<div class="players">{sounds}</div>
{_own_rate(part.own)}
<p class="paper">Options: {html.escape(options or "none")}. Took {part.result.seconds:.1f} s.</p>
</section>
"""


def _verdict(heard: Listening) -> str:
    """Say whether the network still hears the class in what the method kept."""
    return "" if heard.answers is None else f"<p>{html.escape(heard.answers.verdict)}</p>"


def _own_rate(own: OwnRate | None) -> str:
    """Say what the files at the recording's own rate hold, and what the network hears in them."""
    if own is None:
        return ""
    channels = own.kept.shape[1]
    text = (
        f"The WAV files beside this page hold the recording itself, at {own.sample_rate} Hz with "
        f"{counted(channels, 'channel')}: kept and removed add up to it."
    )
    if own.sample_rate / 2 > own.highest:
        text += (
            f" What lies above {own.highest:.0f} Hz, which the network cannot hear, is in the "
            "removed one."
        )
    if own.answers is not None:
        said = (f"Of the {name} one: {own.answers[name]}" for name in ("kept", "removed"))
        text += f" {' '.join(said)}"
    return f"<p>{html.escape(text)}</p>"


def _describe(clip: ExplainedClip, part: Part) -> str:
    """Say in words what a map shows, for those who cannot see it."""
    frame, band = np.unravel_index(part.relevance.argmax(), part.relevance.shape)
    if part.relevance[frame, band] <= 0:
        found = "nothing speaks for it"
    else:
        start = clip.begins + clip.frontend.times()[0]
        start += frame * clip.frontend.hop / clip.frontend.sample_rate
        hertz = clip.frontend.band_centres()[band]
        found = f"it speaks for it most at {clock(start)} and {hertz:.0f} Hz"
    return f"Map of {part.method} for {clip.target} over {clip.name}: {found}."


def _shares(shares: dict[str, float], target: str) -> str:
    """Draw the share of patches of each class that got any, and of the class explained."""
    shown = {k: v for k, v in sorted(shares.items(), key=lambda item: -item[1]) if v or k == target}
    rows = "".join(
        f'<tr><th scope="row">{html.escape(label)}</th>'
        f'<td><span class="bar" style="width:{100 * share:.1f}%"></span></td>'
        f"<td>{share:.0%}</td></tr>"
        for label, share in shown.items()
    )
    return f"<table><caption>Share of the patches</caption><tbody>{rows}</tbody></table>"


def _footer(clip: ExplainedClip) -> str:
    frontend = clip.frontend
    seconds = len(clip.wave) / frontend.sample_rate
    text = (
        f"{_lasts(clip, seconds)} at {frontend.sample_rate} Hz; patches of "
        f"{frontend.patch_seconds:.2f} s every {frontend.hop_seconds:.2f} s. Sound that lies in no "
        "patch is never kept."
    )
    owed = re.sub(r"\s+", " ", getattr(clip.model, "attribution", "") or "")
    return html.escape(f"{text} {owed}".strip())


def _lasts(clip: ExplainedClip, seconds: float) -> str:
    if not clip.begins:
        return clock(seconds, 2)
    return f"{clock(clip.begins, 2)} to {clock(clip.begins + seconds, 2)} of the file"
