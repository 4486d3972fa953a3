import numpy as np
import pytest
from commands import sound

from xaiaudio import LogMel, XaiAudioError
from xaiaudio.datasets import Clip, ClipSet
from xaiaudio.datasets.levels import band_levels


def clips_of(folder, *levels):
    made = []
    for number, level in enumerate(levels):
        wave = level * np.random.default_rng(number).normal(size=8_000 * (number + 1))
        made.append(Clip(sound(folder / f"{number}.wav", wave), "Rain", 1, ""))
    return ClipSet("noise", tuple(made), ("Rain",))


def test_levels_are_those_of_all_frames_together(tmp_path):
    clips, frontend = clips_of(tmp_path, 0.01, 0.1, 0.3), LogMel.yamnet()
    rows = np.concatenate([frontend.spectrogram(clip.load()) for clip in clips]).astype(float)
    found = band_levels(clips, frontend)
    np.testing.assert_allclose(found, [rows.mean(axis=0), rows.std(axis=0)], rtol=1e-6)
    assert found[1].min() > 0.1


def test_a_set_without_clips():
    with pytest.raises(XaiAudioError, match="The set empty has no clips"):
        band_levels(ClipSet("empty", (), ()), LogMel.yamnet())
