"""audioLIME: switch the sources of a sound on and off, and let the network hear the remix.

Of whole sounds, :func:`explain_sources` returns what each source adds. Of patches that know their
sounds, the method ``"audiolime"`` returns maps: each part's weight, where the part is heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from .. import filterbank
from ..errors import XaiAudioError, meant
from ..frontend_settings import check_count
from . import lime, registry
from .engines import remixes, switching
from .engines.components import Components, mixtures
from .engines.perturbation import Engine, output_of, takes_waves
from .engines.precision import asker, precision_of
from .parts import explain_parts

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import ArrayLike

    from ..frontend import LogMel
    from ..models.classifier import AudioClassifier
    from ..patches import Patches
    from .engines.designs import Design
    from .parts import PartsExplanation

#: How a sound is taken apart where no stems are known.
SOURCES = ("harmonic-percussive", "nmf")

# How far the picture of a patch's samples may be from the patch: rounding, and no more.
_SAME = 1e-2
_MOST_SECONDS = 10


@dataclass(frozen=True)
class Options:
    """Options of audioLIME for patches.

    Attributes
    ----------
    sources : {"harmonic-percussive", "nmf"}
        What each patch's sound is taken apart into.
    count : int
        Spectra of the factorisation. Not used with ``"harmonic-percussive"``.
    segments : int
        Stretches of time that each source is cut into.
    samples, draws, kernel_width, seed, output, precision
        As for :class:`.lime.Options`.
    """

    sources: str = "harmonic-percussive"
    count: int = 3
    segments: int = 5
    samples: int = 128
    draws: str = "orthogonal"
    kernel_width: float = 0.25
    seed: int = 0
    output: str | None = None
    precision: str = "float32"

    def __post_init__(self):
        _check_sources(self.sources)
        for name in ("count", "segments"):
            if not switching.is_count(getattr(self, name), 1):
                raise XaiAudioError(
                    f"{name} is {getattr(self, name)!r}: it must be a whole number from 1 up."
                )
        _ = self.fitting  # says what is wrong with the others

    @property
    def fitting(self) -> lime.Options:
        """How the answers become weights: LIME's options."""
        return lime.Options(
            samples=self.samples,
            draws=self.draws,
            kernel_width=self.kernel_width,
            seed=self.seed,
            output=self.output,
            precision=self.precision,
        )


@registry.register(
    "audiolime",
    options=Options,
    summary="Weights of a linear model fitted to remixes of the sound's sources, where they sound.",
    paper="Haunschmid, Manilow & Widmer 2020, audioLIME: Listenable Explanations",
    many_targets=True,
    sounds=True,
)
def audiolime(
    classifier: AudioClassifier, patches: Patches, targets: np.ndarray, options: Options
) -> registry.Found:
    """Compute maps (n, k, frames, bands) for `targets` (n, k).

    A part is a source in a stretch of time. A cell of the map is the sum of the parts' weights,
    each times the part's share of the cell's magnitude; what lies in no part has no weight.

    The report is LIME's, and `residual`: the share of the patch's energy that lies in no part.
    """
    parts = [parts_of(wave, classifier.frontend, options) for wave in np.asarray(patches.waves)]
    design = lime.SOLVER.draw(len(parts[0]), options.fitting)
    answers = _answers(classifier, patches, parts, design, options)
    chosen = [design] * len(parts)
    fits = switching.fitted(chosen, answers, targets, options.fitting, lime.SOLVER)
    maps = np.stack(
        [
            np.tensordot(fit.weights, shares(one, classifier.frontend), 1)
            for fit, one in zip(fits, parts, strict=True)
        ]
    )
    report = switching.reported(chosen, fits, options.fitting, lime.SOLVER)
    lost = np.array([_energy(one.residual) / max(_energy(one.whole), 1e-30) for one in parts])
    return registry.Found(maps, report | {"residual": np.tile(lost[:, None], targets.shape[1])})


def parts_of(wave: ArrayLike, frontend: LogMel, options: Options) -> Components:
    """Return the parts of a patch's sound: its sources in stretches of time."""
    found = sources_of(wave, frontend, options.sources, count=options.count, seed=options.seed)
    return found.times(options.segments)


def sources_of(
    wave: ArrayLike,
    frontend: LogMel,
    sources: str | Mapping[str, ArrayLike] | ArrayLike | Callable = SOURCES[0],
    *,
    count: int = 3,
    seed: int = 0,
) -> Components:
    """Take a sound apart into its sources.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        At the front end's rate.
    frontend : LogMel
    sources : {"harmonic-percussive", "nmf"}, mapping of str to stem, array of stems, or callable
        How; or the stems, or a separator, as :meth:`.Components.of_sources` takes them.
    count, seed : int
        For ``"nmf"``: how many spectra, and what the factorisation leaves to chance.

    Returns
    -------
    Components

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.audiolime import sources_of
    >>> wave = np.sin(np.arange(8_000) / 5)
    >>> sources_of(wave, xa.LogMel.vggish(), {"low": wave / 2}).names
    ('low',)
    """
    if not isinstance(sources, str):
        return Components.of_sources(wave, sources, sample_rate=frontend.sample_rate)
    _check_sources(sources)
    if sources == "nmf":
        return Components.nmf(wave, frontend, count, seed=seed)
    return Components.harmonic_percussive(wave)


