"""The way back through a network: which layer follows which, and who treats it.

A plan is made from the graph of a flat functional (or sequential) Keras network. Each layer becomes
a :class:`Step`; a handler, found by the layer's type, carries the relevance of its output to its
inputs. Another type of layer is added with :func:`handles`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import keras

from ...errors import XaiAudioError
from ...models.graph import Node, graph_of, is_identity, only_shifts
from .activations import activation_of, gates_of, reached
from .composites import composite as composite_of
from .rules import Epsilon, Rule

KINDS = ("passing", "moving", "shared", "affine", "weighted", "recurrent", "attention")


class Handler(NamedTuple):
    """Who carries relevance through a type of layer, and what kind of layer that is.

    Attributes
    ----------
    function : callable
    kind : str
        One of ``KINDS``, see :func:`handles`.
    """

    function: Callable
    kind: str

    @property
    def ruled(self) -> bool:
        """Whether relevance is shared by the composite's rule."""
        return self.kind in ("shared", "affine", "weighted")

    @property
    def mixing(self) -> bool:
        """Whether inputs are mixed by weights: what lies behind no longer sees the input."""
        return self.kind in ("weighted", "recurrent", "attention")


#: By the exact type of layer (a subclass may compute something else) or the name of an operation.
_HANDLERS: dict[type | str, Handler] = {}

#: Key of the handler for layers that only move values and add constants to them.
SHIFTING = "<shifting>"


@dataclass
class Step:
    """One call of a layer or operation, as its handler sees it.

    Attributes
    ----------
    node : Node
    handler : Handler or None
        None for the input.
    rule : Rule or None
        What the composite says; None for layers that need no rule.
    parents : tuple of int
        Numbers of the steps whose outputs it takes, in order.
    first : bool
        True if no layer with weights lies between it and the network's input.
    positive : bool
        True if none of its inputs can be negative.
    norm : keras.layers.BatchNormalization or None
        A batch normalisation right behind it, which is folded into it.
    folded : bool
        True for such a batch normalisation: the layer before has done its work.
    pooling : str
        ``"winner"`` or ``"proportional"``, for max pooling.
    silent : bool
        True if it leads to gates and masks only: it gets no relevance, and needs no handler.
    """

    node: Node
    handler: Handler | None
    rule: Rule | None
    parents: tuple[int, ...]
    first: bool
    positive: bool
    norm: object = None
    folded: bool = False
    pooling: str = "winner"
    silent: bool = False

    @property
    def layer(self):
        """The layer, or operation, that is called."""
        return self.node.operation

    @property
    def kind(self) -> str:
        """The handler's kind; empty for the input."""
        return self.handler.kind if self.handler else ""


def handles(*types, kind="passing"):
    """Register a handler for types of layers, as a decorator.

    Parameters
    ----------
    *types : type or str
        Exact types of layers (a subclass is not meant), or names of Keras's operations (``"Add"``
        is what ``x + y`` calls).
    kind : str
        ``"passing"``
            Relevance passes without a rule.
        ``"moving"``
            The same; the layer only moves values about, or pads with zeros.
        ``"shared"``
            The handler shares relevance by ``step.rule``.
        ``"affine"``
            The same, for layers that scale and shift each value by itself.
        ``"weighted"``
            The same, for layers that mix their inputs by weights: what lies behind them no longer
            sees the network's input.
        ``"recurrent"``
            The same for layers with a memory: ``step.rule`` is always an epsilon rule, also where
            the layer sees the network's input, and no batch normalisation is folded into them.
        ``"attention"``
            The same for attention, with the rule that the composite has for it. It may have
            several inputs of different shapes.

    Notes
    -----
    A handler is called with a :class:`Step`, the list of the layer's input tensors, a
    :class:`~.rules.Situation` (bounds and support of the first input) and the relevance of the
    output, inside a compiled graph. It returns :class:`~.rules.Passed`: one relevance per input,
    and what stayed with the bias. It raises :class:`XaiAudioError` for settings that it
    cannot treat.

    Examples
    --------
    >>> class Mirror(keras.layers.Layer):
    ...     def call(self, x):
    ...         return 2 * x[:, ::-1]
    >>> @handles(Mirror)
    ... def mirrored(step, inputs, situation, relevance):
    ...     return Passed([relevance[:, ::-1]])
    """
    if kind not in KINDS:
        raise XaiAudioError(f"kind is {kind!r}: it must be one of {KINDS}.")

    def add(function):
        _HANDLERS.update(dict.fromkeys(types, Handler(function, kind)))
        return function

    return add


