"""The end of a network: split it into logits and probabilities, or put a new end on."""

from __future__ import annotations

import math
import re

import keras
import numpy as np

from ..errors import XaiAudioError
from .flattening import twin
from .graph import made_by, made_from

LAST_LAYERS = (
    'Its last layer must be Dense(..., activation="softmax"), Softmax, Activation("softmax"), '
    "or give plain logits"
)
SAY = (
    'or say outputs="probabilities" (--ends-in probabilities on the command line) to take its '
    "scores as they are"
)

OUTPUTS = ("logits", "probabilities")
ACTIVATIONS = ("softmax", "sigmoid")
_ENDS = (*ACTIVATIONS, "log_softmax")


def split(
    model, outputs=None, activation=None, answers=None
) -> tuple[keras.Model, keras.Model, bool]:
    """Return the network up to its probabilities, the same up to its logits, and how they relate.

    All layers are shared with `model`, the last one's weights included.

    Parameters
    ----------
    model : keras.Model
    outputs : {None, "logits", "probabilities"}
        What the network gives. None finds out from its layers, and by asking it where they do not
        say.
    activation : {None, "softmax", "sigmoid"}
        What turns the logits into probabilities. None takes the network's own; logits without one
        get a softmax, a single one a sigmoid.
    answers : callable, optional
        Takes a network and returns its outputs (n, classes) for a few patches. Left out, a network
        whose layers do not say what it gives is not asked.

    Returns
    -------
    scores, logits : keras.Model
    taken : bool
        True if the probabilities were taken as they are: then the logits are computed from them.

    Raises
    ------
    XaiAudioError
        If the model is not functional or sequential with one input and one output, or ends in
        something from which logits cannot be told.
    """
    _check_choice("outputs", outputs, OUTPUTS)
    _check_choice("activation", activation, ACTIVATIONS)
    patch, output = check_ends(model)
    end = _behind_identities(output)
    layer = made_by(end)
    name = _activation(layer)
    bare = _bare(layer, made_from(end), model) if name in _ENDS else None
    taken = bare is None and outputs == "probabilities"
    if bare is not None:
        _check_agrees(layer, name, outputs, activation)
        logits, scores = bare, _activated(name.removeprefix("log_"), bare)
    elif taken:
        logits, scores = _logits_of(model, output, activation, answers), output
    else:
        if outputs is None:
            _check_logits(model, end, answers)
        if activation == "softmax" and output.shape[-1] == 1:
            raise XaiAudioError(
                f'{model.name} has one output, whose softmax is always 1: say activation="sigmoid" '
                "(--activation sigmoid)."
            )
        usual = "sigmoid" if output.shape[-1] == 1 else "softmax"
        logits, scores = output, _activated(activation or usual, output)
    return (
        keras.Model(patch, scores, name=_runnable(model.name)),
        keras.Model(patch, logits, name=f"{_runnable(model.name)}_logits"),
        taken,
    )


def _runnable(name: str) -> str:
    """Return a name as TensorFlow takes it for a network: other backends take any."""
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", name)
    return name if re.match("[A-Za-z0-9.]", name) else f"network{name}"


def attach(features: keras.Model, classes: int, seed: int) -> tuple[keras.Model, keras.Model]:
    """Put a new dense layer and a softmax on a backbone; return the networks of :func:`split`."""
    logits = last_layer(classes, seed)(features.outputs[0])
    return (
        keras.Model(features.inputs[0], _activated("softmax", logits), name=features.name),
        keras.Model(features.inputs[0], logits, name=f"{features.name}_logits"),
    )


def last_layer(classes: int, seed: int) -> keras.layers.Dense:
    """Return a new dense layer for logits."""
    first = keras.initializers.GlorotUniform(seed=seed)
    return keras.layers.Dense(classes, name="logits", kernel_initializer=first)


def probabilities_of(network) -> str:
    """Return what makes a network's outputs probabilities ("softmax", "sigmoid"), or ""."""
    name = _activation(made_by(_behind_identities(network.outputs[0])))
    return name if name in ACTIVATIONS else ""


