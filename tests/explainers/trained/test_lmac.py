"""L-MAC's losses against their definitions, their limits, and its whole way."""

import heard_tones
import numpy as np
import pytest
import tensorflow as tf
from heard_tones import FRONTEND, LABELS

import xaiaudio as xa
from xaiaudio.explainers.trained import lmac
from xaiaudio.explainers.trained.decoding import energy_mask, patches_of
from xaiaudio.explainers.trained.features import features
from xaiaudio.explainers.trained.weights import history, report

RANDOM = np.random.default_rng(0)
SHAPE = (4, 16, 129)
SMALL = {"epochs": 2, "tuning": 1, "width": 2, "batch": 8}


SLOW_FIXTURES = ("trained",)


@pytest.fixture(scope="module")
def model():
    return xa.AudioClassifier.from_keras(heard_tones.network(5), LABELS, FRONTEND)


@pytest.fixture(scope="module")
def batch(model):
    """Logits of masks, magnitudes, and the network's answers to the whole."""
    heights = RANDOM.exponential(2.0, SHAPE).astype("float32")
    own = model.scores(patches_of(heights, FRONTEND).numpy()).argmax(axis=1)
    return RANDOM.normal(size=SHAPE).astype("float32"), heights, own


def found(model, batch, tuning=False, **options):
    ask = lmac.log_probabilities(model)
    values = lmac.losses(*map(tf.constant, batch), ask, FRONTEND, lmac.Options(**options), tuning)
    return {name: float(value) for name, value in values.items()}


@pytest.mark.slow
def test_the_losses_are_their_definitions(model, batch):
    logits, heights, own = batch
    options = {"kept": 3.0, "removed": 0.5, "sparsity": 0.7, "variation": 0.9}
    expected = dict.fromkeys(("kept", "removed", "sparsity", "variation"), 0.0)
    for row, one, c in zip(logits.astype(float), heights, own, strict=True):
        mask = 1 / (1 + np.exp(-row))
        frames, bins = mask.shape
        q, u = (
            model.scores(patches_of((part * one)[None].astype("float32"), FRONTEND).numpy())[0, c]
            for part in (mask, 1 - mask)
        )
        expected["kept"] += 3.0 * -np.log(q) / 4
        expected["removed"] += 0.5 * -min(-np.log(u), np.log(3)) / 4
        expected["sparsity"] += 0.7 * mask.sum() / (frames * bins) / 4
        steps = [abs(mask[t + 1, k] - mask[t, k]) for t in range(frames - 1) for k in range(bins)]
        jumps = [abs(mask[t, k + 1] - mask[t, k]) for t in range(frames) for k in range(bins - 1)]
        expected["variation"] += 0.9 * (np.mean(steps) + np.mean(jumps)) / 4
    values = found(model, batch, **options)
    assert values == pytest.approx(expected, rel=1e-3)


@pytest.mark.slow
def test_tuning_guides_the_similar_and_leaves_the_others_sparse(model, batch):
    logits, heights, own = batch
    logits = logits + np.array([9.0, -9.0, 9.0, 0.0], "float32")[:, None, None]
    logits[1] = np.where(heights[1] < 1, 5, -5)  # keeps what is faint, and so is unlike the whole
    masks = 1 / (1 + np.exp(-logits.astype(float)))
    guide, sparse, guided = 0.0, 0.0, []
    for mask, one in zip(masks, heights, strict=True):
        kept, whole = np.log1p(mask * one), np.log1p(one)
        alike = np.corrcoef(kept.ravel(), whole.ravel())[0, 1]
        guided.append(alike >= 0.6)
        loud = energy_mask(one[None]).numpy()[0]
        if guided[-1]:
            guide += 4 * -np.mean(loud * np.log(mask) + (1 - loud) * np.log1p(-mask)) / 4
        else:
            sparse += 0.4 * mask.mean() / 4
    assert True in guided
    assert False in guided
    values = found(model, (logits, heights, own), tuning=True, sparsity=0.4)
    assert values["guide"] == pytest.approx(guide, rel=1e-3)
    assert values["sparsity"] == pytest.approx(sparse, rel=1e-3)


@pytest.mark.slow
def test_a_mask_of_ones_keeps_everything_and_removes_everything(model, batch):
    _, heights, own = batch
    silence = model.scores(np.full((1, *FRONTEND.patch_shape), FRONTEND.silence))[0]
    whole = model.scores(patches_of(heights, FRONTEND).numpy())[np.arange(4), own]
    full = found(model, (np.full(SHAPE, 40.0, "float32"), heights, own), kept=1.0, removed=1.0)
    assert full["kept"] == pytest.approx(-np.log(whole).mean(), abs=1e-4)
    assert full["removed"] == pytest.approx(
        -np.minimum(-np.log(silence[own]), np.log(3)).mean(), abs=1e-4
    )
    none = found(model, (np.full(SHAPE, -40.0, "float32"), heights, own), kept=1.0, sparsity=1.0)
    assert none["kept"] == pytest.approx(-np.log(silence[own]).mean(), abs=1e-4)
    assert none["sparsity"] == pytest.approx(0, abs=1e-6)


