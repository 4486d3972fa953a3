"""The small network that ships with the package: VGGish's plan at a quarter of its width."""

from __future__ import annotations

from typing import TYPE_CHECKING

import keras

from ...frontend import LogMel

if TYPE_CHECKING:
    from ...types import PathLike

# Convolutions of each block; a block ends in 2 x 2 max pooling.
BLOCKS = {
    "conv1": (16,),
    "conv2": (32,),
    "conv3": (64, 64),
    "conv4": (128, 128),
}
FRONTEND = LogMel.vggish()


def load(source: PathLike | None = None) -> tuple[keras.Model, str, str]:
    """Return the network that ships, where it is from, and its attribution; it has one source."""
    from ..saving import load_model

    whole = load_model("lite")
    embedding = whole.network.get_layer("embedding").output
    network = keras.Model(whole.network.inputs[0], embedding, name="lite")
    return network, "xaiaudio", whole.attribution


def build(shape=FRONTEND.patch_shape, *, normalise: bool = False, seed: int = 0) -> keras.Model:
    """Return the network from patches to its 128-d embedding, with random weights.

    Parameters
    ----------
    shape : tuple of int
        Frames and bands of a patch.
    normalise : bool
        True puts a batch normalisation behind every convolution, for training;
        :func:`folded` takes it out again.
    seed : int

    Returns
    -------
    keras.Model
        Flat: conv1, pool1, conv2, pool2, conv3_1, conv3_2, pool3, conv4_1, conv4_2, pool4,
        embedding (global average).
    """
    seeds = iter(range(seed, seed + 100))
    patch = tensor = keras.layers.Input((*shape, 1), name="patch")
    for block, widths in BLOCKS.items():
        for number, width in enumerate(widths, 1):
            name = f"{block}_{number}" if len(widths) > 1 else block
            tensor = _convolution(tensor, name, width, normalise, next(seeds))
        tensor = keras.layers.MaxPooling2D(2, padding="same", name=block.replace("conv", "pool"))(
            tensor
        )
    embedding = keras.layers.GlobalAveragePooling2D(name="embedding")(tensor)
    return keras.Model(patch, embedding, name="lite")


def _convolution(tensor, name, width, normalise, seed):
    convolution = keras.layers.Conv2D(
        width,
        3,
        padding="same",
        activation=None if normalise else "relu",
        use_bias=not normalise,
        kernel_initializer=keras.initializers.HeNormal(seed=seed),
        name=name,
    )
    tensor = convolution(tensor)
    if normalise:
        tensor = keras.layers.BatchNormalization(momentum=0.9, name=f"{name}_norm")(tensor)
        tensor = keras.layers.ReLU(name=f"{name}_relu")(tensor)
    return tensor


def folded(trained: keras.Model) -> keras.Model:
    """Return the same function without batch normalisation: convolutions with bias and ReLU.

    In use, a batch normalisation is a factor and a shift per channel, which the convolution in
    front of it can take over. Explanation methods then see nothing but convolutions.

    Parameters
    ----------
    trained : keras.Model
        From :func:`build` with ``normalise=True``; layers after the embedding are left out.
    """
    plain = build(tuple(trained.inputs[0].shape[1:3]))
    for layer in plain.layers:
        if isinstance(layer, keras.layers.Conv2D):
            norm = trained.get_layer(f"{layer.name}_norm")
            scale, centre, mean, variance = norm.get_weights()
            factor = scale / (variance + norm.epsilon) ** 0.5
            (kernel,) = trained.get_layer(layer.name).get_weights()
            layer.set_weights([kernel * factor, centre - mean * factor])
    return plain