def check_ends(model):
    """Return the input and the output tensor of a model that has a graph."""
    if not isinstance(model, keras.Model):
        raise XaiAudioError(
            f"This is a {type(model).__name__}, not a Keras 3 model: give a keras.Model "
            "(a tf_keras or PyTorch model has to be rebuilt in Keras 3 first)."
        )
    inputs, outputs = getattr(model, "inputs", None), getattr(model, "outputs", None)
    own = [kind for kind in type(model).__mro__ if not kind.__module__.startswith("keras.")]
    if not inputs or not outputs or any("call" in vars(kind) for kind in own):
        raise XaiAudioError(
            f"{model.name} is a subclassed model, or a Sequential without an Input layer: rebuild "
            "it as a functional or Sequential model that begins with keras.layers.Input."
        )
    if len(inputs) != 1:
        raise XaiAudioError(_one_input(model))
    if len(outputs) != 1:
        raise XaiAudioError(
            f"{model.name} has {len(outputs)} outputs: make a keras.Model(model.inputs, "
            "model.outputs[k]) with one of them first."
        )
    if "float" not in outputs[0].dtype:
        raise XaiAudioError(
            f"{model.name} gives whole numbers ({outputs[0].dtype}), which are no scores: give the "
            "network without what rounds them, or takes the highest."
        )
    remembering = [layer for layer in model.layers if getattr(layer, "stateful", False)]
    if remembering:
        raise XaiAudioError(
            f"{remembering[0].name} remembers from one batch to the next (stateful=True): build "
            "the network with stateful=False and copy the weights."
        )
    odd = [layer.name for layer in model.layers if not re.fullmatch(r"[\w./>-]+", layer.name, re.A)]
    if odd:
        raise XaiAudioError(
            f"TensorFlow cannot run a layer that is called {odd[0]!r}: give it a name of letters, "
            "digits and _ . - only."
        )
    if len(outputs[0].shape) != 2 or outputs[0].shape[-1] is None:
        raise XaiAudioError(
            f"{model.name} gives outputs of the shape {tuple(outputs[0].shape)[1:]}: one row of "
            "class scores is needed, so pool over time and frequency first."
        )
    return inputs[0], outputs[0]


def _one_input(model) -> str:
    """Say how to make one input of several: the others become zeros."""
    shapes = [tuple(entry.shape)[1:] for entry in model.inputs]
    patch = max(range(len(shapes)), key=lambda number: len(shapes[number]))
    parts = ["x" if number == patch else _zeros(shape) for number, shape in enumerate(shapes)]
    return (
        f"{model.name} has {len(shapes)} inputs: fix all but one, to zeros by x = "
        f"keras.Input({shapes[patch]}); zero = lambda n: keras.layers.Dense(n, "
        'kernel_initializer="zeros")(keras.layers.Flatten()(x)); '
        f"keras.Model(x, model([{', '.join(parts)}]))."
    )


def _zeros(shape) -> str:
    count = math.prod(size or 1 for size in shape)
    return f"zero({count})" if len(shape) == 1 else f"keras.layers.Reshape({shape})(zero({count}))"


def _check_choice(name, value, known) -> None:
    if value is not None and value not in known:
        raise XaiAudioError(f"{name} is {value!r}: it must be one of {', '.join(known)}.")


def _activated(name: str, logits):
    if name == "softmax":
        return keras.layers.Softmax(name="scores")(logits)
    return keras.layers.Activation(name, name="scores")(logits)


#: Layers that are the identity in use.
_IDENTITIES = (
    *(keras.layers.Identity, keras.layers.Dropout, keras.layers.GaussianDropout),
    *(keras.layers.GaussianNoise, keras.layers.AlphaDropout, keras.layers.ActivityRegularization),
)


