"""The mixer: a sound's parts with a switch and a slider each, and what the network says of the mix.

One piece of HTML that needs no other file: the parts lie in it without loss, the browser mixes them
sample by sample, and the network's scores for every choice of parts stand in a table beside them.
"""

from __future__ import annotations

import base64
import html
import io
import json
from dataclasses import dataclass
from importlib.resources import files
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import soundfile
from matplotlib.image import imsave

from ..errors import XaiAudioError
from ..explainers.answers import listed, one_of_all
from ..explainers.engines.components import Components
from ..explainers.parts import PartsExplanation
from ..models.hearing import hear, voting
from ..models.tags import THRESHOLD
from ..plots.canvas import MAGNITUDE
from ..stft import analyse, lead

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..frontend import LogMel
    from ..models.classifier import AudioClassifier

#: Most parts: the network is asked about every choice of them, 2 to this power.
MOST = 10

#: What :func:`cut` cuts a sound by.
CUTS = ("none", "time", "bands", "harmonic")

# Sounds that the network is asked about at a time.
_BATCH = 32
# Patches that a page's mixer asks about at most: seconds of work.
_PATCHES = 640
# Longer sounds make a page that is slow to open.
_LONGEST = 60.0
_FADE_SECONDS = 0.02
# A part is drawn where it has more of the sound's power than all the others together.
_OWNS = 0.5
# Rates that browsers play at.
_RATES = (8000, 96_000)
_TICKS_HERTZ = (250, 1000, 4000, 16_000)


@dataclass(frozen=True, eq=False)
class Mixer:
    """A sound's parts and a network's answers to each choice of them. A notebook shows the mixer.

    Attributes
    ----------
    components : Components
        The sound and its parts.
    scores : ndarray of float32, shape (2**k, classes)
        The network's probabilities for each choice. Bit i of a row's number says whether part i
        is on. The mean over the patches of the whole sound that are no silence; of a network that
        can hear several classes at once, the highest of them.
    labels : tuple of str
    target : int
        Index into `labels` of the class that is watched.
    frontend : LogMel
    title : str
        What the sound is.
    weights : ndarray of float, shape (k,), or None
        What an explanation says that each part adds.
    unit : str
        Of the weights.
    several : bool
        Whether the network can hear several classes at once: all above the threshold.
    threshold : float
        Above which a class is heard where several can be.
    """

    components: Components
    scores: np.ndarray
    labels: tuple[str, ...]
    target: int
    frontend: LogMel
    title: str = "The sound"
    weights: np.ndarray | None = None
    unit: str = ""
    several: bool = False
    threshold: float = THRESHOLD

    def answer(self, on: ArrayLike) -> tuple[float, str]:
        """Return the probability of the class watched, and the class heard, with some parts on.

        Parameters
        ----------
        on : array_like of bool, shape (k,)

        Returns
        -------
        probability : float
        label : str
            The class of the highest probability; if several can be heard, all that are.
        """
        number = int(np.asarray(on, bool) @ (1 << np.arange(len(self.components))))
        return float(self.scores[number, self.target]), self.heard[number]

    @property
    def heard(self) -> list[str]:
        """What the network hears with each choice of parts, (2**k,)."""
        if not self.several:
            return [self.labels[number] for number in self.scores.argmax(axis=1)]
        return [
            listed([self.labels[number] for number in np.argsort(-row, kind="stable")
                    if row[number] > self.threshold])
            for row in self.scores
        ]  # fmt: skip

    def html(self) -> str:
        """Return the mixer as HTML, with its style and script."""
        return _html(self)

    def _repr_html_(self) -> str:
        return self.html()


