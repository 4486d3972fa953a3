"""Local prototypes with attention: which sounds are heard, and exactly when and at what pitch.

Zinemanas, Rocamora, Fonseca, Font and Serra, "Toward interpretable polyphonic sound event detection
with attention maps based on local prototypes", DCASE 2021. What differs here: the attention maps
share all convolutions but the last with the encoder; and since the sounds to learn from are placed
over each other while the network learns, each step is told who sounds in it.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import TYPE_CHECKING

import keras
import numpy as np

from ...datasets.timed import Event, events_of
from ..training import fitting
from ..training.adam import Adam
from ..training.steps import in_batches
from . import autoencoder, quick
from .base import LOGITS, PARTS, SelfExplaining
from .evidence import Evidence
from .local_layer import LocalPrototypes
from .local_lessons import Overlaps
from .registry import register

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...patches import Patches
    from ..backbones import Backbone
    from .lessons import Lessons

# Weights of the losses: the classes of each step, the sound that is decoded, what is rebuilt; and
# of the mean of the maps, so that most cells stay empty.
CLASS, SOUND, REBUILT, MAPS = 50.0, 5.0, 5.0, 0.02

# Short in time, so that a map is sharp: a step is 8 frames.
POOLS, KERNELS = ((4, 2), (2, 2), (1, 1)), (5, 3, 3, 3)


@dataclass(frozen=True)
class Options(fitting.Settings):
    """How local prototypes are trained.

    Attributes
    ----------
    epochs, batch, rate, patience, seed
        See :class:`~xaiaudio.models.training.fitting.Settings`. The seed also decides first
        weights, what is drawn, and which clips are set aside.
    overlap : float
        Of the patches that are learnt from.
    count : int
        Prototypes, of no class in particular.
    filters : int
        Of the first convolution; the others have twice as many.
    channels : int
        Of the latent tensor, and so the length of a prototype.
    """

    epochs: int = 10
    batch: int = 64
    rate: float = 4e-3
    patience: int = 8
    overlap: float = 0.5
    count: int = 15
    filters: int = 16
    channels: int = 16

    def __post_init__(self):
        super().__post_init__()
        fitting.check_whole(self, "count", "filters", "channels")


@register(
    "local",
    options=Options,
    summary="local prototypes with attention maps: who sounds when",
    paper="Zinemanas et al., DCASE 2021",
)
def train(
    lessons: Lessons, backbone: Backbone, options: Options, progress: bool | None = None
) -> SelfExplaining:
    """Train local prototypes from nothing; of the backbone they use the front end alone."""
    limits = autoencoder.limits(lessons.patches)
    body, whole = (_network(lessons, options, limits, normalise) for normalise in (True, False))
    one_hot = np.eye(len(lessons.labels), dtype=np.float32)[lessons.targets]
    learnt, checked = lessons.split(lessons.patches, one_hot)
    with quick.fitted(body):
        told = fitting.train(
            _losses(body, lessons, options),
            body.trainable_variables,
            learnt,
            checked,
            options,
            beside=[weight for weight in body.non_trainable_variables if "moving" in weight.name],
            optimizer=Adam,
            progress=progress,
            title="Training local prototypes",
        )
    autoencoder.folded(body, whole)
    for name in (PARTS, LOGITS):
        whole.get_layer(name).set_weights(body.get_layer(name).get_weights())
    return SelfExplaining.from_network(
        whole,
        lessons.labels,
        lessons.frontend,
        _evidence(whole, lessons),
        design="local",
        options=dataclasses.asdict(options),
        history={name: np.asarray(values).tolist() for name, values in told.items()},
        activation="sigmoid",
    )


def _network(lessons, options, limits, normalise) -> keras.Model:
    """Return the network from patches to logits."""
    widths = (options.filters, 2 * options.filters, 2 * options.filters)
    plan = autoencoder.Plan(widths, POOLS, KERNELS)
    shape = lessons.frontend.patch_shape
    body = autoencoder.trunk(shape, limits, plan, normalise=normalise, seed=options.seed)
    layer = LocalPrototypes(
        options.count, options.channels, **plan.to_config(), seed=options.seed, name=PARTS
    )
    # Most classes are silent most of the time: so they begin.
    first = keras.initializers.GlorotUniform(seed=options.seed)
    dense = keras.layers.Dense(
        len(lessons.labels),
        kernel_initializer=first,
        bias_initializer=keras.initializers.Constant(-2.0),
        name=LOGITS,
    )
    total = keras.ops.sum(layer(body.outputs[0]), axis=1)
    return keras.Model(body.inputs[0], dense(total), name="local")


def _losses(network, lessons, options):
    """Return the function from a batch to its losses."""
    body, layer = autoencoder.watched(network, "pooled"), network.get_layer(PARTS)
    dense = network.get_layer(LOGITS)
    overlap = Overlaps(lessons.frontend, layer.plan.step[0], options.seed)

    def losses(patches, targets, training):
        patches, sounding = overlap(patches, targets, training)
        scaled, pooled, *befores = body(patches[..., None], training=training)
        latent, maps = layer.latent(pooled), layer.maps(pooled)
        cells = _cells(maps)
        wrong = keras.losses.binary_crossentropy(sounding, dense(cells), from_logits=True)
        # Decoding takes most of the time: half of the batch will do.
        half = (keras.ops.shape(latent)[0] + 1) // 2
        masks = autoencoder.masks_of([before[:half] for before in befores], layer.plan.pools)
        rebuilt = layer.rebuilt(maps)
        decoded, again = (layer.decoder(part[:half], masks) for part in (latent, rebuilt))
        # What is to be rebuilt stays as it is, or it would shrink to meet its copy.
        aims = keras.ops.stop_gradient(latent), keras.ops.stop_gradient(decoded)
        return {
            "class": CLASS * keras.ops.mean(wrong),
            "sound": SOUND * keras.ops.mean(keras.ops.square(decoded - scaled[:half])),
            "rebuilt": REBUILT * (_difference(rebuilt, aims[0]) + _difference(again, aims[1])),
            # Of the cells, not of the maps: TensorFlow adds up the gradients of three uses of one
            # tensor in an order that depends on which thread is done first.
            "maps": MAPS * keras.ops.mean(cells),
        }

    return losses


def _difference(one, other):
    return keras.ops.mean(keras.ops.square(one - other))


def _cells(maps):
    """Return each step's cells in a row (n, t, count * f): the last layer makes its logits of it.

    The logits of the patch are the mean over the steps.
    """
    turned = keras.ops.transpose(maps, (0, 1, 3, 2))
    steps, count, bands = turned.shape[1:]
    return keras.ops.reshape(turned, (-1, steps, count * bands))


def _evidence(network, lessons) -> list[Evidence]:
    """Say where each prototype is heard most, and of which class it speaks most."""
    layer, usable = network.get_layer(PARTS), np.flatnonzero(~lessons.validation)
    tensor = layer.maps(network.get_layer("pooled").output)
    _, bands, count = tensor.shape[1:]
    flat = keras.ops.reshape(tensor, (-1, tensor.shape[1] * bands, count))
    highest, where = keras.ops.max(flat, axis=1), keras.ops.argmax(flat, axis=1)
    told = keras.ops.stack([highest, keras.ops.cast(where, "float32")], axis=-1)
    run = in_batches(keras.Model(network.inputs[0], told))
    found = run(np.asarray(lessons.patches[usable], np.float32)[..., None])
    means = in_batches(keras.Model(network.inputs[0], keras.ops.mean(tensor, axis=1)))
    weights = network.get_layer(LOGITS).kernel.numpy().reshape(count, bands, -1)
    typical = means(np.asarray(lessons.patches[usable], np.float32)[..., None]).mean(axis=0)
    speaks = np.einsum("fk,kfc->kc", typical, weights).argmax(axis=1)
    made = []
    for number, label in enumerate(speaks):
        best = int(found[:, number, 0].argmax())
        frames, band = cell(layer.plan, *divmod(int(found[best, number, 1]), bands))
        place = lessons.place(int(usable[best]), frames, band)
        made.append(Evidence(f"local prototype {number}", lessons.labels[label], (place,)))
    return made


def cell(plan: autoencoder.Plan, step: int, band: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the frames and bands of a patch that a cell of a map depends on.

    Parameters
    ----------
    plan : Plan
    step, band : int
        Of the cell.

    Returns
    -------
    frames, bands : (int, int)
        First, and the one behind the last; they may lie beyond the patch.
    """
    made = []
    for place, size, reach in zip((step, band), plan.step, plan.reach, strict=True):
        first = place * size - (reach - size) // 2
        made.append((first, first + reach))
    return made[0], made[1]


