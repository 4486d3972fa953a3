"""Three classes of tones that a tiny network can learn in seconds."""

import dataclasses

import keras
import numpy as np

from xaiaudio.frontend import LogMel
from xaiaudio.models import Backbone

LABELS = ("low", "high", "noise")


def tiny_backbone(seed=0, dropout=0.0):
    layers = keras.layers
    patch = layers.Input((96, 64, 1))
    init = keras.initializers.HeNormal(seed=seed)
    tensor = layers.Conv2D(
        4, 5, 4, padding="same", activation="relu", kernel_initializer=init, name="conv"
    )(patch)
    # Keeps time out of it but not frequency, which is what tells the three classes apart.
    tensor = layers.AveragePooling2D((24, 1), name="pool")(tensor)
    tensor = layers.Flatten(name="embedding")(tensor)
    if dropout:
        tensor = layers.Dropout(dropout, seed=1, name="drop")(tensor)
    return Backbone("tiny", keras.Model(patch, tensor, name="tiny"), LogMel.vggish(), "test")


def wave_of(label, seed, seconds=1.2):
    random = np.random.default_rng(seed)
    t = np.arange(int(seconds * 16_000)) / 16_000
    noise = random.normal(0, 0.05, len(t))
    if label == "noise":
        return (4 * noise).astype(np.float32)
    hertz = {"low": 300, "high": 4000}[label] * random.uniform(0.8, 1.25)
    return (0.5 * np.sin(2 * np.pi * hertz * t) + noise * 0.1).astype(np.float32)


def seeing_backbone(seed=0):
    """Two convolutions; time and frequency are kept to the end."""
    layers = keras.layers
    init = keras.initializers.HeNormal(seed=seed)
    patch = layers.Input((96, 64, 1))
    x = layers.Conv2D(6, 5, 4, padding="same", activation="relu", kernel_initializer=init)(patch)
    x = layers.Conv2D(
        8, (3, 7), (2, 2), padding="same", activation="relu", kernel_initializer=init, name="last"
    )(x)
    x = layers.GlobalAveragePooling2D(name="embedding")(x)
    return Backbone("seeing", keras.Model(patch, x), LogMel.vggish(), "test")


@dataclasses.dataclass(frozen=True)
class Recorded:
    """A clip that is a waveform."""

    name: str
    wave: np.ndarray
    label: str = LABELS[0]
    fold: int = 1

    def load(self, sample_rate):
        return self.wave
