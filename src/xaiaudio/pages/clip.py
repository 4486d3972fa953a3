"""One explained clip: its maps, its sounds, and a page to look at and listen to."""

from __future__ import annotations

import base64
import dataclasses
import functools
import html
import re
import shutil
import time
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from .. import plots
from ..clock import clock
from ..errors import XaiAudioError
from ..explainers.answers import one_of_all
from ..explainers.base import explain
from ..explainers.explanation import Explanation
from ..explainers.registry import methods
from ..files import put
from ..plots.render import render
from ..sonify.masks import Listening, clip_map, listen
from ..sonify.own_rate import at_own_rate
from ..sonify.player import ONE_AT_A_TIME, player
from . import tag_table
from .mixer import cut, mixer
from .outputs import Outputs, files_of

if TYPE_CHECKING:
    from ..models.classifier import AudioClassifier
    from ..models.tags import ClipTags
    from ..models.votes import ClipPrediction
    from ..sonify.own_rate import OwnRate
    from ..unheard import Unheard
    from .mixer import Mixer


@dataclass(frozen=True)
class Part:
    """What one method found in a clip.

    Attributes
    ----------
    result : Explanation
    relevance : ndarray of float32, shape (T, bands)
        The maps of the patches, laid over the clip.
    heard : Listening
    own : OwnRate or None
        What is kept and removed of the recording at its own rate, where that is known.
    """

    result: Explanation
    relevance: np.ndarray
    heard: Listening
    own: OwnRate | None = None

    @property
    def method(self) -> str:
        """The method's name."""
        return self.result.method


@dataclass(frozen=True)
class ExplainedClip:
    """A clip, what a network says of it, and why.

    Attributes
    ----------
    name : str
        What people know the clip by: its file's name.
    wave : ndarray of float32, shape (samples,)
    model : AudioClassifier
    prediction : ClipPrediction
    target : str
        The class explained.
    parts : tuple of Part
        One per method that could treat the network.
    failed : dict of str to str
        The other methods, and why.
    mixer : Mixer or None
        The sound's parts, to be switched on and off in the page.
    mixer_seconds : float
        Wall-clock time that the network took to answer to all choices of them.
    tags : ClipTags or None
        What a network says of each class that can hear several at once.
    others : tuple of ExplainedClip
        The same clip with the other classes that are explained.
    unheard : Unheard or None
        What of the sound the front end cannot hear.
    begins : float
        Where in its file the clip begins, in seconds.
    """

    name: str
    wave: np.ndarray
    model: AudioClassifier
    prediction: ClipPrediction
    target: str
    parts: tuple[Part, ...]
    failed: dict[str, str] = field(default_factory=dict)
    mixer: Mixer | None = None
    mixer_seconds: float = 0.0
    tags: ClipTags | None = None
    others: tuple[ExplainedClip, ...] = ()
    unheard: Unheard | None = None
    begins: float = 0.0

    @property
    def targets(self) -> tuple[str, ...]:
        """All classes that are explained."""
        return (self.target, *(other.target for other in self.others))

    @property
    def frontend(self):
        """The front end that cut the patches."""
        return self.parts[0].result.frontend

    def picture(self):
        """Return the figure of the spectrogram with every method's map below it."""
        return self._figure(self.parts)

    def _figure(self, parts):
        # One map alone keeps its unit; several are brought to one scale.
        maps = {part.method: part.relevance for part in parts}
        units = {part.method: part.result.unit for part in parts}
        return plots.clip_maps(
            self.wave,
            maps,
            self.frontend,
            normalise=len(parts) > 1,
            units=units,
            begins=self.begins,
        )

    @functools.cached_property
    def png(self) -> bytes:
        """The picture as a PNG file."""
        return render(self.picture())

    def png_of(self, part: Part) -> bytes:
        """Return the picture of one method alone as a PNG file."""
        return self.png if len(self.parts) == 1 else render(self._figure([part]))

    def html(self) -> str:
        """Return a page that needs no other file: pictures and sounds are inside."""
        return _page(self)

    def of_recording(self, samples, rate: int, channel: int | None = None) -> ExplainedClip:
        """Return the clip with its sounds at the rate of the recording that it was made from.

        Parameters are those of :func:`.sonify.own_rate.at_own_rate`.
        """
        parts = tuple(
            replace(
                part, own=at_own_rate(part.heard, samples, rate, self.frontend, channel=channel)
            )
            for part in self.parts
        )
        others = tuple(one.of_recording(samples, rate, channel) for one in self.others)
        return replace(self, parts=parts, others=others)

    def write(self, folder, stem: str, outputs: Outputs | None = None) -> list[Path]:
        """Write page, picture, sounds and maps into a folder: all of them or none.

        Parameters
        ----------
        folder : path-like
            Made if need be.
        stem : str
            What the files' names begin with.
        outputs : Outputs, optional
            By default a PNG and MP3 files.

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
        try:
            partial.mkdir(parents=True, exist_ok=True)
            names = self._write_parts(partial, stem, outputs or Outputs())
            for name in names:
                put(partial / name, folder / name)
        except OSError as error:
            raise XaiAudioError(
                f"Could not write to {folder}: {error.strerror or error}. Make room, or name "
                "another folder with --out."
            ) from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)
        return [folder / name for name in names]

    def _write_parts(self, folder: Path, stem: str, outputs: Outputs) -> list[str]:
        files = files_of(self, stem, outputs)
        for name, content in files.items():
            (folder / name).write_bytes(content)
        maps = [
            part.result.save(folder / f"{name}-{part.method}.npz").name
            for clip, name in self.named(stem)
            for part in clip.parts
        ]
        return [*files, *maps]

    def named(self, stem: str) -> list[tuple[ExplainedClip, str]]:
        """Return the clip with each class explained, and what its files' names begin with."""
        names = [stem]
        for number, other in enumerate(self.others, 2):
            # Two hyphens, so that no other sound's files are likely to be called so.
            plain = re.sub(r"[\W_]+", "-", other.target.lower()).strip("-")[:40]
            name = f"{stem}--{plain or number}"
            names.append(f"{name}-{number}" if name in names else name)
        return list(zip((self, *self.others), names, strict=True))