def explain_sources(
    model: AudioClassifier,
    wave: ArrayLike,
    target: str | int | None = None,
    sources: str | Mapping[str, ArrayLike] | ArrayLike | Callable = SOURCES[0],
    *,
    segments: int | None = None,
    fade: float = 0.0,
    count: int = 3,
    method: str = "lime",
    **options: Any,
) -> PartsExplanation:
    """Explain what each source of a sound adds to a network's answer, and when.

    Parameters
    ----------
    model : AudioClassifier
        Any: it hears remixed sounds.
    wave : array_like of float, shape (samples,)
        At the rate of the model's front end.
    target : str or int, optional
        The class; by default the one that the network gives the whole sound.
    sources, count
        As for :func:`sources_of`.
    segments : int, optional
        Stretches of time that each source is cut into; 1 does not cut. By default one a second, but
        ten at most.
    fade : float
        Seconds in which one stretch fades out and the next one in.
    method, **options
        As for :func:`.explain_parts`.

    Returns
    -------
    PartsExplanation
        With the parts in the order of time: all sources of the first stretch first.

    References
    ----------
    V. Haunschmid, E. Manilow and G. Widmer, "audioLIME: Listenable explanations using source
    separation", MML 2020.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.audiolime import explain_sources
    >>> hum, hiss = np.sin(np.arange(32_000) / 20), np.random.default_rng(0).normal(0, 1, 32_000)
    >>> stems = {"hum": 0.1 * hum, "hiss": 0.1 * hiss}
    >>> lite = xa.load_model("lite")
    >>> explain_sources(lite, stems["hum"] + stems["hiss"], "Rain", stems).components.names
    ('hum, time 1', 'hiss, time 1', 'hum, time 2', 'hiss, time 2')
    """
    frontend = model.frontend
    seed = options.get("seed", 0)
    parts = sources_of(wave, frontend, sources, count=count, seed=seed)
    seconds = len(parts.whole) / frontend.sample_rate
    segments = min(max(int(seconds), 1), _MOST_SECONDS) if segments is None else segments
    check_count("segments", segments)
    if not isinstance(fade, Real) or not 0 <= fade <= seconds / segments:
        raise XaiAudioError(
            f"fade is {fade!r}: it must be a number of seconds from 0 to "
            f"{seconds / segments:.3g}, the length of a stretch."
        )
    if segments != 1:
        parts = parts.times(segments, fade=round(fade * frontend.sample_rate))
    return explain_parts(model, parts, target, method, **options)


def shares(components: Components, frontend: LogMel) -> np.ndarray:
    """Return how much of each mel cell of a patch is each part's.

    Parameters
    ----------
    components : Components
        Of a patch's samples, see the `waves` of `Patches`.
    frontend : LogMel

    Returns
    -------
    ndarray of float64, shape (parts, frames, bands)
        A part's magnitude over the sum of all parts' and the residual's. Cells in which nothing
        sounds are nobody's, 0.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.audiolime import shares
    >>> from xaiaudio.explainers.engines.components import Components
    >>> vggish, wave = xa.LogMel.vggish(), np.random.default_rng(0).normal(0, 0.1, 15_600)
    >>> found = shares(Components.of_sources(wave, [0.25 * wave]), vggish)
    >>> found.shape, round(float(found.mean()), 3)
    ((1, 96, 64), 0.25)
    """
    seen = frontend.window + (frontend.frames - 1) * frontend.hop
    sounds = [*components.parts, components.residual]
    found = np.stack([filterbank.sums_of_windows(one[:seen], frontend) for one in sounds])
    found = found.astype(np.float64)
    total = found.sum(axis=0)
    return np.divide(found[:-1], total, out=np.zeros_like(found[:-1]), where=total > 0)


def _answers(classifier, patches, parts, design: Design, options) -> np.ndarray:
    """Ask about remixes of each patch's parts: float32 (n, m, classes)."""
    output = output_of(classifier, options.output)
    precision = precision_of(classifier, options.precision, patches, output)
    ask = asker(classifier, output, precision)
    waves, frontend = np.stack([one.whole for one in parts]), classifier.frontend
    if takes_waves(classifier):
        run = classifier.forward(output == "logits")
        engine = Engine(run, classifier.batch, compiled=False)
        answers = engine(waves, None, mixtures(parts, design.present))
    else:
        if np.abs(frontend.pictures(waves) - np.asarray(patches)).max() > _SAME:
            raise XaiAudioError(
                "audiolime cannot make these patches of their own sounds: this front end compares "
                "a patch with the rest of its sound. Explain the whole sound: explain_sources."
            )
        answers = remixes.asked(ask, parts, design.present, frontend)
    # In a batch with other sounds, the last bits may be rounded in another way.
    answers[:, design.present.all(axis=1)] = ask(patches)[:, None]
    return answers


def _energy(wave) -> float:
    return float(np.square(wave, dtype=np.float64).sum())


def _check_sources(sources) -> None:
    if sources not in SOURCES:
        raise XaiAudioError(
            f"sources is {sources!r}{meant(str(sources), SOURCES)}: it must be one of {SOURCES}."
        )
