"""What is true of a spoken digit, on the cells of its picture."""

import numpy as np
import pytest
from spoken_digits import VOICES

from xaiaudio.datasets import digits

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