def _behind_identities(tensor):
    """Go back over all that hands on rows as they are."""
    while tensor is not None and _is_identity(made_by(tensor), tensor):
        tensor = made_from(tensor)
    return tensor


def _is_identity(layer, tensor) -> bool:
    kind = type(layer)
    if kind is keras.layers.Activation:
        return _activation(layer) == ""
    if kind is keras.layers.Rescaling:
        return np.all(np.equal(layer.scale, 1)) and np.all(np.equal(layer.offset, 0))
    if kind in (keras.layers.Flatten, keras.layers.Reshape):
        return tuple(made_from(tensor).shape) == tuple(tensor.shape)
    cast = kind.__module__ == "keras.src.ops.core" and kind.__name__ == "Cast"
    return kind in _IDENTITIES or (cast and "float" in tensor.dtype)


#: Classes of Keras's operations, such as keras.ops.softmax(x) leaves in the graph.
_OPERATIONS = {
    **{"Softmax": "softmax", "LogSoftmax": "log_softmax"},
    **{"Sigmoid": "sigmoid", "LogSigmoid": "log_sigmoid"},
}


def _activation(layer) -> str:
    """Name of what a layer or operation applies last; "" if nothing, or unknown."""
    if type(layer).__module__ == "keras.src.ops.nn":
        return _over_classes(layer, _OPERATIONS.get(type(layer).__name__, ""))
    if isinstance(layer, keras.layers.Softmax):
        return _over_classes(layer, "softmax")
    function = getattr(layer, "activation", None)
    if function is None:
        return ""
    if isinstance(function, keras.layers.Softmax):
        return _over_classes(function, "softmax")
    # A layer as activation has a name of its own, a function its Python name.
    name = getattr(function, "__name__", type(function).__name__)
    return "" if name == "linear" else name


def _over_classes(layer, name: str) -> str:
    """Leave out a softmax over anything but the last axis of (n, classes)."""
    axis = getattr(layer, "axis", -1)
    return name if axis in (-1, 1, None) or name == "sigmoid" else "softmax over another axis"


def _check_agrees(layer, name, outputs, activation) -> None:
    if outputs == "logits":
        raise XaiAudioError(
            f'{layer.name} ends in {name}, so these are no logits: leave out outputs="logits" '
            "(--ends-in logits)."
        )
    if activation not in (None, name.removeprefix("log_")):
        raise XaiAudioError(
            f"{layer.name} ends in {name}: leave out activation={activation!r} (--activation), "
            "or give the network without its last activation."
        )


#: Layers that leave probabilities what they are, or average them.
_KEEPING = (
    *(keras.layers.Flatten, keras.layers.Reshape, *_IDENTITIES, keras.layers.Activation),
    *(keras.layers.GlobalAveragePooling1D, keras.layers.GlobalAveragePooling2D),
    *(keras.layers.GlobalMaxPooling1D, keras.layers.GlobalMaxPooling2D),
)
#: Layers whose values are logits unless they have an activation.
_LINEAR = (keras.layers.Dense, keras.layers.EinsumDense, keras.layers.Conv1D, keras.layers.Conv2D)


def _check_logits(model, end, answers) -> None:
    """Refuse what is no logits: a second softmax would flatten probabilities."""
    last = layer = made_by(end)
    if name := _activation(last):
        built = f"is a {type(last).__name__} with a built-in" if name in _ENDS else "ends in"
        raise XaiAudioError(f"The last layer, {last.name}, {built} {name}. {LAST_LAYERS}, {SAY}.")
    while isinstance(layer, _KEEPING):
        end = made_from(end)
        layer = made_by(end)
        if _activation(layer) in ACTIVATIONS:
            raise XaiAudioError(
                f"{layer.name} makes probabilities, and {last.name} comes after it. {LAST_LAYERS}, "
                f"{SAY}."
            )
    if answers is None:
        return
    found = np.asarray(answers(model), np.float64)
    found = found[np.isfinite(found).all(axis=1)]
    what = _no_logits(found, linear=type(layer) in _LINEAR and not _activation(layer))
    if what:
        end = "probabilities (or logits)" if 'outputs="prob' in what else "logits"
        raise XaiAudioError(
            f"{model.name} ends in {last.name} and gives values from {found.min():.2g} to "
            f"{found.max():.2g}, {what} in load_model or AudioClassifier.from_keras, on the "
            f"command line --ends-in {end}."
        )


