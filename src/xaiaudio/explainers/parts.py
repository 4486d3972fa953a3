"""Explanations of whole sounds by their parts: what each segment, source or concept adds.

A part is switched off in the sound itself, and the network hears the remix.
"""

from __future__ import annotations

import dataclasses
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError, meant
from ..models.hearing import hear, voting
from . import lime, registry, shapley
from .answers import answers, known
from .engines.components import Components, mixtures
from .engines.perturbation import Engine, output_of
from .engines.switching import SegmentOptions, is_count

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from numpy.typing import ArrayLike

    from ..models.classifier import AudioClassifier
    from .answers import Answers

# Sounds that the network is asked about at a time: a sound is many patches.
BATCH = 32

#: How the answers to coalitions of parts become weights.
METHODS = {"lime": lime.SOLVER, "shapley": shapley.SOLVER}

# What the components settle, and what explain_parts takes by itself.
_SETTLED = {"segments", "grid", "fill", "output"}

# What can be heard of every sound that is explained by its parts.
SOUNDS = ("original", "kept", "removed", "residual")


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
        How the weights were found: samples, distinct rows, fit and stability, see
        :func:`.lime.report_of` and :func:`.shapley.report_of`.
    errors : ndarray of float64, shape (k,)
        Standard error of each weight, in its unit: how far another seed moves it. 0 if all
        coalitions were asked about, NaN if too few were to tell.
    seconds : float
        Wall-clock time that it took.
    overlap : float or None
        Of the patches that the sounds were cut into; None is the front end's own.
    model : AudioClassifier or None
        The network that was explained. Neither compared nor saved.
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
    errors: np.ndarray = field(default_factory=lambda: np.zeros(0))
    seconds: float = 0.0
    overlap: float | None = None
    model: AudioClassifier | None = field(default=None, compare=False, repr=False)

    def __getstate__(self) -> dict:
        """Return what copies and pickles keep: all but the network."""
        return {**self.__dict__, "model": None}

    @property
    def target_label(self) -> str:
        """The class explained, by name."""
        return self.labels[self.target]

    @property
    def order(self) -> np.ndarray:
        """Numbers of the parts, int (k,), the one that speaks most for the class first."""
        return np.argsort(-self.weights, kind="stable")

    def chosen(self, count: int | None = None) -> np.ndarray:
        """Return which parts are kept, bool (k,): the positive ones, of these the `count` first."""
        if count is not None and not is_count(count, 0):
            raise XaiAudioError(f"count is {count!r}: it must be a number of parts, or None.")
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

    @property
    def part_names(self) -> tuple[str, ...]:
        """The parts' names in :meth:`sounds`: with a number where the name alone is not enough."""
        names, taken = self.components.names, {*SOUNDS, *self.components.names}
        found = []
        for number, name in enumerate(names, 1):
            own = name
            if name in SOUNDS or names.count(name) > 1:
                while own in taken:
                    own += f" ({number})"
                taken.add(own)
            found.append(own)
        return tuple(found)

    def sounds(self, count: int | None = None) -> dict[str, np.ndarray]:
        """Return all that can be heard, by name: original, kept, removed, residual, each part."""
        parts = self.components
        made = (parts.whole, self.kept(count), self.removed(count), parts.residual)
        return dict(zip(SOUNDS, made, strict=True)) | dict(
            zip(self.part_names, parts.parts, strict=True)
        )

    def check_sound(self, wave: ArrayLike | None) -> None:
        """Raise an XaiAudioError for another sound than the one explained."""
        if wave is not None and not np.array_equal(
            np.asarray(wave, np.float32), self.components.whole
        ):
            raise XaiAudioError("These are parts of another sound: leave the sound out.")

    def check(
        self,
        wave: ArrayLike | None = None,
        *,
        model: AudioClassifier | None = None,
        count: int | None = None,
    ) -> Answers:
        """Ask the network what it hears in the sound, in what is kept, removed, and in each part.

        Parameters
        ----------
        wave : array_like of float, shape (samples,), optional
            The sound that was explained, to make sure that it is.
        model : AudioClassifier, optional
            By default the network that was explained.
        count : int, optional
            Most parts to keep, see :meth:`kept`.

        Returns
        -------
        Answers
            In the order of :meth:`sounds`.

        Raises
        ------
        XaiAudioError
            If the network is unknown, or it is another sound.
        """
        self.check_sound(wave)
        asked = known(model, self.model)
        return answers(asked, self.sounds(count), [self.target_label], overlap=self.overlap)

    def table(self) -> list[dict]:
        """Return a row for each part, in their own order, of plain texts and numbers.

        Returns
        -------
        list of dict
            ``part`` is its name, ``weight`` what it adds, ``error`` the standard error of that,
            and ``energy`` the part's share of the sound's, which need not sum to 1.
        """
        energies = np.square(self.components.parts, dtype=np.float64).sum(axis=1)
        whole = np.square(self.components.whole, dtype=np.float64).sum()
        return [
            {
                "part": name,
                "weight": float(weight),
                "error": float(error),
                "energy": float(energy / whole if whole else 0),
            }
            for name, weight, error, energy in zip(
                self.components.names, self.weights, self.errors, energies, strict=True
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
    method : {"lime", "shapley"}
        How the answers become weights.
    output : {"logits", "scores"}, optional
        What the network is asked for; by default the logits where it has any.
    overlap : float, optional
        Of the patches that the sound is cut into; by default the front end's own.
    **options
        The method's own, such as `samples`, `draws` and `seed`, see :class:`.lime.Options` and
        :class:`.shapley.Options`. If there are no more coalitions than samples, all are asked
        about, and no seed matters.

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
    if target is None:
        _check_sound(components)
        voted = voting(model, components.whole, overlap)
        target = int(hear(model, components.whole[None], overlap=overlap, voted=voted).argmax())
    found = explain_parts_classes(
        model, components, [target], method, output=output, overlap=overlap, **options
    )
    return next(iter(found.values()))


def explain_parts_classes(
    model: AudioClassifier,
    components: Components,
    classes: Sequence[str | int] | None = None,
    method: str = "lime",
    *,
    output: str | None = None,
    overlap: float | None = None,
    **options: Any,
) -> dict[str, PartsExplanation]:
    """Explain what each part of a sound adds to the answers for several classes.

    The network hears the same remixes for all of them.

    Parameters
    ----------
    model, components, method, output, overlap, **options
        As in :func:`explain_parts`.
    classes : sequence of str or int, or None
        The classes; None takes all of them.

    Returns
    -------
    dict of str to PartsExplanation
        In the order of `classes`.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.engines.components import Components
    >>> from xaiaudio.explainers.parts import explain_parts_classes
    >>> wave = np.random.default_rng(0).normal(0, 0.1, 16_000)
    >>> halves = Components.in_time(wave, 2)
    >>> list(explain_parts_classes(xa.load_model("lite"), halves, ["Rain", "Helicopter"]))
    ['Rain', 'Helicopter']
    """
    started = time.perf_counter()
    settings = _settings(method, options)
    _check_sound(components)
    targets = [model.index(name) for name in (model.labels if classes is None else classes)]
    ask, output = asking(model, components, output, overlap)
    voted = voting(model, components.whole, overlap)
    scores = hear(model, components.whole[None], overlap=overlap, voted=voted)[0]
    solver = METHODS[method]
    design = solver.draw(len(components), settings)
    fit = solver.fit(design, ask(design.present)[:, targets], settings)
    report = solver.report(design, fit, settings)
    plain = {
        name: value for name, value in dataclasses.asdict(settings).items() if name not in _SETTLED
    }
    seconds = (time.perf_counter() - started) / max(len(targets), 1)
    return {
        model.labels[target]: PartsExplanation(
            components=components,
            weights=fit.weights[number],
            target=target,
            scores=scores,
            labels=tuple(model.labels),
            method=method,
            options=plain,
            output=output,
            sample_rate=model.frontend.sample_rate,
            report={name: float(values[number]) for name, values in report.items()},
            errors=fit.errors[number],
            seconds=seconds,
            overlap=overlap,
            model=model,
        )
        for number, target in enumerate(targets)
    }


def _check_sound(components) -> None:
    if not isinstance(components, Components):
        raise XaiAudioError(
            f"These are no parts of a sound, but {type(components).__name__}: give Components, "
            "such as Components.in_time(wave, 5)."
        )
    if components.whole.ndim != 1:
        raise XaiAudioError("These are parts of a patch: give parts of a sound (samples,).")


def _settings(method, options) -> SegmentOptions:
    """Return the method's options, or say what is wrong with them."""
    if method not in METHODS:
        raise XaiAudioError(
            f"No method for parts is called {method!r}{meant(method, METHODS)}: there are "
            f"{', '.join(METHODS)}."
        )
    if needless := sorted(_SETTLED & set(options)):
        raise XaiAudioError(
            f"{needless[0]} is no option here: the components settle what the parts are, and what "
            "is left where one is switched off."
        )
    if "precision" in options:
        raise XaiAudioError("precision is no option here: of sounds, all is asked in float32.")
    return registry.find(method).parse(options)


def asking(
    model: AudioClassifier,
    components: Components,
    output: str | None = None,
    overlap: float | None = None,
) -> tuple[Callable, str]:
    """Return a function from coalitions to answers, and what it asks for.

    Parameters
    ----------
    model : AudioClassifier
    components : Components
        Of a sound.
    output, overlap
        As in :func:`explain_parts`.

    Returns
    -------
    ask : callable
        Takes coalitions (m, k), or weights from 0 to 1, and `progress` as the engine does; returns
        answers, float32 (m, classes). The coalition of all parts is answered exactly as the sound
        itself.
    output : {"logits", "scores"}
    """
    output = output_of(model, output)
    voted = voting(model, components.whole, overlap)
    whole = hear(model, components.whole[None], output=output, overlap=overlap, voted=voted)[0]

    def forward(waves):
        return hear(model, waves, output=output, overlap=overlap, voted=voted)

    engine = Engine(forward, BATCH, compiled=False)

    def ask(weights, progress=None):
        weights = np.asarray(weights, np.float32)
        if weights.ndim != 2 or weights.shape[1] != len(components):
            raise XaiAudioError(
                f"The coalitions have the shape {weights.shape}, but (m, {len(components)}) is "
                "needed."
            )
        masks = mixtures([components], weights)
        answers = engine(components.whole[None], None, masks, progress=progress)[0]
        # In a batch with other sounds, the last bits may be rounded in another way.
        answers[(weights == 1).all(axis=1)] = whole
        return answers

    return ask, output