def explain_clip(
    model,
    wave,
    name,
    *,
    methods,
    target=None,
    overlap=0.5,
    pad=False,
    keep=None,
    options=None,
    mix="none",
    top=3,
    threshold=0.5,
    unheard=None,
    begins=0.0,
) -> ExplainedClip:
    """Predict a clip's class and explain it by several methods.

    Of a network that can hear several classes at once, the surest few are explained.

    Parameters
    ----------
    model : AudioClassifier
    wave : ndarray of float, shape (samples,)
        At the network's sample rate.
    name : str
    methods : sequence of str
    target : str, optional
        The class to explain; by default the predicted one, the same for all patches.
    overlap : float
        Of the patches, in [0, 1).
    pad : bool
        Lengthen a sound shorter than a patch with silence.
    keep : float, optional
        Share of the cells that the kept sound keeps, see :func:`.explainers.masking.mask_from_map`.
    options : mapping of str to dict, optional
        Options by method.
    mix : {"none", "time", "bands", "harmonic"}
        The parts that the page's mixer switches, see :func:`.pages.mixer.cut`.
    top : int
        How many classes are explained at most, of a network that can hear several at once.
    threshold : float
        Probability above which such a network hears a class.
    unheard : Unheard, optional
        What of the sound the front end cannot hear, for the page.
    begins : float
        Where in its file the clip begins, in seconds: the page counts from the file's beginning.

    Returns
    -------
    ExplainedClip
        With the results of all methods that can treat the network.

    Raises
    ------
    XaiAudioError
        If the sound cannot be used, or none of the methods can treat the network.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.pages.clip import explain_clip
    >>> wave = np.random.default_rng(0).normal(0, 0.1, 48_000).astype("float32")
    >>> clip = explain_clip(xa.load_model("lite"), wave, "noise", methods=["gradcam"])
    >>> clip.html()[:15]
    '<!doctype html>'
    """
    prediction = model.predict_clip(wave, overlap=overlap, pad=pad)
    patches = model.frontend(wave, overlap=overlap, pad=pad)
    tags = None
    if not one_of_all(model, wave, overlap):
        tags = model.tag_clip(wave, overlap=overlap, pad=pad, threshold=threshold)
        tags = replace(tags, starts=tags.starts + begins, ends=tags.ends + begins)
    if target is not None:
        targets = [model.labels[model.index(target)]]
    elif tags is None:
        targets = [prediction.label]
    else:
        targets = [tag.label for tag in tags.top(max(top, 1))]
    told: list[ExplainedClip] = []
    for one in targets:
        parts, failed = _parts(model, patches, wave, one, methods, keep, overlap, options or {})
        told.append(ExplainedClip(name, wave, model, prediction, one, parts, failed, begins=begins))
    started = time.perf_counter()
    components = cut(wave, model.frontend, mix, len(patches))
    made = None
    if components is not None:
        made = mixer(components, model, targets[0], overlap=overlap, title=name)
    seconds = time.perf_counter() - started
    more = {"tags": tags, "others": tuple(told[1:]), "unheard": unheard}
    return dataclasses.replace(told[0], mixer=made, mixer_seconds=seconds, **more)


