"""Parts of a sound or a patch add up to it, whichever are on."""

import numpy as np
import pytest
import tensorflow as tf
from hypothesis import given, settings
from hypothesis import strategies as st
from short_noise import WINDOWS as FRONTEND
from short_noise import noise

from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines import segments
from xaiaudio.explainers.engines.components import Components, mixtures
from xaiaudio.explainers.engines.perturbation import Engine, Mixtures
from xaiaudio.stft import analyse, root_hann

RATE = FRONTEND.sample_rate


def two_stems(wave):
    return np.stack([0.3 * wave, np.roll(wave, 5)])


KINDS = {
    "time": lambda wave: Components.in_time(wave, 7),
    "faded": lambda wave: Components.in_time(wave, 4, fade=100),
    "bands": lambda wave: Components.in_bands(wave, FRONTEND, 5),
    "grid": lambda wave: Components.grid(wave, FRONTEND, 3, 4),
    "sources": lambda wave: Components.of_sources(wave, two_stems),
    "stems": lambda wave: Components.of_sources(wave, two_stems(wave), ["low", "late"]),
    "named": lambda wave: Components.of_sources(
        wave, dict(zip("ab", two_stems(wave), strict=True)), sample_rate=RATE
    ),
    "nmf": lambda wave: Components.nmf(wave, FRONTEND, 3, seed=1),
    "sources x time": lambda wave: Components.of_sources(wave, two_stems).times(3, fade=50),
    "nmf x time": lambda wave: Components.nmf(wave, FRONTEND, 2).times(4),
    "bands x time": lambda wave: Components.in_bands(wave, FRONTEND, 2).times(3),
    "another rate": lambda wave: Components.of_sources(
        wave, two_stems, sample_rate=RATE, expects=11_025
    ),
    "patch": lambda wave: Components.of_patch(
        wave[:600].reshape(30, 20), segments.grid((30, 20), 4, 3), -0.3
    ),
}


@pytest.fixture(params=KINDS, scope="module")
def components(request):
    return KINDS[request.param](noise())


@pytest.mark.slow
def test_all_parts_are_the_input_bit_for_bit(components):
    ones = np.ones(len(components))
    np.testing.assert_array_equal(components.mix(ones), components.whole)
    np.testing.assert_array_equal(components.mix([ones, 0 * ones])[0], components.whole)


@pytest.mark.slow
def test_a_subset_is_the_sum_of_its_parts_and_the_residual(components):
    rng = np.random.default_rng(1)
    present = rng.integers(0, 2, (6, len(components)))
    rest = components.whole.astype(float) - components.parts.astype(float).sum(axis=0)
    np.testing.assert_allclose(components.residual, rest, atol=1e-6)
    for row, found in zip(present, components.mix(present), strict=True):
        expected = rest + sum(part for part, on in zip(components.parts, row, strict=True) if on)
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", ["time", "faded", "bands", "grid", "nmf", "nmf x time", "bands x time"]
)
def test_parts_of_time_and_frequency_leave_no_residual(kind):
    assert np.abs(KINDS[kind](noise()).residual).max() < 1e-6


def test_bands_take_tones_apart():
    seconds = np.arange(8_000) / RATE
    low, high = np.sin(2 * np.pi * 300 * seconds), np.sin(2 * np.pi * 5_000 * seconds)
    found = Components.in_bands((low + high).astype("float32"), FRONTEND, 2)
    middle = slice(500, -500)
    np.testing.assert_allclose(found.parts[0, middle], low[middle], atol=0.01)
    np.testing.assert_allclose(found.parts[1, middle], high[middle], atol=0.01)
    assert found.names == ("band 1", "band 2")