def _no_logits(answers, linear: bool) -> str:
    """Say why answers look like no logits, and what to do about it; "" if they do.

    Parameters
    ----------
    answers : ndarray, shape (n, classes)
        For different patches.
    linear : bool
        Whether they come from a layer that makes logits as a rule. Then only rows that are surely
        none count.
    """
    if not len(answers):
        return ""
    sums = answers.sum(axis=1)
    if _within(answers) and (not linear or np.allclose(sums, 1, atol=1e-3)):
        return (
            'which look like probabilities: say outputs="probabilities" (or outputs="logits" if '
            "they are logits)"
        )
    if answers.shape[1] < 2 or linear:
        return ""
    if answers.min() >= 0 and sums.min() > 1.01 and np.allclose(sums, sums[0], rtol=1e-3):
        return (
            f"whose rows all sum to {sums[0]:.4g} as probabilities of that scale do: divide by it "
            'inside the network, or say outputs="logits" if they are logits'
        )
    if answers.max() <= 1e-3 and np.allclose(np.exp(answers).sum(axis=1), 1, atol=1e-3):
        return (
            "which are logarithms of probabilities: leave them out of the network, or say "
            'outputs="logits" to have methods that explain logits explain these'
        )
    return ""


def _within(answers) -> bool:
    """Tell whether all values can be probabilities; half precision rounds beyond 1."""
    return bool(np.all((answers >= 0) & (answers <= 1.001)))


def _logits_of(model, scores, activation, answers):
    """Return the tensor of logits of which these scores are the softmax (or the sigmoids)."""
    if activation is None or answers is not None:
        found = np.zeros((0, 1)) if answers is None else answers(model)
        if not _within(found):
            raise XaiAudioError(
                f"{model.name} gives values from {found.min():.2g} to {found.max():.2g}: these are "
                'no probabilities, leave out outputs="probabilities" (--ends-in probabilities).'
            )
        one = scores.shape[-1] > 1 and np.allclose(found.sum(axis=1), 1, atol=0.01)
        activation = activation or ("softmax" if one else "sigmoid")
    scores = keras.ops.maximum(keras.ops.cast(scores, "float32"), 1e-30)
    logits = keras.ops.log(scores)
    if activation == "sigmoid":
        # The float below 1 is the highest sigmoid there is.
        logits = logits - keras.ops.log1p(-keras.ops.minimum(scores, 1 - 2**-24))
    return logits


def _bare(layer, before, model):
    """Tensor in front of the softmax (or sigmoid) that `layer` ends in; None if it is hidden."""
    if not hasattr(layer, "activation") or isinstance(layer, keras.layers.Activation):
        return before
    # Others, such as recurrent layers, need not apply their activation last.
    if type(layer) in (keras.layers.Dense, keras.layers.EinsumDense):
        return _without_activation(layer, f"{layer.name}_logits", model)(before)
    return None


def _without_activation(layer, name, model):
    """Return a linear layer that holds the very variables of `layer`."""
    taken = {layer.name for layer in model.layers}
    while name in taken:
        name += "_"
    if type(layer) is not keras.layers.Dense or getattr(layer, "quantization_mode", None):
        made = twin(layer, name)
        made.__dict__["activation"] = keras.activations.linear
        return made
    made = keras.layers.Dense(layer.units, use_bias=layer.use_bias, name=name, dtype=layer.dtype)
    # Instead of building it: setting variables as attributes is how Keras tracks them.
    made._kernel, made.bias = layer._kernel, layer.bias
    made.input_spec, made.built = layer.input_spec, True
    return made
