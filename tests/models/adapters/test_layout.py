"""Axes, channels and lengths of what networks take."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.adapters.base import Port
from xaiaudio.models.adapters.layout import arranged, frontend_of

PATCHES = xa.LogMel(frames=24, bands=16)
GIVEN = np.random.default_rng(0).normal(size=(3, 24, 16)).astype("float32")


@pytest.mark.parametrize(
    "shape, wanted, said",
    [
        ((None, 24, 16), GIVEN, 0),
        ((24, 16), GIVEN, 0),
        ((1, 24, 16, 1), GIVEN[..., None], 0),
        ((None, 1, 24, 16), GIVEN[:, None], 0),
        ((None, None, None), GIVEN, 0),
        ((None, 1, 16, None), GIVEN.transpose(0, 2, 1)[:, None], 1),
        ((None, 16, 24), GIVEN.transpose(0, 2, 1), 1),
        ((None, 24, 16, 3), GIVEN[..., None].repeat(3, 3), 1),
        ((None, 3, 16, 24), GIVEN.transpose(0, 2, 1)[:, None].repeat(3, 1), 2),
    ],
)
def test_patches_are_laid_out_as_the_network_takes_them(shape, wanted, said):
    arrange, changes = arranged(Port("x", shape), "net", PATCHES)
    np.testing.assert_array_equal(arrange(GIVEN), wanted)
    assert len(changes) == said


@pytest.mark.parametrize("shape", [(None, 24, 17), (None, 24, 16, 2), (None, 5, 24, 16), (24,)])
def test_patches_that_do_not_fit(shape):
    with pytest.raises(XaiAudioError, match=r"makes patches of \(24, 16\)"):
        arranged(Port("x", shape), "net", PATCHES)


@pytest.mark.parametrize(
    "shape, added",
    [((None, 800), None), ((800,), None), ((None, 800, 1), 2), ((1, 1, 800), 1), ((None,), None)],
)
def test_sounds_are_laid_out(shape, added):
    frontend = frontend_of(Port("x", shape), "net", None, 8_000, 0.1)
    assert frontend == xa.WaveFrontend.of(8_000, 0.1)
    arrange, _ = arranged(Port("x", shape), "net", frontend)
    waves = np.zeros((2, 800), np.float32)
    wanted = waves if added is None else np.expand_dims(waves, added)
    assert arrange(waves).shape == wanted.shape


@pytest.mark.parametrize(
    "shape, about, message",
    [
        ((None, 800), {}, "waveforms: say at which rate"),
        ((None, 20, 30), {}, "give the front end that it was trained with"),
        ((None,), {"sample_rate": 8_000}, "sounds of any length: say how long"),
        ((None, 4, 5), {"sample_rate": 8_000}, "no waveforms"),
        ((None, 800), {"seconds": 1}, "for networks that take samples"),
        ((None, 800), {"sample_rate": 8_000, "frontend": PATCHES}, "not both"),
        ((None, 800), {"frontend": "vggish"}, "front end is a str"),
    ],
)
def test_what_has_to_be_known_is_asked_for(shape, about, message):
    about = {"frontend": None, "sample_rate": None, "seconds": None} | about
    with pytest.raises(XaiAudioError, match=message):
        frontend_of(Port("x", shape), "net", **about)


def test_the_length_is_that_of_the_network():
    assert frontend_of(Port("x", (1, 700)), "net", None, 8_000, None).samples == 700
    assert frontend_of(Port("x", (None, 96, 64)), "net", None, None, None) == xa.LogMel.vggish()
    with pytest.raises(XaiAudioError, match=r"takes 700 samples.*800: say seconds=0.0875"):
        arranged(Port("x", (1, 700)), "net", xa.WaveFrontend.of(8_000, 0.1))
