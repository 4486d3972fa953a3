import keras
import numpy as np
import pytest
import tensorflow as tf

from xaiaudio import AudioClassifier, WaveFrontend, XaiAudioError, explain, load_model
from xaiaudio.explainers.gradients import gradient
from xaiaudio.models.differentiable import filtered
from xaiaudio.sonify.masks import kept_and_removed

RATE, SAMPLES = 8_000, 8_000
LABELS = ("low", "high", "loud")
FRONTEND = WaveFrontend.of(RATE, 1)


def noise(n=2, samples=SAMPLES, seed=0):
    return np.random.default_rng(seed).normal(0, 0.2, (n, samples)).astype("float32")


def three_numbers(waves):
    """Logits of three classes: two correlations with a tone, and the loudness."""
    seconds = np.arange(waves.shape[1]) / RATE
    tones = np.sin(2 * np.pi * np.array([[300], [2_500]]) * seconds)
    return np.concatenate([waves @ tones.T / 100, np.square(waves).mean(axis=1)[:, None]], axis=1)


def softmax(z):
    z = np.exp(z - z.max(axis=1, keepdims=True))
    return z / z.sum(axis=1, keepdims=True)


def classifier(function=three_numbers, outputs="logits", batch=3, labels=LABELS, **more):
    about = {"sample_rate": RATE, "seconds": 1} | more
    return AudioClassifier.from_function(function, labels, outputs=outputs, batch=batch, **about)


def test_scores_are_the_function():
    model, waves = classifier(batch=3), noise(7)
    np.testing.assert_allclose(model.logits(waves), three_numbers(waves), atol=1e-5)
    np.testing.assert_allclose(model.scores(waves), softmax(three_numbers(waves)), atol=1e-6)
    segments = model.frontend(waves.ravel())
    np.testing.assert_array_equal(model.scores(segments), model.scores(segments.waves))
    assert model.name == "three_numbers"
    assert "three_numbers" in repr(model)


@pytest.mark.parametrize("one", [True, False])
def test_probabilities_are_taken_as_they_are(one):
    def probabilities(waves):
        logits = three_numbers(waves)
        return softmax(logits) if one else 1 / (1 + np.exp(-logits))

    model, waves = classifier(probabilities, "probabilities"), noise(4)
    np.testing.assert_allclose(model.scores(waves), probabilities(waves), atol=1e-6)
    back = tf.nn.softmax(model.logits(waves)) if one else tf.nn.sigmoid(model.logits(waves))
    np.testing.assert_allclose(back, probabilities(waves), atol=1e-6)


def test_sigmoids_are_put_behind_logits_where_asked():
    model, waves = classifier(outputs="sigmoid"), noise(4)
    np.testing.assert_allclose(
        model.scores(waves), 1 / (1 + np.exp(-three_numbers(waves))), atol=1e-6
    )
    np.testing.assert_allclose(model.logits(waves), three_numbers(waves), atol=1e-5)


def test_certain_probabilities_have_finite_logits():
    for rows in ([1.0, 0.0, 0.0], [1.0, 1.0, 0.0]):
        model = classifier(lambda waves, rows=rows: np.tile(rows, (len(waves), 1)), "probabilities")
        assert np.isfinite(model.logits(noise(2))).all()


def test_the_function_gets_its_own_array_of_at_most_a_batch():
    sizes = []

    def spoils(waves):
        sizes.append(len(waves))
        found = three_numbers(waves)
        waves[:] = 0
        return found

    model, waves = classifier(spoils, batch=2), noise(5)
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
    waves = noise(3)
    given = waves if len(shape) == 1 else waves[..., None]
    np.testing.assert_allclose(found.scores(waves), model.predict(given, verbose=0), atol=1e-6)
    np.testing.assert_allclose(softmax(found.logits(waves)), found.scores(waves), atol=1e-6)


def test_the_filter_is_that_of_the_sounds_that_are_heard():
    waves = noise(2)
    gains = np.random.default_rng(1).random((2, *FRONTEND.patch_shape)).astype("float32")
    found = filtered(tf.constant(waves), tf.constant(gains), FRONTEND)
    for wave, gain, one in zip(waves, gains, found, strict=True):
        np.testing.assert_allclose(one, kept_and_removed(wave, gain, FRONTEND)[0], atol=1e-6)
    np.testing.assert_array_equal(filtered(tf.constant(waves), 0 * gains + 1, FRONTEND), waves)


def test_a_sound_is_filtered_to_the_picture_that_is_wanted():
    model = classifier()
    segments = model.frontend(noise(1, 2 * SAMPLES)[0])
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


def crash(waves):
    raise ValueError("no such device")


@pytest.mark.parametrize(
    "given, message",
    [
        ({"function": "path.onnx"}, "This is a str, not a function"),
        (
            {"function": crash},
            r"array of float32 of the shape \(2, 8000\): ValueError: no such device",
        ),
        ({"labels": ("a", "b")}, r"shape \(2, 3\), but \(2, 2\) is needed"),
        ({"outputs": "softmax"}, "outputs is 'softmax'"),
        ({"outputs": "probabilities"}, "which are no probabilities: say outputs='logits'"),
        ({"function": lambda x: softmax(three_numbers(x))}, "probabilities already"),
        ({"batch": 0}, "batch is 0"),
        ({"seconds": 0}, "seconds is 0"),
        ({"seconds": 0.001}, "at least 256, one window"),
        ({"sample_rate": "16k"}, "sample_rate is '16k'"),
    ],
)
def test_what_is_wrong_with_a_function_shows_at_once(given, message):
    with pytest.raises(XaiAudioError, match=message):
        classifier(**given)


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


def test_what_takes_sounds_has_no_network_of_patches(tmp_path):
    for model in (classifier(), AudioClassifier.from_keras(network((SAMPLES,)), LABELS, FRONTEND)):
        for name in ("network", "logits_network"):
            with pytest.raises(XaiAudioError, match="needs a Keras graph"):
                getattr(model, name)
        with pytest.raises(XaiAudioError, match="make segments with model.frontend"):
            model.scores(np.zeros((2, *FRONTEND.patch_shape)))
    with pytest.raises(XaiAudioError, match="is a function: it cannot be saved"):
        classifier().save(tmp_path / "mine.keras")


def test_the_network_itself_is_explained_sample_by_sample():
    """As the refusal of saliency says: the gradients of a convolution by hand."""
    model = AudioClassifier.from_keras(network((SAMPLES,)), LABELS, FRONTEND)
    with pytest.raises(XaiAudioError, match="explain its wave_logits_network"):
        explain(model, model.frontend(noise(1)[0]), 0, "saliency")
    wave = noise(1)
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

    waves = noise(3)
    waves[1, 0] = 11
    with pytest.raises(XaiAudioError, match="NaN or infinity for segment 1"):
        classifier(sometimes).scores(waves)


@pytest.mark.slow
def test_a_saved_network_of_samples_is_read_again(tmp_path):
    model = AudioClassifier.from_keras(network((SAMPLES, 1)), LABELS, sample_rate=RATE)
    again = load_model(model.save(tmp_path / "waves.keras"))
    assert again.frontend == FRONTEND
    assert again.labels == LABELS
    np.testing.assert_allclose(again.scores(noise()), model.scores(noise()), atol=1e-6)
    network((SAMPLES, 1)).save(tmp_path / "bare.keras")
    with pytest.raises(XaiAudioError, match="say at which rate"):
        load_model(tmp_path / "bare.keras", labels=LABELS)
    assert load_model(tmp_path / "bare.keras", labels=LABELS, frontend=FRONTEND).name == "bare"
