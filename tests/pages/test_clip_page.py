"""The page of a clip: what the network answered, and what each method says of it."""

import html

import numpy as np
import pytest
from short_noise import WAVE

from xaiaudio.pages.clip import explain_clip


@pytest.mark.slow
def test_a_page_says_how_many_patches_had_no_vote(recurrent):
    wave = np.concatenate([WAVE, np.zeros(8000, "float32")])
    clip = explain_clip(recurrent, wave, "noise", methods=["occlusion"])
    assert clip.prediction.quiet > 0
    assert f"{clip.prediction.quiet} more are silent and did not vote" in clip.html()


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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


@pytest.mark.slow
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
