"""Pairs of sounds: how they are packed, and what is known of the change."""

import dataclasses

import numpy as np
import pytest

from xaiaudio.audio import save_audio
from xaiaudio.datasets import Clip, ClipSet, pairs
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel

RATE = 16_000
FRONTENDS = {
    "vggish": LogMel.vggish(),
    "yamnet": LogMel.yamnet(),
    "small": LogMel(frames=21, bands=13),
    "no overlap of windows": LogMel(frames=24, bands=12, window=160),
}


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("pairs"), []
    for number in range(6):
        rng = np.random.default_rng(number)
        wave = rng.normal(0, 0.1, 2 * RATE)
        label = ("hiss", "tone")[number % 2]
        if label == "tone":
            wave = wave / 10 + 0.3 * np.sin(
                2 * np.pi * 300 * (number + 1) * np.arange(2 * RATE) / RATE
            )
        path = folder / f"{label}-{number}.wav"
        save_audio(path, wave.astype(np.float32))
        made.append(Clip(path, label, 1 + number % 5, "CC0"))
    return ClipSet("few", tuple(made), ("hiss", "tone"))


@pytest.mark.parametrize("name", FRONTENDS)
def test_each_sides_cells_are_those_of_it_alone(name):
    frontend = FRONTENDS[name]
    left, right = np.random.default_rng(0).normal(0, 0.1, (2, frontend.min_samples))
    both = pairs.paired(frontend)
    patches = both(pairs.join(left, right, frontend))
    assert patches.shape == (1, 2 * frontend.frames + pairs.gap(frontend), frontend.bands)
    for half, side in zip(pairs.halves(patches, frontend), (left, right), strict=True):
        alone = frontend(side.astype(np.float32)).values
        assert np.allclose(half, alone, atol=1e-5)
    assert (frontend.frames + pairs.gap(frontend)) % 8 == 0


def test_between_the_sides_no_window_sees_both():
    frontend = FRONTENDS["small"]
    loud = np.ones(frontend.min_samples)
    one, two = (
        pairs.paired(frontend)(pairs.join(*sides, frontend)).values[0]
        for sides in ((loud, 0 * loud), (0 * loud, loud))
    )
    frames = frontend.frames
    assert np.allclose(one[-frames:], frontend.silence)
    assert np.allclose(two[:frames], frontend.silence)


def test_what_cannot_be_packed_is_told():
    for wrong in (LogMel.librosa(frames=40), LogMel(decibels=True)):
        with pytest.raises(XaiAudioError, match="cannot be packed"):
            pairs.paired(wrong)
    with pytest.raises(XaiAudioError, match="The right sound has the shape"):
        pairs.join(np.zeros(16_000), np.zeros(100), LogMel.vggish())


def test_half_of_the_pairs_hold_a_change_whose_place_is_known(clips):
    made = pairs.pairs(clips, 12, seed=3)
    assert made.counts() == {"alike": 6, "changed": 6}
    sides = set()
    for pair in made:
        assert (pair.side is not None) == (pair.label == "changed")
        if pair.side is None:
            assert not pair.rectangle().any()
            assert not pair.events.any()
            continue
        sides.add(pair.side)
        assert pair.kind != pair.other
        assert pair.at >= 0
        assert pair.at + pair.seconds <= len(pair.left) / RATE
        assert pair.rectangle().any()
        # Cells in which the event is heard lie in its time; a window reaches 25 ms.
        times = pair.frontend.times()
        heard = np.flatnonzero(pair.events.any(axis=1))
        assert not len(heard) or times[heard[0]] > pair.at - 0.03
        assert not len(heard) or times[heard[-1] + 1] < pair.at + pair.seconds + 0.03
    assert sides == {"left", "right"}


@pytest.mark.slow
def test_the_change_is_where_the_sides_differ_most(clips):
    frontend = LogMel.vggish()
    found = [pair for pair in pairs.pairs(clips, 24, seed=1) if pair.side]
    inside, outside = [], []
    for pair in found:
        left, right = (frontend(wave).values[0] for wave in (pair.left, pair.right))
        difference, where = np.abs(left - right), pair.rectangle()
        inside.append(difference[where].mean())
        outside.append(difference[~where].mean())
    assert np.mean(inside) > 1.5 * np.mean(outside)


def test_the_same_seed_gives_the_same_pairs(clips):
    one, two, other = (pairs.pairs(clips, 4, seed=seed) for seed in (5, 5, 6))
    for first, second in zip(one, two, strict=True):
        assert np.array_equal(first.load(), second.load())
    assert not np.array_equal(one[0].load(), other[0].load())


def test_a_pair_is_read_as_a_clip(clips):
    pair = pairs.pairs(clips, 2, seed=0)[1]
    assert np.array_equal(pair.load(), pairs.join(pair.left, pair.right, pair.frontend))
    assert str(pair.path) == pair.name
    with pytest.raises(XaiAudioError, match="not at 8000 Hz"):
        pair.load(8000)


def test_clips_that_give_no_pairs_are_told(clips, tmp_path):
    for wrong, why in (({"count": 1}, "count is 1"), ({"changed": 2}, "changed is 2")):
        with pytest.raises(XaiAudioError, match=why):
            pairs.pairs(clips, **wrong)
    with pytest.raises(XaiAudioError, match="one class"):
        pairs.pairs(clips.of("hiss"), 4)
    quiet = []
    for number, clip in enumerate(clips):
        path = tmp_path / f"{number}.wav"
        save_audio(path, np.zeros(2 * RATE, np.float32))
        quiet.append(dataclasses.replace(clip, path=path))
    with pytest.raises(XaiAudioError, match="No pair can be made"):
        pairs.pairs(dataclasses.replace(clips, clips=tuple(quiet)), 4)


def test_clips_too_short_for_an_event_are_told(clips, tmp_path):
    short = []
    for number, clip in enumerate(clips):
        path = tmp_path / f"{number}.wav"
        save_audio(path, clip.load(RATE)[: RATE // 10])
        short.append(dataclasses.replace(clip, path=path))
    with pytest.raises(XaiAudioError, match="No pair can be made.*no recording of another class"):
        pairs.pairs(dataclasses.replace(clips, clips=tuple(short)), 2)
