"""Class activation maps, by tf-keras-vis: the last convolution's feature maps, weighted and summed.

All of them look at the logits, keep their own scale (nothing is normalised) and have the
resolution of the layer they look at.
"""

from __future__ import annotations

import warnings
import weakref
from dataclasses import dataclass
from numbers import Integral

import keras
import numpy as np
import tensorflow as tf

from ..errors import XaiAudioError
from .registry import register

with warnings.catch_warnings():
    # tf-keras-vis imports zoom from where SciPy kept it before.
    warnings.simplefilter("ignore", DeprecationWarning)
    from tf_keras_vis.gradcam import Gradcam
    from tf_keras_vis.gradcam_plus_plus import GradcamPlusPlus
    from tf_keras_vis.layercam import Layercam
    from tf_keras_vis.scorecam import Scorecam
from tf_keras_vis.utils.scores import CategoricalScore

# Patches in one backward pass, and masked patches that Score-CAM holds at a time.
CHUNK = 32
MASKED = 512

CONVOLUTIONS = (
    keras.layers.Conv2D,
    keras.layers.Conv2DTranspose,
    keras.layers.SeparableConv2D,
    keras.layers.DepthwiseConv2D,
)
# What a convolution may leave to layers of their own.
FINISHING = (
    keras.layers.BatchNormalization,
    keras.layers.Activation,
    keras.layers.ReLU,
    keras.layers.LeakyReLU,
    keras.layers.ELU,
)

# A classifier's logits as a model that Score-CAM can call thousands of times.
_QUIET: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()


@dataclass(frozen=True)
class Options:
    """Options of the class activation maps that use gradients.

    Attributes
    ----------
    layer : str or None
        Name of the layer to look at. None takes the last convolution whose feature maps have more
        than one cell, together with the batch normalisation and activation that follow it where
        these are layers of their own.
    """

    layer: str | None = None


@dataclass(frozen=True)
class ScoreOptions(Options):
    """Options of Score-CAM.

    Attributes
    ----------
    layer : str or None
        As in :class:`Options`.
    channels : int or None
        Ask only about the so many feature maps that vary most (Faster Score-CAM). None asks about
        all of them, one forward pass each.
    """

    channels: int | None = None

    def __post_init__(self):
        if self.channels is not None and not (
            isinstance(self.channels, Integral) and self.channels >= 1
        ):
            raise XaiAudioError(f"channels is {self.channels!r}: a number from 1 up, or None.")


@register(
    "gradcam",
    options=Options,
    summary="Feature maps of a convolution, each weighted by its mean gradient.",
    paper="Selvaraju et al. 2017, Grad-CAM",
    needs="a convolution",
)
def gradcam(classifier, patches, targets, options):
    """Compute maps (n, h, w): relu(sum over k of mean(dS/dA_k) * A_k)."""
    return _gradient_maps(Gradcam, classifier, patches, targets, options)


@register(
    "gradcam++",
    options=Options,
    summary="Grad-CAM with weights that count every place where a feature shows.",
    paper="Chattopadhay et al. 2018, Grad-CAM++",
    needs="a convolution",
)
def gradcam_plus_plus(classifier, patches, targets, options):
    """Compute maps (n, h, w), without the paper's factor exp(S).

    With g = dS/dA_k, each cell has the weight g^2 / (2 g^2 + g^3 sum(A_k)), the weights of one
    feature map add up to 1 (as in the authors' code; the paper does not say so), and A_k counts by
    the so weighted mean of relu(g).

    The factor is the same for all cells of a patch. With logits it would overflow for a sure
    class, vanish for an unlikely one, and make maps of different classes incomparable.
    """
    return _gradient_maps(GradcamPlusPlus, classifier, patches, targets, options, _Lifted)


@register(
    "layercam",
    options=Options,
    summary="Feature maps of a convolution, each cell weighted by its own positive gradient.",
    paper="Jiang et al. 2021, LayerCAM",
    needs="a convolution",
)
def layercam(classifier, patches, targets, options):
    """Compute maps (n, h, w): relu(sum over k of relu(dS/dA_k) * A_k)."""
    return _gradient_maps(Layercam, classifier, patches, targets, options)


