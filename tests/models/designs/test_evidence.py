"""Evidence is plain data, and its places are heard in the clips."""

import dataclasses

import numpy as np
import pytest
from tones import Recorded

from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models.designs import matching
from xaiaudio.models.designs.evidence import Evidence, Place
from xaiaudio.models.designs.lessons import lessons


def test_evidence_is_plain_data():
    places = (Place("dog-1", 0.5, 1.25), Place("cat-2", 0, 1, 100.0, 200.0))
    one = Evidence("bark", "dog", places, np.arange(3.0), np.ones((2, 3)))
    again = Evidence.from_config(one.to_config())
    assert (again.name, again.label, again.places) == ("bark", "dog", places)
    assert np.array_equal(again.spectrum, one.spectrum)
    assert np.array_equal(again.picture, one.picture)


FRONTEND = LogMel.vggish(overlap=0.75)


@pytest.mark.slow
def test_a_place_in_another_clip_is_told(clips):
    place = lessons(clips, FRONTEND).place(0)
    with pytest.raises(XaiAudioError, match="not among these"):
        place.wave([clip for clip in clips if clip.name != place.clip], 16_000)
    late = dataclasses.replace(place, start=1e3, end=1e3 + 1)
    with pytest.raises(XaiAudioError, match="another recording"):
        late.wave(clips, 16_000)


def test_the_silence_that_a_short_clip_is_filled_up_with_can_be_played(clips):
    short = dataclasses.replace(Place("", 0.1, 0.9), clip=clips[0].name)
    told = Recorded(clips[0].name, clips[0].load(16_000)[:4_000])
    found = short.wave([told], 16_000, FRONTEND.min_samples)
    assert np.array_equal(found[:2_400], told.wave[1_600:]) and not found[2_400:].any()
    assert len(found) == round(0.9 * 16_000) - 1_600
    behind = dataclasses.replace(short, start=0.5)
    assert not behind.wave([told], 16_000, FRONTEND.min_samples).any()
    with pytest.raises(XaiAudioError, match="another recording"):
        behind.wave([told], 16_000)
    seen = matching.view(behind, [told], FRONTEND)
    assert np.array_equal(seen.cells, FRONTEND(told.wave, pad=True).values[0])
    assert seen.frames == (49, 89)