def test_the_loss_of_what_is_removed_is_bounded():
    answers = tf.math.log([[1e-30, 1.0 - 1e-7], [0.5, 0.5], [0.9, 0.1]])
    values = lmac.removed_loss(answers, np.zeros(3, int)).numpy()
    np.testing.assert_allclose(values, [-np.log(2), -np.log(2), np.log(0.9)], rtol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("tuning", [False, True])
def test_the_losses_do_not_depend_on_the_size_of_the_batch(model, batch, tuning):
    whole = found(model, batch, tuning, variation=1.0)
    parts = [
        found(model, [one[number : number + 1] for one in batch], tuning, variation=1.0)
        for number in range(4)
    ]
    for name, value in whole.items():
        assert value == pytest.approx(np.mean([part[name] for part in parts]), rel=1e-4)
    twice = found(model, [np.concatenate([one, one]) for one in batch], tuning, variation=1.0)
    assert twice == pytest.approx(whole, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("tuning", [False, True])
def test_silence_gives_numbers_and_slopes(model, batch, tuning):
    logits, ask = tf.constant(batch[0]), lmac.log_probabilities(model)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        values = lmac.losses(
            logits, tf.zeros(SHAPE), batch[2], ask, FRONTEND, lmac.Options(variation=1.0), tuning
        )
        total = tf.add_n(list(values.values()))
    assert np.isfinite(total)
    assert np.isfinite(tape.gradient(total, logits)).all()
    assert lmac.likeness(tf.sigmoid(logits), tf.zeros(SHAPE)).numpy().max() == 0


@pytest.mark.slow
def test_logarithms_of_sigmoids():
    sigmoids = heard_tones.network(1)
    sigmoids.layers[-1].activation = tf.keras.activations.sigmoid
    model = xa.AudioClassifier.from_keras(sigmoids, LABELS, FRONTEND)
    patches = RANDOM.normal(size=(3, *FRONTEND.patch_shape)).astype("float32")
    found = np.exp(lmac.log_probabilities(model)(tf.constant(patches)))
    np.testing.assert_allclose(found, model.scores(patches), atol=1e-5)


@pytest.fixture(scope="module")
def trained(listener, tones):
    return xa.Explainer.fit("lmac", listener, tones, **SMALL)


@pytest.mark.slow
def test_what_is_kept_and_what_is_removed_are_the_whole(listener, tones, trained):
    data = features(listener, tones)
    masks = lmac.masked(listener, data.patches[:5], trained.options, trained.weights)
    assert masks.shape == data.magnitudes[:5].shape
    assert 0 <= masks.min() < masks.max() <= 1
    np.testing.assert_allclose(
        masks * data.magnitudes[:5] + (1 - masks) * data.magnitudes[:5],
        data.magnitudes[:5],
        rtol=1e-6,
    )


@pytest.mark.slow
def test_training_is_seeded_and_leaves_the_network_as_it_is(listener, tones, trained):
    before = [one.copy() for one in listener.network.get_weights()]
    again = xa.Explainer.fit("lmac", listener, tones, **SMALL)
    for one, other in zip(before, listener.network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    decoders = [name for name in trained.weights if name.startswith(("decoder/", "tuned/"))]
    assert decoders
    for name in decoders:
        np.testing.assert_allclose(again.weights[name], trained.weights[name], atol=1e-5)
    other = xa.Explainer.fit("lmac", listener, tones, **SMALL, seed=1)
    assert not np.allclose(
        other.weights["decoder/cells/kernel"], trained.weights["decoder/cells/kernel"]
    )


@pytest.mark.slow
def test_it_learns_and_says_how_far(listener, tones):
    longer = xa.Explainer.fit("lmac", listener, tones, **{**SMALL, "epochs": 6, "rate": 0.005})
    total = history(longer)["decoder/validation/total"]
    assert total.min() < total[0]
    told = report(longer)
    assert 0 <= told["decoder fidelity"] <= 1
    assert 0 < told["decoder mask-mean"] < 1


@pytest.mark.slow
def test_saved_and_loaded_it_explains_the_same(listener, tones, trained, tmp_path):
    patches = FRONTEND(tones[0].load())
    first = trained(listener, patches)
    again = xa.Explainer.load(trained.save(tmp_path / "lmac.npz"))(listener, patches)
    np.testing.assert_allclose(first.maps, again.maps, atol=1e-6)
    tuned = trained.replace(tuned=True)(listener, patches)
    assert not np.allclose(first.maps, tuned.maps)
    assert set(first.report) == {"mask-mean"}


@pytest.mark.slow
def test_another_class_than_the_networks_answer_is_refused(listener, tones, trained):
    patches = FRONTEND(tones[0].load())[:1]
    own = int(listener.scores(patches).argmax())
    trained(listener, patches, own)
    with pytest.raises(xa.XaiAudioError, match="own answer"):
        trained(listener, patches, (own + 1) % 3)


@pytest.mark.slow
def test_another_network_is_refused_unless_it_is_strange_on_purpose(model, tones, trained):
    patches = FRONTEND(tones[0].load())[:2]
    with pytest.raises(xa.XaiAudioError, match="another network"):
        trained(model, patches)
    masks = lmac.masked(model, patches, trained.options, trained.weights, strange=True)
    assert masks.shape == (2, 16, 129)


@pytest.mark.parametrize(
    "wrong",
    [{"sparsity": -1}, {"blocks": 0}, {"kept": "much"}, {"similar": np.nan}, {"tuning": 0.5}]
    + [{"seed": -1}, {"seed": 2**32}, {"rate": 0}],
)
def test_wrong_options(wrong):
    (name, value), *_ = wrong.items()
    with pytest.raises(xa.XaiAudioError, match=f"{name} is {value!r}"):
        xa.Explainer("lmac", **wrong)