def handler_of(node) -> Handler:
    """Return who treats a call, or say why it cannot be treated."""
    operation = node.operation
    name = type(operation).__name__
    found = _HANDLERS.get(type(operation))
    if found is None and node.is_operation(name):
        found = _HANDLERS.get(name)
    if found is None and node.is_layer and is_identity(node):
        found = _HANDLERS[keras.layers.Identity]
    if found is None and node.is_layer and not _is_known(operation) and only_shifts(node):
        found = _HANDLERS[SHIFTING]
    if found is None:
        raise XaiAudioError(
            f"Relevance propagation has no rule for layer {operation.name!r} ({name}): use "
            "keras.layers that it knows, or register one with explainers.lrp.handles."
        )
    return found


def _is_known(layer) -> bool:
    """Whether it is a kind of a layer that has a handler, for which a composite may have a rule."""
    return any(kind in _HANDLERS for kind in type(layer).__mro__)


def plan(network, composite, pooling="winner"):
    """Walk a network's graph and decide what happens at each layer.

    Parameters
    ----------
    network : keras.Model
        Flat, with one input and one output (n, classes) of logits.
    composite : Composite
    pooling : {"winner", "proportional"}

    Returns
    -------
    steps : list of Step
        In the order of the forward pass; step 0 is the input layer.
    tensors : list of KerasTensor
        The output of each step.

    Raises
    ------
    XaiAudioError
        For a network that cannot be treated; the message names the layer.
    """
    nodes = _nodes(network)
    numbers = {node: number for number, node in enumerate(nodes)}
    layers = [node.operation for node in nodes]
    _check_end(layers[-1])
    composite.check(layers[1:])
    parents = [tuple(numbers[parent] for parent in node.parents) for node in nodes]
    uses = Counter(parent for some in parents for parent in some)
    heard = reached(nodes)
    steps = []
    for node, some in zip(nodes, parents, strict=True):
        gates = gates_of(node)
        signals = [parent for number, parent in enumerate(some) if number not in gates]
        first = all(
            steps[parent].first and not (steps[parent].handler and steps[parent].handler.mixing)
            for parent in signals
        )
        positive = bool(some) and all(_not_negative(steps, parent) for parent in signals)
        step = Step(node, None, None, some, first, positive, pooling=pooling)
        step.silent = node not in heard
        if some and not step.silent:
            step.handler = handler_of(node)
            _fold(step, steps, uses, len(node.output.shape))
            if step.handler.ruled and not step.folded:
                step.rule = composite.rule_for(node.operation, first)
                _check_shapes(node)
            if step.kind in ("recurrent", "attention"):
                # What is written for the layers at the input is not meant for these.
                step.rule = composite.rule_for(node.operation, first=False)
        steps.append(step)
    _check_rules(steps)
    return steps, [node.output for node in nodes]


def layers_of(
    network: keras.Model, composite: object = "epsilon-plus-flat"
) -> list[tuple[str, tuple[int, ...], str]]:
    """List the layers of a network, with the rule that a composite gives to each.

    Parameters
    ----------
    network : keras.Model
        Flat, without a softmax at its end.
    composite : str or mapping
        What :func:`composite` takes.

    Returns
    -------
    list of (str, tuple of int, str)
        From the input to the logits: name, shape of the output without the batch, rule (empty
        where relevance only passes). :func:`xaiaudio.plots.layer_plan` draws it.

    Raises
    ------
    XaiAudioError
        For a layer that has no rule here.

    Examples
    --------
    >>> x = keras.Input((3,))
    >>> hidden = keras.layers.Dense(4, activation="relu", name="hidden")(x)
    >>> network = keras.Model(x, keras.layers.Dense(2, name="logits")(hidden))
    >>> layers_of(network, {"hidden": "flat", "logits": "epsilon"})[1:]
    [('hidden', (4,), 'flat'), ('logits', (2,), 'epsilon')]
    """
    steps, tensors = plan(network, composite_of(composite))
    return [
        (step.layer.name, tuple(tensor.shape[1:]), str(step.rule or ""))
        for step, tensor in zip(steps, tensors, strict=True)
    ]


