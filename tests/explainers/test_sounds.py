"""A function of sounds goes through all that a network of patches goes through."""

import re

import numpy as np
import pytest
import soundfile
from sound_functions import RATE, SAMPLES

import xaiaudio as xa
from xaiaudio.evaluate.metrics.deletion import deletion, drops_of, insertion, mu_fidelity
from xaiaudio.evaluate.metrics.faithfulness import faithfulness, kept_and_removed, soft_mask
from xaiaudio.evaluate.metrics.randomisation import random_logit
from xaiaudio.evaluate.metrics.stability import over_seeds
from xaiaudio.explainers import registry
from xaiaudio.pages.clip import explain_clip
from xaiaudio.patches import joined
from xaiaudio.sonify.masks import clip_map

TONES = (300, 2_500)
LABELS = ("low", "high")


def tone(hertz, samples=SAMPLES):
    return 0.3 * np.sin(2 * np.pi * hertz * np.arange(samples) / RATE)


def powers(waves):
    """Logits: the logarithm of the power at two frequencies."""
    carriers = np.exp(2j * np.pi * np.outer(np.arange(waves.shape[1]), TONES) / RATE)
    return np.log(np.abs(waves @ carriers) ** 2 + 1)


@pytest.fixture(scope="module")
def model():
    return xa.AudioClassifier.from_function(powers, LABELS, RATE, 1, outputs="logits")


@pytest.fixture(scope="module")
def wave():
    """A low tone, then a high one that is quieter."""
    return np.concatenate([tone(300, 12_000), 0.5 * tone(2_500, 12_000)]).astype("float32")


@pytest.fixture(scope="module")
def result(model, wave):
    return xa.explain(model, model.frontend(wave, overlap=0.5), "low", "occlusion", fill="silence")


@pytest.mark.slow
def test_the_map_lies_on_the_tone(model, result):
    frame, band = np.unravel_index(result.maps[0].argmax(), result.maps[0].shape)
    low, high = model.frontend.band_edges()[[max(band - 12, 0), band + 12]]  # a mask's width
    assert low < 300 < high
    assert result.maps[0, :, 40:].max() < 0.1 * result.maps[0].max()


@pytest.mark.slow
def test_it_is_heard(model, result, wave):
    heard = xa.listen(result, wave)
    np.testing.assert_allclose(heard.kept + heard.removed, wave, atol=1e-6)
    low, high = powers(heard.kept[None])[0]
    assert low > high + 4
    assert clip_map(result, wave).shape == (len(model.frontend.spectrogram(wave)), 64)


@pytest.mark.slow
def test_a_saved_explanation_knows_its_sounds(model, result, tmp_path):
    again = xa.Explanation.load(result.save(tmp_path / "maps.npz"))
    assert again.frontend == result.frontend
    np.testing.assert_array_equal(again.waves, result.waves)
    np.testing.assert_allclose(model.scores(again.inputs), result.scores, atol=1e-6)
    np.testing.assert_allclose(model.scores(again[1:3].inputs), result.scores[1:3], atol=1e-6)


@pytest.mark.slow
def test_measures_ask_about_filtered_sounds(model, result):
    curve = deletion(model, result, steps=4)
    np.testing.assert_allclose(curve.scores[:, 0], result.scores[:, 0], atol=1e-6)
    # Where the low tone is, hiding what speaks for it lets the score fall.
    assert curve.scores[0, 1] < 0.6 * curve.scores[0, 0]
    assert insertion(model, result, steps=4).scores[0, 1] > 0.9
    mask = soft_mask(result.maps)
    silence = np.log(model.frontend.offset)
    wanted = silence + mask * (result.patches - silence)
    expected = model.scores(model.changed(result.inputs, wanted))
    np.testing.assert_allclose(kept_and_removed(model, result)[0], expected, atol=1e-6)
    assert faithfulness(model, result)["FF"][0] > 0.3


@pytest.mark.slow
def test_random_parts_are_taken_from_the_sounds(model, result):
    drops = drops_of(model, result.inputs, subsets=12, grid=(3, 4))
    assert drops.drops.shape == (len(result), 12, 2)
    wanted = np.where(drops.hidden[5][drops.segments], np.log(model.frontend.offset), 0)
    wanted = np.where(wanted < 0, wanted, result.patches).astype("float32")
    expected = model.logits(result.inputs) - model.logits(model.changed(result.inputs, wanted))
    np.testing.assert_allclose(drops.drops[:, 5], expected, atol=1e-2)
    assert mu_fidelity(model, result, drops=drops).shape == (len(result),)


@pytest.mark.slow
def test_explaining_again_has_the_sounds_too(model, result):
    first = model.frontend(result.waves[0])
    found = over_seeds(
        model, first, "low", xa.Explainer("lime", samples=20, grid=(2, 2)), seeds=(0, 1)
    )
    assert found is not None
    assert random_logit(model, first, "low", xa.Explainer("occlusion", mask=0.5, stride=0.5))


def test_patches_of_several_sounds_are_joined_with_them(model, wave):
    parts = [model.frontend(wave), model.frontend(wave[4_000:])]
    both = joined(parts)
    assert len(both) == len(parts[0]) + len(parts[1])
    apart = np.concatenate([model.scores(part) for part in parts])
    np.testing.assert_allclose(model.scores(both), apart, atol=1e-6)


def test_methods_that_look_inside_say_what_they_miss(model, wave):
    others = set(xa.methods()) - set(registry.asking())
    assert len(others) > 5
    for name in others:
        with pytest.raises(xa.XaiAudioError, match=f"{re.escape(name)} needs .* in a Keras"):
            xa.explain(model, model.frontend(wave), "low", name)


def test_patches_without_their_sounds_are_refused(model, wave):
    with pytest.raises(xa.XaiAudioError, match="make segments with model.frontend"):
        xa.explain(model, model.frontend(wave).values, "low", "occlusion")


@pytest.mark.slow
def test_a_page_shows_it(model, wave, tmp_path):
    clip = explain_clip(model, wave, "tones", methods=["occlusion"])
    written = clip.write(tmp_path, "tones")
    assert "powers" in written[0].read_text()
    assert len(written) == 5


@pytest.mark.slow
def test_a_leaderboard_measures_it(model, tmp_path):
    for label, hertz in zip(LABELS, TONES, strict=True):
        (tmp_path / label).mkdir()
        for number in range(2):
            noise = np.random.default_rng(number).normal(0, 0.01, 12_000)
            soundfile.write(tmp_path / label / f"{number}.wav", tone(hertz, 12_000) + noise, RATE)
    clips = xa.datasets.load(tmp_path)
    board = xa.evaluate.leaderboard(model, clips, ["occlusion", "gradcam"], few=2, progress=False)
    assert board.cases == 4
    assert "needs a convolution" in board.row("gradcam").error
    row = board.row("occlusion")
    for name in ("AD", "FF", "deletion", "insertion", "MuFidelity", "sparseness"):
        assert np.isfinite(row.values[name]).all(), name
    assert board.mean("occlusion", "deletion") < board.mean("chance", "deletion")
    assert any("needs a Keras graph" in note for note in row.notes.values())
