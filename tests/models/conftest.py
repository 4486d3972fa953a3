"""Small networks and clips that the tests of models/ share."""

import pytest
from tones import LABELS, tiny_backbone, wave_of

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
