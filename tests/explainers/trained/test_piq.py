"""PIQ: its losses, its codes, and its whole way."""

import heard_tones
import numpy as np
import pytest
import tensorflow as tf
from heard_tones import FRONTEND, LABELS

import xaiaudio as xa
from xaiaudio.explainers.trained import piq
from xaiaudio.explainers.trained.decoding import to_bands
from xaiaudio.explainers.trained.features import features, hidden_values
from xaiaudio.explainers.trained.quantise import owners
from xaiaudio.explainers.trained.weights import history, report

SMALL = {"codes": 30, "depth": 5, "epochs": 3, "width": 2, "batch": 8}


@pytest.fixture(scope="module")
def trained(listener, tones):
    return xa.Explainer.fit("piq", listener, tones, **SMALL)


@pytest.fixture(scope="module")
def patches(tones):
    return np.concatenate([FRONTEND(clip.load()).values[:2] for clip in tones[:6]])


@pytest.mark.slow
def test_the_losses_are_their_definitions(listener, tones):
    data = features(listener, tones)
    options = piq.Options(**SMALL)
    coder = piq.Coder(listener, options)
    (maps,) = hidden_values(listener, coder.hidden, data.patches[:3])
    heights, classes = data.magnitudes[:3], np.array([0, 2, 1])
    found = coder.losses(tf.constant(maps, tf.float32), heights, classes, 0.35)
    owner, book = owners(30, 3), coder.codebook.numpy()
    values = coder.adapter(maps.astype("float32")).numpy()
    codes = np.empty_like(values)
    for place in np.ndindex(values.shape[:3]):
        mine = np.flatnonzero(owner == classes[place[0]])
        codes[place] = book[min(mine, key=lambda code: ((values[place] - book[code]) ** 2).sum())]
    logits = coder.decoder([codes]).numpy().astype(float)
    log = np.log1p(heights.astype(float))
    wanted = log > 0.35 * log.max(axis=(1, 2), keepdims=True)
    mask = 1 / (1 + np.exp(-logits))
    entropy = -np.where(wanted, np.log(mask), np.log(1 - mask)).mean()
    apart = ((codes - values) ** 2).mean()
    expected = {"mask": entropy, "codes": apart, "values": apart}
    assert {name: float(value) for name, value in found.items()} == pytest.approx(
        expected, rel=1e-3
    )


@pytest.mark.slow
def test_codes_lie_in_the_part_of_the_class(listener, patches, trained):
    owner = owners(30, 3)
    for target in range(3):
        classes = np.full(len(patches), target)
        masks, codes = piq.coded(listener, patches, classes, trained.options, trained.weights)
        assert (owner[codes] == target).all()
        maps = trained(listener, patches, target).maps
        np.testing.assert_allclose(maps, to_bands(masks, FRONTEND), atol=1e-6)
        assert 0 <= masks.min() < masks.max() <= 1


@pytest.mark.slow
def test_with_a_code_for_each_class_the_mask_depends_on_the_class_alone(listener, tones, patches):
    few = xa.Explainer.fit("piq", listener, tones, **{**SMALL, "codes": 3, "epochs": 1})
    maps = few(listener, patches, "low").maps
    np.testing.assert_allclose(maps, np.broadcast_to(maps[:1], maps.shape), atol=1e-6)
    assert not np.allclose(few(listener, patches, "hiss").maps, maps)
    np.testing.assert_array_equal(few(listener, patches, "low").report["codes"], 1)


@pytest.mark.slow
def test_it_is_trained_by_each_of_its_losses(listener, tones, trained):
    course = history(trained)
    assert set(course) >= {f"validation/{name}" for name in ("mask", "codes", "values", "total")}
    assert course["validation/total"][-1] < course["validation/total"][0]
    start = piq.Coder(listener, trained.options).arrays()
    for name in ("adapter/narrow/kernel", "decoder/bins/kernel", "codebook"):
        assert not np.allclose(start[name], trained.weights[name])
    told = report(trained)
    assert 0 < told["codes used"] <= 1
    assert 0 <= told["loud cells found"] <= 1


@pytest.mark.slow
def test_training_is_seeded(listener, tones, trained):
    again = xa.Explainer.fit("piq", listener, tones, **SMALL)
    for name, values in trained.weights.items():
        if name.startswith(("adapter", "decoder", "codebook")):
            np.testing.assert_allclose(again.weights[name], values, atol=1e-5)
    other = xa.Explainer.fit("piq", listener, tones, **SMALL, seed=1)
    assert not np.allclose(other.weights["codebook"], trained.weights["codebook"])


@pytest.mark.slow
def test_saved_and_loaded_it_explains_the_same(listener, patches, trained, tmp_path):
    again = xa.Explainer.load(trained.save(tmp_path / "piq.npz"))
    first, second = trained(listener, patches), again(listener, patches)
    np.testing.assert_allclose(first.maps, second.maps, atol=1e-6)
    assert set(first.report) == {"mask-mean", "codes"}


@pytest.mark.slow
def test_another_network_is_refused(patches, trained):
    other = xa.AudioClassifier.from_keras(heard_tones.network(5), LABELS, FRONTEND)
    with pytest.raises(xa.XaiAudioError, match="another network"):
        trained(other, patches)


@pytest.mark.slow
def test_silence_has_a_map(listener, trained):
    silence = np.full((1, *FRONTEND.patch_shape), FRONTEND.silence)
    assert np.isfinite(trained(listener, silence).maps).all()


@pytest.mark.parametrize("wrong", [{"codes": 0}, {"loud": "very"}, {"seed": -1}, {"batch": 0}])
def test_wrong_options(wrong):
    (name, value), *_ = wrong.items()
    with pytest.raises(xa.XaiAudioError, match=f"{name} is {value!r}"):
        xa.Explainer("piq", **wrong)


@pytest.mark.slow
def test_too_few_codes(listener, tones):
    with pytest.raises(xa.XaiAudioError, match="2 codes for 3 classes"):
        xa.Explainer.fit("piq", listener, tones, codes=2)
