"""Controls are found by gradient if the pitch is given; the pitch is not, from far away."""

import numpy as np
import pytest
import tensorflow as tf

import xaiaudio as xa
from xaiaudio.synthesis.ddsp import harmonic, noise
from xaiaudio.synthesis.ddsp.controls import Controls
from xaiaudio.synthesis.ddsp.fit import fit, losses_at, tune
from xaiaudio.synthesis.ddsp.loss import spectral_loss
from xaiaudio.synthesis.ddsp.synthesiser import synthesise

FRAMES = 75
KNOWN = Controls(
    np.linspace(300, 320, FRAMES),
    np.full(FRAMES, 0.3),
    np.tile(0.6 ** np.arange(10), (FRAMES, 1)),
    np.full((FRAMES, 65), 0.003),
)
WAVE = synthesise(KNOWN, seed=4)


@pytest.mark.slow
def test_a_tone_is_found_by_gradient():
    found = fit(WAVE, KNOWN.pitch, steps=150, harmonics=12, progress=False)
    silence = float(spectral_loss(WAVE, np.zeros_like(WAVE)))
    assert found.losses.shape == (151,)
    assert found.losses[-1] < 0.3 * silence and found.losses[-1] < 0.5 * found.losses[0]
    shares = KNOWN.harmonics[0] / KNOWN.harmonics[0].sum()
    assert np.abs(found.controls.harmonics[10:-10, :10].mean(axis=0) - shares).max() < 0.03
    assert found.controls.amplitude[10:-10].mean() == pytest.approx(0.3, rel=0.1)
    again = float(spectral_loss(WAVE, synthesise(found.controls)))
    assert again == pytest.approx(found.losses[-1], rel=0.1)


@pytest.mark.slow
def test_a_fit_is_the_same_each_time():
    runs = [
        fit(WAVE, KNOWN.pitch, steps=5, harmonics=4, sizes=(256,), seed=s, progress=False)
        for s in (0, 0, 1)
    ]
    assert np.array_equal(runs[0].losses, runs[1].losses)
    assert np.array_equal(runs[0].controls.noise, runs[1].controls.noise)
    assert not np.array_equal(runs[0].losses, runs[2].losses)


@pytest.mark.slow
def test_inaudible_harmonics_are_not_learned():
    found = fit(WAVE, np.full(FRAMES, 3000.0), steps=1, harmonics=9, sizes=(256,), progress=False)
    assert found.controls.harmonics.shape == (FRAMES, 9)
    assert found.controls.harmonics[:, :2].all() and not found.controls.harmonics[:, 2:].any()


@pytest.mark.slow
def test_the_loss_has_many_valleys_and_is_least_at_the_pitch():
    shifts = np.arange(-12, 12.01, 0.25)
    losses = losses_at(WAVE, KNOWN, shifts)
    assert shifts[losses.argmin()] == 0
    inner = losses[1:-1]
    assert ((inner < losses[:-2]) & (inner < losses[2:])).sum() > 5
    here = float(spectral_loss(WAVE, synthesise(KNOWN, seed=1)))
    assert losses[48] == pytest.approx(here, rel=1e-4)


@pytest.mark.slow
def test_the_gradient_finds_the_pitch_from_nearby_only():
    near, far = (tune(WAVE, KNOWN, start, progress=False) for start in (0.05, 7.0))
    assert abs(near.shifts).min() < 0.05 and near.shifts.shape == near.losses.shape == (61,)
    assert far.shifts[0] == 7.0 and abs(far.shifts[-1]) > 3


def test_what_cannot_be_fitted():
    with pytest.raises(xa.XaiAudioError, match="0 Hz is needed for every 64 samples"):
        fit(WAVE, np.zeros(FRAMES))
    with pytest.raises(xa.XaiAudioError, match="0 Hz is needed"):
        tune(WAVE[:100], KNOWN, 0.0)
    for wave, pitch in ((WAVE * np.nan, np.full(FRAMES, 440.0)), (WAVE, np.full(FRAMES, np.nan))):
        with pytest.raises(xa.XaiAudioError, match="NaN or infinite"):
            fit(wave, pitch)
    for wrong in ({"harmonics": 0}, {"bands": 1}):
        with pytest.raises(xa.XaiAudioError, match="at least are needed"):
            fit(WAVE, np.full(FRAMES, 440.0), **wrong)


@pytest.mark.slow
def test_gradients_are_finite_where_the_synthesiser_is_silent():
    values = [tf.zeros([8]), tf.zeros((8, 5)), tf.zeros((8, 9))]
    wave = tf.constant(WAVE[:512])
    with tf.GradientTape() as tape:
        tape.watch(values)
        amplitude, weights, gains = values
        made = harmonic.tone(tf.fill([8], 440.0), amplitude, weights)
        made += noise.shaped(noise.white(512, [0, 0]), gains)
        loss = spectral_loss(made, wave)
    for gradient in tape.gradient(loss, values):
        assert np.isfinite(gradient).all()
    assert not made.numpy().any()
