"""Apply the layers of a network anew: to an input of another size, or without models inside it."""

from __future__ import annotations

import inspect

import keras

from ..errors import XaiAudioError
from .graph import made_by


def flatten(model: keras.Model) -> keras.Model:
    """Return the same network with the layers of the models inside it as its own layers.

    A pretrained base is often a single layer of the network that was built on it. Methods that
    look at layers (Grad-CAM, guided backpropagation, relevance propagation) need to see its layers.

    Parameters
    ----------
    model : keras.Model
        Functional or Sequential, with one input.

    Returns
    -------
    keras.Model
        The model itself if there is no model inside. Otherwise a new one with new layers that hold
        the very variables of the old ones: train one and the other follows. A layer keeps its
        name unless two have the same. Subclassed models inside stay single layers.

    Raises
    ------
    XaiAudioError
        If the model is subclassed, not built, or has several inputs.

    Examples
    --------
    >>> import keras
    >>> from keras.layers import Dense, Input
    >>> base = keras.Sequential([Input((8,)), Dense(4, name="inside")])
    >>> model = keras.Sequential([Input((8,)), base, Dense(2, name="end")])
    >>> [layer.name for layer in flatten(model).layers if layer.weights]
    ['inside', 'end']
    """
    graph = graph_of(model)
    if graph is None or len(graph.inputs) != 1:
        name = getattr(model, "name", type(model).__name__)
        raise XaiAudioError(
            f"{name} is no functional or Sequential Keras model with one input: only such a model "
            "can be flattened."
        )
    if all(graph_of(operation) is None for operation in graph.operations):
        return model
    entry = graph.inputs[0]
    first = keras.Input(entry.shape[1:], name=entry.name, dtype=entry.dtype)
    outputs = reapplied(model, first)
    return keras.Model(first, outputs if len(outputs) > 1 else outputs[0], name=model.name)


def graph_of(operation):
    """Return the functional model behind a model or a layer; None if it is anything else.

    Subclasses may do in `call` what their graph does not show, so they are none.
    """
    if type(operation) is keras.Sequential:
        operation = getattr(operation, "_functional", None)
    # keras.Model(inputs, outputs) gives an object of this class, which has no public name.
    known = type(operation).__module__ == "keras.src.models.functional"
    return operation if known and type(operation).__name__ == "Functional" else None


def reapplied(model: keras.Model, tensor) -> list:
    """Apply all layers of a model with one input to another tensor; return its outputs.

    The layers are twins of the model's own, as a Keras layer only knows its first use by name.

    Raises
    ------
    XaiAudioError
        If a layer does not take inputs of this shape.
    """
    graph = graph_of(model)
    if graph is None:
        raise XaiAudioError(
            f"{model.name} is a {type(model).__name__}, not a plain functional or Sequential model."
        )
    try:
        found = _run(graph, [tensor], _Twins(made_by(tensor).name), None)
    except (ValueError, TypeError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise XaiAudioError(
            f"{model.name} does not take inputs of the shape {tuple(tensor.shape)[1:]}: {reason}"
        ) from error
    return keras.tree.flatten(found)


def twin(operation, name: str):
    """Return a layer (or operation) of another name that holds the very variables of this one."""
    # Not by its configuration: that would make new variables, and would need custom classes to
    # be registered. Keras keeps each use of a layer in lists, which the twin has for itself.
    made = object.__new__(type(operation))
    made.__dict__.update(operation.__dict__)
    made.__dict__.update(name=name, _inbound_nodes=[], _outbound_nodes=[])
    return made


class _Twins:
    """Makes one twin for each layer, with a name that no other has."""

    def __init__(self, taken: str):
        self._names = {taken}
        self._made: dict = {}

    def __call__(self, operation, prefix: str):
        if id(operation) not in self._made:
            name = operation.name
            if name in self._names:
                name = f"{prefix}_{name}"
            while name in self._names:
                name += "_"
            self._names.add(name)
            self._made[id(operation)] = twin(operation, name)
        return self._made[id(operation)]


def _run(graph, inputs, twins, training):
    def call(operation, *args, **kwargs):
        inner = graph_of(operation)
        if inner is not None and _fits(inner, args):
            return _run(inner, args, twins, kwargs.get("training", training))
        # A base that was called with training=False stays in that mode, layer by layer.
        if training is not None and "training" in inspect.signature(operation.call).parameters:
            kwargs["training"] = training
        return twins(operation, graph.name)(*args, **kwargs)

    return graph._run_through_graph(inputs, operation_fn=lambda operation: operation, call_fn=call)


def _fits(graph, args) -> bool:
    """Tell whether a model inside gets what its graph begins with (Keras can add an axis)."""
    tensors = keras.tree.flatten(args)
    return len(tensors) == len(graph.inputs) and all(
        len(got.shape) == len(wanted.shape)
        for got, wanted in zip(tensors, graph.inputs, strict=True)
    )
