"""The page of a clip: what several methods say of it, and what could not be asked."""

import keras
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.pages.clip import explain_clip

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
