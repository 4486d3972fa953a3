import numpy as np
import pytest

from xaiaudio.datasets import ClipSet, music
from xaiaudio.errors import XaiAudioError


def test_a_set_of_pieces():
    clips = music.load(10, seed=4)
    assert isinstance(clips, ClipSet) and len(clips) == 10
    train, test = clips.split(fold=5)
    assert (len(train), len(test)) == (8, 2)
    one = clips[3]
    assert one.load().dtype == np.float32 and one.load().shape == (64_000,)
    assert one.licence.startswith("CC0") and one.label == one.piece.mode
    np.testing.assert_array_equal(one.load(), music.load(10, seed=4)[3].load())
    assert music.load(10, seed=5)[3].piece != one.piece


def test_the_stems_are_the_mix():
    one = music.load(1)[0]
    stems = one.load_stems()
    assert tuple(stems) == music.STEMS
    rest = one.load()
    for stem in stems.values():
        rest = rest - stem
    assert not rest.any()
    at_12 = one.load_stems(12_000)
    assert at_12["lead"].shape == (48_000,)
    np.testing.assert_allclose(one.load(12_000), sum(at_12.values()), atol=1e-6)


def test_parameters_are_drawn_independently_and_fill_their_range():
    qualities = np.array([clip.qualities for clip in music.load(600, seed=1)])
    assert np.abs(qualities).max() <= 1 and (np.ptp(qualities, axis=0) > 1.95).all()
    correlations = np.corrcoef(qualities.T)[np.triu_indices(len(music.QUALITIES), 1)]
    assert np.abs(correlations).max() < 0.15


def test_moods_are_the_formula():
    one = music.load(1, seed=3)[0]
    named = dict(zip(music.QUALITIES, one.qualities, strict=True))
    for mood, found in zip(music.MOODS, one.moods, strict=True):
        wanted = sum(weight * named[name] for name, weight in music.FORMULA[mood].items())
        assert found == pytest.approx(wanted)
    assert set(music.CARRIERS) == set(music.QUALITIES) - {"tempo"}
    assert set(music.CARRIERS.values()) == set(music.STEMS)


def test_one_parameter_can_be_changed():
    one = music.load(1)[0]
    changed = one.but(density=1.0)
    assert changed.qualities[1] == 1 and changed.name != one.name
    np.testing.assert_array_equal(np.delete(changed.qualities, 1), np.delete(one.qualities, 1))


@pytest.mark.parametrize("count", [0, True, 2.5])
def test_no_pieces(count):
    with pytest.raises(XaiAudioError, match="count is"):
        music.load(count)


@pytest.mark.parametrize("wrong", [{"seed": -1}, {"seed": 0.5}, {"seconds": 0.1}, {"seconds": "4"}])
def test_no_such_pieces(wrong):
    (name, value), *_ = wrong.items()
    with pytest.raises(XaiAudioError, match=f"{name} is {value!r}"):
        music.load(1, **wrong)


@pytest.mark.parametrize("rate", [0, -8000, float("nan"), 44_100.5])
def test_no_such_rate(rate):
    with pytest.raises(XaiAudioError, match="sample rate is"):
        music.load(1)[0].load(rate)


@pytest.mark.parametrize("gains", [(0.0,), (0.0, 0.0, 0.0, float("nan"))])
def test_gains_that_are_none(gains):
    with pytest.raises(XaiAudioError, match="gains is"):
        music.load(1)[0].but(gains=gains)
