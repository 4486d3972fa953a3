from pathlib import Path

import keras
import numpy as np
import pytest
from heard_tones import FRONTEND, LABELS, Tone, Tones, network

import xaiaudio as xa
import xaiaudio.explainers.trained.features as module
from xaiaudio.explainers.trained.features import (
    features,
    hidden,
    hidden_values,
)


@pytest.mark.slow
def test_the_frames_of_patches_and_magnitudes_are_the_same(listener, tones):
    found = features(listener, tones)
    assert found.patches.shape == (len(found), 16, 12)
    assert found.magnitudes.shape == (len(found), 16, 129)
    made = np.log(found.magnitudes @ FRONTEND.mel_matrix() + FRONTEND.offset)
    np.testing.assert_allclose(made, found.patches, atol=1e-3)
    assert [found.labels[number] for number in (0, 1, 2)] == list(LABELS)


@pytest.mark.slow
def test_validation_is_by_clip_of_each_class_and_by_seed(listener, tones):
    found = features(listener, tones, share=0.25, seed=3)
    of_clip = [set(found.validation[found.clip == number]) for number in range(len(tones))]
    assert all(len(one) == 1 for one in of_clip)  # no clip lies on both sides
    held_out = [clip.label for clip, one in zip(tones, of_clip, strict=True) if one == {True}]
    assert sorted(held_out) == sorted(LABELS * 2)
    again = features(listener, tones, share=0.25, seed=3)
    np.testing.assert_array_equal(found.validation, again.validation)
    other = features(listener, tones, share=0.25, seed=4)
    assert not np.array_equal(found.validation, other.validation)
    learnt, checked = found.split(found.patches, found.clip)
    assert len(learnt[0]) + len(checked[0]) == len(found)
    assert not set(learnt[1]) & set(checked[1])
    assert features(listener, found) is found


@pytest.mark.slow
def test_silence_is_left_out(listener):
    class Silent(type(Tones.of(1)[0])):
        def load(self, sample_rate=8_000):
            wave = super().load(sample_rate)
            wave[4000:] = 0
            return wave

    whole, half = Tones.of(2), Tones(Silent(clip.name, clip.label) for clip in Tones.of(2))
    assert 0 < len(features(listener, half)) < len(features(listener, whole))


def _silenced(clips, numbers):
    class Silence(Tone):
        def load(self, sample_rate=8_000):
            return np.zeros(sample_rate, "float32")

    return Tones(
        Silence(clip.name, clip.label) if number in numbers else clip
        for number, clip in enumerate(clips)
    )


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(4))
def test_silent_clips_are_on_neither_side(listener, seed):
    # Two clips of each class: with the silent ones, one side of a class could have no patch.
    found = features(listener, _silenced(Tones.of(2), {0, 1, 3}), seed=seed)
    assert set(found.clip) == {2, 4, 5}
    assert set(found.clip[found.validation]) in ({2}, {5})


def test_one_clip_that_sounds_is_too_few(listener):
    with pytest.raises(xa.XaiAudioError, match="All clips of tones but low-0 are silent"):
        features(listener, _silenced(Tones.of(1), {0, 1}))


def test_hidden_maps_are_what_the_layers_give(listener):
    maps = hidden(listener)
    patches = np.random.default_rng(0).normal(size=(70, 16, 12)).astype("float32")
    found = hidden_values(listener, maps, patches)
    assert [one.shape for one in found] == [(70, 16, 12, 4), (70, 8, 6, 6)]
    assert all(one.dtype == np.float16 for one in found)
    x = patches[..., None]
    for layer in listener.network.layers[1:-2]:
        x = np.asarray(layer(x, training=False))
        if layer.name in ("first", "relu"):
            expected = found[layer.name == "relu"]
            np.testing.assert_allclose(expected, x, rtol=2e-3, atol=1e-3)
    (one,) = hidden(listener, ["second"]).outputs
    assert tuple(one.shape[1:]) == (8, 6, 6)
    assert [tuple(one.shape[1:]) for one in hidden(listener, 1).outputs] == [(8, 6, 6)]


def test_networks_that_have_no_such_layers_are_refused(listener):
    with pytest.raises(xa.XaiAudioError, match="no feature map called 'mean'.*first, relu"):
        hidden(listener, ["mean"])
    inputs = keras.Input((*FRONTEND.patch_shape, 1))
    dense = keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(inputs))
    flat = xa.AudioClassifier.from_keras(keras.Model(inputs, dense), LABELS, FRONTEND)
    with pytest.raises(xa.XaiAudioError, match="has no convolution"):
        hidden(flat)
    asked = xa.AudioClassifier.from_function(
        lambda waves: np.ones((len(waves), 2)) / 2, ["a", "b"], 8_000, seconds=1
    )
    for function in (hidden, lambda model: features(model, Tones.of(2))):
        with pytest.raises(xa.XaiAudioError, match="takes sounds"):
            function(asked)


@pytest.mark.parametrize("clips, words", [(Tones.of(0), "has 0 clip"), (Tones.of(1)[:1], "1 clip")])
def test_too_few_clips(listener, clips, words):
    with pytest.raises(xa.XaiAudioError, match=words):
        features(listener, Tones(clips))


@pytest.mark.slow
def test_values_too_large_for_half_precision_stay():
    made = network()
    made.get_layer("first").set_weights(
        [np.full((3, 3, 1, 4), 1e5, "float32"), np.zeros(4, "float32")]
    )
    model = xa.AudioClassifier.from_keras(made, LABELS, FRONTEND)
    first, _ = hidden_values(model, hidden(model), np.ones((2, 16, 12)))
    assert first.dtype == np.float32 and np.isfinite(first).all()


@pytest.mark.slow
def test_the_same_sounds_are_cut_once(listener, tmp_path, monkeypatch):
    import soundfile

    from xaiaudio.datasets import Clip, ClipSet

    def clips(gain, labels=None):
        made = []
        for tone, label in zip(Tones.of(2), labels or LABELS * 2, strict=True):
            path = tmp_path / f"{tone.name}.wav"
            soundfile.write(path, gain * tone.load(), 8_000)
            made.append(Clip(path, label, 1, ""))
        return ClipSet("tones", tuple(made), LABELS)

    cut, counted = module._cut, []
    monkeypatch.setattr(module, "_LAST", {})
    monkeypatch.setattr(module, "_cut", lambda *given: counted.append(1) or cut(*given))
    first = features(listener, clips(1.0))
    for again in (features(listener, clips(1.0)), features(listener, clips(1.0), seed=1)):
        np.testing.assert_array_equal(again.patches, first.patches)
        np.testing.assert_array_equal(again.magnitudes, first.magnitudes)
    assert len(counted) == 6
    assert not np.array_equal(features(listener, clips(0.5)).patches, first.patches)
    # Of two sets both are kept; of three the one that was asked for longest ago goes.
    features(listener, clips(1.0))
    assert len(counted) == 12
    features(listener, clips(0.25))
    features(listener, clips(1.0))
    assert len(counted) == 18
    features(listener, clips(0.5))
    assert len(counted) == 24
    # Labels that were dealt out anew are other labels.
    dealt = ("low", "low", "hiss", "hiss", "high", "high")
    assert features(listener, clips(1.0)).labels == LABELS * 2
    assert features(listener, clips(1.0, dealt)).labels == dealt


@pytest.mark.slow
def test_sounds_that_are_made_when_they_are_read_have_no_file(listener):
    class Named(Tone):
        path = Path("no such file")

    clips = Tones(Named(clip.name, clip.label) for clip in Tones.of(2))
    assert features(listener, clips).labels == LABELS * 2
