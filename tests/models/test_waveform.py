import keras
import numpy as np
import pytest
import tensorflow as tf
from sound_functions import LABELS, RATE, SAMPLES, classifier, softmax, sounds, three_numbers

from xaiaudio import AudioClassifier, WaveFrontend, XaiAudioError, explain, load_model
from xaiaudio.explainers.gradients import gradient
from xaiaudio.models.differentiable import filtered
from xaiaudio.sonify.masks import kept_and_removed

FRONTEND = WaveFrontend.of(RATE, 1)


def test_the_function_gets_its_own_array_of_at_most_a_batch():
    sizes = []

    def spoils(waves):
        sizes.append(len(waves))
        found = three_numbers(waves)
        waves[:] = 0
        return found

    model, waves = classifier(spoils, batch=2), sounds(5)
    kept = waves.copy()
    model.scores(waves)
    np.testing.assert_array_equal(waves, kept)
    # Two are asked when the classifier is made, then one alone: whether its answer stays.
    assert sizes == [2, 1, 2, 2, 1]


def test_a_clip_is_named_by_its_segments():
    seconds = np.arange(SAMPLES) / RATE
    tone = np.sin(2 * np.pi * 300 * seconds)
    wave = np.concatenate([tone, tone, np.sin(2 * np.pi * 2_500 * seconds)]).astype("float32")
    found = classifier().predict_clip(wave)
    assert found.label == "low"
    assert found.shares["low"] == pytest.approx(2 / 3)


def network(shape, softmax=True):
    keras.utils.set_random_seed(1)
    x = inputs = keras.Input(shape)
    if len(shape) == 1:
        x = keras.layers.Reshape((-1, 1))(x)
    x = keras.layers.Conv1D(4, 64, 32, activation="relu")(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    x = keras.layers.Dense(3, activation="softmax" if softmax else None)(x)
    return keras.Model(inputs, x, name="waves")


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(SAMPLES,), (SAMPLES, 1), (None, 1)])
def test_a_keras_network_of_samples_is_taken(shape):
    model = network(shape)
    found = AudioClassifier.from_keras(model, LABELS, FRONTEND)
    waves = sounds(3)
    given = waves if len(shape) == 1 else waves[..., None]
    np.testing.assert_allclose(found.scores(waves), model.predict(given, verbose=0), atol=1e-6)
    np.testing.assert_allclose(softmax(found.logits(waves)), found.scores(waves), atol=1e-6)


def test_the_filter_is_that_of_the_sounds_that_are_heard():
    waves = sounds(2)
    gains = np.random.default_rng(1).random((2, *FRONTEND.patch_shape)).astype("float32")
    found = filtered(tf.constant(waves), tf.constant(gains), FRONTEND)
    for wave, gain, one in zip(waves, gains, found, strict=True):
        np.testing.assert_allclose(one, kept_and_removed(wave, gain, FRONTEND)[0], atol=1e-6)
    np.testing.assert_array_equal(filtered(tf.constant(waves), 0 * gains + 1, FRONTEND), waves)


def test_a_sound_is_filtered_to_the_picture_that_is_wanted():
    model = classifier()
    segments = model.frontend(sounds(1, samples=2 * SAMPLES)[0])
    same = model.changed(segments, segments.values)
    np.testing.assert_array_equal(same.waves, segments.waves)
    # 12 dB down in the upper half, everywhere: far from the border the picture is as wanted.
    wanted = segments.values.copy()
    offset = model.frontend.offset
    wanted[:, :, 32:] = np.log(0.25 * (np.exp(wanted[:, :, 32:]) - offset) + offset)
    found = model.changed(segments, wanted)
    inside = (slice(None), slice(1, -1), [*range(30), *range(34, 64)])
    np.testing.assert_allclose(found.values[inside], wanted[inside], atol=0.05)
    # A filter adds nothing: what is to be louder stays as it is.
    louder = model.changed(segments, segments.values + 1)
    np.testing.assert_array_equal(louder.waves, segments.waves)
    silent = model.changed(segments, np.full(segments.shape, np.log(offset), np.float32))
    assert np.abs(silent.waves).max() < 1e-5


@pytest.mark.slow
def test_a_network_of_samples_needs_its_rate():
    with pytest.raises(XaiAudioError, match="waves takes waveforms, not log-mel patches: say at"):
        AudioClassifier.from_keras(network((SAMPLES,)), LABELS)
    with pytest.raises(XaiAudioError, match="waves takes 8000 samples, but"):
        AudioClassifier.from_keras(network((SAMPLES,)), LABELS, WaveFrontend.of(RATE, 2))
    with pytest.raises(XaiAudioError, match="3 outputs but there are 2 labels"):
        AudioClassifier.from_keras(network((SAMPLES,)), ("a", "b"), sample_rate=RATE)
    assert AudioClassifier.from_keras(network((SAMPLES, 1)), LABELS, sample_rate=RATE).frontend == (
        FRONTEND
    )


@pytest.mark.slow
def test_what_takes_sounds_has_no_network_of_patches(tmp_path):
    for model in (classifier(), AudioClassifier.from_keras(network((SAMPLES,)), LABELS, FRONTEND)):
        for name in ("network", "logits_network"):
            with pytest.raises(XaiAudioError, match="needs a Keras graph"):
                getattr(model, name)
        with pytest.raises(XaiAudioError, match="make segments with model.frontend"):
            model.scores(np.zeros((2, *FRONTEND.patch_shape)))
    with pytest.raises(XaiAudioError, match="is a function: it cannot be saved"):
        classifier().save(tmp_path / "mine.keras")


@pytest.mark.slow
def test_the_network_itself_is_explained_sample_by_sample():
    """As the refusal of saliency says: the gradients of a convolution by hand."""
    model = AudioClassifier.from_keras(network((SAMPLES,)), LABELS, FRONTEND)
    with pytest.raises(XaiAudioError, match="explain its wave_logits_network"):
        explain(model, model.frontend(sounds(1)[0]), 0, "saliency")
    wave = sounds(1)
    found = gradient(model.wave_logits_network, wave, [1])
    step = np.zeros_like(wave)
    for place in (0, 4_000):
        step[0, place] = 0.01
        apart = [
            np.asarray(model.wave_logits_network(wave + sign * step))[0, 1] for sign in (1, -1)
        ]
        assert found[0, place] == pytest.approx((apart[0] - apart[1]) / 0.02, rel=0.02, abs=1e-4)
        step[0, place] = 0


def test_answers_that_are_not_finite_are_refused():
    def sometimes(waves):
        return np.where(waves[:, :1] > 10, np.nan, three_numbers(waves))

    waves = sounds(3)
    waves[1, 0] = 11
    with pytest.raises(XaiAudioError, match="NaN or infinity for segment 1"):
        classifier(sometimes).scores(waves)


@pytest.mark.slow
def test_a_saved_network_of_samples_is_read_again(tmp_path):
    model = AudioClassifier.from_keras(network((SAMPLES, 1)), LABELS, sample_rate=RATE)
    again = load_model(model.save(tmp_path / "waves.keras"))
    assert again.frontend == FRONTEND
    assert again.labels == LABELS
    np.testing.assert_allclose(again.scores(sounds()), model.scores(sounds()), atol=1e-6)
    network((SAMPLES, 1)).save(tmp_path / "bare.keras")
    with pytest.raises(XaiAudioError, match="say at which rate"):
        load_model(tmp_path / "bare.keras", labels=LABELS)
    assert load_model(tmp_path / "bare.keras", labels=LABELS, frontend=FRONTEND).name == "bare"
