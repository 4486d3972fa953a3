"""Backbones are found by their names, or are there already."""

import pytest

import xaiaudio as xa


@pytest.mark.slow
def test_a_backbone_is_returned_as_it_is():
    base = xa.models.backbone("lite")
    assert xa.models.backbone(base) is base
    with pytest.raises(xa.XaiAudioError, match="lite has its weights already"):
        xa.models.backbone(base, "weights.h5")


@pytest.mark.parametrize("name", ["vgish", None, ["lite"], 3])
def test_what_is_no_backbone_is_said(name):
    with pytest.raises(xa.XaiAudioError, match="there are vggish, yamnet, lite, music"):
        xa.models.backbone(name)
