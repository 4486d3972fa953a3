"""The pictures of remixed sounds: each window is transformed once for each way it can sound."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ... import filterbank
from ...progress import bar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike

    from ...frontend import LogMel
    from .components import Components

# Windows that are mixed at a time.
_CHUNK = 4096


def pictures(components: Components, weights: ArrayLike, frontend: LogMel) -> np.ndarray:
    """Return the patches of mixtures of a sound's parts.

    A window hears only the parts that sound in it. Of two sources in five stretches of time, that
    is one stretch, or two at a border: 4 or 16 mixtures, however many there are of the whole. So
    each window is transformed once for each mixture that differs in it.

    Parameters
    ----------
    components : Components
        Of all samples that the windows of one patch see, see `LogMel.pictures`.
    weights : array_like of float, shape (m, k)
        How much of each part stays in each mixture.
    frontend : LogMel

    Returns
    -------
    ndarray of float32, shape (m, frames, bands)
        What ``frontend.pictures(components.mix(weights))`` returns, up to rounding.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.engines.components import Components
    >>> from xaiaudio.explainers.engines.remixes import pictures
    >>> vggish, wave = xa.LogMel.vggish(), np.random.default_rng(0).normal(0, 0.1, 16_000)
    >>> halves = Components.in_time(vggish(wave, sounds=True).waves[0], 2)
    >>> pictures(halves, [[1, 1], [1, 0], [0, 1], [0, 0]], vggish).shape
    (4, 96, 64)
    """
    weights = np.asarray(weights, np.float32)
    view = np.lib.stride_tricks.sliding_window_view
    whole = view(components.whole, frontend.window)[:: frontend.hop]
    parts = view(components.parts, frontend.window, axis=1)[:, :: frontend.hop]
    found = np.empty((len(weights), len(whole), frontend.bands), frontend.precision)
    kinds, kind_of = np.unique(_sounding(components, frontend).T, axis=0, return_inverse=True)
    for number, heard in enumerate(kinds):
        windows = np.flatnonzero(kind_of.ravel() == number)
        mixtures, which = np.unique(weights[:, heard], axis=0, return_inverse=True)
        made = _sums(whole[windows], parts[heard][:, windows], mixtures, frontend)
        found[:, windows] = made[which.ravel()]
    return np.stack([frontend.compress(one) for one in found]).astype(np.float32, copy=False)


def asked(
    ask: Callable,
    components: Sequence[Components],
    weights: ArrayLike,
    frontend: LogMel,
    *,
    progress: bool | None = None,
) -> np.ndarray:
    """Ask a network of patches about mixtures of the parts of sounds.

    Parameters
    ----------
    ask : callable
        From patches (m, frames, bands) to answers (m, classes).
    components : sequence of Components
        Of n sounds, each as :func:`pictures` takes it.
    weights : array_like of float, shape (m, k)
        The same for all sounds.
    frontend : LogMel
    progress : bool or None
        Show a progress bar on stderr; None shows one on a terminal only.

    Returns
    -------
    ndarray of float32, shape (n, m, classes)

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.engines.components import Components
    >>> from xaiaudio.explainers.engines.remixes import asked
    >>> lite, wave = xa.load_model("lite"), np.random.default_rng(0).normal(0, 0.1, 16_000)
    >>> halves = Components.in_time(lite.frontend(wave, sounds=True).waves[0], 2)
    >>> asked(lite.logits, [halves], [[1, 1], [1, 0]], lite.frontend).shape
    (1, 2, 10)
    """
    found = []
    with bar(len(components), progress) as advance:
        for one in components:
            found.append(ask(pictures(one, weights, frontend)))
            advance()
    return np.stack(found)


def _sounding(components, frontend) -> np.ndarray:
    """Tell which parts have a sample that is not 0 in which windows: bool (k, T)."""
    until = np.cumsum(components.parts != 0, axis=1)
    until = np.pad(until, ((0, 0), (1, 0)))
    starts = np.arange(0, until.shape[1] - frontend.window, frontend.hop)
    return until[:, starts + frontend.window] > until[:, starts]


def _sums(whole, parts, mixtures, frontend) -> np.ndarray:
    """Return what the bands sum up of windows of mixtures, shape (mixtures, windows, bands)."""
    step = max(1, _CHUNK // len(whole))
    found = []
    for start in range(0, len(mixtures), step):
        lost = np.tensordot(1 - mixtures[start : start + step], parts, 1)
        mixed = (whole - lost).reshape(-1, frontend.window)
        found.append(filterbank.sums_of_each(mixed, frontend))
    return np.concatenate(found).reshape(len(mixtures), len(whole), frontend.bands)
