"""What the synthesiser is told: shapes, times, and parts that are left out."""

import numpy as np
import pytest
from held_tones import held

import xaiaudio as xa
from xaiaudio.synthesis.ddsp.controls import HOP, PARTS, RATE, Controls


def test_controls_that_make_no_sense():
    with pytest.raises(xa.XaiAudioError, match="amplitude has the shape"):
        Controls(np.ones(3), np.ones(4), np.ones((3, 2)), np.ones((3, 5)))
    with pytest.raises(xa.XaiAudioError, match="noise has numbers below 0"):
        Controls(np.ones(3), np.ones(3), np.ones((3, 2)), -np.ones((3, 5)))
    with pytest.raises(xa.XaiAudioError, match="one band"):
        Controls(np.ones(3), np.ones(3), np.ones((3, 2)), np.ones((3, 1)))
    with pytest.raises(xa.XaiAudioError, match="No part is called 'bass'"):
        held(440).without("bass")


def test_frames_have_their_times():
    tone = held(440, frames=5)
    assert len(tone) == 5 and tone.seconds == 5 * HOP / RATE == 0.02
    np.testing.assert_allclose(tone.times, [0, 0.004, 0.008, 0.012, 0.016])


@pytest.mark.parametrize("part, name", list(zip(PARTS, ("amplitude", "noise"), strict=True)))
def test_a_part_that_is_left_out_is_silent_and_the_rest_stays(part, name):
    whole = held(440).but(noise=np.ones((250, 9)))
    less = whole.without(part)
    assert not getattr(less, name).any() and getattr(whole, name).all()
    for other in {"pitch", "amplitude", "harmonics", "noise"} - {name}:
        np.testing.assert_array_equal(getattr(less, other), getattr(whole, other))


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -1.0])
def test_a_number_that_is_none_is_refused_wherever_it_is(wrong):
    for name in ("pitch", "amplitude", "harmonics", "noise"):
        values = np.ones_like(getattr(held(440, frames=3), name))
        values[-1] = wrong
        with pytest.raises(xa.XaiAudioError, match=f"{name} has numbers below 0"):
            held(440, frames=3).but(**{name: values})