def _nodes(network) -> tuple:
    """Return the calls of a network's layers, or say why relevance cannot go through them."""
    graph = graph_of(network)
    if len(network.inputs) != 1 or len(network.outputs) != 1:
        raise XaiAudioError("Relevance propagation takes a network with one input and one output.")
    graph.check_flat("relevance propagation")
    for node in graph.nodes:
        if isinstance(node.operation, keras.layers.Masking):
            raise XaiAudioError(
                f"Layer {node.name!r} (Masking) takes frames out of what lies behind it, which "
                "relevance propagation does not follow: take it out for patches of one length."
            )
        if len(node.outputs) != 1:
            raise XaiAudioError(
                f"Layer {node.name!r} has {len(node.outputs)} outputs: relevance propagation "
                "treats layers with one."
            )
    if [node for node in graph.nodes if not node.parents] != [graph.nodes[0]]:
        raise XaiAudioError("The network's output does not depend on its input alone.")
    return graph.nodes


def _not_negative(steps, number) -> bool:
    """Whether the output of a step is known never to be negative."""
    step = steps[number]
    if not step.node.is_layer:
        return step.node.is_operation("Relu", "Relu6")
    if isinstance(step.layer, keras.layers.ReLU):
        return not step.layer.negative_slope and not step.layer.threshold
    if activation_of(step.layer) in ("relu", "relu6"):
        return True
    if step.handler is not None and (step.handler.mixing or step.kind == "affine"):
        return False
    signed = (keras.layers.Activation, keras.layers.LeakyReLU, keras.layers.PReLU)
    return step.positive and not isinstance(step.layer, signed)


def _fold(step, steps, uses, axes) -> None:
    """Fold a batch normalisation into the layer before it, where nothing else sees that layer."""
    if type(step.layer) is not keras.layers.BatchNormalization:
        return
    (parent,) = step.parents
    before = steps[parent]
    last = step.layer.axis in (-1, axes - 1)
    foldable = before.kind == "weighted" and activation_of(before.layer) == "linear"
    foldable &= not isinstance(before.layer, keras.layers.EinsumDense)  # channels may be anywhere
    if foldable and last and uses[parent] == 1 and before.norm is None:
        before.norm, step.folded = step.layer, True


def _check_end(layer) -> None:
    ends = activation_of(layer)
    if ends in ("softmax", "sigmoid") or isinstance(layer, keras.layers.Softmax):
        raise XaiAudioError(
            f"The network ends in probabilities (layer {layer.name!r}): relevance starts at the "
            "logits. Give model.logits_network, or the network without its softmax."
        )


def _check_shapes(node) -> None:
    if len({tuple(tensor.shape) for tensor in node.inputs}) > 1:
        raise XaiAudioError(
            f"Layer {node.name!r} adds tensors of different shapes: relevance "
            "propagation treats sums of equal shapes."
        )


def _check_rules(steps) -> None:
    for step in steps:
        recurrent = step.kind == "recurrent"
        if recurrent and len(step.parents) != 1:
            raise XaiAudioError(
                f"Layer {step.layer.name!r} is given its first state: relevance propagation treats "
                "layers that begin with zeros."
            )
        if recurrent and not isinstance(step.rule, Epsilon):
            raise XaiAudioError(
                f"Layer {step.layer.name!r} cannot take the {step.rule.name} rule: a layer with a "
                "memory takes epsilon, or 0."
            )
        if (
            step.rule is not None
            and step.rule.name == "box"
            and not (step.first and step.kind != "attention")
        ):
            raise XaiAudioError(
                f"Layer {step.layer.name!r} cannot take the box rule: it is for layers that see "
                "the network's input, whose bounds are known."
            )
