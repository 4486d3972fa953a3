"""What is heard on one side only: one network for both sides, and the largest difference decides.

AsymMirai, a network that reads mammograms, compares the left breast with the right one and
nothing else (Donnelly et al. 2024). Told for sound: both sides of a pair
(`xaiaudio.datasets.pairs`) go through the same convolutions; the features are subtracted cell by
cell; the length of the difference makes a heat map, and its largest cell the answer.

Convolutions do the same wherever they are. So the two sides, one behind the other in a patch, go
through them together, and are parted afterwards: what spans both is cut out.
"""

from __future__ import annotations

import dataclasses
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from ...datasets import pairs
from ...datasets.base import ClipSet
from ...errors import XaiAudioError
from ..training import fitting
from ..training.steps import in_batches
from ..training.tables import PatchTable
from .base import SelfExplaining
from .evidence import Evidence
from .registry import register

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from numpy.typing import ArrayLike

    from ...frontend import LogMel
    from ...patches import Patches
    from ..backbones import Backbone
    from .lessons import Lessons

# Kernel and stride of the shared convolutions, alike in time and frequency.
_CONVOLUTIONS = ((3, 2), (3, 2), (3, 1))
# How far the stretch is from doing nothing, at the start.
_NOISE = 0.01
# So that the root has a slope at 0; the heat there is 0 all the same.
_EPSILON = 1e-6
# Pairs that are made of clips to learn from.
COUNT = 800


@dataclass(frozen=True)
class Options:
    """How the network is built and trained.

    Attributes
    ----------
    compare : bool
        False is the opaque twin: the same convolutions, which take both sides as two channels, and
        a dense layer on the largest value of each feature. It is told nothing of differences.
    channels : tuple of int
        Of the three convolutions.
    window : int
        Cells over which each channel's largest difference counts, in time and in frequency.
    epochs, batch, rate, patience
        See `fitting.Settings`.
    overlap : float
        Without use: a pair is one patch.
    seed : int
        Decides the pairs, the weights that it begins with, and the order of the pairs.
    """

    compare: bool = True
    channels: tuple[int, ...] = (12, 16, 24)
    window: int = 3
    epochs: int = 25
    batch: int = 32
    rate: float = 3e-3
    patience: int = 8
    overlap: float = 0.0
    seed: int = 0

    def __post_init__(self):
        fitting.Settings(self.epochs, self.batch, self.rate, self.patience, self.seed)
        object.__setattr__(self, "channels", tuple(self.channels))
        whole = [type(number) is int and number > 0 for number in (*self.channels, self.window)]
        if len(self.channels) != len(_CONVOLUTIONS) or not all(whole):
            raise XaiAudioError(
                f"channels is {self.channels} and window {self.window}: three whole numbers, and "
                "one, all from 1 on, are needed."
            )
        if not isinstance(self.overlap, (int, float)) or not 0 <= self.overlap < 1:
            raise XaiAudioError(f"overlap is {self.overlap!r}: a number from 0 on is needed.")


def prepare(
    clips: ClipSet | PatchTable, backbone: Backbone, seed: int
) -> tuple[ClipSet | PatchTable, Backbone]:
    """Make pairs of clips, unless they are pairs, and take the front end of two sides."""
    if tuple(clips.labels) != pairs.LABELS:
        if isinstance(clips, PatchTable):
            if not clips.clips:
                raise XaiAudioError("Pairs are mixed from waveforms: give the clips, not a table.")
            clips = ClipSet("clips", clips.clips, clips.labels)
        clips = pairs.pairs(clips, COUNT, frontend=backbone.frontend, seed=seed)
    return clips, dataclasses.replace(backbone, frontend=pairs.paired(backbone.frontend))