@register(
    "scorecam",
    options=ScoreOptions,
    summary="Feature maps of a convolution, each weighted by the score it lets through.",
    paper="Wang et al. 2020, Score-CAM",
    needs="a convolution",
)
def scorecam(classifier, patches, targets, options):
    """Compute maps (n, h, w): relu(sum over k of P(class | patch * H_k) * A_k).

    H_k is feature map k stretched to the patch and scaled to 0 to 1. As in the paper the patch is
    multiplied by it, so a hidden cell goes to 0, which is not silence in a log-mel patch.
    tf-keras-vis takes the softmax itself, so it is given the logits.
    """
    network = classifier.logits_network
    layer = find_layer(network, options.layer)
    channels = output_in(network, layer).shape[-1]
    if options.channels and options.channels > channels:
        raise XaiAudioError(
            f"channels is {options.channels}, but layer {layer.name!r} has only {channels}."
        )
    # The strongest channels are chosen for all inputs of a call together: call one by one.
    chunk = 1 if options.channels else max(1, MASKED // channels)
    visual = Scorecam(_quiet(classifier), clone=False)
    place = _Place(output_in(network, layer))
    inputs = classifier.as_input(patches)
    if inputs.ndim != 4:
        raise XaiAudioError(
            "Score-CAM needs a network for (frames, bands, 1), this one takes (frames, bands): "
            "begin it with a Reshape layer, or use another method."
        )
    return _maps(visual, inputs, targets, chunk, place, max_N=options.channels)


def find_layer(network, name: str | None = None) -> keras.layers.Layer:
    """Return the layer to look at, or say why there is none.

    Parameters
    ----------
    network : keras.Model
        A flat functional model.
    name : str, optional
        A layer with an output (batch, h, w, channels); None as in :class:`Options`.

    Raises
    ------
    XaiAudioError
        For a nested network, one without a 2-D convolution, an unknown name, or a layer whose
        output is not (batch, h, w, channels).
    """
    nested = [layer.name for layer in network.layers if isinstance(layer, keras.Model)]
    if nested:
        raise XaiAudioError(
            f"The network has another network inside, {nested[0]!r}: class activation maps need a "
            "flat one. Call its layers one after the other on your input."
        )
    if name is not None:
        return _named(network, name)
    found = [layer for layer in network.layers if isinstance(layer, CONVOLUTIONS)]
    if not found:
        raise XaiAudioError(
            "The network has no 2-D convolution, so there is no class activation map: "
            "use a method that needs none, such as 'occlusion' or 'lime'."
        )
    # A convolution after the pooling, as in a squeeze-and-excitation gate, knows no place.
    wide = [layer for layer in found if tuple(output_in(network, layer).shape[1:3]) != (1, 1)]
    if not wide:
        raise XaiAudioError(
            "All convolutions of the network give one value for the whole patch, which is no map: "
            "use a method that needs none, such as 'occlusion' or 'lime'."
        )
    return _spatial(network, _finished(network, wide[-1]))


def output_in(network, layer):
    """Return the tensor that a layer gives in a network; where it is used twice, at its last use.

    This is not always ``layer.output``, which is what it gave when it was called first: a
    Sequential model calls its layers again whenever it grows, and when it is read from a file.
    """
    return next(node.outputs[0] for node in _nodes(network) if node.operation is layer)


def _nodes(network) -> list:
    """Return the calls of layers that make up a network, those next to its output first."""
    graph = getattr(network, "_functional", None) or network
    by_depth = graph._nodes_by_depth
    return [node for depth in sorted(by_depth) for node in by_depth[depth]]


def _named(network, name):
    spatial = [layer for layer in network.layers if _is_spatial(output_in(network, layer))]
    for layer in network.layers:
        if layer.name == name:
            return _spatial(network, layer)
    names = ", ".join(layer.name for layer in spatial)
    raise XaiAudioError(f"The network has no layer {name!r}. Those with feature maps: {names}.")


def _finished(network, layer):
    """Go on from a convolution to the activation that follows it, if one does."""
    while True:
        output = output_in(network, layer)
        following = [
            node.operation
            for node in _nodes(network)
            if any(tensor is output for tensor in node.input_tensors)
        ]
        if len(following) != 1 or not isinstance(following[0], FINISHING):
            return layer
        (layer,) = following


def _spatial(network, layer):
    output = output_in(network, layer)
    shape = tuple(output.shape)
    if len(shape) == 4 and None in shape[1:]:
        raise XaiAudioError(
            f"Layer {layer.name!r} gives maps of any size, {shape[1:]}: build the network "
            "for one size of patch, with keras.layers.Input((frames, bands, 1))."
        )
    if not _is_spatial(output):
        raise XaiAudioError(
            f"Layer {layer.name!r} gives {shape}: a map needs (batch, h, w, channels)."
        )
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise XaiAudioError(f"Layer {layer.name!r} has its channels first: they must be last.")
    return layer


def _is_spatial(output) -> bool:
    return len(output.shape) == 4 and None not in output.shape[1:]


class _Place(keras.layers.Layer):
    """A place in a network, given to tf-keras-vis as the layer whose output it is to look at."""

    def __init__(self, tensor):
        super().__init__()
        self._tensor = tensor

    @property
    def output(self):
        return self._tensor


def _gradient_maps(method, classifier, patches, targets, options, score=CategoricalScore):
    network = classifier.logits_network
    layer = find_layer(network, options.layer)
    visual = method(network, clone=False)
    place = _Place(output_in(network, layer))
    return _maps(visual, classifier.as_input(patches), targets, CHUNK, place, score=score)


def _maps(visual, inputs, targets, chunk, place, score=CategoricalScore, **more) -> np.ndarray:
    """Call tf-keras-vis for `chunk` patches at a time."""
    parts = [slice(start, start + chunk) for start in range(0, len(inputs), chunk)]
    return np.concatenate(
        [
            visual(
                score([int(target) for target in targets[part]]),
                inputs[part],
                penultimate_layer=place,
                seek_penultimate_conv_layer=False,
                expand_cam=False,
                normalize_cam=False,
                **more,
            )
            for part in parts
        ]
    )


class _Lifted(CategoricalScore):
    """Scores moved to 0, their gradients untouched: the exponential of the score becomes 1."""

    def __call__(self, output):
        score = super().__call__(output)
        return score - tf.stop_gradient(score)


class _Quiet(keras.Model):
    """A model whose `predict` runs compiled batches of one size and prints nothing."""

    def predict(self, inputs, batch_size):
        (inputs,) = inputs if isinstance(inputs, list) else [inputs]
        short = -len(inputs) % batch_size
        padded = np.concatenate([inputs, np.repeat(inputs[-1:], short, axis=0)])
        parts = range(0, len(padded), batch_size)
        answers = [self.compiled(tf.constant(padded[i : i + batch_size])) for i in parts]
        return np.concatenate(answers)[: len(inputs)]


def _quiet(classifier):
    if classifier not in _QUIET:
        network = classifier.logits_network
        quiet = _Quiet(network.inputs[0], network.outputs[0], name="quiet")
        quiet.compiled = tf.function(lambda inputs: quiet(inputs, training=False))
        _QUIET[classifier] = quiet
    return _QUIET[classifier]
