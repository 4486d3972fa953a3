"""The same network in PyTorch, for those who explain PyTorch networks."""

import numpy as np
import torch
from keras import layers
from torch import nn


class ChannelsLast(nn.Module):
    """Put the channels where Keras has them, so that dense weights need no new order."""

    def forward(self, x):
        return x.movedim(1, -1)


def twin(network):
    """Return a chain of Keras layers as a torch.nn.Sequential of float64, in evaluation mode."""
    parts = []
    for layer in network.layers[1:]:
        parts.extend(_parts(layer))
    return nn.Sequential(*parts).double().eval()


def to_torch(inputs):
    """Turn (n, ..., channels) into a tensor (n, channels, ...)."""
    return torch.tensor(np.moveaxis(inputs, -1, 1), dtype=torch.float64)


def to_numpy(tensor):
    """Turn a tensor (n, channels, ...) into an array (n, ..., channels)."""
    return np.moveaxis(tensor.detach().numpy(), 1, -1)


def _parts(layer):
    found = []
    if isinstance(layer, layers.Dense):
        found = [_linear(layer)]
    elif isinstance(layer, (layers.Conv1D, layers.Conv2D, layers.DepthwiseConv2D)):
        found = _convolution(layer)
    elif isinstance(layer, layers.BatchNormalization):
        found = [_normalisation(layer)]
    elif isinstance(layer, layers.ReLU):
        found = [nn.ReLU()]
    elif isinstance(layer, layers.MaxPooling1D):
        found = [nn.MaxPool1d(layer.pool_size[0])]
    elif isinstance(layer, layers.MaxPooling2D):
        # With windows as wide as the strides, padding "same" means one more, smaller window.
        found = [nn.MaxPool2d(layer.pool_size, ceil_mode=layer.padding == "same")]
    elif isinstance(layer, layers.GlobalAveragePooling1D):
        found = [nn.AdaptiveAvgPool1d(1), nn.Flatten()]
    elif isinstance(layer, layers.GlobalAveragePooling2D):
        found = [nn.AdaptiveAvgPool2d(1), nn.Flatten()]
    elif isinstance(layer, layers.Flatten):
        found = [nn.Flatten()] if len(layer.input.shape) == 2 else [ChannelsLast(), nn.Flatten()]
    else:
        raise TypeError(type(layer))
    relu = getattr(getattr(layer, "activation", None), "__name__", "") == "relu"
    return [*found, nn.ReLU()] if relu else found


def _linear(layer):
    kernel, bias = layer.get_weights()
    part = nn.Linear(*kernel.shape)
    part.weight.data, part.bias.data = torch.tensor(kernel.T), torch.tensor(bias)
    return part


def _convolution(layer):
    kernel, *bias = layer.get_weights()
    axes = kernel.ndim - 2
    channels = kernel.shape[-2]
    depthwise = isinstance(layer, layers.DepthwiseConv2D)
    weights = np.moveaxis(kernel, (-2, -1), (0, 1) if depthwise else (1, 0))
    if depthwise:
        weights = weights.reshape(-1, 1, *weights.shape[2:])
    before, after = _padding(layer, axes)
    even = before == after
    part = (nn.Conv1d, nn.Conv2d)[axes - 1](
        channels,
        len(weights),
        kernel.shape[:axes],
        layer.strides,
        padding=tuple(before) if even else 0,
        groups=channels if depthwise else 1,
        bias=bool(bias),
    )
    part.weight.data = torch.tensor(weights.copy())
    if bias:
        part.bias.data = torch.tensor(bias[0])
    if even:
        return [part]
    # PyTorch counts the sides from the last axis on.
    sides = [side for pair in zip(before[::-1], after[::-1], strict=True) for side in pair]
    pad = nn.ConstantPad1d if axes == 1 else nn.ConstantPad2d
    return [pad(tuple(sides), 0.0), part]


def _padding(layer, axes):
    """Return how many zeros go before and after each axis."""
    if layer.padding == "valid":
        return [0] * axes, [0] * axes
    if layer.padding == "causal":
        return [layer.kernel_size[0] - 1], [0]
    before, after = [], []
    sizes = layer.input.shape[1 : 1 + axes]
    for size, kernel, stride in zip(sizes, layer.kernel_size, layer.strides, strict=True):
        total = max((-(-size // stride) - 1) * stride + kernel - size, 0)
        before.append(total // 2)
        after.append(total - total // 2)
    return before, after


def _normalisation(layer):
    scale, shift, mean, variance = layer.get_weights()
    # zennit merges a normalisation into the layer before it, but leaves its epsilon behind as well:
    # with all of it in the variance, there is nothing to be left behind.
    part = nn.BatchNorm2d(len(scale), eps=0.0)
    variance = variance + layer.epsilon
    part.weight.data, part.bias.data = torch.tensor(scale), torch.tensor(shift)
    part.running_mean, part.running_var = torch.tensor(mean), torch.tensor(variance)
    return part
