"""Dense layers, convolutions and batch normalisation as linear maps of a kernel."""

from __future__ import annotations

from functools import partial

import tensorflow as tf
from keras import layers, ops

from ...errors import XaiAudioError
from ...models.grouped import in_groups, is_grouped
from .activations import PASSING, activation_of
from .plan import handles
from .rules import Linear, Passed

CONVOLUTIONS = (layers.Conv1D, layers.Conv2D)
DEPTHWISE = (layers.DepthwiseConv1D, layers.DepthwiseConv2D)
SEPARABLE = (layers.SeparableConv1D, layers.SeparableConv2D)


@handles(layers.Dense, layers.EinsumDense, *CONVOLUTIONS, *DEPTHWISE, *SEPARABLE, kind="weighted")
def weighted(step, inputs, situation, relevance) -> Passed:
    """Share by the step's rule, with the batch normalisation behind the layer folded in."""
    return step.rule(linear_of(step.layer, step.norm), situation, relevance)


def linear_of(layer, norm=None) -> Linear:
    """Return a layer without its activation, with `norm` folded in.

    A separable convolution is taken as the one convolution that its two kernels amount to.
    """
    _check(layer)
    kernel, bias = _kernel(layer), 0.0
    if getattr(layer, "bias", None) is not None:
        bias = tf.cast(layer.bias, tf.float32)
    if norm is not None:
        factor, shift = factor_of(norm)
        bias = bias * factor + shift
        if isinstance(layer, DEPTHWISE):
            factor = tf.reshape(factor, kernel.shape[-2:])
        kernel = kernel * factor
    return Linear(_applied(layer), kernel, bias)


def _kernel(layer):
    if not isinstance(layer, SEPARABLE):
        return tf.cast(layer.kernel, tf.float32)
    depth = tf.cast(layer.depthwise_kernel, tf.float32)
    point = tf.cast(layer.pointwise_kernel, tf.float32)
    *_, channels, multiplier = depth.shape
    point = tf.reshape(point, (channels, multiplier, point.shape[-1]))
    return tf.einsum("...cm,cmo->...co", depth, point)


def _applied(layer):
    """Return ``(x, kernel) -> z`` of a layer."""
    if isinstance(layer, layers.Dense):
        return _dense
    if isinstance(layer, layers.EinsumDense):
        return partial(tf.einsum, layer.equation)
    operation = ops.depthwise_conv if isinstance(layer, DEPTHWISE) else ops.conv
    convolve = partial(
        operation,
        strides=layer.strides if isinstance(layer.strides, int) else tuple(layer.strides),
        padding="valid" if layer.padding == "causal" else layer.padding,
        data_format="channels_last",
        dilation_rate=layer.dilation_rate,
    )
    if is_grouped(layer):
        convolve = partial(in_groups, convolve)
    if layer.padding != "causal":
        return convolve
    before = layer.dilation_rate[0] * (layer.kernel_size[0] - 1)
    return lambda x, kernel: convolve(tf.pad(x, [[0, 0], [before, 0], [0, 0]]), kernel)


def _dense(x, kernel):
    return tf.tensordot(x, kernel, axes=1) if len(x.shape) > 2 else tf.matmul(x, kernel)


def factor_of(norm):
    """Return factor and shift, per channel, that a batch normalisation is in use."""
    factor = 1 / tf.sqrt(tf.cast(norm.moving_variance, tf.float32) + norm.epsilon)
    if norm.scale:
        factor *= tf.cast(norm.gamma, tf.float32)
    shift = -tf.cast(norm.moving_mean, tf.float32) * factor
    if norm.center:
        shift += tf.cast(norm.beta, tf.float32)
    return factor, shift


def _check(layer) -> None:
    if activation_of(layer) not in PASSING:
        raise XaiAudioError(
            f"Layer {layer.name!r} ends in {activation_of(layer)}, through which relevance does "
            f"not pass: only {', '.join(PASSING)} keep the sign of what they are given."
        )
    if getattr(layer, "data_format", "channels_last") != "channels_last":
        raise XaiAudioError(f"Layer {layer.name!r} has its channels first: they must be last.")
    if getattr(layer, "quantization_mode", None) is not None:
        raise XaiAudioError(f"Layer {layer.name!r} is quantised: give the network before that.")