def maps(model: SelfExplaining, patches: Patches | ArrayLike) -> np.ndarray:
    """Return the attention maps of all prototypes.

    Parameters
    ----------
    model : SelfExplaining
        With local prototypes.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, t, f, prototypes)
        Not negative. A cell stands for 8 frames and 4 bands.
    """
    model.check_design("local")
    network = model.logits_network
    layer, pooled = network.get_layer(PARTS), network.get_layer("pooled")
    return model.inner("maps", lambda: layer.maps(pooled.output), patches)


def contribution_maps(model: SelfExplaining, patches: Patches | ArrayLike) -> np.ndarray:
    """Return what each cell in time and frequency adds to each logit: exact, as nothing is left.

    Parameters
    ----------
    model : SelfExplaining
        With local prototypes.
    patches : array_like of float, shape (n, frames, bands)

    Returns
    -------
    ndarray of float32, shape (n, t, f, classes)
        With the bias they sum to the logits.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.models.designs import local
    >>> model = xa.models.train_design("local", clips)  # doctest: +SKIP
    >>> patches = model.frontend(clips[0].load())  # doctest: +SKIP
    >>> sums = local.contribution_maps(model, patches).sum(axis=(1, 2))  # doctest: +SKIP
    >>> np.abs(sums + model.bias - model.logits(patches)).max() < 1e-4  # doctest: +SKIP
    True
    """
    found = maps(model, patches)
    steps, bands, count = found.shape[1:]
    weights = model.weights.reshape(count, bands, -1)
    return np.einsum("ntfk,kfc->ntfc", found, weights, optimize=True) / steps


