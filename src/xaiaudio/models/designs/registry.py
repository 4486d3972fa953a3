"""The list of networks that explain themselves, and the one function that trains them."""

from __future__ import annotations

import dataclasses
import importlib
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError, meant
from ..backbones import Backbone
from ..backbones import backbone as find_backbone
from ..training.fitting import Settings, is_number
from ..training.remembered import BEFORE
from .lessons import lessons

if TYPE_CHECKING:
    from typing import Any

    from ...datasets.base import ClipSet
    from ..training.tables import PatchTable
    from .base import SelfExplaining

# One module a family, in the order of the book. Adding one is adding a module and its name here.
FILES: tuple[str, ...] = (
    "pecmae",
    "protopnet",
    "audioprotopnet",
    "protoconcepts",
    "hierarchy",
    "apnet",
    "local",
    "bottleneck",
    "nmf",
    "attention",
    "asymmetry",
)

_DESIGNS: dict[str, Design] = {}


@dataclass(frozen=True)
class Design:
    """One way to build a network that explains itself, as :func:`register` was told of it.

    Attributes
    ----------
    name : str
    train : callable
        ``(lessons, backbone, options, progress) -> SelfExplaining``.
    options : type
        Dataclass of the options and their defaults; ``seed`` and ``overlap`` are among them.
    summary, paper : str
    prepare : callable or None
        ``(clips, backbone, seed) -> (clips, backbone)``, for a design that learns from something
        else than single clips: what is learnt from and tested on is made of the clips first.
        ``"asymmetry"`` makes pairs, and takes the front end that packs two sides into one patch.
    """

    name: str
    train: Callable
    options: type
    summary: str
    paper: str
    prepare: Callable | None = None

    def parse(self, given: dict) -> Any:
        """Check the options a user gave and fill in the defaults."""
        known = {field.name: field.default for field in dataclasses.fields(self.options)}
        unknown = sorted(set(given) - set(known))
        if unknown:
            raise XaiAudioError(
                f"{self.name} has no option {unknown[0]!r}{meant(unknown[0], known)}: it takes "
                f"{', '.join(sorted(known))}."
            )
        for option, value in given.items():
            _check_kind(option, value, known[option])
        return self.options(**given)


def _check_kind(name: str, value, default) -> None:
    """Refuse an option that is not of the kind of its default; the options know their ranges."""
    if name == "overlap":
        fits, wanted = is_number(value) and 0 <= value < 1, "a number from 0 to below 1"
    elif name == "seed":
        Settings(seed=value)
        return
    elif isinstance(default, bool):
        fits, wanted = isinstance(value, bool), "True or False"
    elif isinstance(default, float) or default is None:
        number = is_number(value) and bool(np.isfinite(value))
        fits, wanted = number or (value is None and default is None), "a finite number"
    elif isinstance(default, tuple):
        fits, wanted = isinstance(value, (list, tuple)), "a list of numbers"
    else:
        return
    if not fits:
        raise XaiAudioError(f"{name} is {value!r:.60}: {wanted} is needed.")


def register(
    name: str, *, options: type, summary: str, paper: str, prepare: Callable | None = None
) -> Callable:
    """Register a design, as a decorator of the function that trains it.

    The function is called with `Lessons`, a `Backbone` (of which it may use the front end alone),
    an instance of `options`, and whether to show progress. It returns a `SelfExplaining`.
    """

    def add(function):
        _DESIGNS[name] = Design(name, function, options, summary, paper, prepare)
        return function

    return add


def known() -> dict[str, Design]:
    """Return all designs by name.

    Examples
    --------
    >>> from xaiaudio.models.designs.registry import known
    >>> "pecmae" in known()
    True
    """
    for file in FILES:
        importlib.import_module(f"{__package__}.{file}")
    return dict(_DESIGNS)


def find(name: str) -> Design:
    """Return a design, or say which ones there are."""
    designs = known()
    if name not in designs:
        raise XaiAudioError(
            f"No design is called {name!r}{meant(name, designs)}: there are {', '.join(designs)}."
        )
    return designs[name]


def train_design(
    name: str,
    clips: ClipSet | PatchTable,
    backbone: Backbone | str = "lite",
    *,
    shuffled: bool = False,
    progress: bool | None = None,
    **options: Any,
) -> SelfExplaining:
    """Train a network that explains itself.

    Parameters
    ----------
    name : str
        One of :func:`~.designs.registry.known`: ``"pecmae"``, ``"protopnet"``, ...
    clips : ClipSet or PatchTable
        To learn from. A part of them, chosen by the seed, is for validation.
    backbone : Backbone or str
        Where the design stands on one; of the others, the front end is its.
    shuffled : bool
        True deals the labels out anew among the clips: a control.
    progress : bool, optional
        None shows a bar on a terminal and in a notebook.
    **options
        The design's own.

    Returns
    -------
    SelfExplaining
        Its ``history`` holds the course of the training, ``seconds``, and ``weights``, how many
        numbers were trained or kept.

    Raises
    ------
    XaiAudioError
        For an unknown design or option, and as `lessons`.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
    >>> model = xa.models.train_design("pecmae", train)  # doctest: +SKIP
    >>> xa.models.test(model, test).clip_accuracy > 0.9  # doctest: +SKIP
    True
    """
    design = find(name)
    chosen = design.parse(options)
    base = find_backbone(backbone)
    if design.prepare is not None:
        clips, base = design.prepare(clips, base, chosen.seed)
    frontend = base.frontend.with_overlap(chosen.overlap)
    taught = lessons(clips, frontend, shuffled=shuffled, seed=chosen.seed)
    started = time.perf_counter()
    model = design.train(taught, base, chosen, progress)
    before = model.history.pop(BEFORE, 0.0)  # a part that another design had done already
    model.history["seconds"] = time.perf_counter() - started + float(before)
    model.history["weights"] = int(sum(np.prod(w.shape) for w in model.network.weights))
    return model
