"""The synthetic set as a user meets it: files, folds, stems, masks, cache."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
import soundfile

from xaiaudio.datasets import CLASSES, events
from xaiaudio.datasets.events import store
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel

SLOW_FIXTURES = ("clips",)


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    patch = pytest.MonkeyPatch()
    patch.setenv("XAIAUDIO_HOME", str(tmp_path_factory.mktemp("home")))
    yield events.load(progress=False, clips_per_class=5)
    patch.undo()


@pytest.mark.slow
def test_a_set_has_every_class_in_every_fold(clips):
    assert clips.labels == CLASSES == events.LABELS
    assert clips.counts() == dict.fromkeys(CLASSES, 5)
    assert sorted((clip.label, clip.fold) for clip in clips) == sorted(
        (label, fold) for label in CLASSES for fold in range(1, 6)
    )
    assert clips[0].name == "1-dog_bark-00"
    assert clips[-1].name == "5-fire_crackling-04"
    assert {clip.licence for clip in clips} == {"CC0 1.0 (generated)"}


def test_the_usual_set_has_eight_clips_of_a_class_in_each_fold():
    jobs = store.jobs(seed=0, clips_per_class=40)
    assert len(jobs) == 400
    assert [job.fold for job in jobs if job.label == "Rain"] == np.repeat(range(1, 6), 8).tolist()
    assert len({job.name for job in jobs}) == 400


@pytest.mark.slow
def test_a_clip_is_the_sum_of_its_stems_to_the_last_bit(clips):
    for clip in clips:
        wave, rate = soundfile.read(clip.path, dtype="int16")
        stems, _ = soundfile.read(clip.stems, dtype="int16")
        assert rate == 16_000
        assert wave.shape == (80_000,)
        np.testing.assert_array_equal(wave, stems.astype(int).sum(axis=1))
        assert np.abs(stems).max(axis=0).min() > 0, f"{clip.name} has an empty stem"
        floats = clip.load_stems()
        np.testing.assert_array_equal(floats["event"] + floats["background"], clip.load())


@pytest.mark.slow
def test_each_clip_has_a_mask_of_its_own_cells(clips):
    for clip in clips:
        mask = clip.load_events()
        assert mask.shape == (498, 64)
        assert mask.dtype == bool
        assert 0.003 < mask.mean() <= 1, clip.name
        assert LogMel.vggish(overlap=0.75).cut(mask).shape == (17, 96, 64)


@pytest.mark.slow
def test_clips_made_in_parallel_alone_and_in_the_set_are_the_same(clips, tmp_path):
    first = [job for job in store.jobs(0, 5) if job.index == 0]
    store.ensure(tmp_path / "set", first, progress=False, workers=1)
    for number, clip in enumerate(clips[::5]):
        for kind, path in first[number].files(tmp_path / "set").items():
            assert path.read_bytes() == first[number].files(clip.path.parent)[kind].read_bytes()
    event, background = events.generate("Helicopter", 3)
    helicopter = clips.of("Helicopter")[3]
    np.testing.assert_array_equal(
        soundfile.read(helicopter.path, dtype="int16")[0], event + background
    )


@pytest.mark.slow
def test_parallel_workers_do_not_run_the_users_script_again(tmp_path):
    # The script has no `if __name__ == "__main__"`, as people's scripts have.
    script = tmp_path / "mine.py"
    script.write_text(
        "from pathlib import Path\n"
        "from xaiaudio.datasets.events import store\n"
        "open('runs', 'a').write('x')\n"
        "jobs = [job for job in store.jobs(0, 20) if job.label == 'Clock tick']\n"
        "store.ensure(Path('set'), jobs, progress=True, workers=2)\n"
    )
    subprocess.run([sys.executable, script], cwd=tmp_path, check=True, timeout=120)
    assert (tmp_path / "runs").read_text() == "x"
    assert len(list((tmp_path / "set").glob("*.events.npz"))) == 20


@pytest.mark.slow
def test_the_second_load_makes_nothing(clips, monkeypatch):
    monkeypatch.setattr(store, "make", lambda *_: pytest.fail("made again"))
    assert events.load(progress=False, clips_per_class=5) == clips


@pytest.mark.slow
def test_interrupted_work_leaves_no_folder_and_is_taken_up_again(tmp_path, monkeypatch):
    jobs = [job for job in store.jobs(0, 5) if job.label == "Clock tick"]
    folder, made, make = tmp_path / "set", [], store.make

    def interrupted(where, job):
        if len(made) == 2:
            raise KeyboardInterrupt
        made.append(job)
        make(where, job)

    monkeypatch.setattr(store, "make", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.ensure(folder, jobs, progress=False)
    assert not folder.exists()
    monkeypatch.setattr(store, "make", lambda where, job: (made.append(job), make(where, job)))
    store.ensure(folder, jobs, progress=False)
    assert made == jobs  # each clip once
    assert not list(tmp_path.rglob("*.partial"))


@pytest.mark.slow
def test_killed_work_leaves_no_folder(tmp_path):
    code = (
        "from pathlib import Path\n"
        "from xaiaudio.datasets.events import store\n"
        "store.ensure(Path('set'), store.jobs(0, 40), progress=False, workers=2)\n"
    )
    # A session of its own, so that all it started can be counted.
    maker = subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path, start_new_session=True)
    partial = tmp_path / "set.partial"
    _wait(lambda: partial.exists() and any(partial.glob("*.events.npz")), 60)
    maker.send_signal(signal.SIGKILL)
    maker.wait(timeout=10)
    assert partial.exists()
    assert not (tmp_path / "set").exists()
    _wait(lambda: not _alive(maker.pid), 30)  # the workers go too


def _wait(done, seconds):
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


def _alive(group):
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_a_clip_that_was_deleted_is_made_again(tmp_path):
    jobs = [job for job in store.jobs(0, 5) if job.label == "Clock tick"]
    folder = tmp_path / "set"
    store.ensure(folder, jobs, progress=False)
    lost = jobs[1].files(folder)["stems"]
    before = lost.read_bytes()
    lost.unlink()
    store.ensure(folder, jobs, progress=False)
    assert lost.read_bytes() == before


@pytest.mark.slow
def test_two_processes_make_the_set_once(tmp_path):
    code = (
        "from pathlib import Path\n"
        "from xaiaudio.datasets.events import store\n"
        "make = store.make\n"
        "def counted(folder, job):\n"
        "    open('made', 'a').write(job.name + '\\n')\n"
        "    make(folder, job)\n"
        "store.make = counted\n"
        "jobs = [job for job in store.jobs(0, 5) if job.label == 'Clock tick']\n"
        "store.ensure(Path('set'), jobs, progress=False)\n"
    )
    both = [subprocess.Popen([sys.executable, "-c", code], cwd=tmp_path) for _ in range(2)]
    assert [process.wait(timeout=60) for process in both] == [0, 0]
    assert len((tmp_path / "made").read_text().split()) == 5


def test_what_a_user_can_get_wrong_is_said_in_words(tmp_path, monkeypatch):
    with pytest.raises(XaiAudioError, match="at least 0 and 5"):
        events.load(clips_per_class=4)
    with pytest.raises(XaiAudioError, match="No class is called 'Cat'"):
        events.generate("Cat", 0)
    with pytest.raises(XaiAudioError, match="0 or more"):
        events.generate("Rain", -1)
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path / "file"))
    with pytest.raises(XaiAudioError, match="Set XAIAUDIO_HOME"):
        events.load(progress=False)
