"""The end of a network: split it into logits and probabilities, or put a new end on."""

from __future__ import annotations

import keras

from ..errors import XaiAudioError

LAST_LAYERS = (
    'Its last layer must be Dense(..., activation="softmax"), Softmax, Activation("softmax"), '
    "or give plain logits"
)


def split(model) -> tuple[keras.Model, keras.Model]:
    """Return the flat network up to its probabilities, and the same up to its logits.

    All layers are shared with `model`, the last one's weights included.

    Raises
    ------
    XaiAudioError
        If the model is not functional or sequential with one input and one output, or ends in
        something from which logits cannot be told.
    """
    patch, output = _ends(model)
    layer = output._keras_history.operation
    before = layer._inbound_nodes[output._keras_history.node_index].input_tensors
    name = _activation(layer)
    if name in ("softmax", "sigmoid"):
        logits = _bare(layer, before[0], model)
        scores = _activated(name, logits)
    else:
        _check_not_yet(layer)
        logits, scores = output, _activated("softmax", output)
    return (
        keras.Model(patch, scores, name=model.name),
        keras.Model(patch, logits, name=f"{model.name}_logits"),
    )


def attach(features: keras.Model, classes: int, seed: int) -> tuple[keras.Model, keras.Model]:
    """Put a new dense layer and a softmax on a backbone; return what :func:`split` returns."""
    logits = last_layer(classes, seed)(features.outputs[0])
    return (
        keras.Model(features.inputs[0], _activated("softmax", logits), name=features.name),
        keras.Model(features.inputs[0], logits, name=f"{features.name}_logits"),
    )


def last_layer(classes: int, seed: int) -> keras.layers.Dense:
    """Return a new dense layer for logits."""
    first = keras.initializers.GlorotUniform(seed=seed)
    return keras.layers.Dense(classes, name="logits", kernel_initializer=first)


def _activated(name: str, logits):
    if name == "softmax":
        return keras.layers.Softmax(name="scores")(logits)
    return keras.layers.Activation(name, name="scores")(logits)


def _ends(model):
    """Return the input and the output tensor of a model that has a graph."""
    if not isinstance(model, keras.Model):
        raise XaiAudioError(
            f"This is a {type(model).__name__}, not a Keras 3 model: give a keras.Model "
            "(a tf_keras or PyTorch model has to be rebuilt in Keras 3 first)."
        )
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    if not inputs or not outputs:
        raise XaiAudioError(
            f"{model.name} is a subclassed model, or a Sequential without an Input layer: rebuild "
            "it as a functional or Sequential model that begins with keras.layers.Input."
        )
    if len(inputs) != 1 or len(outputs) != 1:
        raise XaiAudioError(
            f"{model.name} has {len(inputs)} inputs and {len(outputs)} outputs: make a "
            "keras.Model(model.inputs[0], model.outputs[k]) with one of each first."
        )
    if len(outputs[0].shape) != 2 or outputs[0].shape[-1] is None:
        raise XaiAudioError(
            f"{model.name} gives outputs of the shape {tuple(outputs[0].shape)[1:]}: one row of "
            "class scores is needed, so pool over time and frequency first."
        )
    return inputs[0], outputs[0]


def _activation(layer) -> str:
    """Name of what a layer applies last; "" for logits."""
    if isinstance(layer, keras.Model):
        raise XaiAudioError(
            f"The last layer, {layer.name}, is a model of its own, which hides the logits. "
            f"{LAST_LAYERS}: put its layers into the network one by one."
        )
    if isinstance(layer, keras.layers.Softmax):
        return "softmax"
    function = getattr(layer, "activation", None)
    name = getattr(function, "__name__", "linear")
    if name in ("linear", "log_softmax"):
        return ""
    if name not in ("softmax", "sigmoid"):
        raise XaiAudioError(f"The last layer, {layer.name}, ends in {name}. {LAST_LAYERS}.")
    return name


#: Layers that leave probabilities what they are, or average them.
_KEEPING = (
    *(keras.layers.Flatten, keras.layers.Reshape, keras.layers.Dropout, keras.layers.Identity),
    *(keras.layers.GlobalAveragePooling1D, keras.layers.GlobalAveragePooling2D),
    *(keras.layers.GlobalMaxPooling1D, keras.layers.GlobalMaxPooling2D, keras.layers.Activation),
)


def _check_not_yet(layer) -> None:
    """Refuse probabilities that another layer hands on: a second softmax would flatten them."""
    last = layer
    while isinstance(layer, _KEEPING):
        layer = layer._inbound_nodes[0].input_tensors[0]._keras_history.operation
        name = getattr(getattr(layer, "activation", None), "__name__", "")
        if name in ("softmax", "sigmoid") or isinstance(layer, keras.layers.Softmax):
            raise XaiAudioError(
                f"{layer.name} makes probabilities, and {last.name} comes after it. {LAST_LAYERS}."
            )


def _bare(layer, before, model):
    """Tensor in front of the softmax (or sigmoid) that `layer` ends in."""
    if isinstance(layer, (keras.layers.Softmax, keras.layers.Activation)):
        return before
    if type(layer) is not keras.layers.Dense:
        raise XaiAudioError(
            f"The last layer, {layer.name}, is a {type(layer).__name__} with a built-in "
            f"{_activation(layer)}. {LAST_LAYERS}."
        )
    return _without_activation(layer, f"{layer.name}_logits", model)(before)


def _without_activation(dense, name, model) -> keras.layers.Dense:
    """Return a linear Dense layer that holds the very variables of `dense`."""
    taken = {layer.name for layer in model.layers}
    while name in taken:
        name += "_"
    twin = keras.layers.Dense(dense.units, use_bias=dense.use_bias, name=name, dtype=dense.dtype)
    # Instead of building it: setting variables as attributes is how Keras tracks them.
    twin._kernel, twin.bias = dense._kernel, dense.bias
    twin.input_spec, twin.built = dense.input_spec, True
    return twin
