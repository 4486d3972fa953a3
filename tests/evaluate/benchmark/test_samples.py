"""Cases whose events are known: mixtures, and what a network makes of them."""

import dataclasses

import numpy as np
import pytest
from commands import noise, sound
from small_networks import LABELS, additive

import xaiaudio as xa
from xaiaudio.datasets.mixtures import mixtures
from xaiaudio.evaluate.benchmark import leaderboard as boards
from xaiaudio.evaluate.benchmark.bootstrap import interval
from xaiaudio.evaluate.benchmark.samples import cases_of, with_truth

SHAPE = (23, 9)


@pytest.fixture(scope="module")
def model():
    return additive(SHAPE)[0]


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("sounds")
    for number, label in enumerate(LABELS * 2):
        sound(folder / label / f"{number}.wav", noise(1.5, seed=number))
    return xa.datasets.load(folder)


@pytest.fixture(scope="module")
def made(model, clips):
    return mixtures(clips, snrs=(20, 0), seconds=0.12, frontend=model.frontend)


@pytest.mark.slow
def test_mixtures_are_cases_whose_truth_is_their_mask(model, made):
    cases = cases_of(model, made, keep_wrong=True)
    assert len(cases) == len(made) == 12 and cases.left_out == 0
    frontend = model.frontend.with_overlap(0.75)
    for number, clip in enumerate(cases.clips):
        assert cases.names[number] == clip.name
        assert LABELS[cases.targets[number]] == clip.label
        patches, events = frontend(clip.wave), frontend.cut(clip.events)
        at = [k for k in range(len(patches)) if (patches[k] == cases.patches[number]).all()]
        np.testing.assert_array_equal(events[at[0]], cases.truth[number])
        most = max(part.sum() for part in events)
        assert cases.truth[number].sum() >= 0.9 * most > 0
        best = model.scores(cases.patches[number][None])[0].argmax()
        assert cases.recognised[number] == (best == cases.targets[number])
    assert set(cases.recognised) == {True, False}


@pytest.mark.slow
def test_events_lie_early_and_late_in_their_patches(model, clips):
    frames = []
    for seed in range(4):
        made = mixtures(clips, snrs=(20,), seconds=0.06, frontend=model.frontend, seed=seed)
        truth = cases_of(model, made, keep_wrong=True).truth
        frames += [np.flatnonzero(cells.any(axis=1)).mean() for cells in truth]
    middle = (SHAPE[0] - 1) / 2
    assert min(frames) < middle - 1 and max(frames) > middle + 1


def test_wrong_ones_are_left_out_unless_asked_for(model, made):
    everything = cases_of(model, made, keep_wrong=True)
    right = cases_of(model, made)
    assert right.left_out == (~everything.recognised).sum() > 0
    assert right.names == everything.part(everything.recognised).names
    assert right.recognised.all()


def test_a_part_keeps_what_belongs_together(model, made):
    cases = cases_of(model, made, keep_wrong=True)
    part = cases.part([4, 1])
    assert part.names == (cases.names[4], cases.names[1])
    assert part.clips == (cases.clips[4], cases.clips[1])
    assert part.groups == (cases.clips[4].group, cases.clips[1].group)
    np.testing.assert_array_equal(part.truth, cases.truth[[4, 1]])
    np.testing.assert_array_equal(part.recognised, cases.recognised[[4, 1]])
    bare = dataclasses.replace(cases, clips=(), groups=(), recognised=None).part([2])
    assert bare.groups == bare.clips == () and bare.recognised is None


@pytest.mark.slow
def test_a_drowned_event_has_no_answer_and_spoils_no_other(model, clips):
    made = mixtures(clips, snrs=(20, -50), per_class=1, seconds=0.12, frontend=model.frontend)
    board = boards.leaderboard(
        model, cases_of(model, made, keep_wrong=True), ["occlusion"], ["mass"]
    )
    drowned = np.array([clip.snr_db < 0 for clip in cases_of(model, made, keep_wrong=True).clips])
    values = board.row("oracle").values["mass"]
    assert np.isnan(values[drowned]).all() and (values[~drowned] == 1).all()


def test_a_mask_on_other_cells_is_no_truth(model, clips):
    wide = dataclasses.replace(model.frontend, bands=8)
    made = mixtures(clips, snrs=(20,), frontend=wide)
    assert cases_of(model, made, keep_wrong=True).truth is None
    # Another offset moves no cell.
    fainter = dataclasses.replace(model.frontend, offset=0.001)
    made = mixtures(clips, snrs=(20,), frontend=fainter)
    assert cases_of(model, made, keep_wrong=True).truth is not None


def test_clips_become_mixtures_only_if_their_events_are_unknown(model, clips, made):
    assert with_truth(made, model.frontend) is made
    known = with_truth(clips, model.frontend, snrs=(10,), per_class=1)
    assert known.name.startswith("mixtures of") and len(known) == 3


def test_intervals_of_a_board_are_over_recordings(model, made):
    cases = cases_of(model, made, keep_wrong=True)
    board = boards.leaderboard(model, cases, ["occlusion"], ["mass"])
    values = board.row("occlusion").values["mass"]
    found = board.interval("occlusion", "mass")
    assert found == interval(values, cases.groups) and found.n == 6
    assert board.mean("occlusion", "mass") == pytest.approx(found.mean)