def test_cells_of_a_spectrogram_are_a_mask_on_one_transform():
    wave = noise(1_000)
    numbers = segments.grid((6, 24), 2, 3)
    found = Components.of_cells(wave, FRONTEND, numbers)
    # Once more, plainly: window by window, and each bin's share of the bands it feeds.
    weights = FRONTEND.mel_matrix()
    spectrum, window = analyse(wave, FRONTEND), root_hann(256)
    hertz = np.arange(129) * RATE / 256
    for number, part in enumerate(found.parts):
        summed = np.zeros(128 * (len(spectrum) + 1))
        for place, row in enumerate(spectrum):
            cells = numbers[min(max(place - 2, 0), 5)] == number
            shares = np.array(
                [
                    weights[k] @ cells / weights[k].sum()
                    if weights[k].sum()
                    else cells[np.abs(FRONTEND.band_centres() - hertz[k]).argmin()]
                    for k in range(129)
                ]
            )
            summed[128 * place : 128 * place + 256] += np.fft.irfft(row * shares) * window
        np.testing.assert_allclose(part, summed[256:1256], atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    samples=st.integers(30, 400),
    count=st.integers(1, 9),
    fade=st.integers(0, 3),
    k=st.integers(1, 4),
    seed=st.integers(0, 999),
)
def test_sources_by_time_whatever_their_number(samples, count, fade, k, seed):
    wave = noise(samples, seed)
    stems = np.random.default_rng(seed + 1).normal(0, 0.2, (k, samples)).astype("float32")
    whole = Components.of_sources(wave, stems)
    found = whole.times(count, fade=fade)
    assert len(found) == k * count
    np.testing.assert_array_equal(found.mix(np.ones(k * count)), wave)
    # The residual is the one that it was, and each stretch of a source a part of it.
    np.testing.assert_allclose(found.residual, whole.residual, atol=1e-5)
    np.testing.assert_allclose(
        found.parts.reshape(count, k, samples).sum(axis=0), whole.parts, atol=1e-6
    )
    if not fade:
        assert ((found.parts != 0).reshape(count, k, samples).sum(axis=0) <= 1).all()


def test_sources_by_time_are_in_the_order_of_time():
    wave, stems = noise(1_003), np.stack([noise(1_003, 1), noise(1_003, 2)])
    found = Components.of_sources(wave, stems, ["low", "high"]).times(4)
    borders = [round(1_003 * number / 4) for number in range(5)]
    place = 0
    for time in range(4):
        for number, name in enumerate(["low", "high"]):
            assert found.names[place] == f"{name}, time {time + 1}"
            expected = np.zeros(1_003)
            expected[borders[time] : borders[time + 1]] = stems[
                number, borders[time] : borders[time + 1]
            ]
            np.testing.assert_array_equal(found.parts[place], expected.astype("float32"))
            place += 1
    assert place == len(found)


@pytest.mark.slow
def test_silence_has_silent_parts():
    for found in (
        Components.nmf(np.zeros(2_000), FRONTEND, 2),
        Components.harmonic_percussive(np.zeros(2_000)),
    ):
        assert not found.parts.any() and not found.residual.any()


def summary(x):
    """Answer with two numbers that depend on where each value is."""
    x = tf.reshape(x, (tf.shape(x)[0], -1))
    ramp = tf.range(tf.shape(x)[1], dtype=tf.float32)
    return tf.stack([tf.reduce_sum(x * ramp, 1), tf.reduce_sum(x * x, 1)], axis=1)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["time", "patch"])
@pytest.mark.parametrize("own", [True, False])
@pytest.mark.parametrize("batch", [3, 4, 64])
def test_the_engine_mixes_as_the_components_do(kind, own, batch):
    n, m = 3, 5
    parts = [KINDS[kind](noise(seed=seed)) for seed in range(n)]
    weights = np.random.default_rng(4).random((n if own else 1, m, len(parts[0])))
    weights[:, 0] = 1
    wholes = np.stack([one.whole for one in parts])
    masks = mixtures(parts, weights if own else weights[0])
    found = Engine(summary, batch)(wholes, None, masks)
    expected = [
        summary(tf.constant(one.mix(weights[index % len(weights)])))
        for index, one in enumerate(parts)
    ]
    assert found.shape == (n, m, 2)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-2)