@register(
    "asymmetry",
    options=Options,
    summary="pairs: one network for both sides, and the largest difference decides",
    paper="Donnelly et al., AsymMirai, Radiology 310(3), 2024",
    prepare=prepare,
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None
) -> SelfExplaining:
    """Train it on pairs; of the backbone it takes the front end only."""
    if tuple(lessons.labels) != pairs.LABELS:
        raise XaiAudioError(f"asymmetry learns from pairs, whose labels are {pairs.LABELS}.")
    half = half_of(lessons.frontend)
    keras.utils.set_random_seed(options.seed)
    mean, spread = float(lessons.patches.mean()), float(lessons.patches.std())
    network = build(half, options, mean=mean, spread=max(spread, 1e-6))
    (one, two) = lessons.split(lessons.patches[..., None], lessons.targets)
    settings = fitting.Settings(
        options.epochs, options.batch, options.rate, options.patience, options.seed
    )
    if options.compare:
        course = _learn_difference(network, half, one, two, settings, progress)
    else:
        course = _learn_opaque(network, one, two, settings, progress)
    return SelfExplaining.from_network(
        network,
        pairs.LABELS,
        lessons.frontend,
        _evidence(network, half, options),
        design="asymmetry",
        options={**asdict(options), "channels": list(options.channels)},
        history={name: np.asarray(values).tolist() for name, values in course.items()},
    )


def half_of(frontend: LogMel) -> LogMel:
    """Return the front end of one side, given that of both.

    Raises
    ------
    XaiAudioError
        If it is not one of two sides.
    """
    for frames in range(frontend.frames // 2, 0, -1):
        half = dataclasses.replace(frontend, frames=frames)
        if pairs.paired(half).frames == frontend.frames:
            return half
    raise XaiAudioError(
        f"A patch of {frontend.frames} frames does not hold two sides: make the front end by "
        "xaiaudio.datasets.pairs.paired."
    )


@keras.saving.register_keras_serializable("xaiaudio")
class LargestCell(keras.layers.Layer):
    """Keep the largest number of each row, the first one if several are as large; zero the rest.

    Parameters
    ----------
    count : int
        How many vectors of weights it holds: none.
    """

    def __init__(self, count: int = 0, **options: Any):
        super().__init__(**options)
        self.count = count

    def call(self, inputs: keras.KerasTensor) -> keras.KerasTensor:
        """Return numbers of the same shape, (n, count of cells)."""
        chosen = keras.ops.argmax(inputs, axis=-1)
        return inputs * keras.ops.one_hot(chosen, inputs.shape[-1], dtype=inputs.dtype)

    def get_config(self) -> dict[str, Any]:
        """Return the plain values that it is made from."""
        return {**super().get_config(), "count": self.count}


def build(
    half: LogMel, options: Options | None = None, *, mean: float = 0.0, spread: float = 1.0
) -> keras.Model:
    """Return the network, untrained.

    Parameters
    ----------
    half : LogMel
        The front end of one side.
    options : Options, optional
    mean, spread : float
        Of the cells of the patches that it will learn from.

    Raises
    ------
    XaiAudioError
        If a side has fewer frames or bands than the network needs.
    """
    options = options or Options()
    both = pairs.paired(half)
    height, width = cells(half, options)
    inputs = keras.Input((*both.patch_shape, 1))
    tensor = keras.layers.Rescaling(1 / spread, -mean / spread, name="standardised")(inputs)
    if not options.compare:
        return _opaque(inputs, tensor, half, options)
    tensor = _convolutions(tensor, options)
    stretch = keras.layers.Conv2D(options.channels[-1], 1, use_bias=False, name="stretch")
    tensor = stretch(tensor)
    stretch.set_weights([_nearly_identity(options)])
    left, right = _parted(tensor, half)
    tensor = keras.ops.absolute(left - right)
    tensor = keras.layers.MaxPooling2D(options.window, strides=1, name="largest")(tensor)
    heat = keras.layers.Reshape((height * width,), name="heat")(_length(tensor))
    parts = LargestCell(name="parts")(heat)
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(parts), name="asymmetry")


