"""How a sparse autoencoder learns: plain gradient steps, of which sparse matrices do the most."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from .. import cache
from ..errors import XaiAudioError
from ..models.training.fitting import check_weights, check_whole, is_number
from ..progress import bar
from .sparse import SparseAutoencoder, load, matrix_of, strongest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

_FIRST, _SECOND, _TINY = 0.9, 0.999, 1e-8  # of Adam


@dataclass(frozen=True)
class Options:
    """How to train a sparse autoencoder.

    Attributes
    ----------
    size : int
        Features.
    k : int
        Of which so many fire at most.
    steps : int
    batch : int
        Vectors of a step.
    rate : float
        Adam's learning rate, which falls to 0 over the last fifth of the steps.
    asleep : int
        After so many steps without firing, a feature learns to explain what the others leave over,
        until it fires again.
    aside : float
        Weight of that second loss; 0 leaves the dead alone.
    seed : int
        Decides the first directions, the order of the vectors, and what the dead become.
    """

    size: int = 256
    k: int = 8
    steps: int = 800
    batch: int = 256
    rate: float = 2e-3
    asleep: int = 20
    aside: float = 0.25
    seed: int = 0

    def __post_init__(self):
        check_whole(self, "size", "k", "steps", "batch", "asleep")
        check_whole(self, "seed", least=0)
        check_weights(self, "aside")
        if self.k > self.size:
            raise XaiAudioError(f"k is {self.k}, but there are {self.size} features only.")
        if not is_number(self.rate) or not 0 < self.rate <= 1:
            raise XaiAudioError(f"rate is {self.rate!r}: a number above 0 and up to 1 is needed.")


def fit(
    values: ArrayLike, options: Options | None = None, *, progress: bool | None = None
) -> SparseAutoencoder:
    """Train a sparse autoencoder on vectors of a layer.

    What is minimised is the squared error of the reconstruction. The decoder's directions begin at
    random and have the length 1 after each step, the encoder begins as the decoder, and the bias
    as the mean.

    Parameters
    ----------
    values : array_like of float, shape (n, channels)
    options : Options, optional
    progress : bool, optional
        None shows a bar on a terminal only.

    Returns
    -------
    SparseAutoencoder

    Raises
    ------
    XaiAudioError
        If there are fewer vectors than features fire, they are all alike, or not finite.

    References
    ----------
    Gao et al. 2025, Scaling and evaluating sparse autoencoders. The loss for features that do not
    fire follows them.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.probes.sparse_training import Options, fit
    >>> values = np.random.default_rng(0).normal(size=(500, 6))
    >>> found = fit(values, Options(size=12, k=3, steps=200))
    >>> found.explained(values) > 0.5
    True
    """
    options = options or Options()
    values = np.asarray(values, np.float32)
    scale, mean = _measured(values, options)
    rng = np.random.default_rng(options.seed)
    learner = _Learner(options, values.shape[1], rng)
    losses, order = [], np.zeros(0, int)
    with bar(options.steps, progress, "Sparse autoencoder") as advance:
        for step in range(options.steps):
            if len(order) < options.batch:
                order = np.concatenate([order, rng.permutation(len(values))])
            rows, order = order[: options.batch], order[options.batch :]
            losses.append(learner.learn((values[rows] - mean) / scale, step))
            advance()
    found = SparseAutoencoder(
        encoder=learner.encoder,
        decoder=learner.decoder,
        bias=(mean + scale * learner.bias).astype(np.float32),
        k=options.k,
        fired=np.zeros(options.size),
        loss=np.array(losses),
    )
    codes = found.encode(values)
    counts = np.bincount(codes.numbers[codes.strengths > 0], minlength=options.size)
    return replace(found, fired=counts / len(values))


def kept(values: ArrayLike, options: Options | None = None) -> SparseAutoencoder:
    """Train a sparse autoencoder, or load what was trained on the same vectors before.

    Parameters
    ----------
    values : array_like of float, shape (n, channels)
    options : Options, optional

    Returns
    -------
    SparseAutoencoder
        It lies in the cache, named after all that it depends on.
    """
    options = options or Options()
    values = np.asarray(values, np.float32)
    key = cache.key(
        [asdict(options), cache.sum_of_arrays([values])], modules=("probes.sparse_training",)
    )
    return cache.artifact(
        cache.home() / "sparse" / f"{key}.npz", lambda file: fit(values, options).save(file), load
    )


def _measured(values, options) -> tuple[np.float32, np.ndarray]:
    """Return the scale that makes vectors as long as sqrt(channels) on average, and their mean."""
    if values.ndim != 2 or len(values) <= options.k:
        raise XaiAudioError(
            f"The vectors have the shape {values.shape}: give (n, channels), and more than "
            f"{options.k} of them."
        )
    if not np.isfinite(values).all():
        raise XaiAudioError("The vectors hold NaN or infinity: check the layer.")
    mean = values.mean(axis=0)
    scale = np.sqrt(np.mean(np.square(values - mean, dtype=np.float64)))
    if not scale > 0:
        raise XaiAudioError("All vectors are alike: there is nothing to learn.")
    return np.float32(scale), mean


def _rate(options, step) -> float:
    left = (options.steps - step) / (options.steps / 5)
    return options.rate * min(1.0, left)


class _Learner:
    """The arrays that learn, with Adam's memory of their gradients."""

    def __init__(self, options, channels, rng):
        self.options = options
        self.decoder = _unit(rng.normal(size=(options.size, channels)).astype(np.float32))
        self.encoder = self.decoder.copy()
        self.bias = np.zeros(channels, np.float32)
        self.since = np.zeros(options.size, int)  # steps that each feature has not fired
        self.memory = {
            name: np.zeros((2, *getattr(self, name).shape), np.float32)
            for name in ("encoder", "decoder", "bias")
        }

    def learn(self, batch, step) -> float:
        """Take one step; return its loss."""
        loss, slopes, fired = self.slopes(batch)
        for name, slope in slopes.items():
            self._adam(name, slope, _rate(self.options, step), step)
        self.decoder = _unit(self.decoder)
        self.since += 1
        self.since[fired] = 0
        return loss

    def slopes(self, batch) -> tuple[float, dict, np.ndarray]:
        """Return the loss of a batch, the slopes of each array, and the features that fire."""
        centred = batch - self.bias
        before = centred @ self.encoder.T
        numbers, strengths = strongest(before, self.options.k)
        left, slopes, back = self._slopes(centred, numbers, strengths, centred)
        # The bias is subtracted before the encoder, and added behind the decoder.
        into = np.asarray(back.sum(axis=0)).ravel() @ self.encoder
        slopes["bias"] = 2 / batch.size * left.sum(axis=0) - into
        asleep = np.flatnonzero(self.since >= self.options.asleep)
        if self.options.aside and len(asleep):
            # They explain what is left over, which is taken as given.
            inner, awake = strongest(before[:, asleep], min(2 * self.options.k, len(asleep)))
            _, others, _ = self._slopes(-left, asleep[inner], awake, centred)
            for name, slope in others.items():
                slopes[name] = slopes[name] + self.options.aside * slope
        loss = float(np.mean(left**2) / np.mean(batch**2))
        return loss, slopes, np.unique(numbers[strengths > 0])

    def _slopes(self, wanted, numbers, strengths, given):
        """Return error (n, channels), slopes of its mean square, and those of the strengths.

        The strengths of what does not fire stay 0, so that their slope is 0.
        """
        codes = matrix_of(strengths, numbers, len(self.decoder))
        left = codes @ self.decoder - wanted
        slope = 2 / wanted.size * left
        inner = np.einsum("bc,bkc->bk", slope, self.decoder[numbers]) * (strengths > 0)
        back = matrix_of(inner, numbers, len(self.decoder))
        return left, {"decoder": codes.T @ slope, "encoder": back.T @ given}, back

    def _adam(self, name, slope, rate, step) -> None:
        first, second = self.memory[name]
        first *= _FIRST
        first += (1 - _FIRST) * slope
        second *= _SECOND
        second += (1 - _SECOND) * slope * slope
        steps = step + 1
        size = rate * np.sqrt(1 - _SECOND**steps) / (1 - _FIRST**steps)
        array = getattr(self, name)
        array -= (size * first / (np.sqrt(second) + _TINY)).astype(np.float32)


def _unit(rows):
    return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-12)