def test_a_part_of_a_board(model, made):
    cases = cases_of(model, made, keep_wrong=True)
    board = boards.leaderboard(model, cases, ["occlusion"], ["mass", "rank"])
    chosen = np.arange(12) % 3 == 0
    part = board.part(chosen)
    fresh = boards.leaderboard(model, cases.part(chosen), ["occlusion"], ["mass", "rank"])
    assert part.cases == 4 and part.groups == fresh.groups
    for row in ("occlusion", "energy", "oracle"):
        np.testing.assert_allclose(part.row(row).values["mass"], fresh.row(row).values["mass"])
        assert part.interval(row, "rank") == fresh.interval(row, "rank")


def test_cases_know_the_sounds_of_their_patches(model, made):
    cases = cases_of(model, made, keep_wrong=True)
    assert isinstance(cases.patches, np.ndarray)
    np.testing.assert_allclose(model.frontend.pictures(cases.sounds), cases.patches, atol=1e-5)
    part = cases.part([4, 1])
    np.testing.assert_array_equal(part.sounds, cases.sounds[[4, 1]])
    known = part.known(model.frontend)
    np.testing.assert_array_equal(known.waves, part.sounds)
    np.testing.assert_array_equal(known, part.patches)
    assert known.starts.tolist() == list(part.starts)
    bare = dataclasses.replace(cases, sounds=None)
    assert bare.known(model.frontend) is bare.patches and bare.part([0]).sounds is None


def _clips(folder, label_of):

    for number, label in enumerate(label_of):
        sound(folder / label / f"{number}.wav", noise(1.0, seed=number))
    return xa.datasets.load(folder)


@pytest.fixture(scope="module")
def hearing():
    """A classifier of sounds of 7 x 5 cells."""
    return additive((7, 5))[0]


def test_cases_are_what_the_network_names_rightly(tmp_path, hearing):
    clips = _clips(tmp_path / "set", [LABELS[number % 3] for number in range(9)])
    cases = cases_of(hearing, clips)
    loud = {}
    for clip in clips:
        patches = hearing.frontend.with_overlap(0.75)(clip.load())
        loud[clip.name] = (patches.loudest().values[0], clip.label)
    for patch, target, name in zip(cases.patches, cases.targets, cases.names, strict=True):
        assert (patch == loud[name][0]).all() and LABELS[target] == loud[name][1]
    right = [
        name
        for name, (patch, label) in loud.items()
        if LABELS[hearing.scores(patch[None]).argmax()] == label
    ]
    assert sorted(cases.names) == sorted(right) and cases.truth is None
    assert cases.left_out == 9 - len(right)


def test_classes_take_turns():
    from xaiaudio.evaluate.benchmark.samples import _in_turns

    clips = [xa.datasets.Clip(f"{label}{i}", label, 1, "") for label in "aab" for i in range(2)]
    assert [clip.label for clip in _in_turns(clips)][:4] == ["a", "b", "a", "b"]


def test_a_class_that_the_network_does_not_know(tmp_path, hearing):
    clips = _clips(tmp_path / "set", ["cat", "cow"])
    with pytest.raises(xa.XaiAudioError, match="the class 'cow', which"):
        cases_of(hearing, clips)


def test_a_network_that_is_never_right(tmp_path, hearing):
    for number in range(2):
        wave = noise(seed=number)
        patches = hearing.frontend.with_overlap(0.75)(wave)
        loud = patches.loudest().values[0]
        wrong = LABELS[hearing.scores(loud[None]).argmax() - 1]
        sound(tmp_path / "set" / wrong / f"{number}.wav", wave, subtype="FLOAT")
    with pytest.raises(xa.XaiAudioError, match="names none of the 2 clips rightly"):
        cases_of(hearing, xa.datasets.load(tmp_path / "set"))


def test_sounds_that_cannot_be_used_are_left_out_and_named(tmp_path, hearing):
    place = tmp_path / "set"
    good = noise(seed=3)
    label = LABELS[hearing.scores(hearing.frontend(good)[:1]).argmax()]
    sound(place / "good.wav", good)
    sound(place / "short.wav", noise(0.05))
    sound(place / "still.wav", np.zeros(16_000, "float32"))
    sound(place / "hole.wav", np.full(16_000, np.nan, "float32"), subtype="FLOAT")
    (place / "text.wav").write_text("This is no sound.")
    cases = cases_of(hearing, xa.datasets.load(place))
    assert cases.names == ("good",) and label in LABELS
    told = "\n".join(cases.unusable)
    assert len(cases.unusable) == 4
    for part in ("short.wav lasts 0.05 s", "still.wav is silent", "hole.wav", "text.wav"):
        assert part in told
    (place / "good.wav").unlink()
    with pytest.raises(xa.XaiAudioError, match="No sound of set can be used"):
        cases_of(hearing, xa.datasets.load(place))


def test_mixtures_bring_their_truth_and_their_recording(hearing):
    from xaiaudio.datasets import ClipSet
    from xaiaudio.datasets.mixtures import mix

    made = [
        mix(
            noise(seed=number),
            noise(seed=9) / 5,
            snr_db=20,
            at=0.7,
            seconds=0.3,
            frontend=hearing.frontend.with_overlap(0),
        )
        for number in range(3)
    ]
    drowned = dataclasses.replace(made[2], events=np.zeros_like(made[2].events))
    cases = cases_of(hearing, ClipSet("mixed", (made[0], made[1], drowned), LABELS))
    assert cases.truth.any(axis=(1, 2)).tolist() == [True, True, False]
    assert cases.groups == ("event", "event", "event")
    frontend = hearing.frontend.with_overlap(0.75)
    events = frontend.cut(made[0].events)
    patches = frontend(made[0].wave)
    best = np.flatnonzero((patches == cases.patches[0]).all(axis=(1, 2)))[0]
    assert (cases.truth[0] == events[best]).all()
    assert events[best].sum() >= 0.9 * events.sum(axis=(1, 2)).max()
