"""One explained clip: its maps, its sounds, and a page to look at and listen to."""

from __future__ import annotations

import dataclasses
import functools
import re
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from .. import plots
from ..errors import XaiAudioError
from ..explainers.answers import one_of_all
from ..explainers.base import explain
from ..explainers.explanation import Explanation
from ..models.tags import THRESHOLD
from ..plots.render import render
from ..sonify.masks import Listening, clip_map, listen
from ..sonify.own_rate import at_own_rate
from . import clip_page
from .mixer import cut, mixer
from .outputs import Outputs, files_of, put_down, write_all

if TYPE_CHECKING:
    from pathlib import Path

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
        return clip_page.page(self)

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
        chosen = outputs or Outputs()
        return write_all(folder, stem, lambda partial: self._write_parts(partial, stem, chosen))

    def _write_parts(self, folder: Path, stem: str, outputs: Outputs) -> list[str]:
        files = put_down(files_of(self, stem, outputs), folder)
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
    threshold=THRESHOLD,
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
        Probability above which such a network hears a class: in the clip, in each sound made of it,
        and in the mixer.
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
    asking = {"keep": keep, "overlap": overlap, "threshold": threshold}
    told: list[ExplainedClip] = []
    for one in targets:
        parts, failed = _parts(model, patches, wave, one, methods, options or {}, **asking)
        told.append(ExplainedClip(name, wave, model, prediction, one, parts, failed, begins=begins))
    started = time.perf_counter()
    components = cut(wave, model.frontend, mix, len(patches))
    made = None
    if components is not None:
        made = mixer(
            components, model, targets[0], overlap=overlap, title=name, threshold=threshold
        )
    seconds = time.perf_counter() - started
    more = {"tags": tags, "others": tuple(told[1:]), "unheard": unheard}
    return dataclasses.replace(told[0], mixer=made, mixer_seconds=seconds, **more)


def _parts(
    model, patches, wave, target, methods, options, **asking
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
        heard = listen(result, wave, **asking)
        parts.append(Part(result, clip_map(result), heard))
    if not parts:
        raise XaiAudioError(next(iter(failed.values())))
    return tuple(parts), failed
