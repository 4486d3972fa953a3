"""Explanations of whole sounds by their parts: what each segment, source or concept adds.

A part is switched off in the sound itself, and the network hears the remix.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError, meant
from ..models.hearing import hear, voting
from . import lime
from .engines.components import mixtures
from .engines.perturbation import Engine, output_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from ..models.classifier import AudioClassifier
    from .engines.components import Components

# Sounds that the network is asked about at a time: a sound is many patches.
BATCH = 32


@dataclass(frozen=True, eq=False)
class PartsExplanation:
    """What each part of a sound adds to a network's answer.

    Attributes
    ----------
    components : Components
        The sound and its parts.
    weights : ndarray of float64, shape (k,)
        What each part adds, in logits or probability; positive speaks for the target.
    target : int
        Index into `labels` of the class explained.
    scores : ndarray of float32, shape (classes,)
        The network's probabilities for the whole sound, the mean over its patches.
    labels : tuple of str
    method : str
    options : dict
    output : {"logits", "scores"}
        What the network was asked for.
    sample_rate : int
        In hertz.
    report : dict of str to float
        How the weights were found: samples, distinct rows, fit.
    seconds : float
        Wall-clock time that it took.
    """

    components: Components
    weights: np.ndarray
    target: int
    scores: np.ndarray
    labels: tuple[str, ...]
    method: str
    options: dict
    output: str
    sample_rate: int
    report: dict = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def target_label(self) -> str:
        """The class explained, by name."""
        return self.labels[self.target]

    @property
    def order(self) -> np.ndarray:
        """Numbers of the parts, the one that speaks most for the class first."""
        return np.argsort(-self.weights, kind="stable")

    def chosen(self, count: int | None = None) -> np.ndarray:
        """Return which parts are kept, bool (k,): the positive ones, of these the `count` first."""
        kept = np.zeros(len(self.weights), bool)
        kept[self.order[:count]] = True
        return kept & (self.weights > 0)

    def kept(self, count: int | None = None) -> np.ndarray:
        """Return the sum of the parts that speak for the class, float32 (samples,).

        Parameters
        ----------
        count : int, optional
            Most parts to keep; by default all that speak for it.

        Returns
        -------
        ndarray of float32, shape (samples,)
            Together with :meth:`removed` the sound. Zeros if no part speaks for the class.
        """
        return (self.components.whole - self.removed(count)).astype(np.float32)

    def removed(self, count: int | None = None) -> np.ndarray:
        """Return the sound without what :meth:`kept` keeps, float32 (samples,)."""
        return self.components.mix(~self.chosen(count))

    def table(self) -> list[dict]:
        """Return a row for each part, in their own order: name, weight, share of the energy."""
        energies = np.square(self.components.parts, dtype=np.float64).sum(axis=1)
        whole = np.square(self.components.whole, dtype=np.float64).sum()
        return [
            {"part": name, "weight": float(weight), "energy": float(energy / whole if whole else 0)}
            for name, weight, energy in zip(
                self.components.names, self.weights, energies, strict=True
            )
        ]


def explain_parts(
    model: AudioClassifier,
    components: Components,
    target: str | int | None = None,
    method: str = "lime",
    *,
    output: str | None = None,
    overlap: float | None = None,
    **options: Any,
) -> PartsExplanation:
    """Explain what each part of a sound adds to a network's answer.

    Parameters
    ----------
    model : AudioClassifier
        Any: it hears remixed waveforms.
    components : Components
        Parts of a sound at the rate of the model's front end.
    target : str or int, optional
        The class; by default the one that the network gives the whole sound.
    method : str
        How the answers become weights, see `METHODS`.
    output : {"logits", "scores"}, optional
        What the network is asked for; by default the logits where it has any.
    overlap : float, optional
        Of the patches that the sound is cut into; by default the front end's own.
    **options
        The method's own.

    Returns
    -------
    PartsExplanation

    Raises
    ------
    XaiAudioError
        For an unknown class, method or option, or parts of something else than a sound.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.engines.components import Components
    >>> wave = np.random.default_rng(0).normal(0, 0.1, 16_000)
    >>> result = xa.explain_parts(xa.load_model("lite"), Components.in_time(wave, 4), "Rain")
    >>> result.weights.shape
    (4,)
    """
    if method not in METHODS:
        raise XaiAudioError(
            f"No method for parts is called {method!r}{meant(method, METHODS)}: there are "
            f"{', '.join(METHODS)}."
        )
    if components.whole.ndim != 1:
        raise XaiAudioError("These are parts of a patch: give parts of a sound (samples,).")
    started = time.perf_counter()
    ask, output = asking(model, components, output, overlap)
    scores = hear(
        model,
        components.whole[None],
        overlap=overlap,
        voted=voting(model, components.whole, overlap),
    )[0]
    index = int(scores.argmax()) if target is None else model.index(target)
    weights, report, settings = METHODS[method](ask, len(components), index, options)
    return PartsExplanation(
        components=components,
        weights=weights,
        target=index,
        scores=scores,
        labels=tuple(model.labels),
        method=method,
        options=settings,
        output=output,
        sample_rate=model.frontend.sample_rate,
        report=report,
        seconds=time.perf_counter() - started,
    )


def asking(
    model: AudioClassifier,
    components: Components,
    output: str | None = None,
    overlap: float | None = None,
) -> tuple[Callable, str]:
    """Return a function from coalitions (m, k) to answers (m, classes), and what it asks for.

    The coalition of all parts is answered exactly as the sound itself.
    """
    output = output_of(model, output)
    voted = voting(model, components.whole, overlap)

    def forward(waves):
        answers = hear(model, waves, output=output, overlap=overlap, voted=voted)
        return answers

    engine = Engine(forward, BATCH, compiled=False)

    def ask(weights, progress=None):
        masks = mixtures([components], np.asarray(weights, np.float32))
        return engine(components.whole[None], None, masks, progress=progress)[0]

    return ask, output


def _lime(ask, count, target, options):
    settings = lime.Options(**options)
    present, state = lime.coalitions(count, settings.samples, settings.seed)
    answers = ask(present)
    weights = lime.surrogates(present, answers, np.array([target]), state, settings)[0]
    report = {"samples": len(present), "rows": len(np.unique(present, axis=0))}
    return weights, report, {"samples": settings.samples, "seed": settings.seed}


#: How the answers to coalitions of parts become weights.
METHODS = {"lime": _lime}
