"""Attention whose answer is a sum over moments, and forced attention."""

import numpy as np
import pytest
import tensorflow as tf
from design_contract import check_contract
from small_networks import LABELS, frontend, random_patches
from tones import tiny_backbone

import xaiaudio as xa
from xaiaudio.models.designs import attention
from xaiaudio.models.designs.base import SelfExplaining

SHAPE = (20, 12)


def classifier(shape=SHAPE, **options):
    front = frontend(*shape)
    chosen = attention.Options(**{"size": 8, "heads": 2, **options})
    network = attention.build(front, 3, chosen, 0.5, 2.0)
    rng = np.random.default_rng(2)
    network.get_layer("logits").set_weights([rng.normal(size=(chosen.size, 3)), rng.normal(size=3)])
    layer = network.get_layer("parts")
    layer.questions.assign(rng.normal(0, 3, layer.questions.shape))  # attention that is not even
    return SelfExplaining.from_network(
        network, LABELS, front, attention.evidence(front), design="attention", options=vars(chosen)
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    "options", [{}, {"shape": (19, 13), "layers": 2}, {"heads": 1, "layers": 0}]
)
def test_the_contract(options, tmp_path):
    model = classifier(**options)
    check_contract(model, random_patches(3, options.get("shape", SHAPE)), tmp_path)


@pytest.mark.slow
def test_it_learns_and_shuffled_labels_teach_nothing(clips, tmp_path):
    train, test = clips.split(5)
    options = {"epochs": 20, "batch": 4, "size": 16, "augment": False, "progress": False}
    model = xa.models.train_design("attention", train, tiny_backbone(), **options)
    assert xa.models.test(model, test).clip_accuracy == 1
    patches = np.concatenate([model.frontend(clip.load()).values[:1] for clip in test])
    check_contract(model, patches, tmp_path, methods=("saliency",))
    blank = xa.models.train_design("attention", train, tiny_backbone(), shuffled=True, **options)
    assert xa.models.test(blank, test).clip_accuracy < 0.7


@pytest.mark.slow
def test_the_seed_decides_all_first_weights():
    def first(seed):
        options = attention.Options(size=8, heads=2, layers=1, seed=seed)
        network = attention.build(frontend(12, 8), 3, options)
        return {weight.path: weight.numpy() for weight in network.weights}

    other, again = first(5), first(4)
    for name, value in first(4).items():
        np.testing.assert_array_equal(value, again[name])
        drawn = np.ptp(value) > 0 and "places" not in name  # those are sines
        assert np.array_equal(value, other[name]) != drawn


@pytest.mark.slow
def test_each_head_pays_one_in_all():
    model, patches = classifier(), random_patches(3, SHAPE)
    paid = attention.attention(model, patches)
    assert paid.shape == (3, 2, 5) and paid.min() >= 0
    assert np.allclose(paid.sum(axis=2), 1, atol=1e-6) and paid.max() > 0.4
    heard = attention.self_attention(model, patches)
    assert heard.shape == (3, 2, 5, 5) and np.allclose(heard.sum(axis=3), 1, atol=1e-6)
    with pytest.raises(xa.XaiAudioError, match="no layer 2"):
        attention.self_attention(model, patches, 2)


@pytest.mark.slow
def test_one_head_attention_times_the_forced_answer_is_the_contribution():
    model, patches = classifier(heads=1), random_patches(3, SHAPE)
    paid = attention.attention(model, patches)[:, 0, :, None]
    above = attention.forced(model, patches) - model.bias
    assert np.allclose(model.contributions(patches), paid * above, atol=1e-5)


@pytest.mark.slow
def test_more_heads_it_is_so_head_by_head():
    model, patches = classifier(heads=4), random_patches(3, SHAPE)
    added, answers = attention.by_heads(model, patches)
    paid = attention.attention(model, patches)
    assert np.allclose(added, paid[..., None] * answers, atol=1e-6)
    assert np.allclose(added.sum(axis=1), model.contributions(patches), atol=1e-5)
    above = attention.forced(model, patches) - model.bias
    assert np.allclose(answers.sum(axis=1), above, atol=1e-5)
    mean = paid.mean(axis=1)[..., None] * above  # the mean over heads is not enough
    assert not np.allclose(mean, model.contributions(patches), atol=1e-3)


@pytest.mark.slow
def test_forced_attention_is_the_network_with_its_attention_replaced():
    model, patches = classifier(), random_patches(2, SHAPE)
    layer = model.logits_network.get_layer("parts")
    found, plain = attention.forced(model, patches), layer.attention
    for moment in range(5):
        one_hot = np.eye(5, dtype=np.float32)[moment][None, :, None]
        layer.attention = lambda inputs, one_hot=one_hot: tf.tile(
            one_hot, (tf.shape(inputs)[0], 1, 2)
        )
        # Run layer by layer: what was traced before knows the old attention.
        forced = model.logits_network(patches[..., None]).numpy()
        assert np.allclose(found[:, moment], forced, atol=1e-5)
    layer.attention = plain


@pytest.mark.slow
def test_equal_values_make_a_flat_curve():
    model, patches = classifier(), random_patches(2, SHAPE)
    model.logits_network.get_layer("parts").answers.assign(np.zeros((8, 8)))
    found = attention.forced(model, patches)
    assert np.allclose(found, model.bias)


@pytest.mark.slow
def test_without_places_the_order_of_moments_does_not_matter():
    model, patches = classifier(), random_patches(1, SHAPE)
    network = model.logits_network
    inner = {}
    for scale in (0.0, 1.0):
        positions = network.get_layer("positions")
        positions.places.assign(scale * np.random.default_rng(1).normal(size=(5, 8)))
        moments = np.random.default_rng(4).normal(size=(1, 5, 8)).astype(np.float32)
        order = np.array([3, 0, 4, 1, 2])
        outs = []
        for some in (moments, moments[:, order]):
            tensor = positions(some)
            normal = network.get_layer("layer1_before")(tensor)
            tensor = tensor + network.get_layer("layer1_attention")(normal, normal)
            outs.append(network.get_layer("parts")(tensor).numpy())
        inner[scale] = np.abs(outs[0][:, order] - outs[1]).max()
    assert inner[0.0] < 1e-5 < 1e-2 < inner[1.0]
    assert np.isfinite(model.logits(patches)).all()


@pytest.mark.parametrize(
    "wrong", [{"heads": 3}, {"size": 0}, {"layers": -1}, {"overlap": 1.0}, {"epochs": 0}]
)
def test_options_that_make_no_sense(wrong):
    with pytest.raises(xa.XaiAudioError):
        attention.Options(**wrong)
