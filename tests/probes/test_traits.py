import numpy as np
import pytest

from xaiaudio import LogMel, XaiAudioError
from xaiaudio.probes import traits

FRONTEND = LogMel.vggish()
TIME = np.arange(16_000) / 16_000


def of(wave):
    return {
        name: found[0] for name, found in traits.measure(FRONTEND(wave).values, FRONTEND).items()
    }


def test_each_trait_follows_the_sound_it_is_named_after():
    hiss = np.random.default_rng(0).normal(0, 0.1, 16_000)
    low, high = (0.3 * np.sin(2 * np.pi * hertz * TIME) for hertz in (500, 4000))
    pulses = hiss * (np.sin(2 * np.pi * 5 * TIME) > 0)
    assert of(2 * hiss)["loudness"] - of(hiss)["loudness"] == pytest.approx(6.0, abs=0.2)
    assert of(2 * hiss)["brightness"] == pytest.approx(of(hiss)["brightness"], abs=0.02)
    assert of(high)["brightness"] - of(low)["brightness"] == pytest.approx(3, abs=0.3)
    assert of(pulses)["flicker"] > of(hiss)["flicker"] + 10
    assert of(low)["tonality"] > of(hiss)["tonality"] + 10


def test_the_measures_are_their_definitions():
    cells = np.random.default_rng(1).normal(0, 1, (3, 96, 64))
    found = traits.measure(cells, FRONTEND)
    edges = FRONTEND.band_edges()
    for row, patch in enumerate(cells):
        heights = [[max(np.exp(v) - 0.01, 1e-5) for v in frame] for frame in patch]
        levels = [20 * np.log10(np.mean(frame)) for frame in heights]
        geometric = [20 * np.mean(np.log10(frame)) for frame in heights]
        total = np.sum(heights, axis=0)
        middle = [np.sqrt(edges[k] * edges[k + 1]) for k in range(64)]
        centre = sum(t * m for t, m in zip(total, middle, strict=True)) / total.sum()
        assert found["loudness"][row] == pytest.approx(20 * np.log10(np.mean(heights)))
        assert found["flicker"][row] == pytest.approx(np.std(levels))
        assert found["tonality"][row] == pytest.approx(np.mean(np.subtract(levels, geometric)))
        assert found["brightness"][row] == pytest.approx(np.log2(centre / 1000))


def test_decibels_are_refused():
    with pytest.raises(XaiAudioError, match="logarithms"):
        traits.measure(np.zeros((1, 128, 128)), LogMel.librosa())


@pytest.mark.parametrize("setting", [{"power": 2}, {"scale": 2.0}])
def test_logarithms_of_powers_are_refused_as_their_decibels_would_be_twice_as_many(setting):
    with pytest.raises(XaiAudioError, match="of magnitudes"):
        traits.measure(np.zeros((1, 96, 64)), LogMel(**setting))
