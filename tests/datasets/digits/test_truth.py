"""What is true of a spoken digit, on the cells of its picture."""

from pathlib import Path

import numpy as np
import pytest
from spoken_digits import VOICES

from xaiaudio.datasets import Clip, digits
from xaiaudio.datasets.digits.truth import SOURCE
from xaiaudio.errors import XaiAudioError

RATE = 16_000


def test_regions_cover_each_cell_once_and_lie_where_they_should():
    frontend = digits.frontend()
    said = digits.speak("seven", VOICES[2])
    regions = digits.regions(said, frontend)
    np.testing.assert_array_equal(np.sum(list(regions.values()), axis=0), 1)
    names, hertz = digits.groups(said, frontend), frontend.band_centres()
    middle = (np.arange(97) * 160 + 320) / RATE
    for frame, (time, name) in enumerate(zip(middle, names, strict=True)):
        spoken = [phone.group for phone in said.phones if phone.start <= time < phone.end]
        assert [name] == (spoken or ["silence"])
        assert regions["silence"][frame].all() == (name == "silence")
        place = np.abs(said.times - time).argmin()
        pitch = said.pitch[place]
        for band in np.flatnonzero(regions["pitch"][frame]):
            assert 0.5 * pitch <= hertz[band] <= 1.5 * pitch
        for number in range(3):
            for band in np.flatnonzero(regions[f"F{number + 1}"][frame]):
                assert hertz[band] == pytest.approx(said.formants[place, number], rel=0.121)
        if regions["noise"][frame].any():
            assert name in ("fricative", "stop")
            assert hertz[regions["noise"][frame]].min() >= 2500
    rows = frontend.spectrogram(said.wave)
    # The truth shows in the picture: what it calls a formant is louder than the rest of the word.
    for name in ("pitch", "F1", "F2"):
        assert (
            rows[regions[name]].mean()
            > rows[regions["rest"]].mean()
            > rows[regions["silence"]].mean()
        )


def test_the_truth_about_a_clip_is_the_clips_own(small):
    for clip in small["digit"][::23]:
        said = digits.truth(clip)
        assert said.digit == clip.label
        assert f"{said.speaker.number:02d}" == clip.name.split("_")[1]
        np.testing.assert_allclose(clip.load(), said.wave, atol=0.51 / 32768)


def test_the_group_of_a_frame_is_that_of_the_phone_at_its_middle():
    said, frontend = digits.speak("six", VOICES[0]), digits.frontend()
    names = digits.groups(said, frontend)
    assert len(names) == 97
    for frame, name in enumerate(names):
        middle = (160 * frame + 320) / RATE
        there = [one.group for one in said.phones if one.start <= middle < one.end]
        assert name == (there[0] if there else "silence")
    assert set(names) == {"silence", "fricative", "vowel", "stop"}


def test_only_made_digits_have_a_truth():
    for source in ("AudioMNIST", "xaiaudio digits, 4 speakers", ""):
        clip = Clip(Path("7_01_2.wav"), "seven", 1, "CC0", source=source)
        with pytest.raises(XaiAudioError, match="7_01_2: only synthesised digits"):
            digits.truth(clip)
    made = SOURCE.format(count=4, seed=2, version=1)
    said = digits.truth(Clip(Path("7_03_2.wav"), "seven", 1, "CC0", source=made))
    assert (said.digit, said.take) == ("seven", 2)
    assert said.speaker == digits.speakers(4, seed=2)[2]
