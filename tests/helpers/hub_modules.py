"""SavedModels in the exact form of the TensorFlow Hub modules, with random weights."""

import numpy as np
import tensorflow as tf

VGGISH = (
    ("conv1", (3, 3, 1, 64)),
    ("conv2", (3, 3, 64, 128)),
    ("conv3/conv3_1", (3, 3, 128, 256)),
    ("conv3/conv3_2", (3, 3, 256, 256)),
    ("conv4/conv4_1", (3, 3, 256, 512)),
    ("conv4/conv4_2", (3, 3, 512, 512)),
    ("fc1/fc1_1", (12288, 4096)),
    ("fc1/fc1_2", (4096, 4096)),
    ("fc2", (4096, 128)),
)
POOLED_AFTER = {"conv1", "conv2", "conv3/conv3_2", "conv4/conv4_2"}
# Stride and width, layer 2 on.
YAMNET = [(1, 64), (2, 128), (1, 128), (2, 256), (1, 256), (2, 512)]
YAMNET += [(1, 512)] * 5 + [(2, 1024), (1, 1024)]


def log_mel(wave, offset):
    spectrum = tf.abs(tf.signal.stft(wave, 400, 160, 512))
    matrix = tf.signal.linear_to_mel_weight_matrix(64, 257, 16_000, 125.0, 7500.0)
    return tf.math.log(tf.matmul(spectrum, matrix) + offset)


def scaled(random, shape):
    """Weights that keep the size of the values from layer to layer."""
    fan_in = np.prod(shape[:-1])
    return random.standard_normal(shape, dtype=np.float32) * np.float32(np.sqrt(2 / fan_in))


class VGGish(tf.Module):
    """As exported from the slim network: variables in a list, not trainable."""

    def __init__(self, last_relu=False, name_of=lambda name: name):
        super().__init__()
        random = np.random.default_rng(0)
        self.last_relu = last_relu
        self._variables = []
        for scope, shape in VGGISH:
            biases = random.normal(0, 0.1, shape[-1]).astype(np.float32)
            for part, value in (("weights", scaled(random, shape)), ("biases", biases)):
                name = name_of(f"vggish/{scope}/{part}")
                self._variables.append(tf.Variable(value, trainable=False, name=name))
        # What the graph computes with; a corrupted module keeps other variables in its list.
        self.used = list(self._variables)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32)])
    def __call__(self, wave):
        x = tf.signal.frame(log_mel(wave, 0.01), 96, 96, axis=0)[..., None]
        for number, (scope, shape) in enumerate(VGGISH):
            weights, biases = self.used[2 * number : 2 * number + 2]
            if len(shape) == 4:
                x = tf.nn.relu(tf.nn.conv2d(x, weights, 1, "SAME") + biases)
            else:
                x = tf.reshape(x, (-1, shape[0])) @ weights + biases
                if scope != "fc2" or self.last_relu:
                    x = tf.nn.relu(x)
            if scope in POOLED_AFTER:
                x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        return x


class YAMNet(tf.Module):
    """Returns scores, embeddings and the log-mel spectrogram; patches every 48 frames."""

    def __init__(self):
        super().__init__()
        self.random = np.random.default_rng(0)
        self._variables = []
        self.layers = [self._layer("layer1/conv", "kernel", (3, 3, 1, 32), 2)]
        depth = 32
        for number, (stride, width) in enumerate(YAMNET, 2):
            scope = f"layer{number}"
            shape = (3, 3, depth, 1)
            self.layers.append(
                self._layer(f"{scope}/depthwise_conv", "depthwise_kernel", shape, stride)
            )
            shape = (1, 1, depth, width)
            self.layers.append(self._layer(f"{scope}/pointwise_conv", "kernel", shape, 1))
            depth = width
        self.last = (
            self._variable("logits/kernel", scaled(self.random, (1024, 521))),
            self._variable("logits/bias", np.zeros(521, np.float32)),
        )

    def _variable(self, name, value):
        self._variables.append(tf.Variable(value, trainable=False, name=name))
        return self._variables[-1]

    def _layer(self, scope, kernel, shape, stride):
        channels = shape[2] if "depthwise" in scope else shape[3]
        value = scaled(self.random, shape[:2] + (1, channels) if "depthwise" in scope else shape)
        drawn = self.random.normal(0, 0.1, (3, channels)).astype(np.float32)
        drawn[2] = np.exp(3 * drawn[2])
        parts = [self._variable(f"{scope}/{kernel}", value.reshape(shape))]
        for name, numbers in zip(("beta", "moving_mean", "moving_variance"), drawn, strict=True):
            parts.append(self._variable(f"{scope}/bn/{name}", numbers))
        return (*parts, stride)

    @tf.function(input_signature=[tf.TensorSpec((None,), tf.float32)])
    def __call__(self, wave):
        rows = log_mel(wave, 0.001)
        x = tf.signal.frame(rows, 96, 48, axis=0)[..., None]
        for kernel, beta, mean, variance, stride in self.layers:
            if kernel.shape[-1] == 1 and kernel.shape[0] == 3 and kernel.shape[2] > 1:
                x = tf.nn.depthwise_conv2d(x, kernel, (1, stride, stride, 1), "SAME")
            else:
                x = tf.nn.conv2d(x, kernel, stride, "SAME")
            x = tf.nn.relu((x - mean) / tf.sqrt(variance + 1e-4) + beta)
        embeddings = tf.reduce_mean(x, (1, 2))
        return tf.sigmoid(embeddings @ self.last[0] + self.last[1]), embeddings, rows


def sound(seconds=2.5):
    """Return a tone in noise."""
    random = np.random.default_rng(5)
    t = np.arange(int(seconds * 16_000)) / 16_000
    return (0.3 * np.sin(2 * np.pi * 440 * t) + random.normal(0, 0.05, len(t))).astype(np.float32)


def assert_same(network, frontend, wave, wanted):
    """Assert that a network gives for the patches of a sound what its module gave."""
    patches = frontend(wave)
    given = network(patches[..., None]).numpy()
    assert len(given) >= 2
    scale = np.abs(wanted).max()
    np.testing.assert_allclose(given, wanted[: len(given)], atol=1e-4 * scale)
