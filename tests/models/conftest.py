"""Small networks and clips that the tests of models/ share."""

import keras
import pytest
from tones import LABELS, tiny_backbone, wave_of

from xaiaudio import AudioClassifier, LogMel
from xaiaudio.audio import save_audio
from xaiaudio.datasets import Clip, ClipSet


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """Five folds of two clips per class, as files."""
    folder = tmp_path_factory.mktemp("clips")
    made = []
    for fold in range(1, 6):
        for take in range(2):
            for number, label in enumerate(LABELS):
                path = folder / f"{fold}-{take}-{label}.wav"
                save_audio(path, wave_of(label, 100 * fold + 10 * take + number))
                made.append(Clip(path, label, fold, "CC0"))
    return ClipSet("tones", tuple(made), LABELS)


@pytest.fixture
def backbone():
    return tiny_backbone()


@pytest.fixture
def dense_file(tmp_path):
    """A network of one dense layer on patches of 24 frames and 16 bands, as a file."""
    entry = keras.layers.Input((24, 16, 1))
    dense = keras.layers.Dense(3, activation="softmax")
    model = keras.Model(entry, dense(keras.layers.Flatten()(entry)))
    classifier = AudioClassifier.from_keras(model, ["a", "b", "c"], LogMel(frames=24, bands=16))
    return classifier.save(tmp_path / "m.keras")
