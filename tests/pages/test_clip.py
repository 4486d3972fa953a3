"""The page of a clip: what several methods say of it, and what could not be asked."""

import html

import keras
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.pages.clip import explain_clip
from xaiaudio.pages.mixer import CUTS, cut

FRONTEND = xa.LogMel(frames=12, bands=8)
WAVE = np.random.default_rng(0).normal(0, 0.1, 4000).astype("float32")


@pytest.fixture(scope="module")
def recurrent():
    """A network without a convolution: class activation maps cannot treat it."""
    patch = keras.Input((12, 8))
    answer = keras.layers.Dense(2, activation="softmax")(keras.layers.GRU(3)(patch))
    return xa.AudioClassifier.from_keras(keras.Model(patch, answer), ["<b>cat", "dog"], FRONTEND)


@pytest.mark.slow
def test_a_method_that_cannot_treat_the_network_leaves_the_others_results(recurrent):
    clip = explain_clip(recurrent, WAVE, "noise", methods=["gradcam", "occlusion"])
    assert [part.method for part in clip.parts] == ["occlusion"]
    assert list(clip.failed) == ["gradcam"]
    page = clip.html()
    assert "What could not be asked" in page and "<em>gradcam</em>: " in page
    assert "<b>cat" not in page


def test_where_none_can_the_reason_is_said(recurrent):
    with pytest.raises(xa.XaiAudioError, match="convolution"):
        explain_clip(recurrent, WAVE, "noise", methods=["gradcam"])


@pytest.mark.slow
def test_a_page_says_how_many_patches_had_no_vote(recurrent):
    wave = np.concatenate([WAVE, np.zeros(8000, "float32")])
    clip = explain_clip(recurrent, wave, "noise", methods=["occlusion"])
    assert clip.prediction.quiet > 0
    assert f"{clip.prediction.quiet} more are silent and did not vote" in clip.html()


@pytest.mark.parametrize("output, unit", [(None, "logit"), ("scores", "probability")])
def test_a_page_says_which_answer_of_the_network_a_map_is_about(recurrent, output, unit):
    options = {"occlusion": {"output": output}}
    clip = explain_clip(recurrent, WAVE, "noise", methods=["occlusion"], options=options)
    page = clip.html()
    largest = np.abs(clip.parts[0].relevance).max()
    assert f"The largest effect on the {unit} is {largest:.2g}." in page
    assert f"output={'logits' if output is None else output}" in page
    labels = [ax.get_xlabel() for ax in clip.picture().axes]
    assert f"against  ←  effect on the {unit}  →  for" in labels


def test_a_page_says_what_is_padding(recurrent):
    wave = WAVE[:1200]
    clip = explain_clip(recurrent, wave, "noise", methods=["occlusion"], pad=True)
    assert "The sound lasts 0.07 s, and a patch 0.14 s: the rest is padding" in clip.html()
    figure = clip.picture()
    assert figure.data["sound"].tolist() == [8] and not figure.data["occlusion"][8:].any()
    assert [bool(ax.patches) for ax in figure.axes[:2]] == [True, True]
    assert len(figure.data["spectrogram"]) == 12
    whole = explain_clip(recurrent, WAVE, "noise", methods=["occlusion"])
    assert "padding," not in whole.html() and "sound" not in whole.picture().data


def test_a_page_says_what_the_network_hears_in_each_sound(recurrent):
    clip = explain_clip(recurrent, WAVE, "noise", methods=["occlusion"])
    page = clip.html()
    (part,) = clip.parts
    said = part.result.check(WAVE, overlap=0.5)
    assert said == part.heard.answers
    assert html.escape(said.verdict) in page
    for answer in said.values():
        assert html.escape(str(answer)) in page
    assert said["original"].label == clip.prediction.label
    assert "xa-mixer" not in page


@pytest.mark.parametrize("mix, count", [("time", 5), ("bands", 5), ("harmonic", 2)])
def test_a_page_has_a_mixer_of_the_sound(recurrent, mix, count):
    wave = np.tile(WAVE, 2)
    clip = explain_clip(recurrent, wave, "<i>noise", methods=["occlusion"], mix=mix)
    assert len(clip.mixer.components) == count
    page = clip.html()
    assert f"about {2**count} mixes. Took {clip.mixer_seconds:.1f} s." in page
    assert page.count("data-part=") == count and "<i>noise" not in page
    whole = recurrent.scores(recurrent.frontend(wave, overlap=0.5)).mean(axis=0)
    np.testing.assert_allclose(clip.mixer.scores[-1], whole, atol=1e-6)


def test_long_sounds_and_rates_that_browsers_do_not_play_have_no_mixer():
    frontend = xa.LogMel.vggish()
    assert cut(np.zeros(61 * 16_000), frontend, "time", 100) is None
    assert len(cut(np.zeros(59 * 16_000), frontend, "time", 120)) == 2
    slow = xa.LogMel(sample_rate=4000, fmax=2000.0)
    assert cut(np.zeros(8000), slow, "time", 2) is None
    with pytest.raises(xa.XaiAudioError, match="choose one of"):
        cut(np.zeros(8000), frontend, "words", 2)


def test_parts_are_named_after_their_place():
    frontend = xa.LogMel.vggish()
    wave = np.random.default_rng(0).normal(0, 0.1, 32_000)
    assert cut(wave, frontend, "time", 1).names[:2] == ("0.0 to 0.4 s", "0.4 to 0.8 s")
    bands = cut(wave, frontend, "bands", 1)
    for part, name in zip(bands.parts, bands.names, strict=True):
        low, high = (float(number) for number in name[:-3].split(" to "))
        spectrum = np.square(np.abs(np.fft.rfft(part)))
        hertz = np.fft.rfftfreq(len(part), 1 / 16_000)
        inside = (hertz > 0.9 * low - 40) & (hertz < 1.1 * high + 40)
        if low > 125 and high < 7500:  # the outer bands take what lies beyond them
            assert spectrum[inside].sum() > 0.75 * spectrum.sum()


def test_the_command_names_the_cuts_of_the_page():
    from xaiaudio.cli import explain

    assert explain.CUTS == CUTS
