"""Figures of attention: what they show is what they record."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import plots

RNG = np.random.default_rng(0)


def test_moments_lie_below_their_frames():
    heads, curve = RNG.random((3, 24)), RNG.normal(size=24)
    figure = plots.moments(
        RNG.normal(size=(96, 64)), heads, {"Rain": curve}, xa.LogMel.vggish(), border=0.48
    )
    assert np.array_equal(figure.data["heads"], heads)
    assert np.array_equal(figure.data["Rain"], curve)
    sound, paid, line = figure.axes[:3]
    assert paid.images[0].get_extent() == [0, 0.96, 3, 0]
    assert np.allclose(line.lines[0].get_xdata(), 0.02 + 0.04 * np.arange(24))
    assert all(0.48 in ax.lines[-1].get_xdata() for ax in (sound, paid, line))
    with pytest.raises(xa.XaiAudioError, match="each moment"):
        plots.moments(np.zeros((96, 64)), heads, {"Rain": curve[:5]}, xa.LogMel.vggish())


def test_a_dot_for_each_moment():
    across, up = RNG.random((2, 10)), RNG.random((2, 10))
    figure = plots.attention_against({"one": (across, up)}, ["a", "b"])
    dots = figure.axes[0].collections[0].get_offsets()
    assert np.allclose(dots, np.stack([across.ravel(), up.ravel()], axis=1))