@pytest.mark.slow
def test_the_engine_is_given_the_input_itself_when_all_parts_are_on():
    parts = [KINDS["grid"](noise(seed=seed)) for seed in range(2)]
    wholes = np.stack([one.whole for one in parts])
    given = []
    engine = Engine(lambda x: given.append(np.array(x)) or x[:, :1], 3, compiled=False)
    engine(wholes, None, mixtures(parts, np.ones((2, len(parts[0])))))
    np.testing.assert_array_equal(np.concatenate(given), np.repeat(wholes, 2, axis=0))


@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: Components.in_time(noise(), 0), "count is 0"),
        (lambda: Components.in_time(noise(5), 6), "cannot be cut into 6"),
        (lambda: Components.in_time(noise().reshape(2, -1), 2), "mono waveform"),
        (lambda: Components.grid(noise(), FRONTEND, 99, 2), "cannot be cut into a grid"),
        (lambda: Components.grid(noise(100), FRONTEND, 1, 2), "100 samples"),
        (lambda: Components.in_time(noise(), 2, fade=2_001), "fade is 2001"),
        (lambda: Components.in_time(noise(), 2).times(0), "count is 0"),
        (lambda: KINDS["patch"](noise()).times(2), "parts of a patch"),
        (lambda: Components.nmf(noise(), FRONTEND, 0), "count is 0"),
        (lambda: Components.nmf(noise(), FRONTEND, 99), "has no 99 spectra"),
        (lambda: Components.of_sources(noise(), two_stems, expects=9), "say sample_rate"),
        (lambda: Components.of_sources(noise(), [noise()], expects=9), "no separator"),
        (
            lambda: Components.of_sources(
                noise(), lambda sound: [noise()], sample_rate=RATE, expects=8_000
            ),
            r"\(k, 2000\) is needed: as long",
        ),
        (
            lambda: Components.of_sources(
                noise(), lambda sound: np.zeros((0, len(sound))), sample_rate=RATE, expects=8_000
            ),
            r"shape \(0, 2000\), but \(k, 2000\) is needed",
        ),
        (lambda: Components.of_sources(noise(), [noise() * 1j]), "complex numbers"),
        (lambda: Components.nmf(noise(), FRONTEND, 2, seed=-1), "seed is -1"),
        (lambda: Components.in_time(noise(), 2).mix([1, np.nan]), "A weight is NaN"),
        (lambda: Components.in_time(noise(), 2, fade="soft"), "fade is 'soft'"),
        (lambda: Components.harmonic_percussive(noise(), margin=np.inf), "margin is inf"),
        (lambda: Components.of_cells(noise(), FRONTEND, np.full((5, 64), -1)), "from 0 on"),
        (lambda: Components.of_patch(np.ones((4, 4)), np.zeros((2, 2), int), 0), "each cell needs"),
        (lambda: Components.of_sources(noise(), {"a": noise(), "b": noise(9)}), "differ in length"),
        (lambda: Components.of_sources(noise(), noise()), "The sources have the shape"),
        (lambda: Components.of_sources(noise(), [noise(9)]), "at its rate"),
        (lambda: Components.of_sources(noise(), two_stems(noise()), ["one"]), "1 names for 2"),
        (lambda: Components.of_sources(noise(), [noise() * np.nan]), "NaN"),
        (lambda: Components.harmonic_percussive(noise(), margin=0.5), "margin is 0.5"),
        (lambda: Components(noise(), np.zeros((0, 4_000)), ()), r"\(k, 4000\)"),
        (lambda: Components.in_time(noise(), 3).mix([1, 1]), "there are 3 parts"),
    ],
)
def test_wrong_parts_are_refused(make, message):
    with pytest.raises(XaiAudioError, match=message):
        make()


def test_mixtures_count_their_masks():
    assert len(Mixtures(np.zeros((2, 3, 8)), np.zeros((1, 5, 3)))) == 5
