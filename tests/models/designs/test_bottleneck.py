"""The concept bottleneck: qualities in the middle that can be read, corrected and counted."""

import dataclasses

import keras
import numpy as np
import pytest
from design_contract import check_complete, check_contract, check_places, check_removal
from sklearn.linear_model import LogisticRegression
from small_networks import LABELS, frontend, random_patches

from xaiaudio.datasets import events
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import patch_table, train_design
from xaiaudio.models.designs import bottleneck, controls, qualities
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.evidence import Evidence
from xaiaudio.models.designs.lessons import lessons

QUICK = {"hidden": 16, "epochs": 80, "batch": 8, "rate": 5e-3, "patience": 80}
COUNT = len(qualities.QUALITIES)


@pytest.fixture(scope="module")
def trained(clips):
    from tones import tiny_backbone

    return train_design("concepts", clips, tiny_backbone(), progress=False, **QUICK)


def untrained(shape=(21, 13)):
    keras.utils.set_random_seed(1)
    network = bottleneck.build(frontend(*shape), 5, 3)
    parts = [Evidence(f"quality {number}") for number in range(5)]
    return SelfExplaining.from_network(
        network, LABELS, frontend(*shape), parts, design="concepts", options={"named": False}
    )


def patches_of(model, clips):
    return np.concatenate([model.frontend(clip.load()).values for clip in clips])


@pytest.mark.slow
def test_the_contract_on_an_odd_network(tmp_path):
    check_contract(untrained(), random_patches(4, (21, 13)), tmp_path)


@pytest.mark.slow
def test_the_contract_on_a_trained_one(trained, clips, tmp_path):
    check_contract(trained, patches_of(trained, clips)[:6], tmp_path)
    check_places(trained, clips)
    check_removal(trained, patches_of(trained, clips)[:6])


@pytest.mark.slow
def test_what_the_network_reads_of_a_patch(trained):
    patches = random_patches(3, (96, 64))
    inner = keras.Model(
        trained.logits_network.inputs, trained.logits_network.get_layer("statistics").output
    )
    found = inner.predict(patches[..., None], verbose=0).reshape(3, 5, 64)
    for patch, (mean, spread, most, moving, rise) in zip(patches, found, strict=True):
        for band in range(0, 64, 9):
            row = [float(value) for value in patch[:, band]]
            change = [b - a for a, b in zip(row, row[1:], strict=False)]
            assert mean[band] == pytest.approx(sum(row) / 96, abs=1e-4)
            assert spread[band] == pytest.approx(np.std(row), abs=1e-3)
            assert most[band] == pytest.approx(max(row), abs=1e-5)
            assert moving[band] == pytest.approx(np.std(change), abs=1e-3)
            assert rise[band] == pytest.approx(max(change), abs=1e-5)


@pytest.mark.slow
def test_each_patch_is_measured_once(clips, monkeypatch):
    taught = [lessons(clips, frontend(96, 64), seed=seed) for seed in (0, 1)]
    bottleneck._measured.cache_clear()
    asked, real = [], qualities.measure_patches
    monkeypatch.setattr(
        qualities, "measure_patches", lambda *given: (asked.append(1), real(*given))[1]
    )
    first, second = (bottleneck.measure(one) for one in taught)
    np.testing.assert_array_equal(first, second)
    assert len(asked) == len(clips)
    number = 7
    wave = taught[0].clips[number].load(taught[0].frontend.sample_rate)
    chosen = taught[0].clip == number
    plain = real(wave, taught[0].first[chosen], taught[0].frontend)
    np.testing.assert_array_equal(first[chosen], plain)


@pytest.mark.slow
def test_a_first_stage_of_shuffled_weights_reads_no_quality(trained, clips):
    table = patch_table(clips, trained.frontend)
    random = controls.refitted(controls.random_weights(trained), table)
    check_complete(random, table.patches[:6])
    check_removal(random, table.patches[:6])
    taught = lessons(clips, trained.frontend)
    true = qualities.to_scale(bottleneck.measure(taught))
    r2 = [
        bottleneck.explained(qualities.to_scale(bottleneck.read(one, taught.patches)), true)
        for one in (trained, random)
    ]
    assert np.median(r2[1]) < 0 < np.median(r2[0])


@pytest.mark.slow
def test_it_learns_the_qualities_and_the_classes(trained, clips):
    taught = lessons(clips, trained.frontend)
    true = qualities.to_scale(bottleneck.measure(taught))
    told = qualities.to_scale(bottleneck.read(trained, taught.patches))
    r2 = bottleneck.explained(told, true)
    for name in ("brightness", "tonality", "pitch salience"):
        assert r2[qualities.find(name)] > 0.8
    right = trained.logits(taught.patches).argmax(axis=1) == taught.targets
    assert right.mean() > 0.9


