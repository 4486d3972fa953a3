"""Masks over bins as sounds: what is kept and what is removed are the whole."""

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.explainers.masking import laid_over
from xaiaudio.sonify.bins import kept_and_removed_bins, listen_to_masks

RANDOM = np.random.default_rng(0)
FRONTEND = xa.LogMel.vggish()
WAVE = RANDOM.normal(0, 0.1, 40_000).astype("float32")


def test_masks_of_patches_are_averaged_over_the_clip():
    masks, starts = RANDOM.random((4, 6, 3)), np.array([0, 3, 3, 12])
    found = laid_over(masks, starts, 20)
    for frame in range(20):
        rows = [
            one[frame - start]
            for one, start in zip(masks, starts, strict=True)
            if 0 <= frame - start < 6
        ]
        expected = np.mean(rows, axis=0) if rows else np.zeros(3)
        np.testing.assert_allclose(found[frame], expected, rtol=1e-5)


def test_kept_and_removed_are_the_sound():
    mask = RANDOM.random((248, 257))
    kept, removed = kept_and_removed_bins(WAVE, mask, FRONTEND)
    np.testing.assert_allclose(kept + removed, WAVE, atol=1e-6)
    other, rest = kept_and_removed_bins(WAVE, 1 - mask, FRONTEND)
    np.testing.assert_allclose(other, removed, atol=1e-5)  # the transform is linear
    everything, nothing = kept_and_removed_bins(WAVE, np.ones((248, 257)), FRONTEND)
    np.testing.assert_allclose(everything, WAVE, atol=1e-5)
    assert np.abs(nothing).max() < 1e-5


def test_a_mask_of_one_bin_keeps_its_frequency():
    seconds = np.arange(16_000) / 16_000
    low, high = (0.3 * np.sin(2 * np.pi * hertz * seconds) for hertz in (500.0, 3000.0))
    mask = np.zeros((98, 257))
    mask[:, 12:21] = 1  # 16 is 500 Hz
    kept, _ = kept_and_removed_bins((low + high).astype("float32"), mask, FRONTEND)
    np.testing.assert_allclose(kept[1000:-1000], low[1000:-1000], atol=0.01)


@pytest.mark.slow
def test_the_network_answers_to_what_is_kept():
    model = xa.load_model("lite")
    patches = model.frontend(WAVE)
    result = xa.explain(model, patches, method="occlusion", mask=0.5, stride=0.5)
    heard = listen_to_masks(result, np.ones((len(patches), 96, 257)), WAVE, model)
    # The last frames lie in no patch.
    end = FRONTEND.hop * (patches.starts.max() + 96) - 800
    np.testing.assert_allclose(heard.kept[:end], WAVE[:end], atol=1e-5)
    np.testing.assert_allclose(heard.kept + heard.removed, WAVE, atol=1e-6)
    assert set(heard.answers) == {"original", "kept", "removed"}


@pytest.mark.slow
def test_wrong_shapes():
    with pytest.raises(xa.XaiAudioError, match=r"\(T, 257\)"):
        kept_and_removed_bins(WAVE, np.ones((10, 64)), FRONTEND)
    model = xa.load_model("lite")
    result = xa.explain(model, np.zeros((1, 96, 64), "float32"), "Rain", method="gradcam")
    with pytest.raises(xa.XaiAudioError, match="where its patches lie"):
        listen_to_masks(result, np.ones((1, 96, 257)), WAVE)


@pytest.mark.slow
def test_masks_of_other_patches_or_another_sound():
    model = xa.load_model("lite")
    patches = model.frontend(WAVE)
    result = xa.explain(model, patches, "Rain", method="gradcam")
    masks = np.ones((len(patches), 96, 257))
    with pytest.raises(xa.XaiAudioError, match=r"one for each patch is needed"):
        listen_to_masks(result, masks[:1], WAVE)
    with pytest.raises(xa.XaiAudioError, match="do not lie in this sound"):
        listen_to_masks(result, masks, WAVE[::-1])
