"""Activations: which of them relevance passes, and which make a gate of a factor; and masks."""

from __future__ import annotations

import keras

#: Activations that keep the sign and leave zero at zero, so that relevance can pass through them.
PASSING = (
    *("linear", "relu", "relu6", "leaky_relu", "elu", "selu", "tanh"),
    *("silu", "hard_silu", "gelu", "mish"),
)
#: Activations of a factor that only decides how much of the others passes.
OPENING = ("sigmoid", "hard_sigmoid", "softmax")
# What may stand between such an activation and the product.
_BETWEEN = ("Reshape", "Permute", "Transpose", "ExpandDims", "Squeeze", "Dropout", "Identity")


def activation_of(layer) -> str:
    """Name of the activation that a layer has built in; "linear" for none."""
    function = getattr(layer, "activation", None)
    return "linear" if function is None else getattr(function, "__name__", repr(function))


def gates_of(node) -> tuple[int, ...]:
    """Return which inputs only open and close: masks, and factors of a product but not all."""
    if type(node.operation) is keras.layers.MultiHeadAttention:
        return _other_than(node, "query", "value", "key")
    if type(node.operation) is keras.layers.Softmax:
        return _other_than(node, "inputs")
    if not (type(node.operation) is keras.layers.Multiply or node.is_operation("Multiply")):
        return ()
    gates = tuple(number for number, parent in enumerate(node.parents) if _opens(parent))
    return gates if len(gates) < len(node.parents) else ()


def _other_than(node, *names) -> tuple[int, ...]:
    """Return which inputs are given as other arguments than these."""
    signals = [id(value) for name, value in node.arguments.items() if name in names]
    return tuple(place for place, one in enumerate(node.inputs) if id(one) not in signals)


def _opens(node) -> bool:
    while type(node.operation).__name__ in _BETWEEN and len(node.parents) == 1:
        node = node.parents[0]
    if type(node.operation) is keras.layers.Softmax:
        return True
    if node.is_layer:
        return activation_of(node.operation) in OPENING
    return node.is_operation("Sigmoid", "HardSigmoid", "Softmax")


def reached(nodes) -> set:
    """Return the calls to which relevance can come: not the branches of gates and masks."""
    found = {nodes[-1]}
    for node in reversed(nodes):
        if node in found:
            gates = gates_of(node)
            found.update(p for number, p in enumerate(node.parents) if number not in gates)
    return found
