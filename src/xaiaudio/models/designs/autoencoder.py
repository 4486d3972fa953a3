"""An autoencoder of patches whose pooling can be undone: what pooled hands on is where it was.

Max pooling keeps the largest of some cells and forgets which one it was. The mask of a pooling
says that: 1 for the largest cell of each block, 0 for the others. Handed to the decoder, it puts
each value back into its place (Zinemanas et al., 2021, "An interpretable deep learning model for
automatic sound classification", Electronics 10:850).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import tensorflow as tf

# What is left of a negative value.
SLOPE = 0.3

# Cells whose extremes stretch the others to [-1, 1], in per cent.
TAIL = 0.1


@dataclass(frozen=True)
class Plan:
    """The layers of an autoencoder: a convolution and a pooling in turn, then one convolution.

    Attributes
    ----------
    widths : tuple of int
        Filters of the convolutions that a pooling follows.
    pools : tuple of (int, int)
        Frames and bands that become one cell.
    kernels : tuple of int
        Sides of all convolutions, one more than there are poolings.
    """

    widths: tuple[int, ...]
    pools: tuple[tuple[int, int], ...]
    kernels: tuple[int, ...]

    @classmethod
    def of(
        cls, widths: Sequence[int], pools: Sequence[Sequence[int]], kernels: Sequence[int]
    ) -> Plan:
        """Return the plan that lists of numbers, as a file holds them, stand for."""
        sizes = tuple((int(frames), int(bands)) for frames, bands in pools)
        return cls(tuple(map(int, widths)), sizes, tuple(map(int, kernels)))

    @property
    def step(self) -> tuple[int, int]:
        """Frames and bands that a cell of the latent tensor stands for."""
        frames, bands = np.prod(self.pools, axis=0)
        return int(frames), int(bands)

    @property
    def reach(self) -> tuple[int, int]:
        """Frames and bands of the patch that a cell of the latent tensor depends on."""
        reach, step = np.ones(2, int), np.ones(2, int)
        for kernel, pool in zip(self.kernels[:-1], self.pools, strict=True):
            reach = reach + step * (kernel - 1) + step * (np.array(pool) - 1)
            step = step * pool
        frames, bands = reach + step * (self.kernels[-1] - 1)
        return int(frames), int(bands)

    def to_config(self) -> dict[str, Any]:
        """Return lists of numbers."""
        pools = [list(pool) for pool in self.pools]
        return {"widths": list(self.widths), "pools": pools, "kernels": list(self.kernels)}


def limits(patches: np.ndarray) -> list[float]:
    """Return what patches (n, frames, bands) are stretched from to [-1, 1], without the tails."""
    found = np.percentile(patches, [TAIL, 100 - TAIL])
    if found[0] == found[1]:  # nearly all is silence
        found = np.array([patches.min(), patches.max()])
    return found.astype(float).tolist()


def trunk(
    shape: tuple[int, int],
    limits: Sequence[float],
    plan: Plan,
    *,
    normalise: bool = False,
    seed: int = 0,
) -> keras.Model:
    """Return the network from patches (n, frames, bands, 1) to what the last pooling gives.

    Patches are brought to [-1, 1], and lengthened by silence until the poolings divide them.

    Parameters
    ----------
    shape : tuple of int
        Frames and bands of a patch.
    limits : tuple of float
        What becomes -1 and what 1; beyond it patches are cut off.
    plan : Plan
    normalise : bool
        True puts a batch normalisation behind every convolution, for training; :func:`folded`
        takes it out again.
    seed : int

    Returns
    -------
    keras.Model
        Its layers ``scaled``, ``before_1``, ... are what :func:`watched` returns.
    """
    low, high = limits
    missing = [-size % step for size, step in zip(shape, plan.step, strict=True)]
    patch = keras.layers.Input((*shape, 1), name="patch")
    factor = 2 / (high - low)
    tensor = keras.layers.Rescaling(factor, -1 - low * factor, name="stretched")(patch)
    tensor = keras.ops.clip(tensor, -1, 1)
    if any(missing):
        ends = ((0, 0), (0, missing[0]), (0, missing[1]), (0, 0))
        tensor = keras.ops.pad(tensor, ends, constant_values=-1)
    tensor = keras.layers.Identity(name="scaled")(tensor)
    stages = zip(plan.widths, plan.pools, plan.kernels[:-1], strict=True)
    for number, (width, pool, size) in enumerate(stages, 1):
        tensor = convolution(tensor, f"conv_{number}", width, size, normalise, seed + number)
        tensor = keras.layers.LeakyReLU(SLOPE, name=f"before_{number}")(tensor)
        tensor = keras.layers.MaxPooling2D(pool, name=f"pool_{number}")(tensor)
    return keras.Model(patch, keras.layers.Identity(name="pooled")(tensor), name="trunk")


def encoder(
    shape: tuple[int, int],
    limits: Sequence[float],
    plan: Plan,
    channels: int,
    *,
    normalise: bool = False,
    seed: int = 0,
) -> keras.Model:
    """Return :func:`trunk` with a last convolution, whose output is the latent tensor.

    Parameters
    ----------
    shape, limits, plan, normalise, seed
        See :func:`trunk`.
    channels : int
        Of the latent tensor (n, t, f, channels), the layer ``latent``.
    """
    before, last = trunk(shape, limits, plan, normalise=normalise, seed=seed), len(plan.kernels)
    tensor = convolution(
        before.outputs[0], f"conv_{last}", channels, plan.kernels[-1], normalise, seed + last
    )
    latent = keras.layers.LeakyReLU(SLOPE, name="latent")(tensor)
    return keras.Model(before.inputs[0], latent, name="encoder")


def convolution(tensor: Any, name: str, width: int, size: int, normalise: bool, seed: int) -> Any:
    """Return a convolution of a tensor, with a batch normalisation if `normalise`."""
    tensor = keras.layers.Conv2D(
        width,
        size,
        padding="same",
        use_bias=not normalise,
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
        name=name,
    )(tensor)
    if normalise:
        tensor = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(tensor)
    return tensor


def folded(trained: keras.Model, plain: keras.Model) -> None:
    """Give an encoder without batch normalisation the weights that make it the same function.

    In use, a batch normalisation is a factor and a shift for each channel, and the convolution in
    front of it can take over both.
    """
    for layer in plain.layers:
        if isinstance(layer, keras.layers.Conv2D):
            norm = trained.get_layer(f"{layer.name}_norm")
            scale, centre, mean, variance = norm.get_weights()
            factor = scale / np.sqrt(variance + norm.epsilon)
            (kernel,) = trained.get_layer(layer.name).get_weights()
            layer.set_weights([kernel * factor, centre - mean * factor])


def watched(network: keras.Model, last: str = "latent") -> keras.Model:
    """Return the network that also gives what a decoder is trained by.

    Parameters
    ----------
    network : keras.Model
        An :func:`encoder` or a :func:`trunk`, or a network that was built on one.
    last : str
        The layer that a decoder begins with, or what leads to it.

    Returns
    -------
    keras.Model
        From patches to a list: the patch in [-1, 1], what that layer gives, and what each pooling
        was given.
    """
    befores = [layer.name for layer in network.layers if layer.name.startswith("before_")]
    names = ["scaled", last, *befores]
    return keras.Model(network.inputs[0], [network.get_layer(name).output for name in names])


def masks_of(befores: Sequence[Any], pools: Sequence[tuple[int, int]]) -> list[Any]:
    """Return the masks of all poolings, given what they were given.

    Parameters
    ----------
    befores : sequence of tensor, each (n, t, f, channels)
    pools : sequence of (int, int)

    Returns
    -------
    list of tensor
        Of the same shapes: 1 for the largest cell of each block, 0 elsewhere. Cells that tie for
        the largest are all 1. No gradient passes.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.models.designs.autoencoder import masks_of
    >>> cells = np.arange(8.0).reshape(1, 4, 2, 1)
    >>> np.asarray(masks_of([cells], [(2, 2)])[0])[0, :, :, 0].tolist()
    [[0.0, 0.0], [0.0, 1.0], [0.0, 0.0], [0.0, 1.0]]
    """
    return [
        _mask(keras.ops.convert_to_tensor(before, "float32"), pool)
        for before, pool in zip(befores, pools, strict=True)
    ]


def _mask(before, pool):
    largest = keras.ops.max_pool(before, pool)
    for axis, size in enumerate(pool, 1):
        largest = keras.ops.repeat(largest, size, axis=axis)
    return keras.ops.stop_gradient(keras.ops.cast(before >= largest, "float32"))


@tf.custom_gradient
def _to_one_channel(tensor, kernel):
    """Return the transposed convolution (n, t, f, 1) with a kernel (size, size, 1, channels).

    TensorFlow's own takes five times as long where one channel comes out. Here each channel goes
    alone, with the kernel turned around, and then they are summed. The size must be odd.
    """
    turned = tf.transpose(kernel[::-1, ::-1], (0, 1, 3, 2))
    made = tf.nn.depthwise_conv2d(tensor, turned, (1, 1, 1, 1), "SAME")

    def slopes(up):
        of_kernel = tf.raw_ops.Conv2DBackpropFilter(
            input=up,
            filter_sizes=tf.shape(kernel),
            out_backprop=tensor,
            strides=[1, 1, 1, 1],
            padding="SAME",
        )
        return tf.nn.conv2d(up, kernel, 1, "SAME"), of_kernel

    return tf.reduce_sum(made, axis=-1, keepdims=True), slopes


class Decoder(keras.layers.Layer):
    """The way back: from a latent tensor, and the masks of the poolings, to a picture in [-1, 1].

    Parameters
    ----------
    plan : Plan
        That of the encoder.
    seed : int
    """

    def __init__(self, plan: Plan, seed: int = 0, **options: Any):
        super().__init__(**options)
        self.plan, self.seed = plan, seed
        self.steps = [
            keras.layers.Conv2DTranspose(
                width,
                size,
                padding="same",
                kernel_initializer=keras.initializers.HeNormal(seed=seed + number),
                name=f"back_{number}",
            )
            for number, (width, size) in enumerate(
                zip((1, *plan.widths), plan.kernels, strict=True)
            )
        ]

    def build(self, shape: tuple[int, ...]) -> None:
        """Make the weights; `shape` is that of the latent tensors (n, t, f, channels)."""
        inputs = (shape[-1], *self.plan.widths[::-1])
        for step, width in zip(self.steps[::-1], inputs, strict=True):
            step.build((None, None, None, width))
        self.built = True

    def call(self, latent: Any, masks: Sequence[Any]) -> Any:
        """Return pictures (n, frames, bands, 1) of latent tensors (n, t, f, channels)."""
        tensor, pools = latent, self.plan.pools[::-1]
        for step, pool, mask in zip(self.steps[:0:-1], pools, masks[::-1], strict=True):
            # A mask of ones and zeros may come before or after it: here there are fewer cells.
            tensor = keras.ops.leaky_relu(step(tensor), SLOPE)
            for axis, size in enumerate(pool, 1):
                tensor = keras.ops.repeat(tensor, size, axis=axis)
            tensor = tensor * mask
        last = self.steps[0]
        return keras.ops.tanh(_to_one_channel(tensor, last.kernel.value) + last.bias.value)

    def compute_output_shape(self, shape: tuple, masks: Any = None) -> tuple:
        """Return the shape of pictures."""
        frames, bands = self.plan.step
        return (shape[0], shape[1] * frames, shape[2] * bands, 1)
