"""Left against right: what the network must keep to whatever it has learnt."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from design_contract import check_contract
from small_networks import frontend, random_patches
from tones import tiny_backbone

from xaiaudio import models
from xaiaudio.datasets import pairs
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models import patch_table, train_design
from xaiaudio.models.designs import asymmetry
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.evidence import Evidence

ODD = frontend(37, 22)
SMALL = asymmetry.Options(channels=(3, 4, 5), window=2)
QUICK = {"channels": (6, 8, 8), "epochs": 12, "batch": 16, "rate": 5e-3}


def untrained(half=ODD, options=SMALL, seed=2):
    keras.utils.set_random_seed(seed)
    network = asymmetry.build(half, options, mean=-1, spread=1.5)
    if options.compare:
        count = int(np.prod(asymmetry.cells(half, options)))
        last = network.get_layer("logits")
        kernel = np.zeros(last.kernel.shape, np.float32)
        kernel[:, 1] = 2.0
        last.set_weights([kernel, np.array([0, -0.5], np.float32)])
    else:
        count = network.get_layer("parts").output.shape[1]
    return SelfExplaining.from_network(
        network,
        pairs.LABELS,
        pairs.paired(half),
        [Evidence(f"cell {number}") for number in range(count)],
        design="asymmetry",
        options={**dataclasses.asdict(options), "channels": list(options.channels)},
    )


def sides(left, right, half=ODD):
    """Put patches of two sides into one, with nonsense between."""
    shape = (len(left), pairs.gap(half), half.bands)
    between = np.random.default_rng(7).normal(size=shape)
    return np.concatenate([left, between, right], axis=1).astype(np.float32)


@pytest.fixture(scope="module")
def trained(clips):
    return train_design(
        "asymmetry", pairs.pairs(clips, 160, seed=1), tiny_backbone(), progress=False, **QUICK
    )


@pytest.mark.slow
@pytest.mark.parametrize("compare", [True, False])
def test_the_contract_on_an_odd_network(compare, tmp_path):
    model = untrained(options=dataclasses.replace(SMALL, compare=compare))
    check_contract(model, random_patches(4, model.frontend.patch_shape), tmp_path)


@pytest.mark.slow
def test_the_contract_on_a_trained_one(trained, clips, tmp_path):
    made = pairs.pairs(clips, 4, seed=5)
    patches = np.concatenate([trained.frontend(pair.load()).values for pair in made])
    check_contract(trained, patches, tmp_path)


@pytest.mark.slow
def test_what_is_learnt_from_is_the_heat_of_the_network():
    network = untrained().logits_network
    patches = random_patches(5, pairs.paired(ODD).patch_shape)[..., None]
    whole = keras.Model(network.inputs, network.get_layer("heat").output)
    learnt = asymmetry._heat_to_learn(network, ODD)
    found = []
    for heat in (whole, learnt):
        with tf.GradientTape() as tape:
            told = heat(patches, training=True)
            cost = tf.reduce_sum(tf.reduce_max(told, axis=1) ** 2)
        slopes = tape.gradient(cost, [weight.value for weight in whole.trainable_variables])
        found.append([told, *slopes])
    for one, other in zip(*found, strict=True):
        assert np.allclose(one, other, atol=1e-6 * max(1, np.abs(one).max()))


@pytest.mark.slow
def test_the_pair_can_be_turned_round():
    model = untrained()
    left, right = random_patches(6, ODD.patch_shape).reshape(2, 3, *ODD.patch_shape)
    one, two = (model.logits(sides(*both)) for both in ((left, right), (right, left)))
    assert np.allclose(one, two, atol=1e-4)
    assert np.abs(np.diff(one[:, 1])).max() > 1e-3  # other pairs have other answers


@pytest.mark.slow
def test_two_sides_that_are_the_same_have_no_heat_and_the_least_score():
    model = untrained()
    left, right = random_patches(6, ODD.patch_shape).reshape(2, 3, *ODD.patch_shape)
    same = sides(left, left)
    assert np.abs(asymmetry.heat(model, same)).max() < 1e-4
    assert np.allclose(model.logits(same)[:, 1], -0.5, atol=1e-3)
    assert (model.scores(same)[:, 1] < model.scores(sides(left, right))[:, 1]).all()


@pytest.mark.slow
def test_a_change_moves_only_cells_that_see_it():
    model = untrained()
    left, right = random_patches(2, ODD.patch_shape).reshape(2, 1, *ODD.patch_shape)
    fields = asymmetry.fields(ODD, SMALL)
    before = asymmetry.heat(model, sides(left, right)).ravel()
    moved = 0
    for frame, band in ((0, 0), (18, 11), (36, 21), (25, 3)):
        other = right.copy()
        other[0, frame, band] += 4
        changed = np.abs(asymmetry.heat(model, sides(left, other)).ravel() - before) > 1e-4
        sees = (
            (fields[:, 0] <= frame)
            & (frame < fields[:, 1])
            & (fields[:, 2] <= band)
            & (band < fields[:, 3])
        )
        assert not (changed & ~sees).any()
        moved += changed.sum()
    assert moved > 0


@pytest.mark.slow
def test_the_heat_is_what_its_definition_says():
    """Each side through the convolutions by itself, the rest in plain loops."""
    model = untrained()
    left, right = random_patches(2, ODD.patch_shape).reshape(2, 1, *ODD.patch_shape)
    network = model.logits_network
    alone = keras.Input((*ODD.patch_shape, 1))
    tensor = network.get_layer("standardised")(alone)
    for number in range(3):
        tensor = network.get_layer(f"border_{number}")(tensor)
        tensor = network.get_layer(f"conv_{number}")(tensor)
    shared = keras.Model(alone, network.get_layer("stretch")(tensor))
    first, second = (shared.predict(side[..., None], verbose=0)[0] for side in (left, right))
    height, width = asymmetry.cells(ODD, SMALL)
    wanted = np.zeros((height, width))
    for row in range(height):
        for column in range(width):
            squares = 0.0
            for channel in range(first.shape[-1]):
                largest = 0.0
                for down in range(2):
                    for across in range(2):
                        place = (row + down, column + across, channel)
                        largest = max(largest, abs(float(first[place]) - float(second[place])))
                squares += largest**2
            wanted[row, column] = squares**0.5
    found = asymmetry.heat(model, sides(left, right))[0]
    assert found.shape == wanted.shape
    assert np.allclose(found, wanted, atol=2e-3)


@pytest.mark.slow
def test_only_the_largest_cell_speaks_and_the_answer_grows_with_it():
    model = untrained()
    left, right = random_patches(2, ODD.patch_shape).reshape(2, 1, *ODD.patch_shape)
    shares = np.linspace(0, 1, 6)[:, None, None]
    mixed = sides(np.repeat(left, 6, axis=0), left + shares.astype("float32") * (right - left))
    heat = asymmetry.heat(model, mixed).reshape(6, -1)
    parts = model.contributions(mixed)
    assert ((parts != 0).any(axis=2).sum(axis=1) <= 1).all()
    assert np.allclose(parts[:, :, 1].sum(axis=1), 2 * heat.max(axis=1), atol=1e-5)
    order = np.argsort(heat.max(axis=1))
    assert (np.diff(model.logits(mixed)[order, 1]) >= 0).all()


def test_of_equal_cells_the_first_is_kept():
    values = np.array([[1, 3, 3, 0], [0, 0, 0, 0], [5, 1, 2, 4]], np.float32)
    kept = np.asarray(asymmetry.LargestCell()(values))
    assert kept.tolist() == [[0, 3, 0, 0], [0, 0, 0, 0], [5, 0, 0, 0]]


@pytest.mark.slow
def test_a_heat_map_is_spread_over_what_it_sees():
    model = untrained()
    cells = asymmetry.cells(ODD, SMALL)
    even = asymmetry.spread_out(model, np.ones((1, *cells)))
    assert set(np.unique(even.round(6))) <= {0.0, 1.0}
    one = np.zeros((1, *cells))
    one[0, 2, 1] = 1
    first, last, low, high = asymmetry.fields(ODD, SMALL)[2 * cells[1] + 1]
    spread = asymmetry.spread_out(model, one)[0]
    assert (spread[first:last, low:high] > 0).all()
    spread[first:last, low:high] = 0
    assert not spread.any()


@pytest.mark.slow
def test_it_finds_changes_and_where_they_are(trained, clips):
    made = pairs.pairs(clips, 60, seed=99)
    assert models.test(trained, made).clip_accuracy > 0.8
    changed = [pair for pair in made if pair.side]
    patches = np.concatenate([trained.frontend(pair.load()).values for pair in changed])
    largest = asymmetry.heat(trained, patches).reshape(len(patches), -1).argmax(axis=1)
    fields = asymmetry.fields(asymmetry.half_of(trained.frontend), asymmetry.Options(**QUICK))
    meets = np.array(
        [[pair.rectangle()[a:b, c:d].any() for a, b, c, d in fields] for pair in changed]
    )
    hits = meets[np.arange(len(changed)), largest]
    assert hits.mean() > meets.mean() + 0.2


@pytest.mark.slow
def test_shuffled_labels_teach_nothing(clips):
    made = pairs.pairs(clips, 80, seed=1)
    dealt = train_design(
        "asymmetry", made, tiny_backbone(), shuffled=True, progress=False, **{**QUICK, "epochs": 3}
    )
    assert models.test(dealt, pairs.pairs(clips, 60, seed=99)).clip_accuracy < 0.75


@pytest.mark.slow
def test_clips_become_pairs_by_themselves(clips, monkeypatch):
    monkeypatch.setattr(asymmetry, "COUNT", 40)
    few = {**QUICK, "epochs": 1}
    from_clips, from_table = (
        train_design("asymmetry", given, tiny_backbone(), progress=False, **few)
        for given in (clips, patch_table(clips, LogMel.vggish()))
    )
    assert from_clips.labels == pairs.LABELS
    patches = random_patches(2, from_clips.frontend.patch_shape)
    assert np.array_equal(from_clips.logits(patches), from_table.logits(patches))


@pytest.mark.slow
def test_what_does_not_fit_is_told(clips):
    changed = patch_table(clips, LogMel.vggish(), change=lambda number, wave: wave)
    with pytest.raises(XaiAudioError, match="give the clips, not a table"):
        train_design("asymmetry", changed, tiny_backbone())
    with pytest.raises(XaiAudioError, match="too small"):
        asymmetry.cells(frontend(12, 8))
    with pytest.raises(XaiAudioError, match="does not hold two sides"):
        asymmetry.half_of(LogMel(frames=95))
    with pytest.raises(XaiAudioError, match="no heat map"):
        twin = untrained(options=dataclasses.replace(SMALL, compare=False))
        asymmetry.heat(twin, random_patches(1, twin.frontend.patch_shape))
    for wrong in ({"channels": (1, 2)}, {"window": 0}, {"overlap": 1}):
        with pytest.raises(XaiAudioError, match=next(iter(wrong))):
            asymmetry.Options(**wrong)
