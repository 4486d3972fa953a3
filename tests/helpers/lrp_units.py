"""A chain of Keras layers as explicit matrices, for `definitions.propagated`."""

import keras
import numpy as np
from keras import layers
from lrp_networks import chain

WEIGHTED = (layers.Dense, layers.Conv1D, layers.Conv2D, layers.DepthwiseConv2D)
AVERAGES = (layers.GlobalAveragePooling1D, layers.GlobalAveragePooling2D)


def as_matrix(network):
    """Return weights (inputs, outputs) and bias (outputs,) of a network that is one linear map."""
    shape = network.input_shape[1:]
    size = int(np.prod(shape))
    rows = network(np.eye(size, dtype="float32").reshape(size, *shape)).numpy().astype(float)
    bias = network(np.zeros((1, *shape), "float32")).numpy()[0].astype(float)
    weights = rows - bias
    # Differences leave dust where there is no connection.
    return np.where(np.abs(weights) < 1e-6, 0, weights), bias


def units_of(network):
    """Return the units of a chain: a normalisation belongs to the layer in front of it."""
    units = []
    for index, layer in enumerate(network.layers):
        shape = layer.input.shape[1:] if index else None
        if isinstance(layer, WEIGHTED):
            behind = network.layers[index + 1] if layer is not network.layers[-1] else None
            norm = [behind] if isinstance(behind, layers.BatchNormalization) else []
            units.append((layer.name, *as_matrix(_linear(shape, layer, *norm))))
        elif isinstance(layer, AVERAGES):
            units.append(("average", *as_matrix(chain(shape, layer, head=False))))
        elif isinstance(layer, (layers.MaxPooling1D, layers.MaxPooling2D)):
            units.append(("max", _windows(shape, layer)))
    return units


def _linear(shape, *parts):
    """Return a network of copies of the layers, without activation."""
    copies = [
        type(part).from_config({**part.get_config(), "activation": "linear", "name": f"copy{k}"})
        if k == 0
        else type(part).from_config({**part.get_config(), "name": f"copy{k}"})
        for k, part in enumerate(parts)
    ]
    network = chain(shape, *copies, layers.Flatten(), head=False)
    for copy, part in zip(copies, parts, strict=True):
        copy.set_weights(part.get_weights())
    return network


def _windows(shape, layer):
    """Return the flat indices of the inputs that each output is the maximum of."""
    size = int(np.prod(shape))
    # An input that is larger than all others shows in those outputs that see it.
    probes = np.eye(size, dtype="float32").reshape(size, *shape)
    seen = np.asarray(keras.ops.convert_to_numpy(layer(probes))).reshape(size, -1) > 0
    return [np.flatnonzero(column) for column in seen.T]
