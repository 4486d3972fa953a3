"""What designs learn from: patches with their classes, clips and places."""

import numpy as np
import pytest
from tones import LABELS, Recorded

from xaiaudio.datasets import ClipSet
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models import patch_table
from xaiaudio.models.designs.lessons import held_out_clips, lessons

FRONTEND = LogMel.vggish(overlap=0.75)


def test_a_place_is_where_the_patch_is_cut_from(clips):
    taught = lessons(clips, FRONTEND)
    by_name = {clip.name: clip for clip in clips}
    for number in range(0, len(taught), 7):
        clip = by_name[taught.names[taught.clip[number]]]
        patches = FRONTEND(clip.load())
        which = taught.first[number] // FRONTEND.patch_hop
        assert np.array_equal(patches.values[which], taught.patches[number])
        assert taught.labels[taught.targets[number]] == clip.label
        place = taught.place(number)
        times = FRONTEND.times(which)
        assert (place.clip, place.start, place.end) == (clip.name, max(0, times[0]), times[-1])


def test_a_part_of_a_patch_has_seconds_and_hertz(clips):
    taught = lessons(clips, FRONTEND)
    number = int(taught.first.argmax())
    place = taught.place(number, (10, 20), (-3, 5))
    times, edges = FRONTEND.frame_times(taught.first[number]), FRONTEND.band_edges()
    assert (place.start, place.end) == (times[10], times[20])
    assert (place.low, place.high) == (edges[0], edges[5])
    wave = place.wave(clips, 16_000)
    assert len(wave) == round(place.end * 16_000) - round(place.start * 16_000)


def test_validation_takes_whole_clips_of_each_class(clips):
    taught = lessons(clips, FRONTEND, share=0.3, seed=1)
    for clip in range(len(taught.names)):
        assert len(set(taught.validation[taught.clip == clip])) <= 1
    assert set(taught.targets[taught.validation]) == set(range(len(LABELS)))
    (learnt,), (checked,) = taught.split(taught.patches)
    assert len(learnt) + len(checked) == len(taught)
    assert held_out_clips(["a", "b"], 0.1, 0).sum() == 1


def test_shuffled_labels_belong_to_clips(clips):
    honest, dealt = lessons(clips, FRONTEND), lessons(clips, FRONTEND, shuffled=True, seed=3)
    assert (dealt.targets != honest.targets).any()
    for clip in range(len(dealt.names)):
        assert len(set(dealt.targets[dealt.clip == clip])) <= 1
    count = [
        np.bincount([of[which.clip == c][0] for c in range(len(which.names))])
        for which, of in ((honest, honest.targets), (dealt, dealt.targets))
    ]
    assert np.array_equal(*count)


def test_a_table_serves_as_well_as_clips(clips):
    one, two = lessons(clips, FRONTEND), lessons(patch_table(clips, FRONTEND), FRONTEND)
    assert np.array_equal(one.patches, two.patches)
    with pytest.raises(XaiAudioError, match="between 0 and 1"):
        lessons(clips, FRONTEND, share=0)


def test_clips_that_nothing_can_be_learnt_from_are_told(clips):
    by_label = {clip.label: clip for clip in clips}
    with pytest.raises(XaiAudioError, match="one clip of each class"):
        lessons(ClipSet("few", tuple(by_label.values()), LABELS), FRONTEND)
    silent = [Recorded(f"{n}", np.zeros(16_000, np.float32), LABELS[n % 3]) for n in range(6)]
    with pytest.raises(XaiAudioError, match="silent"):
        lessons(ClipSet("silent", tuple(silent), LABELS), FRONTEND)