def _parts(
    model, patches, wave, target, methods, keep, overlap, options
) -> tuple[tuple[Part, ...], dict[str, str]]:
    """Explain one class: what the methods found, and why some could not treat the network."""
    parts: list[Part] = []
    failed: dict[str, str] = {}
    for method in methods:
        try:
            result = explain(model, patches, target, method, **options.get(method, {}))
        except XaiAudioError as error:
            failed[method] = str(error)
            continue
        heard = listen(result, wave, keep=keep, overlap=overlap)
        parts.append(Part(result, clip_map(result), heard))
    if not parts:
        raise XaiAudioError(next(iter(failed.values())))
    return tuple(parts), failed


def _page(clip: ExplainedClip) -> str:
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
        f"{name}\n<strong>{html.escape(label)}</strong> in {share:.0%} of {count}\n"
        f"{'patch' if count == 1 else 'patches'}{_silent(quiet)}."
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
        f"{channels} {'channel' if channels == 1 else 'channels'}: kept and removed add up to it."
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


def picture(png: bytes, alt: str) -> str:
    """Return a picture that lies inside the page, and says in words what it shows."""
    source = base64.b64encode(png).decode()
    return f'<img src="data:image/png;base64,{source}" alt="{html.escape(alt, quote=True)}">'


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


# Of all pages that the commands write.
STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --page: #fff; --soft: #5a5a5a; --line: #d9d9d9;
  --bar: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --page: #17191c; --soft: #a9adb3; --line: #3a3f45; --bar: #56b4e9; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 58rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; margin: .5rem 0; }
h2 { font-size: 1.25rem; margin: 0 0 .5rem; }
section { border-top: 1px solid var(--line); padding: 1.25rem 0; }
.answer { font-size: 1.15rem; }
.paper, footer, figcaption { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
img { display: block; width: 100%; max-width: 46rem; height: auto; margin: .75rem auto;
  background: #fff; border-radius: 6px; padding: 4px; }
figure { margin: 0 0 1rem; }
audio { width: 100%; display: block; }
.players { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); }
table { border-collapse: collapse; width: 100%; max-width: 36rem; }
caption { text-align: left; color: var(--soft); font-size: .875rem; }
th { text-align: left; font-weight: normal; padding: .2rem .75rem .2rem 0; width: 10rem; }
td:last-child { width: 4rem; text-align: right; }
.bar { display: block; height: .9rem; background: var(--bar); border-radius: 2px; min-width: 1px; }
"""
