import numpy as np
import pytest
import soundfile

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.datasets import folders
from xaiaudio.models.generative import cut

FRONTEND = xa.LogMel.vggish()


def written(path, waves):
    for name, wave in waves.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path / name, wave, 16_000)
    return folders.read(path)


def test_a_second_is_what_its_place_in_the_clip_sounds_like_and_no_silence(tmp_path):
    rng = np.random.default_rng(0)
    waves = {
        "dog/long.wav": rng.normal(0, 0.1, 48_000),
        "dog/nothing.wav": np.zeros(48_000),
        "rain/short.wav": rng.normal(0, 0.1, 4_000),
        "rain/late.wav": np.append(np.zeros(32_000), rng.normal(0, 0.1, 16_000)),
    }
    found = cut(written(tmp_path, waves), FRONTEND)
    names = [found.clips[number].path.stem for number in found.clip]
    assert names.count("long") == 3 and names.count("short") == 1 and names.count("late") < 3
    assert "nothing" not in names
    for number in range(len(found)):
        again = FRONTEND(found.wave(number), pad=True).values[0]
        np.testing.assert_allclose(again, found.patches[number], atol=1e-5)


def test_silence_alone_is_refused(tmp_path):
    with pytest.raises(XaiAudioError, match="silent"):
        cut(written(tmp_path, {"dog/nothing.wav": np.zeros(32_000)}), FRONTEND)
