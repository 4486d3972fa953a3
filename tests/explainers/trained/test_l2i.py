"""Listen to Interpret against its definition, written a second time."""

import numpy as np
import pytest
from heard_tones import FRONTEND, QUICK, Tone, Tones, network
from small_interpreters import maps_of, small

import xaiaudio as xa
from xaiaudio.explainers.trained import l2i
from xaiaudio.explainers.trained import weights as w


@pytest.fixture(scope="module")
def patches(wave):
    return FRONTEND(wave)


@pytest.mark.slow
@pytest.mark.parametrize("exclusive", [True, False])
def test_losses_by_hand(exclusive):
    made, maps, rng = small(), maps_of(), np.random.default_rng(2)
    columns = rng.random((9, 6)).astype("float32")
    target = rng.random((2, 16, 9)).astype("float32")
    answers = np.array([[0.7, 0.2, 0.1], [0.1, 0.1, 0.8]], "float32")
    options = l2i.Options(reconstruction=3.0, fidelity=2.0, sparsity=0.5)
    found = l2i.losses_of(made, columns, options, exclusive)(*maps, target, answers, training=False)
    active, _, logits = (np.asarray(one, float) for one in made(maps))
    missed, entropy = [], []
    for n in range(2):
        for t in range(16):
            missed += list((columns @ active[n, t] - target[n, t]) ** 2)
        if exclusive:
            p = np.exp(logits[n]) / np.exp(logits[n]).sum()
            entropy.append(-(answers[n] * np.log(p)).sum())
        else:
            p = 1 / (1 + np.exp(-logits[n]))
            both = answers[n] * np.log(p) + (1 - answers[n]) * np.log(1 - p)
            entropy += list(-both)
    assert float(found["reconstruction"]) == pytest.approx(3 * np.mean(missed), rel=1e-4)
    assert float(found["fidelity"]) == pytest.approx(2 * np.mean(entropy), rel=1e-4)
    assert float(found["sparsity"]) == pytest.approx(0.5 * active.mean(), rel=1e-4)


def test_relevance_has_the_sign_of_what_it_adds():
    rng = np.random.default_rng(0)
    pooled, head = rng.random((5, 7)), rng.normal(size=(5, 7))
    found = l2i.relevance(pooled, head)
    for n in range(5):
        largest = max(abs(z * t) for z, t in zip(pooled[n], head[n], strict=True))
        for k in range(7):
            assert found[n, k] == pytest.approx(pooled[n, k] * head[n, k] / largest)
    np.testing.assert_allclose(np.abs(found).max(axis=1), 1)
    # Where nothing speaks for the class, nothing is kept.
    against = l2i.relevance(pooled, -np.abs(head))
    assert not l2i.chosen(against, l2i.Options()).any()
    assert l2i.relevance(np.zeros(3), np.ones(3)).tolist() == [0, 0, 0]


def test_the_most_relevant_are_kept():
    values = np.array([[0.1, 1.0, 0.3, 0.21, 0.2], [-1.0, -0.5, 0.0, 0.2, -0.3]])
    assert l2i.chosen(values, l2i.Options()).tolist() == [
        [False, True, True, True, False],
        [False] * 5,
    ]
    two = l2i.chosen(values, l2i.Options(top=2))
    assert np.flatnonzero(two[0]).tolist() == [1, 2] and not two[1].any()


def test_maps_by_hand(listener, interpreter, patches):
    result = interpreter(listener, patches, "low")
    weights = interpreter.weights
    active, pooled, _ = l2i.answers_of(listener, patches.values, interpreter.options, weights)
    mel, columns = FRONTEND.mel_matrix(), weights["dictionary"]
    head = weights["theta/classes/kernel"][:, listener.index("low")]
    for n in range(len(patches)):
        adds = pooled[n] * head
        kept = [k for k in range(8) if adds[k] / np.abs(adds).max() > 0.2]
        for t in (0, 7, 15):
            for band in (0, 5, 11):
                shares = [(mel[:, band] * columns[:, k]).sum() * active[n, t, k] for k in range(8)]
                share = sum(shares[k] for k in kept) / (sum(shares) + 1e-6)
                assert result.maps[n, t, band] == pytest.approx(share, rel=1e-3, abs=1e-4)
        assert result.report["components"][n] == len(kept)
    assert result.maps.min() >= 0 and result.maps.max() <= 1 + 1e-5


def test_all_classes_at_once(listener, interpreter, patches):
    together = interpreter.classes(listener, patches)
    for label, result in together.items():
        alone = interpreter(listener, patches, label)
        np.testing.assert_allclose(result.maps, alone.maps, atol=1e-6)


