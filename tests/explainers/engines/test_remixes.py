"""Pictures of remixed sounds, against the pictures of the mixtures themselves."""

import dataclasses

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio import filterbank
from xaiaudio.explainers.engines import remixes
from xaiaudio.explainers.engines.components import Components

VGGISH = xa.LogMel.vggish()
FRONTENDS = {
    "vggish": VGGISH,
    "yamnet": xa.LogMel.yamnet(),
    "decibels of the loudest": xa.LogMel.librosa(frames=20, top_db=60.0, ref="max"),
    "windows apart": dataclasses.replace(VGGISH, frames=7, hop=700),
}


def sound(frontend, rng):
    return rng.normal(0, 0.1, frontend.window + (frontend.frames - 1) * frontend.hop)


def sources(wave, rng):
    """Two sources and a rest in three stretches: samples that are 0 in most parts."""
    stem = wave * rng.uniform(0, 1, wave.size)
    return Components.of_sources(wave, [stem, 0.7 * (wave - stem)]).times(3)


def fading(wave, rng):
    return Components.of_sources(wave, [0.5 * wave]).times(4, fade=wave.size // 8)


def everywhere(wave, rng):
    return Components.of_sources(wave, rng.normal(0, 0.1, (3, wave.size)))


def silent(wave, rng):
    return Components.of_sources(wave, np.zeros((2, wave.size)))


@pytest.mark.slow
@pytest.mark.parametrize("parts", [sources, fading, everywhere, silent])
@pytest.mark.parametrize("frontend", FRONTENDS.values(), ids=FRONTENDS)
def test_pictures_are_those_of_the_mixtures(frontend, parts):
    rng = np.random.default_rng(0)
    components = parts(sound(frontend, rng), rng)
    weights = np.concatenate(
        [rng.integers(0, 2, (12, len(components))), rng.uniform(0, 1, (3, len(components)))]
    )
    found = remixes.pictures(components, weights, frontend)
    assert found.shape == (15, *frontend.patch_shape)
    assert found.dtype == np.float32
    assert np.allclose(found, frontend.pictures(components.mix(weights)), atol=1e-4)


def test_all_parts_make_the_picture_of_the_sound_bit_for_bit():
    rng = np.random.default_rng(1)
    components = sources(sound(VGGISH, rng), rng)
    weights = np.ones((2, len(components)))
    weights[0, 3] = 0
    found = remixes.pictures(components, weights, VGGISH)
    (whole,) = VGGISH.pictures(components.whole[None])
    assert (found[1] == whole).all()
    assert not (found[0] == whole).all()


def test_each_window_is_transformed_once_for_each_way_it_sounds(monkeypatch):
    counted = []
    plain = filterbank.sums_of_each

    def counting(windows, frontend):
        counted.append(len(windows))
        return plain(windows, frontend)

    monkeypatch.setattr(filterbank, "sums_of_each", counting)
    rng = np.random.default_rng(2)
    wave = sound(VGGISH, rng)
    halves = Components.in_time(wave, 2)
    remixes.pictures(halves, rng.integers(0, 2, (200, 2)), VGGISH)
    # Windows of 400 samples every 160: two or three lie on the border and hear both halves.
    starts = np.arange(VGGISH.frames) * VGGISH.hop
    both = ((starts < wave.size / 2) & (starts + VGGISH.window > wave.size / 2)).sum()
    assert sum(counted) == 2 * (VGGISH.frames - both) + 4 * both


def test_many_mixtures_are_made_in_pieces(monkeypatch):
    rng = np.random.default_rng(3)
    components = everywhere(sound(VGGISH, rng), rng)
    weights = rng.uniform(0, 1, (9, 3))
    once = remixes.pictures(components, weights, VGGISH)
    monkeypatch.setattr(remixes, "_CHUNK", 2 * VGGISH.frames)
    assert np.allclose(remixes.pictures(components, weights, VGGISH), once, atol=1e-5)


def test_answers_are_those_to_the_pictures_sound_by_sound():
    rng = np.random.default_rng(4)
    components = [everywhere(sound(VGGISH, rng), rng) for _ in range(2)]
    weights = rng.integers(0, 2, (5, 3))

    def ask(patches):
        return patches.mean(axis=1)[:, :4]

    found = remixes.asked(ask, components, weights, VGGISH)
    assert found.shape == (2, 5, 4)
    for one, answers in zip(components, found, strict=True):
        assert np.allclose(answers, ask(VGGISH.pictures(one.mix(weights))), atol=1e-4)