@pytest.mark.slow
def test_shuffled_labels_leave_the_qualities_as_they_were(trained, clips, backbone):
    dealt = train_design("concepts", clips, backbone, shuffled=True, progress=False, **QUICK)
    taught = lessons(clips, trained.frontend)
    right = dealt.logits(taught.patches).argmax(axis=1) == taught.targets
    assert right.mean() < 0.7
    # Labels are not learnt from on the way to the qualities: only validation clips differ.
    r2 = bottleneck.explained(
        qualities.to_scale(bottleneck.read(dealt, taught.patches)),
        qualities.to_scale(bottleneck.measure(taught)),
    )
    assert r2[qualities.find("tonality")] > 0.8


@pytest.mark.slow
def test_labels_reach_the_middle_only_where_asked(clips, backbone):
    few = {**QUICK, "epochs": 2}
    taught = lessons(clips, backbone.frontend.with_overlap(0.5))
    swapped = dataclasses.replace(taught, targets=2 - taught.targets)
    for joint, alike in ((0.0, True), (1.0, False)):
        options = bottleneck.Options(**few, joint=joint)
        one, two = (bottleneck.train(of, backbone, options, False) for of in (taught, swapped))
        same = np.allclose(one.activations(taught.patches), two.activations(taught.patches))
        assert same == alike


@pytest.mark.slow
def test_random_sums_have_no_names(clips, backbone):
    model = train_design("concepts", clips, backbone, named=False, progress=False, **QUICK)
    assert len(model.parts) == COUNT
    assert {part.name for part in model.parts}.isdisjoint(qualities.names())
    with pytest.raises(XaiAudioError, match="no named qualities"):
        bottleneck.read(model, np.zeros((1, 96, 64)))


def test_the_last_layer_is_the_regression():
    rng = np.random.default_rng(0)
    told = rng.normal(size=(60, 4))
    for classes in (2, 3):
        targets = (told[:, 0] > 0).astype(int) + (told[:, 1] > 1) * (classes == 3)
        kernel, bias = bottleneck._linear(told, targets)
        logits = told @ kernel + bias
        powers = np.exp(logits)
        wanted = LogisticRegression(max_iter=2000).fit(told, targets).predict_proba(told)
        assert np.allclose(powers / powers.sum(axis=1, keepdims=True), wanted, atol=1e-3)


@pytest.mark.slow
def test_a_correction_moves_what_it_must(trained, clips):
    patches = patches_of(trained, clips)[:4]
    assert np.allclose(bottleneck.corrected(trained, patches, {}), trained.scores(patches))
    told = bottleneck.read(trained, patches)
    number = qualities.find("hiss")
    same = bottleneck.corrected(trained, patches, {"hiss": told[:, number]})
    assert np.allclose(same, trained.scores(patches), atol=1e-4)
    moved = np.log(bottleneck.corrected(trained, patches, {"hiss": told[:, number] + 5}))
    before = np.log(trained.scores(patches))
    step = 5 / trained.options["widths"][number] * trained.weights[number]
    change = moved - before
    assert np.allclose(change - change[:, :1], step - step[0], atol=1e-2)


@pytest.mark.slow
def test_wrong_corrections_and_tables_are_told(trained, clips, backbone):
    patches = patches_of(trained, clips)[:4]
    with pytest.raises(XaiAudioError, match="No quality is called"):
        bottleneck.corrected(trained, patches, {"warmth": 1})
    with pytest.raises(XaiAudioError, match="each of the 4 patches"):
        bottleneck.corrected(trained, patches, {"hiss": [1, 2]})
    with pytest.raises(XaiAudioError, match="give the clips"):
        table = patch_table(clips, backbone.frontend, change=lambda number, wave: wave)
        train_design("concepts", table, backbone)
    for wrong in ({"hidden": 0}, {"dropout": 1.0}, {"joint": -1}, {"overlap": "half"}):
        with pytest.raises(XaiAudioError, match=next(iter(wrong))):
            bottleneck.Options(**wrong)


@pytest.mark.slow
def test_made_sounds_have_the_qualities_of_their_kind():
    rate = 16_000

    def of(label, name):
        waves = [events.generate(label, index)[0][:rate] / 32_768 for index in range(4)]
        loudest = [wave for wave in waves if np.abs(wave).max() > 0.01]
        found = qualities.measure(np.stack(loudest), rate)
        return float(np.median(found[:, qualities.find(name)]))

    assert of("Rooster", "pitch salience") > of("Rain", "pitch salience") + 20
    assert of("Rooster", "tonality") > of("Rain", "tonality") + 5
    assert of("Helicopter", "bass") > of("Rain", "bass")
    assert of("Clock tick", "attack") > 1.5 * of("Sea waves", "attack")
