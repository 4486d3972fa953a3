"""The list of methods: who they are, what they take, where they come from."""

from __future__ import annotations

import dataclasses
import importlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import XaiAudioError, meant

if TYPE_CHECKING:
    from typing import Any

    import numpy as np

# Method files, in the order in which the book introduces them. Adding a method is adding a file
# and its name here.
FILES = (
    *("cam", "occlusion", "lime", "slime", "shapley", "rise", "audiolime"),
    *("gradients", "guided", "lrp.method", "rollout", "trained.l2i", "trained.piq", "trained.lmac"),
)

#: What a method needs that only asks the network, and never looks inside.
ANY = "any network"
#: What a method needs that is for transformers alone.
ATTENTION = "attention over patches"

_METHODS: dict[str, Method] = {}


@dataclass(frozen=True)
class Found:
    """What a method returns that can say more than its maps.

    Attributes
    ----------
    maps : ndarray of float
        As :func:`register` says.
    report : mapping of str to ndarray
        How each map was found, such as a surrogate's fit: one number a map, (n,) or with
        ``many_targets`` (n, k). It becomes `Explanation.report`.
    """

    maps: np.ndarray
    report: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Method:
    """One explanation method, as :func:`register` was told of it.

    Attributes
    ----------
    name : str
        What ``explain(method=...)`` is given.
    function : callable
        ``(classifier, patches, targets, options) -> maps``, see :func:`register`.
    options : type
        Dataclass of the options and their defaults.
    summary, paper, needs : str
        For :func:`xaiaudio.methods`, in one line each.
    many_targets : bool
        True if one run serves several targets per patch.
    fit : callable or None
        For methods that are trained: ``(classifier, clips, options) -> weights``, arrays by name.
        The function then takes the weights as a fifth argument.
    sounds : bool
        True for methods that change the sound itself: the patches must know theirs, and the
        function is given `Patches` with `waves`. Others are given an array.
    of_class : bool
        False for methods whose map is the same for every class.
    """

    name: str
    function: Callable
    options: type
    summary: str
    paper: str
    needs: str
    many_targets: bool = False
    fit: Callable | None = None
    sounds: bool = False
    of_class: bool = True

    def parse(self, given: dict) -> Any:
        """Check the options a user gave and fill in the defaults."""
        known = {field.name for field in dataclasses.fields(self.options)}
        unknown = sorted(set(given) - known)
        if unknown:
            raise XaiAudioError(
                f"{self.name} has no option {unknown[0]!r}{meant(unknown[0], known)}: it takes "
                f"{', '.join(sorted(known)) or 'none'}."
            )
        return self.options(**given)


def register(
    name: str,
    *,
    options: type,
    summary: str,
    paper: str,
    needs: str = ANY,
    many_targets: bool = False,
    fit: Callable | None = None,
    sounds: bool = False,
    of_class: bool = True,
) -> Callable[[Callable], Callable]:
    """Register a method, as a decorator.

    The function is called with an `AudioClassifier`, patches ``(n, frames, bands)``, integer
    targets and an instance of `options`. With ``many_targets=False`` the targets are ``(n,)`` and
    it returns maps ``(n, h, w)`` at the method's own resolution; with ``many_targets=True`` they
    are ``(n, k)`` and it returns ``(n, k, h, w)`` from one set of forward passes. What more
    there is to say of the maps goes with them in a `Found`. A method that is trained first gives
    its `fit`, one that changes the sound says ``sounds=True``, and one that looks at no class
    ``of_class=False``, see `Method`.
    """

    def add(function):
        _METHODS[name] = Method(
            name, function, options, summary, paper, needs, many_targets, fit, sounds, of_class
        )
        return function

    return add


def _all() -> dict[str, Method]:
    for file in FILES:
        importlib.import_module(f"{__package__}.{file}")
    # Whichever file was imported first, and other people's methods last.
    return dict(sorted(_METHODS.items(), key=lambda item: _place(item[1])))


def _place(method: Method) -> int:
    """Return the place of a method's file in the book."""
    package, _, file = method.function.__module__.partition(f"{__package__}.")
    return FILES.index(file) if not package and file in FILES else len(FILES)


def find(name: str) -> Method:
    """Return the method called `name`, or say which ones there are."""
    known = _all()
    if name not in known:
        raise XaiAudioError(
            f"No method is called {name!r}{meant(name, known)}: there are {', '.join(known)}."
        )
    return known[name]


def asking() -> list[str]:
    """Return the methods that only ask a network, and so explain any classifier.

    Examples
    --------
    >>> from xaiaudio.explainers.registry import asking
    >>> {"lime", "occlusion"} <= set(asking())
    True
    """
    return [name for name, method in _all().items() if method.needs == ANY]


def methods(
    *, trained: bool = False, sounds: bool = True, attention: bool = False
) -> dict[str, dict]:
    """List the explanation methods.

    Parameters
    ----------
    trained : bool
        False lists the methods that explain at once, True those that have to be trained on sounds
        before, see `Explainer.fit`.
    sounds : bool
        False leaves out those that change the sound itself, and need patches that know theirs.
    attention : bool
        True adds those that are for transformers alone: they need attention over patches.

    Returns
    -------
    dict
        Name to a dict with ``summary``, ``options`` (name to default), ``paper``, ``needs``
        (what the network must have) and ``of_class`` (whether the map depends on the class).

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.methods()["gradcam"]["needs"]
    'a convolution'
    """
    return {
        name: {
            "summary": method.summary,
            "options": {
                field.name: getattr(method.options(), field.name)
                for field in dataclasses.fields(method.options)
            },
            "paper": method.paper,
            "needs": method.needs,
            "of_class": method.of_class,
        }
        for name, method in _all().items()
        if (method.fit is not None) == trained
        and (sounds or not method.sounds)
        and (attention or method.needs != ATTENTION)
    }