def _convolutions(tensor, options):
    """Return features; in time only where the windows are whole."""
    for number, (channels, (size, stride)) in enumerate(
        zip(options.channels, _CONVOLUTIONS, strict=True)
    ):
        tensor = keras.layers.ZeroPadding2D((0, size // 2), name=f"border_{number}")(tensor)
        tensor = keras.layers.Conv2D(
            channels, size, strides=stride, activation="relu", name=f"conv_{number}"
        )(tensor)
    return tensor


def _parted(tensor, half):
    """Return the features of the left and of the right side, without what spans both."""
    count, start = _sides(half)
    return tensor[:, :count], tensor[:, start : start + count]


def _sides(half) -> tuple[int, int]:
    """Return how many features a side has in time, and where the right one's begin."""
    field, stride = _field()
    return (half.frames - field) // stride + 1, (half.frames + pairs.gap(half)) // stride


def _length(tensor):
    """Return the length of each cell's vector, 0 and smooth where it is nothing."""
    squares = keras.ops.sum(keras.ops.square(tensor), axis=-1)
    return keras.ops.sqrt(squares + _EPSILON) - float(np.sqrt(np.float32(_EPSILON)))


def _opaque(inputs, tensor, half, options):
    """Return the twin: both sides as two channels."""
    frames = half.frames
    both = [tensor[:, :frames], tensor[:, frames + pairs.gap(half) :]]
    tensor = _convolutions(keras.layers.Concatenate(name="two_channels")(both), options)
    parts = keras.layers.GlobalMaxPooling2D(name="parts")(tensor)
    return keras.Model(inputs, keras.layers.Dense(2, name="logits")(parts), name="opaque")


def _nearly_identity(options) -> np.ndarray:
    size = options.channels[-1]
    noise = np.random.default_rng([options.seed, 9]).normal(0, _NOISE, (size, size))
    return (np.eye(size) + noise)[None, None].astype(np.float32)


def _field() -> tuple[int, int]:
    """Return how many frames (or bands) a feature sees, and how far apart they lie."""
    field, stride = 1, 1
    for size, step in _CONVOLUTIONS:
        field, stride = field + (size - 1) * stride, stride * step
    return field, stride


def cells(half: LogMel, options: Options | None = None) -> tuple[int, int]:
    """Return the heat map's shape, in time and in frequency.

    Raises
    ------
    XaiAudioError
        If a side has too few frames or bands.
    """
    options = options or Options()
    field, stride = _field()
    bands = half.bands
    for size, step in _CONVOLUTIONS:
        bands = (bands + 2 * (size // 2) - size) // step + 1
    found = ((half.frames - field) // stride + 2 - options.window, bands - options.window + 1)
    if min(found) < 1:
        raise XaiAudioError(
            f"A side of {half.frames} frames and {half.bands} bands is too small for a heat map "
            f"with windows of {options.window} cells."
        )
    return found


def fields(half: LogMel, options: Options | None = None) -> np.ndarray:
    """Return what each cell of the heat map sees of a side.

    Parameters
    ----------
    half : LogMel
        The front end of one side.
    options : Options, optional

    Returns
    -------
    ndarray of int, shape (cells, 4)
        First frame, the one behind the last, first band, the one behind the last. Cells count along
        frequency first.
    """
    options = options or Options()
    field, stride = _field()
    length = field + (options.window - 1) * stride
    # Zeros beyond the lowest band are seen too: by so many bands a field begins before its cell.
    before, step = 0, 1
    for size, move in _CONVOLUTIONS:
        before, step = before + (size // 2) * step, step * move
    height, width = cells(half, options)
    first, low = np.meshgrid(
        np.arange(height) * stride, np.arange(width) * stride - before, indexing="ij"
    )
    ends = np.minimum(low + length, half.bands)
    found = np.stack([first, first + length, np.maximum(low, 0), ends], axis=-1)
    return found.reshape(-1, 4)


def _heat_to_learn(network, half) -> Callable:
    """Return the function from patches to what the layer ``heat`` says, as it is learnt from.

    The gradient of a slice is filled cell by cell, and takes as long as the convolutions. That of a
    split is copied.
    """
    features = keras.Model(network.inputs, network.get_layer("stretch").output)
    count, start = _sides(half)

    def heat(patches, training=False):
        tensor = features(patches, training=training)
        left, _, right, _ = keras.ops.split(tensor, [count, start, start + count], axis=1)
        largest = network.get_layer("largest")(keras.ops.absolute(left - right))
        return network.get_layer("heat")(_length(largest))

    return heat


def _learn_difference(network, half, learnt, checked, settings, progress) -> dict:
    """Train the convolutions, the stretch, and the two numbers that turn heat into a logit."""
    whole = keras.Model(network.inputs, network.get_layer("heat").output)
    heat = _heat_to_learn(network, half)
    begin = in_batches(whole)(learnt[0]).max(axis=1)
    mu = keras.Variable(float(begin.mean()), name="mu")
    scale = keras.Variable(float(np.log(max(begin.std(), 1e-3))), name="log_sigma")

    def losses(patches, targets, training):
        largest = keras.ops.max(heat(patches, training=training), axis=1)
        logit = (largest - mu) / keras.ops.exp(scale)
        wrong = keras.ops.binary_crossentropy(
            keras.ops.cast(targets, "float32"), logit, from_logits=True
        )
        return {"classes": keras.ops.mean(wrong)}

    variables = [*whole.trainable_variables, mu, scale]
    course = fitting.train(
        losses, variables, learnt, checked, settings, progress=progress, title="asymmetry"
    )
    sigma = float(np.exp(float(scale.numpy())))
    last = network.get_layer("logits")
    kernel = np.zeros(last.kernel.shape, np.float32)
    kernel[:, 1] = 1 / sigma
    last.set_weights([kernel, np.array([0, -float(mu.numpy()) / sigma], np.float32)])
    return {**course, "mu": np.array(float(mu.numpy())), "sigma": np.array(sigma)}


def _learn_opaque(network, learnt, checked, settings, progress) -> dict:
    def losses(patches, targets, training):
        wrong = keras.losses.sparse_categorical_crossentropy(
            targets, network(patches, training=training), from_logits=True
        )
        return {"classes": keras.ops.mean(wrong)}

    variables = network.trainable_variables
    return fitting.train(
        losses, variables, learnt, checked, settings, progress=progress, title="opaque twin"
    )


def _evidence(network, half, options) -> list[Evidence]:
    if not options.compare:
        count = network.get_layer("parts").output.shape[1]
        return [Evidence(f"feature {number}") for number in range(count)]
    times, edges = half.times(), half.band_edges()
    return [
        Evidence(
            f"{max(0, times[first]):.2f} to {times[last]:.2f} s, {edges[low]:.0f} to "
            f"{edges[high]:.0f} Hz",
            "changed",
        )
        for first, last, low, high in fields(half, options)
    ]


def heat(model: SelfExplaining, patches: Patches | ArrayLike) -> np.ndarray:
    """Return the heat maps: how much the two sides differ, cell by cell.

    Parameters
    ----------
    model : SelfExplaining
        Of the design ``"asymmetry"``.
    patches : array_like of float, shape (n, frames, bands)
        Of both sides.

    Returns
    -------
    ndarray of float32, shape (n, *cells)
        Not negative. The answer is the largest one's alone.

    Raises
    ------
    XaiAudioError
        If the network has no heat map.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.datasets import pairs
    >>> from xaiaudio.models.designs import asymmetry
    >>> train, test = xa.datasets.load("synthetic").split(5)  # doctest: +SKIP
    >>> model = xa.models.train_design("asymmetry", train)  # doctest: +SKIP
    >>> pair = pairs.pairs(test, 2)[1]  # doctest: +SKIP
    >>> asymmetry.heat(model, model.frontend(pair.load())).shape  # doctest: +SKIP
    (1, 19, 14)
    """
    if model.design != "asymmetry" or not (options := _options_of(model)).compare:
        raise XaiAudioError(f"{model.name} has no heat map: train the design 'asymmetry'.")
    values = model.inner("heat", lambda: model.logits_network.get_layer("heat").output, patches)
    return values.reshape(len(values), *cells(half_of(model.frontend), options))


def _options_of(model) -> Options:
    names = {field.name for field in dataclasses.fields(Options)}
    return Options(**{name: value for name, value in model.options.items() if name in names})


def spread_out(model: SelfExplaining, maps: ArrayLike) -> np.ndarray:
    """Bring heat maps to the cells of a side: each takes the mean of all that see it.

    Parameters
    ----------
    model : SelfExplaining
    maps : array_like of float, shape (n, rows, columns)

    Returns
    -------
    ndarray of float64, shape (n, frames, bands)
        Of one side.
    """
    half, options = half_of(model.frontend), _options_of(model)
    maps = np.asarray(maps, float).reshape(len(maps), -1)
    sums = np.zeros((len(maps), *half.patch_shape))
    seen = np.zeros(half.patch_shape)
    for number, (first, last, low, high) in enumerate(fields(half, options)):
        sums[:, first:last, low:high] += maps[:, number, None, None]
        seen[first:last, low:high] += 1
    return sums / np.maximum(seen, 1)
