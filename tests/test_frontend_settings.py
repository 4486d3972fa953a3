"""Settings that make no sense, and sounds that are none, are refused with a line."""

import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"fmax": 8001.0}, "half the sample rate"),
        ({"fmin": 7500.0}, "fmin < fmax"),
        ({"fmin": -1.0}, "fmin"),
        ({"fmin": float("nan")}, "fmin is nan"),
        ({"window": 513}, "at least window"),
        ({"fft": 511}, "even"),
        ({"hop": 0}, "hop is 0"),
        ({"frames": -1}, "frames is -1"),
        ({"bands": 2.5}, "bands is 2.5"),
        ({"bands": True}, "bands is True"),
        ({"fmin": 1000.0, "fmax": 1000.0001}, "do not fit"),
        ({"sample_rate": "16000"}, "sample_rate"),
        ({"offset": 0.0}, "offset"),
        ({"offset": -0.01}, "offset"),
        ({"overlap": 1.0}, "overlap is 1.0"),
        ({"overlap": -0.1}, "overlap is -0.1"),
        ({"overlap": float("inf")}, "overlap is inf"),
        ({"overlap": None}, "overlap is None"),
    ],
)
def test_nonsense_settings(settings, message):
    with pytest.raises(XaiAudioError, match=message):
        LogMel(**settings)


@pytest.mark.parametrize(
    ("wave", "message"),
    [
        (np.zeros((16_000, 2)), "mono"),
        (np.zeros(0), "mono"),
        (np.float32(1), "mono"),
        (np.zeros(16_000, np.int16), "int16"),
        (np.zeros(16_000, complex), "complex"),
        (np.full(16_000, np.nan), "NaN"),
        (np.full(16_000, np.inf), "infinite"),
        (np.full(16_000, 1e300), "too large"),
        (np.full(16_000, 1e38, np.float32), "too large"),
    ],
)
@pytest.mark.parametrize("pad", [True, False])
def test_nonsense_waves(wave, message, pad):
    with pytest.raises(XaiAudioError, match=message):
        LogMel.vggish()(wave, pad=pad)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"power": 3}, "power is 3: it must be 1 or 2"),
        ({"power": True}, "power is True"),
        ({"decibels": "yes"}, "decibels is 'yes'"),
        ({"mel_scale": "bark"}, "mel_scale is 'bark': it must be 'htk' or 'slaney'"),
        ({"norm": 2}, "norm is 2"),
        ({"triangles": "square"}, "triangles"),
        ({"centred": 1}, "centred is 1"),
        ({"pad_mode": "edge"}, "pad_mode is 'edge'"),
        ({"ref": "mean"}, "ref is 'mean'"),
        ({"ref": 0.0}, "ref is 0.0"),
        ({"amin": -1.0}, "amin is -1.0"),
        ({"amin": float("nan")}, "amin"),
        ({"top_db": -3}, "top_db is -3"),
        ({"decibels": True, "ref": "max", "top_db": None}, "Give top_db a number"),
    ],
)
def test_nonsense_options_of_others(settings, message):
    with pytest.raises(XaiAudioError, match=message):
        LogMel(**settings)
