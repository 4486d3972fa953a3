"""SLIME: LIME over a few large segments of sound, in time, in frequency or in both."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from . import lime
from .engines import designs, remixes, switching
from .engines.components import Components, mixtures
from .engines.fills import plain
from .engines.perturbation import engine_of, output_of, takes_waves, waves_of
from .engines.precision import asker, precision_of
from .registry import Found, register

if TYPE_CHECKING:
    from ..models.classifier import AudioClassifier
    from ..patches import Patches

SEGMENTS = ("time", "frequency", "grid")
DOMAINS = ("patch", "sound")

# How far a patch may be from the picture of its own samples: rounding, and no more.
_SAME = 1e-3


@dataclass(frozen=True)
class Options:
    """Options of SLIME.

    Attributes
    ----------
    segments : {"time", "frequency", "grid"}
        Temporal, spectral or time-frequency segments.
    times, bands : int
        Temporal and spectral segments.
    grid : pair of int
        Time-frequency segments: parts in time and in frequency. Sizes differ by one frame or band
        at most, see :func:`.segments.grid`; in the authors' code the last segment takes the rest.
    domain : {"patch", "sound"}
        Where segments are switched off. In the patch, `fill` stands in their cells. In the sound,
        they are taken out of the samples, with borders as soft as a window, and the network hears
        what is left: the patches have to know their samples
        (``model.frontend(wave, sounds=True)``).
    fill : str, float or sequence of float, optional
        What stands in a segment of a patch that is switched off, see :func:`.fills.filling`; by
        default the patch's mean. In the sound it is silence.
    samples : int
        Coalitions of segments asked about. If there are no more than that altogether, as for eight
        bands, each is asked about once: the answer has no chance in it.
    draws, features, kernel_width, seed, output, precision
        As LIME's, see :class:`.lime.Options`.
    """

    segments: str = "grid"
    times: int = 10
    bands: int = 8
    grid: tuple[int, int] = (6, 4)
    domain: str = "patch"
    fill: str | float | tuple | None = None
    samples: int = 256
    draws: str = designs.DRAWS[0]
    features: int | None = None
    kernel_width: float = 0.25
    seed: int = 0
    output: str | None = None
    precision: str = "float32"

    def __post_init__(self):
        for name, known in (("segments", SEGMENTS), ("domain", DOMAINS)):
            if getattr(self, name) not in known:
                raise XaiAudioError(
                    f"{name} is {getattr(self, name)!r}: it must be one of {known}."
                )
        for name in ("times", "bands"):
            count = getattr(self, name)
            if not switching.is_count(count, 1):
                raise XaiAudioError(f"{name} is {count!r}: it must be a number from 1 up.")
        object.__setattr__(self, "fill", plain(self.fill))
        if self.sounds and self.fill not in (None, "silence"):
            raise XaiAudioError(
                f"fill is {self.fill!r}: what is taken out of a sound leaves silence. Leave it "
                "out, or choose domain='patch'."
            )
        _ = self.surrogate  # checks the rest

    @property
    def sounds(self) -> bool:
        """Whether the patches must know their sounds."""
        return self.domain == "sound"

    @property
    def surrogate(self) -> lime.Options:
        """The same question, as LIME's options."""
        grids = {"time": (self.times, 1), "frequency": (1, self.bands), "grid": self.grid}
        shared = ("samples", "draws", "features", "kernel_width", "seed", "output", "precision")
        return lime.Options(
            grid=grids[self.segments],
            fill="mean" if self.fill is None else self.fill,
            **{name: getattr(self, name) for name in shared},
        )


@register(
    "slime",
    options=Options,
    summary="LIME's weights of a few large segments in time, in frequency or in both.",
    paper="Mishra, Sturm & Dixon 2017, Local Interpretable Model-Agnostic Explanations for Music "
    "Content Analysis",
    many_targets=True,
)
def slime(
    classifier: AudioClassifier,
    patches: np.ndarray | Patches,
    targets: np.ndarray,
    options: Options,
) -> Found:
    """Compute maps (n, k, frames, bands) of the segments' weights for `targets` (n, k).

    In the patch this is :func:`.lime.lime` with other segments and another fill.

    References
    ----------
    S. Mishra, B. L. Sturm and S. Dixon, "Local Interpretable Model-Agnostic Explanations for Music
    Content Analysis", ISMIR 2017; with E. Benetos, "Reliable Local Explanations for Machine
    Listening", IJCNN 2020, for the fills.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model, wave = xa.load_model("lite"), np.sin(np.arange(16_000) / 5).astype("float32")
    >>> patches = model.frontend(wave, sounds=True)
    >>> options = {"method": "slime", "segments": "frequency", "upsample": "nearest"}
    >>> found = xa.explain(model, patches, "Rain", domain="sound", **options)
    >>> len(np.unique(found.maps)), int(found.report["rows"][0])  # all coalitions of 8 bands
    (8, 256)
    """
    settings = options.surrogate
    if not options.sounds:
        return lime.lime(classifier, patches, targets, settings)
    segments = switching.segments_of(patches, settings)
    waves = waves_of(patches)
    _check_pictures(classifier, patches, waves)
    # Samples begin with the patch's first window, whatever lies before it in the sound.
    cutter = dataclasses.replace(classifier.frontend, centred=False)
    parts = [
        Components.of_cells(wave, cutter, cells)
        for wave, cells in zip(waves, segments, strict=True)
    ]
    chosen = switching.drawn(switching.counts_of(segments), settings, lime.SOLVER)
    answers = _answers(classifier, patches, waves, parts, chosen[0], settings)
    fits = switching.fitted(chosen, answers, targets, settings, lime.SOLVER)
    report = switching.reported(chosen, fits, settings, lime.SOLVER)
    return Found(switching.painted(fits, segments), report)


def _answers(classifier, patches, waves, parts, design, options) -> np.ndarray:
    """Ask about every sound with some of its segments taken out: float32 (n, m, classes)."""
    precision = precision_of(classifier, options.precision, patches, options.output)
    if takes_waves(classifier):
        engine = engine_of(classifier, options.output)
        return engine(waves, None, mixtures(parts, design.present))
    ask = asker(classifier, output_of(classifier, options.output), precision)
    return remixes.asked(ask, parts, design.present, classifier.frontend)


def _check_pictures(classifier, patches, waves) -> None:
    """Refuse patches that are not the pictures of their own samples."""
    if takes_waves(classifier):
        return
    pictures = classifier.frontend.pictures(waves)
    if np.abs(pictures - np.asarray(patches)).max(initial=0) > _SAME:
        raise XaiAudioError(
            "These patches depend on more of the sound than their own samples (on its loudest "
            "cell): take domain='patch', or the parts of the whole sound with xa.explain_parts."
        )