def test_it_answers_as_the_network_does_on_new_sounds(listener, interpreter):
    new = Tones.of(4, start=100)
    patches = np.concatenate([FRONTEND(clip.load()).values for clip in new])
    logits, scores = l2i.predict(interpreter, listener, patches), listener.scores(patches)
    agreed = [l2i.fidelity(logits, scores, top) for top in (1, 2, 3)]
    assert agreed[0] > 0.8  # chance is a third
    assert agreed == sorted(agreed) and agreed[2] == 1
    told = w.report(interpreter)
    assert told["fidelity"] > 0.8 and 0 < told["error"] < 1


@pytest.mark.slow
def test_training_leaves_the_network_alone_and_a_seed_decides(listener, tones, interpreter):
    before = w.fingerprint(listener)
    few = {**QUICK, "epochs": 1}
    one, two, other = (
        xa.Explainer.fit("l2i", listener, tones, **few, seed=seed) for seed in (0, 0, 1)
    )
    assert w.fingerprint(listener) == before
    for name, value in one.weights.items():
        if not name.startswith("history/seconds"):
            np.testing.assert_array_equal(value, two.weights[name])
    assert not np.array_equal(one.weights["dictionary"], other.weights["dictionary"])


def test_saved_and_loaded(listener, interpreter, patches, tmp_path):
    again = xa.Explainer.load(interpreter.save(tmp_path / "l2i.npz"))
    assert again == interpreter and w.report(again) == w.report(interpreter)
    np.testing.assert_array_equal(
        again(listener, patches).maps, interpreter(listener, patches).maps
    )


def test_another_network_is_refused(listener, interpreter, patches):
    other = xa.AudioClassifier.from_keras(network(5), listener.labels, FRONTEND)
    with pytest.raises(xa.XaiAudioError, match="This l2i was trained for another network"):
        interpreter(other, patches)
    with pytest.raises(xa.XaiAudioError, match="has to be trained first"):
        xa.Explainer("l2i")(listener, patches)
    with pytest.raises(xa.XaiAudioError, match="has not been trained"):
        w.report(xa.Explainer("l2i"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "other, message",
    [
        ({"components": 5}, "other options"),
        ({"pooling": "max"}, "of no layer here: they are of an interpreter with other options"),
        ({"layers": 1}, "trained on 2 hidden layers, and its option layers, 1, names 1"),
    ],
)
def test_weights_of_other_options_are_refused(listener, interpreter, patches, other, message):
    interpreter(listener, patches)  # what this keeps in memory is not the other's
    with pytest.raises(xa.XaiAudioError, match=message):
        interpreter.replace(**other)(listener, patches)


@pytest.mark.slow
def test_by_design_it_learns_the_labels(listener, tones):
    twin = xa.Explainer.fit("l2i", listener, tones, by_design=True, **QUICK)
    new = Tones.of(3, start=200)
    patches = np.concatenate([FRONTEND(clip.load()).values[:1] for clip in new])
    truth = np.eye(3)[[listener.index(clip.label) for clip in new]]
    assert l2i.fidelity(l2i.predict(twin, listener, patches), truth) > 0.7
    nameless = Tones(Tone(clip.name, None) for clip in tones)
    with pytest.raises(xa.XaiAudioError, match="learns the clips' labels"):
        xa.Explainer.fit("l2i", listener, _labelled_none(nameless), by_design=True, **QUICK)


def _labelled_none(clips):
    class Hiss(Tone):
        def load(self, sample_rate=8_000):
            return Tone(self.name, "hiss").load(sample_rate)

    return Tones(Hiss(clip.name, None) for clip in clips)


@pytest.mark.parametrize(
    "wrong",
    [
        {"components": 1},
        {"components": 2.5},
        {"pooling": "mean"},
        {"threshold": 1},
        {"top": 0},
        {"sparsity": -1},
        {"fidelity": None},
        {"threshold": "low"},
        {"layers": ()},
        {"layers": 1.5},
        {"layers": True},
        {"epochs": 0},
        {"seed": -1},
    ],
)
def test_options_that_make_no_sense(wrong):
    with pytest.raises(xa.XaiAudioError, match=next(iter(wrong))):
        xa.Explainer("l2i", **wrong)


def test_one_layer_or_a_list_of_them_is_a_plain_option():
    assert xa.Explainer("l2i", layers="relu").options.layers == ("relu",)
    assert xa.Explainer("l2i", layers=["first", "relu"]).options.layers == ("first", "relu")
    assert xa.Explainer("l2i", components=np.int64(7)).options.components == 7


def test_it_is_listed_among_what_is_trained_first():
    assert "l2i" in xa.methods(trained=True) and "l2i" not in xa.methods()