def mixer(
    sounds: PartsExplanation | Components,
    model: AudioClassifier | None = None,
    target: str | int | None = None,
    *,
    overlap: float | None = None,
    title: str = "The sound",
    threshold: float = THRESHOLD,
) -> Mixer:
    """Make a mixer of a sound's parts, and ask a network about every choice of them.

    Parameters
    ----------
    sounds : Components or PartsExplanation
        Up to ten parts of a sound, at the rate of the model's front end. An explanation also says
        what each part adds.
    model : AudioClassifier, optional
        By default the network that was explained.
    target : str or int, optional
        The class whose score is shown; by default the one explained, or the one that the network
        gives the whole sound.
    overlap : float, optional
        Of the patches that the network hears; by default as explained, or the front end's own.
    title : str
        What the sound is.
    threshold : float
        Above which a class is heard, of a network that can hear several at once.

    Returns
    -------
    Mixer
        With ``html()``; a notebook shows it.

    Raises
    ------
    XaiAudioError
        For more than ten parts, parts of something else than a sound, a rate that browsers do not
        play, an unknown class, or a network that is not known.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.engines.components import Components
    >>> from xaiaudio.pages.mixer import mixer
    >>> wave = np.random.default_rng(0).normal(0, 0.1, 32_000)
    >>> made = mixer(Components.in_time(wave, 3, fade=800), xa.load_model("lite"), "Rain")
    >>> made.scores.shape
    (8, 10)
    """
    weights, unit = None, ""
    if isinstance(sounds, Components):
        components = sounds
    elif not isinstance(sounds, PartsExplanation):
        raise XaiAudioError(
            f"The mixer takes parts of a sound, and this is {type(sounds).__name__}: give it "
            "Components, or what explain_parts returned."
        )
    else:
        components, weights = sounds.components, sounds.weights
        unit = "logit" if sounds.output == "logits" else "probability"
        model = sounds.model if model is None else model
        target = sounds.target if target is None else target
        overlap = sounds.overlap if overlap is None else overlap
    if model is None:
        raise XaiAudioError("Who is to answer? Give the mixer a network: mixer(sounds, model).")
    _check(components, model.frontend.sample_rate)
    watched = None if target is None else model.index(target)
    several = not one_of_all(model, components.whole, overlap)
    scores = all_scores(model, components, overlap, several=several)
    return Mixer(
        components=components,
        scores=scores,
        labels=tuple(model.labels),
        target=int(scores[-1].argmax()) if watched is None else watched,
        frontend=model.frontend,
        title=title,
        weights=weights,
        unit=unit,
        several=several,
        threshold=threshold,
    )