def timeline(
    model: SelfExplaining, wave: ArrayLike, *, overlap: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    """Return how probable each class is in each step of a recording.

    Where patches overlap, their logits are averaged.

    Parameters
    ----------
    model : SelfExplaining
        With local prototypes.
    wave : array_like of float, shape (samples,)
        At the front end's rate.
    overlap : float
        Of the patches: a little more where their beginnings would not be those of steps.

    Returns
    -------
    probabilities : ndarray of float32, shape (steps, classes)
    edges : ndarray of float, shape (steps + 1,)
        Where the steps begin and end, in seconds.
    """
    frontend, wave = model.frontend.with_overlap(overlap), np.asarray(wave, np.float32)
    size = model.logits_network.get_layer(PARTS).plan.step[0]
    if frontend.patch_hop % size and frontend.frames > size:
        apart = max(1, frontend.patch_hop // size) * size
        frontend = frontend.with_overlap(1 - apart / frontend.frames)
    # The last patch has to reach beyond the end of the recording.
    patches = frontend(np.concatenate([wave, np.zeros(frontend.min_samples, np.float32)]))
    logits = contribution_maps(model, patches.values).sum(axis=2)
    logits = logits * logits.shape[1] + model.bias
    first = np.round(np.arange(len(logits)) * frontend.patch_hop / size).astype(int)
    at = first[:, None] + np.arange(logits.shape[1])
    total = np.zeros((at.max() + 1, len(model.labels)))
    np.add.at(total, at, logits)
    total /= np.maximum(np.bincount(at.ravel(), minlength=len(total)), 1)[:, None]
    whole = len(wave) if frontend.centred else max(0, len(wave) - frontend.window)
    frames = 1 + whole // frontend.hop
    total = total[: -(-frames // size)]
    hop = frontend.hop / frontend.sample_rate
    edges = frontend.frame_times()[0] + np.arange(len(total) + 1) * size * hop
    edges[0], edges[-1] = 0.0, len(wave) / frontend.sample_rate
    return (1 / (1 + np.exp(-total))).astype(np.float32), edges


def events(
    model: SelfExplaining, wave: ArrayLike, *, threshold: float = 0.5, **options: float
) -> list[Event]:
    """Return who sounds when in a recording.

    Parameters
    ----------
    model : SelfExplaining
        With local prototypes.
    wave : array_like of float, shape (samples,)
    threshold : float
        A class sounds in the steps in which it is more probable than this.
    **options
        Those of `xaiaudio.datasets.timed.events_of`.
    """
    probabilities, edges = timeline(model, wave)
    return events_of(probabilities > threshold, edges, model.labels, **options)
