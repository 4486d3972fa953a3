import dataclasses

import numpy as np
import pytest
import soundfile
from tones import LABELS

from xaiaudio.datasets import Clip, ClipSet
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models import patch_table


def test_the_patches_of_a_set_are_those_of_its_clips_in_order(clips):
    frontend = LogMel.vggish(overlap=0.75)
    table = patch_table(clips, frontend)
    expected = [frontend(clip.load()) for clip in clips]
    np.testing.assert_array_equal(table.patches, np.concatenate(expected))
    assert table.clip.tolist() == [k for k, part in enumerate(expected) for _ in part]
    assert table.truth == tuple(clip.label for clip in clips)
    targets = table.targets(LABELS)
    assert [LABELS[k] for k in targets] == [clips[k].label for k in table.clip]


def test_a_part_of_a_table_keeps_its_clips_together(clips):
    table = patch_table(clips, LogMel.vggish(overlap=0.75))
    chosen = np.array([clip.fold == 2 for clip in clips])
    part = table.part(chosen)
    again = patch_table(clips.split(2)[1], LogMel.vggish(overlap=0.75))
    for name in ("patches", "clip"):
        np.testing.assert_array_equal(getattr(part, name), getattr(again, name))
    assert (part.names, part.truth) == (again.names, again.truth)


def test_clips_that_cannot_be_used_are_named(clips, tmp_path):
    frontend = LogMel.vggish()
    with pytest.raises(XaiAudioError, match="no clips"):
        patch_table(ClipSet("empty", (), LABELS), frontend)
    unlabelled = dataclasses.replace(clips[0], label=None)
    with pytest.raises(XaiAudioError, match=f"{clips[0].name}.*no label"):
        patch_table(ClipSet("some", (unlabelled,), LABELS), frontend)
    path = tmp_path / "broken.wav"
    soundfile.write(path, np.full(20_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    with pytest.raises(XaiAudioError, match="broken.wav"):
        patch_table(ClipSet("some", (*clips[:3], Clip(path, "low", 1, "")), LABELS), frontend)
    with pytest.raises(XaiAudioError, match="none.wav"):
        patch_table(ClipSet("some", (Clip(tmp_path / "none.wav", "low", 1, ""),), LABELS), frontend)


def test_clips_that_cannot_be_used_can_be_left_out(clips, tmp_path):
    frontend = LogMel.vggish()
    path = tmp_path / "broken.wav"
    soundfile.write(path, np.full(20_000, np.nan, np.float32), 16_000, subtype="FLOAT")
    broken, gone = Clip(path, "low", 1, ""), Clip(tmp_path / "none.wav", "low", 1, "")
    whole = patch_table(clips[:3], frontend)
    assert whole.left_out == ()
    mixed = ClipSet("some", (clips[0], broken, *clips[1:3], gone), LABELS)
    table = patch_table(mixed, frontend, leave_out=True)
    np.testing.assert_array_equal(table.patches, whole.patches)
    np.testing.assert_array_equal(table.clip, whole.clip)
    assert (table.names, table.truth) == (whole.names, whole.truth)
    assert [clip for clip, _ in table.left_out] == [broken, gone]
    assert "broken.wav holds NaN" in table.left_out[0][1] and "none.wav" in table.left_out[1][1]
    with pytest.raises(XaiAudioError, match="No sound of bad can be used.*broken.wav"):
        patch_table(ClipSet("bad", (broken, gone), LABELS), frontend, leave_out=True)


def test_a_short_clip_becomes_one_patch(tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.full(4000, 0.1, np.float32), 16_000)
    table = patch_table(ClipSet("short", (Clip(path, "low", 1, ""),), LABELS), LogMel.vggish())
    assert table.patches.shape == (1, 96, 64)
