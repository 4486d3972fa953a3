"""Real networks of other people, where XAIAUDIO_NETWORKS names a folder that holds their files."""

import bz2
import os
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import open_network

FOLDER = Path(os.environ.get("XAIAUDIO_NETWORKS", "nowhere"))
YAMNET = Path(os.environ.get("XAIAUDIO_YAMNET", "nowhere"))


def needed(path):
    return pytest.mark.skipif(not path.exists(), reason=f"there is no {path.name}")


def tone(hertz, samples, rate=16_000):
    return np.sin(2 * np.pi * hertz * np.arange(samples) / rate).astype("float32")


TFLITE = YAMNET.parent / "yamnet_audio_classifier.tflite"


@needed(TFLITE)
def test_yamnet_as_a_tflite_file_answers_as_its_twin_in_keras():
    twin = xa.load_model("yamnet")
    model = xa.load_model(TFLITE, labels=twin.labels, sample_rate=16_000)
    assert model.frontend.samples == 15_600
    wave = np.concatenate([tone(440, 15_600), 0.3 * tone(3_000, 15_600)])
    wave *= np.abs(np.sin(np.arange(len(wave)) / 3_000)).astype("float32")
    ours = model.scores(model.frontend(wave))
    theirs = twin.scores(twin.frontend(wave, overlap=0))
    for one, two in zip(ours, theirs, strict=True):
        assert np.corrcoef(one, two)[0, 1] > 0.99
    result = xa.explain(model, model.frontend(wave)[:1], method="occlusion", mask=0.5, stride=0.5)
    assert np.abs(result.maps).max() > 0.01


@needed(FOLDER / "google_speech_embedding.tflite")
def test_two_files_one_after_the_other_with_a_head():
    mel = open_network(FOLDER / "google_speech_embedding_melspectrogram.tflite")
    embedding = open_network(FOLDER / "google_speech_embedding.tflite")
    length = 12_640  # 76 frames

    def embedded(waves):
        pictures = mel(waves)  # (n, 1, frames, 32)
        return embedding(pictures.transpose(0, 2, 3, 1)[:, :76]).reshape(len(waves), -1)

    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.1, (20, length)).astype("float32")
    beeps = noise.copy()
    beeps[:, 3_000:6_000] += tone(1_000, 3_000)
    values = embedded(np.concatenate([noise, beeps]))
    assert values.shape == (40, 96)
    wanted = np.repeat([-1.0, 1.0], 20)
    weights = np.linalg.lstsq(np.c_[values, np.ones(40)], wanted, rcond=1e-2)[0]
    model = xa.AudioClassifier.from_function(
        lambda waves: 5 * np.c_[embedded(waves), np.ones(len(waves))] @ weights[:, None],
        ["beep"],
        frontend=xa.WaveFrontend.of(16_000, samples=length),
        outputs="sigmoid",
    )
    assert (model.scores(beeps) > 0.5).mean() > 0.9
    result = xa.explain(model, model.frontend(beeps[0]), "beep", "occlusion", mask=0.25, stride=0.2)
    frame, band = np.unravel_index(result.maps[0].argmax(), model.frontend.patch_shape)
    assert 0.1 < model.frontend.times()[frame] < 0.45
    assert 300 < model.frontend.band_centres()[band] < 2_500


@needed(FOLDER / "ina_speech_music_noise_cnn.hdf5")
def test_a_keras_2_file_of_patches():
    path = FOLDER / "ina_speech_music_noise_cnn.hdf5"
    frontend = xa.LogMel(frames=68, bands=21, offset=1e-3)
    model = xa.load_model(path, labels=["speech", "music", "noise"], frontend=frontend)
    patches = np.random.default_rng(0).normal(size=(3, 68, 21)).astype("float32")
    scores = model.scores(patches)
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-5)
    assert np.abs(scores[0] - scores[1]).max() > 1e-3
    assert xa.explain(model, patches, "music", "saliency").maps.shape == (3, 68, 21)


@needed(FOLDER / "st_yamnet_256_f32.h5")
def test_files_that_are_no_classifiers_say_what_they_lack():
    with pytest.raises(XaiAudioError, match="outputs"):
        xa.load_model(FOLDER / "st_yamnet_256_f32.h5", labels=["a", "b"])
    for name in ("choi_music_tagger_crnn_tf.h5", "choi_music_tagger_cnn_tf.h5"):
        with pytest.raises(XaiAudioError, match="weights without a network: build the network"):
            xa.load_model(FOLDER / name, labels=["a", "b"])


def crepe_tiny():
    """Build the network that the weights of CREPE tiny belong to."""
    filters, widths = (128, 16, 16, 16, 32, 64), (512, 64, 64, 64, 64, 64)
    sound = keras.Input((1_024,))
    x = keras.layers.Reshape((1_024, 1, 1))(sound)
    for number, (count, width) in enumerate(zip(filters, widths, strict=True), 1):
        steps = (4 if number == 1 else 1, 1)
        layer = keras.layers.Conv2D(
            count, (width, 1), steps, "same", activation="relu", name=f"conv{number}"
        )
        x = keras.layers.BatchNormalization(name=f"conv{number}-BN")(layer(x))
        x = keras.layers.MaxPooling2D((2, 1))(x)
    x = keras.layers.Flatten()(keras.layers.Permute((2, 1, 3))(x))
    return keras.Model(sound, keras.layers.Dense(360, "sigmoid", name="classifier")(x))


@pytest.mark.slow
@needed(FOLDER / "crepe_tiny.h5.bz2")
def test_crepe_hears_the_pitch_through_each_door(tmp_path):
    weights = tmp_path / "crepe.weights.h5"
    weights.write_bytes(bz2.decompress((FOLDER / "crepe_tiny.h5.bz2").read_bytes()))
    network = crepe_tiny()
    old = tmp_path / "crepe.h5"
    weights.rename(old)
    network.load_weights(old, by_name=True)
    network.export(tmp_path / "saved", verbose=False)
    converter = tf.lite.TFLiteConverter.from_saved_model(str(tmp_path / "saved"))
    (tmp_path / "crepe.tflite").write_bytes(converter.convert())
    cents = 1_997.3794084376191 + 20 * np.arange(360)
    labels = [f"{10 * 2 ** (one / 1_200):.1f} Hz" for one in cents]
    waves = np.stack([tone(hertz, 1_024) for hertz in (110, 440, 880)])
    waves = (waves - waves.mean(axis=1, keepdims=True)) / waves.std(axis=1, keepdims=True)
    wanted = network.predict(waves, verbose=0)
    for path in (tmp_path / "crepe.tflite", tmp_path / "saved"):
        model = xa.load_model(path, labels=labels, sample_rate=16_000)
        scores = model.scores(waves)
        np.testing.assert_allclose(scores, wanted, atol=1e-4)
        heard = 10 * 2 ** (cents[scores.argmax(axis=1)] / 1_200)
        assert np.abs(1_200 * np.log2(heard / [110, 440, 880])).max() < 40
