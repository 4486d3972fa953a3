"""Local prototypes: maps, what they add, and events in time."""

import keras
import numpy as np
import pytest
from design_contract import check_contract, check_places
from small_networks import LABELS, frontend, random_patches
from tones import tiny_backbone

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import autoencoder, local
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.evidence import Evidence
from xaiaudio.models.designs.local_layer import LocalPrototypes

ODD = (21, 13)
PLAN = autoencoder.Plan((3, 4, 5), ((4, 2), (2, 2), (1, 1)), (5, 3, 3, 3))
RANDOM = np.random.default_rng(4)


def by_hand(shape=ODD, count=4):
    keras.utils.set_random_seed(2)
    body = autoencoder.trunk(shape, (-4.0, 5.0), PLAN, seed=1)
    layer = LocalPrototypes(count, 6, **PLAN.to_config(), seed=1, name="parts")
    dense = keras.layers.Dense(3, name="logits", bias_initializer="normal")
    network = keras.Model(body.inputs[0], dense(keras.ops.sum(layer(body.outputs[0]), axis=1)))
    return SelfExplaining.from_network(
        network,
        LABELS,
        frontend(*shape),
        [Evidence(f"local prototype {n}") for n in range(count)],
        design="local",
        activation="sigmoid",
    )


@pytest.fixture(scope="module")
def trained(clips):
    few = {"count": 6, "filters": 4, "channels": 4, "epochs": 12, "batch": 16, "patience": 12}
    train, _ = clips.split(5)
    return xa.models.train_design("local", train, tiny_backbone(), progress=False, **few)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [ODD, (96, 64)])
def test_the_contract(shape, tmp_path):
    check_contract(by_hand(shape), random_patches(4, shape), tmp_path)


@pytest.mark.slow
def test_the_contract_of_a_trained_one(trained, clips, tmp_path):
    train, test = clips.split(5)
    patches = np.concatenate([trained.frontend(clip.load()).values for clip in test])
    check_contract(trained, patches, tmp_path, methods=("saliency",))
    check_places(trained, train)
    assert xa.models.test(trained, test).clip_accuracy >= 0.8


@pytest.mark.slow
def test_shuffled_labels_teach_nothing(trained, clips):
    train, test = clips.split(5)
    names = ("count", "filters", "channels", "epochs", "batch")
    options = {name: trained.options[name] for name in names}
    null = xa.models.train_design(
        "local", train, tiny_backbone(), shuffled=True, progress=False, **options
    )
    assert xa.models.test(null, test).clip_accuracy < xa.models.test(trained, test).clip_accuracy


@pytest.mark.slow
def test_contributions_in_time_and_frequency_are_exact():
    model, patches = by_hand(), random_patches(3, ODD)
    found = local.contribution_maps(model, patches)
    maps, weights = local.maps(model, patches), model.weights
    assert (maps >= 0).all()
    assert maps.max() > 0
    steps, bands, count = maps.shape[1:]
    assert found.shape == (3, steps, bands, 3)
    for n, t, f, c in np.ndindex(*found.shape):
        wanted = sum(maps[n, t, f, k] * weights[k * bands + f, c] for k in range(count)) / steps
        assert found[n, t, f, c] == pytest.approx(wanted, abs=1e-5)
    assert np.allclose(found.sum(axis=(1, 2)) + model.bias, model.logits(patches), atol=1e-5)


@pytest.mark.slow
def test_a_cell_depends_on_its_frames_and_bands_alone():
    model, shape = by_hand((96, 64)), (96, 64)
    patch = random_patches(1, shape)
    before, (step, band) = local.maps(model, patch)[0], (6, 8)
    (first, last), (low, high) = local.cell(PLAN, step, band)
    outside, inside = patch.copy(), patch.copy()
    outside[0, :first] += 1
    outside[0, last:] += 1
    outside[0, :, :low] += 1
    outside[0, :, high:] += 1
    assert np.allclose(local.maps(model, outside)[0][step, band], before[step, band], atol=1e-5)
    inside[0, first:last, low:high] += 1
    assert not np.allclose(local.maps(model, inside)[0][step, band], before[step, band], atol=1e-5)


@pytest.mark.slow
def test_the_timeline_is_that_of_its_patches():
    model = by_hand((96, 64))
    wave = RANDOM.normal(0, 0.1, 40_000).astype("float32")
    probabilities, edges = local.timeline(model, wave, overlap=0.0)
    patches = model.frontend.with_overlap(0.0)(wave).values
    for number in range(len(patches)):
        maps = local.contribution_maps(model, patches[number : number + 1])[0]
        for step in range(12):
            logit = maps[step].sum(axis=0) * 12 + model.bias
            found = probabilities[12 * number + step]
            assert np.allclose(found, 1 / (1 + np.exp(-logit)), atol=1e-4)
    assert len(edges) == len(probabilities) + 1
    assert np.allclose(np.diff(edges)[1:-1], 0.08)
    assert (edges[0], edges[-1]) == (0, 2.5)


@pytest.mark.slow
@pytest.mark.parametrize("centred", [False, True])
def test_the_timeline_of_odd_patches(centred):
    """Steps of patches that overlap are the same frames: each is the mean of what they say."""
    front, model = xa.LogMel(frames=61, bands=13, centred=centred), by_hand((61, 13))
    model.frontend = front
    wave = RANDOM.normal(0, 0.1, 20_000).astype("float32")
    probabilities, edges = local.timeline(model, wave, overlap=0.5)
    size = PLAN.step[0]
    rows = front.spectrogram(np.pad(wave, (0, front.min_samples)))
    hop = 30 // size * size
    told: dict = {}
    for start in range(0, len(rows) - 60, hop):
        maps = local.contribution_maps(model, rows[start : start + 61][None])[0]
        for step, cells in enumerate(maps):
            logit = cells.sum(axis=0) * len(maps) + model.bias
            told.setdefault(start + step * size, []).append(logit)
    frames = len(front.spectrogram(wave))
    assert len(probabilities) == -(-frames // size)
    for number, found in enumerate(probabilities):
        logit = np.mean(told[number * size], axis=0)
        assert np.allclose(found, 1 / (1 + np.exp(-logit)), atol=1e-4)
    assert np.allclose(np.diff(edges)[1:-1], size * front.hop / front.sample_rate)
    assert (edges[0], edges[-1]) == (0, 1.25)


def test_options_are_checked():
    for wrong in ({"count": 0}, {"channels": 1.5}, {"rate": 0}):
        with pytest.raises(XaiAudioError):
            local.Options(**wrong)
