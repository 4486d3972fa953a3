"""Parts that add up: the energy of a sound shared out among spectra."""

import dataclasses

import numpy as np
import pytest
from design_contract import check_complete, check_contract, check_removal
from small_networks import LABELS, frontend, random_patches
from tones import tiny_backbone

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import controls, nmf
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.evidence import Evidence
from xaiaudio.models.designs.lessons import lessons
from xaiaudio.models.training.tables import patch_table

SHAPE = (20, 12)


def classifier(shape=SHAPE, span=3, rounds=5, exponent=0.5, head="fitted", front=None):
    front = frontend(*shape) if front is None else front
    options = nmf.Options(2, span, exponent, rounds, head)
    rng = np.random.default_rng(1)
    spectra = rng.random((span * front.bands, 6)).astype(np.float32) ** 4
    network = nmf.build(front, spectra / spectra.sum(axis=0), 3, options)
    weights = [rng.normal(0, 5, (6, 3)).astype(np.float32)]
    if head == "fitted":
        weights.append(rng.normal(size=3).astype(np.float32))
    network.get_layer("logits").set_weights(weights)
    parts = [Evidence(f"part {n}", LABELS[n // 2], spectrum=np.ones(front.bands)) for n in range(6)]
    return SelfExplaining.from_network(
        network, LABELS, front, parts, design="nmf", options=vars(options)
    )


@pytest.fixture(scope="module")
def trained(clips):
    return xa.models.train_design(
        "nmf", clips, tiny_backbone(), components=2, span=4, rounds=30, progress=False
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"shape": (19, 13), "span": 4}, {"head": "own", "span": 1, "exponent": 1.0}]
)
def test_the_contract(options, tmp_path):
    shape = options.get("shape", SHAPE)
    check_contract(classifier(**options), random_patches(3, shape), tmp_path)


@pytest.mark.slow
def test_the_contract_once_trained(trained, clips, tmp_path):
    patches = np.concatenate([trained.frontend(clip.load()).values[:1] for clip in clips[:6]])
    check_contract(trained, patches, tmp_path, methods=("saliency",))
    assert trained.sound(0).shape == (16_000,)
    assert [part.label for part in trained.parts] == list(np.repeat(trained.labels, 2))


@pytest.mark.slow
def test_activations_are_those_of_the_plain_updates():
    model, patches = classifier(), random_patches(2, SHAPE)
    spectra = model.logits_network.get_layer("activations").spectra.numpy().astype(float)
    found = nmf.activations(model, patches)
    for patch, heights in zip(patches, found, strict=True):
        values = np.maximum(np.exp(patch.astype(float)) - model.frontend.offset, 0) ** 0.5
        values = np.concatenate([values, np.zeros((1, 12))]).reshape(7, 36)
        for block, wanted in zip(values, heights, strict=True):
            h = np.full(6, block.sum() / 6)
            for _ in range(5):
                mixed = [sum(spectra[cell, k] * h[k] for k in range(6)) for cell in range(36)]
                h = np.array(
                    [h[k] * sum(spectra[:, k] * block / np.array(mixed)) for k in range(6)]
                )
            assert np.allclose(wanted, h, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("span", "hop"), [(4, 8), (3, 5), (7, 20)])
def test_blocks_that_patches_share_are_asked_for_once(span, hop):
    model, rows = classifier(span=span), random_patches(1, (60, 12))[0]
    patches = np.stack([rows[first : first + 20] for first in range(0, 41, hop)])
    wanted = model.activations(patches)
    np.testing.assert_allclose(nmf.taken(model.logits_network, patches), wanted, rtol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("front", [None, xa.LogMel.librosa(frames=20, bands=12, power=2)])
def test_shares_sum_to_the_energy(front):
    model = classifier(front=front)
    patches = random_patches(4, SHAPE) if front is None else -40 + 10 * random_patches(4, SHAPE)
    energy = nmf.magnitudes(patches, model.frontend).sum(axis=(1, 2))
    assert np.allclose(nmf.activations(model, patches).sum(axis=(1, 2)), energy, rtol=1e-4)
    assert np.allclose(model.activations(patches).sum(axis=1), 1, atol=1e-4)


@pytest.mark.slow
def test_own_energy_speaks_for_its_class_alone(clips):
    model = xa.models.train_design(
        "nmf", clips, tiny_backbone(), components=2, rounds=5, head="own", progress=False
    )
    factor = model.weights.max()
    assert np.array_equal(model.weights, factor * np.eye(3, dtype="f").repeat(2, axis=0))
    assert not model.bias.any() and factor > 0


@pytest.mark.slow
@pytest.mark.parametrize("exponent", [0.5, 1.0, 2.0])
def test_silence_leaves_the_bias(exponent):
    model = classifier(exponent=exponent)
    patches = np.full((1, *SHAPE), model.frontend.silence, np.float32)
    assert np.isfinite(model.logits(patches)).all()
    # What is left of it is shared out too, however little that is.
    assert np.allclose(model.activations(patches).sum(axis=1), 1, atol=1e-4)


@pytest.mark.slow
def test_masks_are_shares_of_cells():
    model, patches = classifier(), random_patches(2, SHAPE)
    found = nmf.masks(model, patches)
    assert found.shape == (2, 6, *SHAPE)
    assert np.allclose(found.sum(axis=1), 1, atol=1e-5)
    spectra = model.logits_network.get_layer("activations").spectra.numpy()
    heights = nmf.activations(model, patches)[1, 2]  # frames 6 to 8
    parts = (spectra * heights).reshape(3, 12, 6)
    wanted = parts / parts.sum(axis=2, keepdims=True)
    assert np.allclose(found[1, :, 6:9], wanted.transpose(2, 0, 1), atol=1e-5)


@pytest.mark.slow
def test_parts_of_a_sound_sum_to_it():
    model = classifier((20, 64), front=xa.LogMel(frames=20))
    wave = np.random.default_rng(5).normal(0, 0.1, 3_440 + 3_200).astype(np.float32)
    found = nmf.sounds(model, wave, [[0, 1, 2], [3], [4, 5], []])
    assert found.shape == (4, len(wave)) and not found[3].any()
    assert np.abs(found[:3].sum(axis=0) - wave).max() < 1e-5
    assert np.abs(found[0]).max() > 1e-3


@pytest.mark.slow
def test_it_learns_and_shuffled_labels_teach_nothing(trained, clips):
    assert xa.models.test(trained, clips).clip_accuracy > 0.9
    blank = xa.models.train_design(
        "nmf", clips, tiny_backbone(), components=2, rounds=30, shuffled=True, progress=False
    )
    assert xa.models.test(blank, clips).clip_accuracy < 0.8


@pytest.mark.parametrize(
    "wrong", [{"components": 0}, {"span": 1.5}, {"exponent": 0}, {"head": "both"}]
)
def test_options_that_make_no_sense(wrong):
    with pytest.raises(xa.XaiAudioError, match=next(iter(wrong))):
        nmf.Options(**wrong)


def test_a_class_of_silent_clips_is_told(clips):
    taught = lessons(clips, xa.LogMel.vggish())
    silence = taught.frontend.silence
    quiet = np.where((taught.targets == 1)[:, None, None], silence, taught.patches)
    taught = dataclasses.replace(taught, patches=quiet.astype(np.float32))
    with pytest.raises(XaiAudioError, match="'high' to learn from are silent"):
        nmf.learnt_spectra(taught, nmf.Options(rounds=2))


def test_no_file_asks_for_endless_updates():
    with pytest.raises(XaiAudioError, match="rounds is 1000000000"):
        nmf.EnergyShares(4, 3, 10**9)
    with pytest.raises(XaiAudioError, match="5000 are the most"):
        nmf.Options(rounds=5001)


@pytest.mark.slow
def test_spectra_that_are_drawn_are_stretches_of_patches():
    one, patches = classifier(), random_patches(9, SHAPE)
    drawn, again, other = (controls.drawn_spectra(one, patches, seed) for seed in (1, 1, 2))
    spectra = drawn.logits_network.get_layer("activations").spectra.numpy().astype(float)
    heights = np.maximum(np.exp(patches.astype(float)) - one.frontend.offset, 0) ** 0.5
    heights = np.concatenate([heights, np.zeros((9, 1, 12))], axis=1).reshape(63, 36)
    stretches = heights / heights.sum(axis=1, keepdims=True) + nmf.FLOOR / 36
    stretches /= stretches.sum(axis=1, keepdims=True)
    for column in spectra.T:
        assert np.abs(stretches - column).max(axis=1).min() < 1e-5
    assert np.allclose(spectra.sum(axis=0), 1, atol=1e-5)
    check_complete(drawn, patches)
    check_removal(drawn, patches)
    assert np.array_equal(drawn.activations(patches), again.activations(patches))
    assert not np.allclose(drawn.activations(patches), other.activations(patches), atol=1e-3)
    quiet = np.full((2, *SHAPE), one.frontend.silence, np.float32)
    check_complete(controls.drawn_spectra(one, quiet), patches)


@pytest.mark.slow
def test_drawn_spectra_learn_nothing_from_shuffled_labels(trained, clips):
    table = patch_table(clips, trained.frontend)
    drawn = controls.refitted(controls.drawn_spectra(trained, table.patches), table)
    assert [part.label for part in drawn.parts] == [part.label for part in trained.parts]
    blank = controls.refitted(drawn, table, shuffled=True)
    assert xa.models.test(blank, clips).clip_accuracy < 0.8
