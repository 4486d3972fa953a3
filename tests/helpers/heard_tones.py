"""Clips of three kinds of tones, made when they are read, and a network for them."""

import dataclasses

import keras
import numpy as np
from keras import layers

from xaiaudio import AudioClassifier, LogMel

LABELS = ("hiss", "high", "low")
FRONTEND = LogMel(frames=16, bands=12, window=256, hop=128, fft=256, sample_rate=8_000, fmax=3900.0)
# Options of Listen to Interpret with which it learns the tones in seconds.
QUICK = {"components": 8, "epochs": 10, "batch": 16, "rate": 5e-3}


@dataclasses.dataclass(frozen=True)
class Tone:
    """A clip that is made when it is read."""

    name: str
    label: str
    fold: int = 1

    def load(self, sample_rate=8_000):
        rng = np.random.default_rng([ord(letter) for letter in self.name])
        time, hertz = np.arange(sample_rate) / sample_rate, {"high": 2500, "low": 500}
        noise = rng.normal(0, 0.02, sample_rate)
        if self.label == "hiss":
            return (10 * noise).astype("float32")
        tone = np.sin(2 * np.pi * rng.uniform(0.9, 1.1) * hertz[self.label] * time)
        return (0.5 * tone * (time < rng.uniform(0.5, 1)) + noise).astype("float32")


class Tones(list):
    """Clips of three classes."""

    name, labels = "tones", LABELS

    @classmethod
    def of(cls, count, start=0):
        numbers = range(start, start + count)
        return cls(Tone(f"{label}-{number}", label) for number in numbers for label in LABELS)


def network(seed=0):
    keras.utils.set_random_seed(seed)
    x = inputs = keras.Input((*FRONTEND.patch_shape, 1))
    x = layers.Conv2D(4, 3, padding="same", name="first", activation="relu")(x)
    x = layers.MaxPooling2D(2, name="pool")(x)
    x = layers.Conv2D(6, 3, padding="same", name="second")(x)
    x = layers.BatchNormalization(name="norm")(x)
    x = layers.ReLU(name="relu")(x)
    x = layers.GlobalAveragePooling2D(name="mean")(x)
    return keras.Model(inputs, layers.Dense(3, activation="softmax", name="classes")(x))


def listener(clips, seed=0, epochs=12):
    """Return a classifier that has learnt the clips' classes."""
    trained = network(seed)
    cut = [FRONTEND(clip.load()).values for clip in clips]
    patches = np.concatenate(cut)[..., None]
    classes = np.repeat([LABELS.index(clip.label) for clip in clips], [len(one) for one in cut])
    trained.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy")
    trained.fit(patches, classes, batch_size=16, epochs=epochs, verbose=0)
    return AudioClassifier.from_keras(trained, LABELS, FRONTEND)
