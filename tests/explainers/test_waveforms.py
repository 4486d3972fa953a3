"""Networks of waveforms: relevance and guided backpropagation by loops, and by frequency."""

import keras
import numpy as np
import pytest
from keras import layers

from xaiaudio.errors import XaiAudioError
from xaiaudio.explainers import lrp
from xaiaudio.explainers.gradients import gradient
from xaiaudio.explainers.guided import guided_backpropagation
from xaiaudio.explainers.waveforms import in_bands, power_by_frequency, relevance_by_frequency

RATE = 16_000


def padded(samples, kernel, stride, padding):
    """Return how many outputs a convolution has, and the sample at which the first one begins."""
    if padding == "valid":
        return (samples - kernel) // stride + 1, 0
    outputs = -(-samples // stride)
    return outputs, -(max((outputs - 1) * stride + kernel - samples, 0) // 2)


def listener(samples, kernel, stride, padding, seed=0):
    """Two convolutions with ReLUs, a mean over time, three classes."""
    inputs = keras.Input((samples, 1))
    x = layers.Conv1D(4, kernel, stride, padding, activation="relu", name="one")(inputs)
    x = layers.Conv1D(3, 3, 2, padding, activation="relu", name="two")(x)
    x = layers.GlobalAveragePooling1D()(x)
    network = keras.Model(inputs, layers.Dense(3, name="logits")(x))
    rng = np.random.default_rng(seed)
    for weight in network.weights:
        weight.assign(rng.normal(0.1, 0.5, weight.shape))
    return network


def connections(layer, samples):
    """Yield (output, input, weights (channels in, channels out)) of a convolution, one by one."""
    kernel, _ = (np.array(w, float) for w in layer.get_weights())
    stride = layer.strides[0]
    outputs, start = padded(samples, len(kernel), stride, layer.padding)
    for output in range(outputs):
        for k in range(len(kernel)):
            place = output * stride + start + k
            if 0 <= place < samples:
                yield output, place, kernel[k]


def convolved(layer, x):
    """Return what a convolution makes of x (samples, channels), before its ReLU."""
    outputs, _ = padded(len(x), layer.kernel_size[0], layer.strides[0], layer.padding)
    z = np.tile(np.array(layer.get_weights()[1], float), (outputs, 1))
    for output, place, weights in connections(layer, len(x)):
        z[output] += x[place] @ weights
    return z


def guided_by_hand(network, x, target):
    one, two, logits = (network.get_layer(name) for name in ("one", "two", "logits"))
    first = convolved(one, x)
    second = convolved(two, np.maximum(first, 0))
    back = np.tile(logits.get_weights()[0][:, target] / len(second), (len(second), 1))
    for layer, z, below in ((two, second, len(first)), (one, first, len(x))):
        passing = np.where(z > 0, np.maximum(back, 0), 0)
        back = np.zeros((below, layer.kernel.shape[1]))
        for output, place, weights in connections(layer, below):
            back[place] += weights @ passing[output]
    return back


def relevance_by_hand(network, x, target, epsilon=1e-6):
    one, two, logits = (network.get_layer(name) for name in ("one", "two", "logits"))

    def rate(relevance, z):
        return relevance / (z + np.where(z >= 0, epsilon, -epsilon))

    first = convolved(one, x)
    second = convolved(two, np.maximum(first, 0))
    mean = np.maximum(second, 0).mean(axis=0)
    kernel, bias = logits.get_weights()
    logit = mean @ kernel[:, target] + bias[target]
    own = mean * kernel[:, target] * rate(logit, logit)
    own = np.maximum(second, 0) / len(second) * rate(own, mean)
    for layer, z, inputs in ((two, second, np.maximum(first, 0)), (one, first, x)):
        rates = rate(own, z)
        own = np.zeros(inputs.shape)
        for output, place, weights in connections(layer, len(inputs)):
            own[place] += inputs[place] * (weights @ rates[output])
    return own


@pytest.mark.slow
@pytest.mark.parametrize("padding", ["same", "valid"])
@pytest.mark.parametrize(("samples", "kernel", "stride"), [(37, 5, 3), (40, 8, 4), (29, 4, 1)])
def test_waveforms_equal_loops(samples, kernel, stride, padding):
    network = listener(samples, kernel, stride, padding)
    waves = np.random.default_rng(3).normal(size=(2, samples, 1)).astype("float32")
    targets = [2, 0]
    guided = guided_backpropagation(network, waves, targets)
    shared = lrp.relevance(network, waves, targets, "epsilon").inputs
    assert guided.shape == shared.shape == waves.shape
    for n, target in enumerate(targets):
        wanted = guided_by_hand(network, waves[n].astype(float), target)
        assert np.abs(wanted).max() > 1e-3
        np.testing.assert_allclose(guided[n], wanted, atol=1e-5)
        wanted = relevance_by_hand(network, waves[n].astype(float), target)
        np.testing.assert_allclose(shared[n], wanted, atol=1e-4 * np.abs(wanted).max() + 1e-5)


def band_pass(low, high, taps=129):
    """Return a linear-phase filter that lets a band through, windowed."""
    time = (np.arange(taps) - taps // 2) / RATE

    def low_pass(hertz):
        return 2 * hertz / RATE * np.sinc(2 * hertz * time)

    return (low_pass(high) - low_pass(low)) * np.hamming(taps)


def hears(*bands, samples=4001):
    """Return a network whose logit k is the rectified loudness in band k, and nothing else."""
    inputs = keras.Input((samples, 1))
    both = layers.Conv1D(2 * len(bands), 129, 2, "same", activation="relu", name="ears")
    logits = layers.Dense(len(bands), name="logits")
    network = keras.Model(inputs, logits(layers.GlobalAveragePooling1D()(both(inputs))))
    filters = np.stack([sign * band_pass(*band) for band in bands for sign in (1, -1)], axis=1)
    both.set_weights([filters[:, None], np.zeros(2 * len(bands))])
    logits.set_weights([np.repeat(np.eye(len(bands)), 2, axis=0), np.zeros(len(bands))])
    return network


@pytest.fixture(scope="module")
def ears():
    return hears((300, 600), (1000, 2000), (4000, 5000))


@pytest.mark.slow
@pytest.mark.parametrize("target", [0, 1, 2])
def test_the_spectra_show_the_band_that_a_network_hears(ears, target):
    edges = (0, 300, 600, 1000, 2000, 4000, 5000, 8000)
    band = (1, 3, 5)[target]
    noise = np.random.default_rng(1).normal(size=(3, 4001, 1))
    heard = power_by_frequency(guided_backpropagation(ears, noise, [target] * 3))
    shared = lrp.relevance(ears, noise, [target] * 3, "epsilon").inputs
    by_frequency = relevance_by_frequency(noise.astype("float32"), shared)
    for spectra in (heard, by_frequency):
        parts = in_bands(spectra, edges, RATE)
        assert (parts.argmax(axis=1) == band).all()
        assert (parts[:, band] > 0.8 * parts.sum(axis=1)).all()
    # The relevance of samples swings twice as fast: its own spectrum names other bands.
    naive = in_bands(power_by_frequency(shared), edges, RATE)
    assert (naive[:, band] < 0.4 * naive.sum(axis=1)).all()


@pytest.mark.slow
def test_a_network_without_a_band_gives_it_no_relevance(ears):
    time = np.arange(4001) / RATE
    tones = np.sin(2 * np.pi * 450 * time) + np.sin(2 * np.pi * 1500 * time)
    waves = tones[None, :, None].astype("float32")
    shared = lrp.relevance(ears, waves, [1], "epsilon").inputs
    low, high = in_bands(relevance_by_frequency(waves, shared), (300, 600, 2000), RATE)[0]
    assert high > 0
    assert abs(low) < 0.01 * high


@pytest.mark.parametrize("samples", [8, 37, 256])
def test_frequencies_keep_the_sum(samples):
    rng = np.random.default_rng(samples)
    waves, factors = rng.normal(size=(2, 3, samples))
    waves[:, ::5] = 0
    found = relevance_by_frequency(waves, waves * factors)
    assert found.shape == (3, samples // 2 + 1)
    np.testing.assert_allclose(found.sum(axis=1), (waves * factors).sum(axis=1), atol=1e-9)
    np.testing.assert_allclose(
        power_by_frequency(waves).sum(axis=1), (waves**2).sum(axis=1), rtol=1e-9
    )


@pytest.mark.slow
def test_relevance_by_frequency_equals_a_network_that_hears_frequencies():
    # The definition: put an inverse Fourier transform in front, as a layer, and go back through it.
    samples, target = 31, 1
    network = listener(samples, 5, 2, "same")
    wave = np.random.default_rng(8).normal(size=(1, samples, 1))
    slope = gradient(network, wave, [target])[0, :, 0].astype(float)
    spectrum = np.fft.rfft(wave[0, :, 0])
    wanted = np.zeros(samples // 2 + 1)
    for k in range(samples // 2 + 1):
        for part in (spectrum[k].real, 1j * spectrum[k].imag):
            alone = np.zeros(samples // 2 + 1, complex)
            alone[k] = part
            wanted[k] += np.fft.irfft(alone, samples) @ slope
    found = relevance_by_frequency(wave, wave[..., 0] * slope)[0]
    np.testing.assert_allclose(found, wanted, atol=1e-6)


def test_every_frequency_is_in_one_band():
    spectra = np.random.default_rng(0).random((2, 129))
    found = in_bands(spectra, (0, 1000, 1001, 3000, 8000), RATE)
    np.testing.assert_allclose(found.sum(axis=1), spectra.sum(axis=1))
    hertz = np.arange(129) * 62.5
    for k, (low, high) in enumerate([(0, 1000), (1000, 1001), (1001, 3000), (3000, 8001)]):
        wanted = spectra[:, (hertz >= low) & (hertz < high)].sum(axis=1)
        np.testing.assert_allclose(found[:, k], wanted)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: power_by_frequency(np.zeros(5)), "shape"),
        (lambda: power_by_frequency(np.zeros((2, 0))), "empty"),
        (lambda: relevance_by_frequency(np.ones((1, 4)), np.ones((1, 5))), "must be the same"),
        (lambda: relevance_by_frequency(np.zeros((1, 4)), np.ones((1, 4))), "sample of 0"),
        (lambda: in_bands(np.ones((1, 5)), (3, 2), RATE), "must rise"),
        (lambda: in_bands(np.ones((1, 5)), (3,), RATE), "two or more"),
    ],
)
def test_bad_input_is_named(call, says):
    with pytest.raises(XaiAudioError, match=says):
        call()
