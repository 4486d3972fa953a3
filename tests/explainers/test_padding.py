"""What a sound was lengthened with is marked, and takes no part in its maps."""

import dataclasses
import warnings

import numpy as np
import pytest
from small_networks import additive, random_patches

import xaiaudio as xa
from xaiaudio.errors import XaiAudioWarning
from xaiaudio.evaluate.metrics.deletion import deletion, insertion
from xaiaudio.explainers.checks import warn_of_flat_maps
from xaiaudio.patches import joined

WAVE = np.random.default_rng(0).normal(0, 0.1, 9000).astype("float32")


@pytest.fixture(scope="module")
def lite():
    return xa.load_model("lite")


@pytest.fixture(scope="module")
def padded(lite):
    return lite.frontend(WAVE, pad=True)


def options_of(method):
    return {
        "lime": {"samples": 40},
        "shapley": {"samples": 150},
        "rise": {"samples": 40},
        "occlusion": {"stride": 0.5, "mask": 0.5},
    }.get(method, {})


def explained(model, patches, method="gradcam"):
    return xa.explain(model, patches, "Rain", method, **options_of(method))


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted(xa.methods(sounds=False)))
def test_no_method_lays_anything_on_the_padding(lite, padded, method):
    found = explained(lite, padded, method)
    bare = explained(lite, padded.values, method)
    end = padded.sound[0]
    assert not found.maps[:, end:].any()
    np.testing.assert_array_equal(found.maps[:, :end], bare.maps[:, :end])
    np.testing.assert_array_equal(found.scores, bare.scores)
    if found.raw.shape == found.maps.shape:
        assert not found.raw[:, end:].any()
    else:
        np.testing.assert_array_equal(found.raw, bare.raw)
    assert found.peak()[0] <= found.times()[end]


@pytest.mark.slow
def test_a_bare_array_knows_of_no_padding(lite, padded):
    found = explained(lite, padded.values)
    assert found.sound is None and not found.padding.any()
    assert found.maps[:, padded.sound[0] :].any()


@pytest.mark.slow
def test_without_padding_nothing_changes(lite, tmp_path):
    wave = np.random.default_rng(1).normal(0, 0.1, 40_000).astype("float32")
    patches = lite.frontend(wave, pad=True)
    found, bare = explained(lite, patches), explained(lite, patches.values)
    assert found.sound is None and found.inputs is found.patches
    np.testing.assert_array_equal(found.maps, bare.maps)
    np.testing.assert_array_equal(found.raw, bare.raw)
    with np.load(found.save(tmp_path / "whole.npz")) as file:
        assert "sound" not in file.files
    assert xa.Explanation.load(tmp_path / "whole.npz").sound is None
    assert "sound" not in xa.plot(found).data


@pytest.mark.slow
def test_it_is_saved_and_kept_by_slices(lite, padded, tmp_path):
    full = lite.frontend(np.tile(WAVE, 3))
    found = explained(lite, joined([padded, full[:1]]))
    assert found.sound.tolist() == [57, 96]
    loaded = xa.Explanation.load(found.save(tmp_path / "padded.npz"))
    np.testing.assert_array_equal(loaded.sound, found.sound)
    np.testing.assert_array_equal(loaded.padding, found.padding)
    assert found[0].sound.tolist() == [57] and found[[1, 0]].sound.tolist() == [96, 57]
    np.testing.assert_array_equal(found.inputs.sound, found.sound)
    again = explained(lite, found.inputs)
    np.testing.assert_array_equal(again.maps, found.maps)


@pytest.mark.slow
@pytest.mark.parametrize("sound", [[97], [-1], [1, 2], [0.5]])
def test_a_file_with_other_frames_is_refused(lite, padded, tmp_path, sound):
    wrong = dataclasses.replace(explained(lite, padded), sound=np.array(sound))
    with pytest.raises(xa.XaiAudioError, match="sound counts"):
        xa.Explanation.load(wrong.save(tmp_path / "wrong.npz"))


def test_a_map_that_is_flat_but_for_the_padding_is_flat():
    raw, patches = np.ones((1, 1, 6, 2)), np.random.default_rng(0).normal(size=(1, 6, 2))
    raw[:, :, 4:] = 5
    arguments = ("saliency", raw, patches, np.zeros((1, 1), int), np.full((1, 2), 0.5), {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_of_flat_maps(*arguments)
    with pytest.warns(XaiAudioWarning, match="in 1 of 1 maps nothing distinguishes"):
        warn_of_flat_maps(*arguments, sound=np.array([4]))


@pytest.mark.slow
def test_curves_are_of_the_cells_with_sound():
    model, _ = additive((6, 5))
    found = xa.explain(model, random_patches(2, (6, 5)), 2, method="occlusion")
    padded = dataclasses.replace(
        found, starts=np.zeros(2, int), length=6, sound=np.array([4, 6]), frontend=model.frontend
    )
    base = np.log(model.frontend.offset)
    for curve, inserted in ((deletion, False), (insertion, True)):
        scores = curve(model, padded, steps=5).scores
        np.testing.assert_allclose(scores[1], curve(model, found, steps=5).scores[1], atol=1e-6)
        order = np.argsort(-found.maps[0, :4], axis=None, kind="stable")
        for step, score in enumerate(scores[0]):  # the plain definition: the padding stays
            patch = found.patches[0].copy()
            hidden = order[step * 4 :] if inserted else order[: step * 4]
            patch.reshape(-1)[hidden] = base
            expected = model.scores(patch[None])[0, found.targets[0]]
            np.testing.assert_allclose(score, expected, atol=1e-5)


@pytest.mark.slow
def test_listening_counts_the_cells_with_sound_alone(lite, padded):
    heard = xa.listen(explained(lite, padded, "saliency"), WAVE, keep=0.25)
    assert heard.mask.shape == (96, 64) and not heard.mask[57:].any()
    assert heard.mask.sum() == round(0.25 * 57 * 64)
    np.testing.assert_allclose(heard.kept + heard.removed, WAVE, atol=1e-6)


@pytest.mark.slow
def test_figures_hatch_it(lite, padded):
    found = explained(lite, padded)
    figures = [
        xa.plot(found),
        xa.plot(found, overlay=True),
        xa.plots.comparison([found]),
        xa.plots.comparison([found], each=True, normalise=False),
        xa.plots.class_comparison([{"Rain": found}]),
        xa.plots.strip([found]),
    ]
    edge = found.times()[57]
    for figure in figures:
        assert np.ravel(figure.data["sound"]).tolist() == [57]
        for ax in figure.axes:
            if not ax.images:
                continue
            hatched = [patch for patch in ax.patches if patch.get_hatch()]
            assert [patch.get_x() for patch in hatched] == [pytest.approx(edge)]
            np.testing.assert_allclose(ax.get_xlim(), found.times()[[0, -1]])
            assert ax.get_ylim() == (0, 64)
