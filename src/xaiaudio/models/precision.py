"""A network's twin in bfloat16: twice as fast, where the processor has instructions for it."""

from __future__ import annotations

import functools
from pathlib import Path

import keras

from ..errors import XaiAudioError
from .caching import PerModel
from .graph import graph_of

_TWINS = PerModel()

# What Linux calls the instructions.
_FLAGS = {"avx512_bf16", "amx_bf16"}


@functools.cache
def has_bfloat16() -> bool:
    """Tell whether the processor multiplies in bfloat16; False where this cannot be told.

    Returns
    -------
    bool
        Always False on other systems than Linux.
    """
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return False
    flags = next((line for line in text.splitlines() if line.startswith("flags")), "")
    return bool(_FLAGS & set(flags.split()))


def twin_of(network: keras.Model) -> keras.Model:
    """Return the network in bfloat16, but for its first and its last layer with weights.

    What lies before the first stays as it is, too, and what follows either up to the next layer
    with weights: the input rounded to eight bits would be most of the error, and logits of eight
    bits could not be told apart.

    Parameters
    ----------
    network : keras.Model
        Functional or Sequential.

    Returns
    -------
    keras.Model
        Made once for each network; its weights are copied anew in every call.

    Raises
    ------
    XaiAudioError
        If a layer cannot be made anew.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> twin = twin_of(xa.load_model("lite").logits_network)
    >>> [twin.get_layer(name).compute_dtype for name in ("conv1", "conv2", "logits")]
    ['float32', 'bfloat16', 'float32']
    """
    twin = _TWINS(network, "bfloat16", lambda _: _made(network))
    for copy, own in zip(twin.weights, network.weights, strict=True):
        copy.assign(own)
    return twin


def _made(network) -> keras.Model:
    layers = [node.operation for node in graph_of(network).nodes]
    weighted = [number for number, layer in enumerate(layers) if getattr(layer, "weights", ())]
    shorter = {id(layer) for layer in layers[weighted[1] : weighted[-1]]} if weighted[2:] else set()

    def anew(layer):
        settings = layer.get_config()
        if id(layer) in shorter:
            settings["dtype"] = "bfloat16"
        return type(layer).from_config(settings)

    try:
        return keras.models.clone_model(network, clone_function=anew)
    except Exception as error:  # somebody's own layer may refuse in any way
        why = " ".join(str(error).split())[:200]
        raise XaiAudioError(
            f"{network.name} cannot be made in bfloat16 ({why}): take precision='float32'."
        ) from error