def all_scores(
    model: AudioClassifier,
    components: Components,
    overlap: float | None = None,
    *,
    several: bool = False,
) -> np.ndarray:
    """Return a network's probabilities for every choice of parts: float32 (2**k, classes)."""
    count = len(components)
    choices = (np.arange(1 << count)[:, None] >> np.arange(count)) & 1
    voted = voting(model, components.whole, overlap)
    return np.concatenate(
        [
            hear(model, components.mix(some), overlap=overlap, voted=voted, highest=several)
            for some in np.array_split(choices, -(-len(choices) // _BATCH))
        ]
    )


def cut(wave: ArrayLike, frontend: LogMel, by: str, patches: int) -> Components | None:
    """Cut a sound for the mixer of a page, into so few parts that the network answers in seconds.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
    frontend : LogMel
    by : {"none", "time", "bands", "harmonic"}
        Stretches of time, ranges of frequency, or what lasts and what strikes.
    patches : int
        Of the sound, that the network is asked about for each choice of parts.

    Returns
    -------
    Components or None
        Two to five parts. None for "none", for sounds longer than a minute or too short to be cut,
        and at rates that browsers do not play.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.pages.mixer import cut
    >>> len(cut(np.zeros(80_000), xa.LogMel.vggish(), "time", patches=9))
    5
    """
    if by not in CUTS:
        raise XaiAudioError(f"A sound is not cut by {by!r}: choose one of {', '.join(CUTS)}.")
    rate, wave = frontend.sample_rate, np.asarray(wave, np.float32)
    playable = _RATES[0] <= rate <= _RATES[1]
    if by == "none" or not playable or len(wave) > _LONGEST * rate:
        return None
    count = int(np.clip(np.log2(_PATCHES / patches), 2, 5))
    if by == "time":
        if len(wave) < count:
            return None
        fade = min(round(_FADE_SECONDS * rate), len(wave) // (2 * count))
        parts = Components.in_time(wave, count, fade=fade)
        edges = np.linspace(0, len(wave) / rate, count + 1)
        names = [f"{start:.1f} to {end:.1f} s" for start, end in pairwise(edges)]
    elif by == "bands":
        if len(wave) < frontend.window:
            return None
        parts = Components.in_bands(wave, frontend, count)
        edges = frontend.band_edges()[
            np.ceil(np.linspace(0, frontend.bands, count + 1)).astype(int)
        ]
        names = [f"{low:.0f} to {high:.0f} Hz" for low, high in pairwise(edges)]
    else:
        return Components.harmonic_percussive(wave)
    return Components(parts.whole, parts.parts, tuple(names))


def _check(components, rate) -> None:
    if components.whole.ndim != 1:
        raise XaiAudioError("These are parts of a patch: give the mixer parts of a sound.")
    if len(components) > MOST:
        raise XaiAudioError(
            f"These are {len(components)} parts, and the network is asked about all choices of "
            f"them: give the mixer {MOST} at most."
        )
    if not _RATES[0] <= rate <= _RATES[1]:
        raise XaiAudioError(f"Browsers do not play sounds at {rate} Hz.")


def samples(components: Components) -> tuple[np.ndarray, float]:
    """Return residual and parts in 16 bits, and what one step is worth.

    All of them added up are the sound in 16 bits, exactly.

    Parameters
    ----------
    components : Components

    Returns
    -------
    pcm : ndarray of int16, shape (1 + k, samples)
        The residual first.
    scale : float
        A power of two; ``pcm / 32768 * scale`` are the samples.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.explainers.engines.components import Components
    >>> from xaiaudio.pages.mixer import samples
    >>> pcm, scale = samples(Components.in_time(np.full(4, 0.5), 2))
    >>> pcm.tolist(), scale
    ([[0, 0, 0, 0], [16384, 16384, 0, 0], [0, 0, 16384, 16384]], 1.0)
    """
    residual = components.residual
    largest = max(np.abs(components.parts).max(), np.abs(residual).max(), 1e-9)
    # Room for the parts' rounding, which goes to the residual.
    scale = 2.0 ** max(0, np.ceil(np.log2(largest * 32768 / (32766 - len(components)))))
    parts = np.rint(components.parts / scale * 32768)
    rest = np.rint(components.whole / scale * 32768) - parts.sum(axis=0)
    pcm = np.concatenate([rest[None], parts])
    return np.clip(pcm, -32768, 32767).astype(np.int16), float(scale)


def flac(pcm: np.ndarray, rate: int) -> bytes:
    """Return samples of 16 bits as a FLAC file of 24 bits, the last eight of them zero.

    Without loss, and no larger than one of 16 bits. Browsers make floats of 16 bits by one scale
    above zero and another one below; of 24 bits both come out as ``pcm / 32768``.
    """
    buffer = io.BytesIO()
    wide = np.asarray(pcm, np.int32) << 16
    soundfile.write(buffer, wide, rate, format="FLAC", subtype="PCM_24")
    return buffer.getvalue()


def owned(components: Components, frontend: LogMel) -> np.ndarray:
    """Return where each part has more power than all the others: bool (k, T, bands).

    Parameters
    ----------
    components : Components
    frontend : LogMel

    Returns
    -------
    ndarray of bool, shape (k, T, bands)
        On the cells of the sound's spectrogram.
    """
    mel = frontend.mel_matrix()
    powers = np.stack(
        [
            np.square(np.abs(analyse(sound, frontend))) @ mel
            for sound in (components.residual, *components.parts)
        ]
    )[:, lead(frontend) :]
    return powers[1:] > _OWNS * np.maximum(powers.sum(axis=0), 1e-12)


def _html(made: Mixer) -> str:
    count, rate = len(made.components), made.frontend.sample_rate
    seconds = len(made.components.whole) / rate
    labels = {label: number for number, label in enumerate(dict.fromkeys(made.heard))}
    pcm, scale = samples(made.components)
    data = {
        "rate": rate,
        "samples": int(pcm.shape[1]),
        "scale": scale,
        "target": made.labels[made.target],
        "labels": list(labels),
        # Of fewer digits, a page and Python would round some to another percent.
        "scores": [round(float(score), 6) for score in made.scores[:, made.target]],
        "heard": [labels[label] for label in made.heard],
        # A residual of nothing is left out.
        "sounds": [base64.b64encode(flac(one, rate)).decode() if one.any() else "" for one in pcm],
    }
    # No text of a user's may end the script that holds it.
    text = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    target, title = html.escape(made.labels[made.target]), html.escape(made.title, quote=True)
    rows = "".join(_row(made, number) for number in range(count))
    share = np.square(made.components.residual, dtype=np.float64).sum() / max(
        np.square(made.components.whole, dtype=np.float64).sum(), 1e-30
    )
    rest = f" {share:.0%} of the energy lies in no part and always sounds." if share > 5e-3 else ""
    return f"""<style>{_asset("mixer.css")}</style>
<div class="xa-mixer" role="group" aria-label="Mixer: {title}">
<div class="xa-mixer-picture">{_picture(made, title, seconds)}
<label class="xa-mixer-seek"><span>Position of the play-head in seconds</span>
<input type="range" min="0" max="{seconds:.3f}" step="0.01" value="0" data-seek></label></div>
<div class="xa-mixer-bar"><button type="button" data-play>Play</button>
<button type="button" data-reset>All on</button>
<p class="xa-mixer-score"><span class="xa-mixer-meter" aria-hidden="true"><span></span></span>
<span role="status" aria-live="polite" data-score>{_said(made)}</span></p></div>
<ul class="xa-mixer-parts" role="list">{rows}</ul>
<p class="xa-mixer-note">The probability of {target} is asked of the network for each choice of
parts beforehand.{rest} <span data-nearest></span></p>
<noscript><p>The mixer needs JavaScript.</p></noscript>
<script type="application/json" data-mixer>{text}</script>
</div>
<script>{_asset("mixer.js")}</script>"""


def _said(made) -> str:
    probability, label = made.answer(np.ones(len(made.components), bool))
    target = html.escape(made.labels[made.target])
    return f"{target}: {probability:.0%}. The network hears {html.escape(label)}."


def _row(made, number) -> str:
    name = html.escape(made.components.names[number], quote=True)
    adds = ""
    if made.weights is not None:
        adds = f'<span class="xa-mixer-adds">{made.weights[number]:+.2g} {made.unit}</span>'
    return (
        f'<li data-part="{number}">'
        f'<button type="button" data-on aria-pressed="true">{name}</button>'
        f'<button type="button" data-solo aria-pressed="false" aria-label="solo {name}">solo'
        f'</button><input type="range" min="0" max="100" step="1" value="100" data-gain '
        f'aria-label="Level of {name} in percent"><output>100%</output>{adds}</li>'
    )


def _picture(made, title, seconds) -> str:
    frontend, whole = made.frontend, made.components.whole
    rows = frontend.spectrogram(np.pad(whole, (0, max(0, frontend.min_samples - len(whole)))))
    # As long as the sound: the play-head runs over seconds, not over frames.
    frames = max(1, round(seconds * frontend.sample_rate / frontend.hop))
    places = np.minimum(np.arange(frames), len(rows) - 1)
    masks = owned(made.components, frontend)
    marks = "".join(
        f'<span class="xa-mixer-mark" data-mark="{number}" aria-hidden="true">'
        f'<span class="xa-mixer-area" style="{_mask(mask)}"></span>'
        f'<span class="xa-mixer-edge" style="{_mask(_edge(mask))}"></span></span>'
        for number, mask in enumerate(masks[:, np.minimum(places, masks.shape[1] - 1)])
    )
    picture = _png(rows[places].T[::-1], cmap=MAGNITUDE)
    return (
        f'<div class="xa-mixer-canvas"><img src="{picture}" alt="Spectrogram of {title}, '
        f'{seconds:.1f} s, low frequencies at the bottom.">{marks}{_hertz(frontend)}'
        f'<span class="xa-mixer-head" aria-hidden="true"></span></div>'
        f'<div class="xa-mixer-time" aria-hidden="true">{_seconds(seconds)}</div>'
    )


def _mask(cells) -> str:
    """Return the style that lets an element be seen in some cells only."""
    pixels = np.zeros((*cells.T.shape, 4))
    pixels[cells.T[::-1], 3] = 1
    address = f"url({_png(pixels)})"
    return f"-webkit-mask-image:{address};mask-image:{address}"


def _edge(cells) -> np.ndarray:
    """Return the cells that have a neighbour without: the outline."""
    around = np.pad(cells, 1)
    inner = around[2:, 1:-1] & around[:-2, 1:-1] & around[1:-1, 2:] & around[1:-1, :-2]
    return cells & ~inner


def _png(pixels, **options) -> str:
    buffer = io.BytesIO()
    imsave(buffer, pixels, format="png", **options)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"


def _hertz(frontend) -> str:
    edges = frontend.band_edges()
    return "".join(
        f'<span class="xa-mixer-hertz" aria-hidden="true" style="bottom:{100 * place:.1f}%">'
        f"{f'{hertz / 1000:g} kHz' if hertz >= 1000 else f'{hertz} Hz'}</span>"
        for hertz in _TICKS_HERTZ
        if edges[0] <= hertz < edges[-1]
        for place in [np.interp(hertz, edges, np.linspace(0, 1, len(edges)))]
    )


def _seconds(seconds) -> str:
    step = next(step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 30, 60, 1e9) if seconds <= 6 * step)
    marks = np.arange(0, seconds, step)
    return "".join(
        f'<span style="left:{100 * mark / seconds:.1f}%">{mark:g}{" s" if not mark else ""}</span>'
        for mark in marks
    )


def _asset(name) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
