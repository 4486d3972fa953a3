"""A clip is explained by several methods, and what cannot be asked is said."""

import pytest
from short_noise import WAVE

import xaiaudio as xa
from xaiaudio.pages.clip import explain_clip


@pytest.mark.slow
def test_a_method_that_cannot_treat_the_network_leaves_the_others_results(recurrent):
    clip = explain_clip(recurrent, WAVE, "noise", methods=["gradcam", "occlusion"])
    assert [part.method for part in clip.parts] == ["occlusion"]
    assert list(clip.failed) == ["gradcam"]
    page = clip.html()
    assert "What could not be asked" in page and "<em>gradcam</em>: " in page
    assert "<b>cat" not in page


@pytest.mark.slow
def test_where_none_can_the_reason_is_said(recurrent):
    with pytest.raises(xa.XaiAudioError, match="convolution"):
        explain_clip(recurrent, WAVE, "noise", methods=["gradcam"])
