"""The work of one unit: the table says what the network says, and why a file is bad."""

from types import SimpleNamespace

import numpy as np
import pytest
from small_archives import ASKED, RATE

import xaiaudio as xa
from xaiaudio.corpus import units


@pytest.mark.slow
def test_the_table_says_what_the_network_says(whole, sounds):
    model, rows = xa.load_model("lite"), whole.rows("input-x-gradient")
    maps = np.concatenate(list(whole.maps("input-x-gradient")))
    assert len(maps) == len(rows["file"]) == 9
    for place, name in enumerate(rows["file"]):
        wave = xa.load_audio(sounds / name)
        said = model.predict_clip(wave, 0.5)
        assert rows["class"][place] == rows["explained"][place] == said.label
        assert rows["votes"][place] == pytest.approx(said.shares[said.label])
        assert rows["seconds"][place] == len(wave) / RATE
        patch = model.frontend(wave, overlap=0.5).loudest()
        assert rows["start"][place] == pytest.approx(patch.times()[0])
        own = xa.explain(model, patch, said.label, "input-x-gradient").maps[0]
        np.testing.assert_allclose(maps[place], own, atol=1e-5 * np.abs(own).max())
        np.testing.assert_allclose(rows["relevance"][place], maps[place].mean(axis=0), rtol=1e-4)
    folders = dict(zip(rows["file"], rows["folder"], strict=True))
    assert folders["hum/00.wav"] == "hum" and folders["alone.wav"] == ""


def test_bad_files_have_reasons(whole, sounds):
    reasons = dict(zip(whole.bad["file"], whole.bad["reason"], strict=True))
    assert set(reasons) == {"hum/text.wav", "hiss/silent.wav", "short [1].wav"}
    assert "silent" in reasons["hiss/silent.wav"] and "sound" in reasons["hum/text.wav"]
    assert not any(str(sounds) in reason for reason in reasons.values())


def test_sounds_that_changed_since_they_were_planned_are_bad(mine, tmp_path):
    plan = xa.corpus.plan(mine, tmp_path / "out", **{**ASKED, "methods": ["gradcam"]})
    (mine / "hiss" / "00.wav").unlink()
    changed = mine / "hiss" / "01.wav"
    changed.write_bytes(changed.read_bytes() + b" ")
    clips = [one for one in plan.clips_of(0) + plan.clips_of(1) if one[0].startswith("hiss/0")]
    assert units.explain_unit(str(plan.out), 0, clips[:3]) == {"clips": 1, "bad": 2}
    found = xa.corpus.read(plan.out)
    told = dict(zip(found.bad["file"], found.bad["reason"], strict=True))
    assert "No such file" in told["hiss/00.wav"]
    assert told["hiss/01.wav"] == "hiss/01.wav has changed since it was planned."


@pytest.mark.slow
def test_a_method_that_fails_on_one_sound_is_tried_on_each(whole, sounds):
    """Of two sounds the first alone fails: it is bad, and the other has its map."""
    model = xa.load_model("lite")

    def read(name):
        patches = model.frontend(xa.load_audio(sounds / name)).loudest()
        return units.Sound(name, 0, "", 1.2, "", patches, label=0)

    def method(model, patches, targets):
        if not np.array_equal(patches, good[1].patches):
            raise xa.XaiAudioError("no segments")
        return SimpleNamespace(maps=np.full((1, 96, 64), 2.0))

    good, bad = [read("hiss/00.wav"), read("hum/00.wav")], {}
    maps = units._maps(whole.settings, model, method, good, bad)
    assert bad == {"hiss/00.wav": "hiss/00.wav: no segments"}
    assert not maps[0].any() and (maps[1] == 2).all()
    assert units._maps(whole.settings, model, method, [], {}).shape == (0, 96, 64)
