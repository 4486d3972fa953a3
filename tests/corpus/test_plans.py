"""Plans: what they list, how they go on, and what they refuse."""

import re

import numpy as np
import pytest
from small_archives import ASKED, archive

import xaiaudio as xa
from xaiaudio.corpus import plans


def test_units_are_full_at_so_many_clips_or_bytes(monkeypatch):
    monkeypatch.setattr(plans, "BYTES", 100)
    sizes = np.array([60, 60, 10, 10, 10, 500, 1])
    assert plans._units(sizes, 3).tolist() == [0, 1, 1, 1, 2, 3, 4]
    assert plans._units(sizes[:0], 3, 4).tolist() == []


def test_a_plan_lists_sounds_and_reads_none(sounds, tmp_path, monkeypatch):
    monkeypatch.setattr(
        plans, "_settled", lambda asked: plans.ArchiveSettings(**asked, labels=[], frontend={})
    )
    plan = xa.corpus.plan(sounds, tmp_path / "out", clips=5)
    names = plan.files["file"].tolist()
    assert names == sorted(names) and len(names) == 12 and "notes.txt" not in names
    assert [len(plan.clips_of(unit)) for unit in range(plan.units)] == [5, 5, 2]
    again = plans.load(tmp_path / "out")
    assert again.settings == plan.settings
    assert [again.clips_of(unit) for unit in range(3)] == [plan.clips_of(unit) for unit in range(3)]
    assert repr(plan) == "ArchivePlan(12 clips in 3 units, 0 done)"


@pytest.mark.slow
def test_new_sounds_make_new_units(mine, tmp_path, whole):
    out = tmp_path / "out"
    xa.corpus.run(xa.corpus.plan(mine, out, **ASKED), workers=0)
    archive(mine, classes=("more", "hum"), each=2, first=90)
    plan = xa.corpus.plan(mine, out, **ASKED)
    assert (plan.added, plan.waiting()) == (4, [4, 5])
    xa.corpus.run(plan, workers=0)
    found = xa.corpus.read(out)
    files = found.clips["file"].tolist()
    assert len(files) == len(set(zip(files, found.clips["method"], strict=True))) == 26
    assert set(whole.clips["file"]) < set(files)


def changed(mine):
    (mine / "hum" / "00.wav").write_bytes((mine / "hum" / "01.wav").read_bytes())
    return "hum/00.wav is not what it was"


def gone(mine):
    (mine / "hum" / "00.wav").unlink()
    return "hum/00.wav is gone"


@pytest.mark.parametrize("how", [changed, gone])
def test_a_changed_folder_is_told(mine, tmp_path, how):
    xa.corpus.plan(mine, tmp_path / "out", **ASKED)
    told = how(mine)
    with pytest.raises(xa.XaiAudioError, match=re.escape(told)):
        xa.corpus.plan(mine, tmp_path / "out", **ASKED)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("other", "told"),
    [
        ({"methods": ["gradcam"]}, "methods"),
        ({"target": "Rain"}, "class explained changed, from None to Rain"),
        ({"overlap": 0.25}, "overlap changed, from 0.5 to 0.25"),
        ({"pad": True}, "pad"),
        ({"clips": 4}, "clips of a unit"),
        ({"model": "music"}, "the network changed"),
    ],
)
def test_other_settings_are_told(whole, sounds, other, told):
    with pytest.raises(xa.XaiAudioError, match=told):
        xa.corpus.plan(sounds, whole.out, **{**ASKED, **other})


@pytest.mark.slow
def test_another_network_of_the_same_name_is_told(mine, tmp_path):
    xa.load_model("lite").save(tmp_path / "net.keras")
    plan = xa.corpus.plan(mine, tmp_path / "out", model=tmp_path / "net.keras", **ASKED)
    with open(tmp_path / "net.keras", "ab") as file:
        file.write(b" ")
    with pytest.raises(xa.XaiAudioError, match="not the network"):
        xa.corpus.run(plan, workers=0)
    with pytest.raises(xa.XaiAudioError, match="the network's file changed"):
        xa.corpus.plan(mine, tmp_path / "out", model=tmp_path / "net.keras", **ASKED)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"methods": ["gradcan"]}, "did you mean 'gradcam'"),
        ({"methods": {"gradcam": {"stepz": 1}}}, "no option 'stepz'"),
        ({"methods": ["l2i"]}, "trained"),
        ({"methods": []}, "No method"),
        ({"target": "Unicorn"}, "Unicorn"),
        ({"overlap": 1.0}, "overlap"),
        ({"clips": 0}, "at least one"),
        ({"model": "no.keras"}, "no network"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(sounds, tmp_path, asked, told):
    with pytest.raises(xa.XaiAudioError, match=told):
        xa.corpus.plan(sounds, tmp_path / "out", **{**ASKED, **asked})
    assert not (tmp_path / "out").exists()
