"""Listen to Interpret against its definition, written a second time."""

import numpy as np
import pytest
from heard_tones import FRONTEND, Tone, Tones, network

import xaiaudio as xa
from xaiaudio.explainers.trained import l2i, networks
from xaiaudio.explainers.trained import weights as w
from xaiaudio.explainers.trained.concepts import atom, interpret, removal

QUICK = {"components": 8, "epochs": 10, "batch": 16, "rate": 5e-3}


@pytest.fixture(scope="module")
def interpreter(listener, tones):
    return xa.Explainer.fit("l2i", listener, tones, **QUICK)


@pytest.fixture(scope="module")
def wave():
    return Tone("low-90", "low").load()


@pytest.fixture(scope="module")
def patches(wave):
    return FRONTEND(wave)


def small(pooling="attention"):
    return networks.build([(8, 3, 2), (5, 2, 4)], [2.0, 1.0], 16, 6, 3, pooling=pooling, seed=3)


def maps_of(n=2):
    rng = np.random.default_rng(1)
    return [rng.random((n, 8, 3, 2)).astype("float32"), rng.random((n, 5, 2, 4)).astype("float32")]


def test_activations_by_hand():
    made, maps = small(), maps_of()
    layer = {one.name: one.get_weights() for one in made.psi.layers}
    columns = []
    for number, (one, scale, times) in enumerate(zip(maps, (2.0, 1.0), (2, 4), strict=True)):
        kernel, bias = layer[f"read{number}"]
        rows = [[] for _ in range(2)]
        for n in range(2):
            for step in one[n]:
                read = np.maximum((step / scale).reshape(-1) @ kernel + bias, 0)
                rows[n] += list(read.reshape(times, networks.WIDTH))
        rows = np.array(rows)
        places = [round(t * (rows.shape[1] - 1) / 15) for t in range(16)]
        columns.append(rows[:, places])
    joined = np.concatenate(columns, axis=2)
    kernel, bias = layer["joint"]
    padded = np.pad(joined, ((0, 0), (1, 1), (0, 0)))
    joint = np.stack(
        [
            np.maximum(sum(padded[:, t + k] @ kernel[k] for k in range(3)) + bias, 0)
            for t in range(16)
        ],
        axis=1,
    )
    kernel, bias = layer["activations"]
    expected = np.maximum(joint @ kernel + bias, 0)
    np.testing.assert_allclose(made(maps)[0], expected, rtol=1e-4, atol=1e-5)


def test_attention_and_the_answer_by_hand():
    made = small()
    active, pooled, logits = (np.asarray(one) for one in made(maps_of()))
    (v,), (u,), (s,), (head,) = (
        made.theta.get_layer(name).get_weights() for name in ("tanh", "relu", "score", "classes")
    )
    for n in range(2):
        scores = [(s[:, 0] * np.tanh(h @ v) * np.maximum(h @ u, 0)).sum() for h in active[n]]
        shares = np.exp(scores) / np.exp(scores).sum()
        z = sum(share * h for share, h in zip(shares, active[n], strict=True))
        np.testing.assert_allclose(pooled[n], z, rtol=1e-4)
        np.testing.assert_allclose(logits[n], z @ head, rtol=1e-4, atol=1e-5)


def test_pooling_by_the_maximum():
    active, pooled, _ = (np.asarray(one) for one in small("max")(maps_of()))
    np.testing.assert_allclose(pooled, active.max(axis=1), rtol=1e-5)


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


def test_a_whole_sound_by_its_components(listener, interpreter, wave):
    heard = interpret(interpreter, listener, wave)
    assert heard.target_label == "low" and heard.activations.shape == (61, 8)
    patches = FRONTEND(wave, overlap=0.5)
    active = l2i.answers_of(listener, patches.values, interpreter.options, interpreter.weights)[0]
    for frame in (0, 20, 60):
        places = [
            (n, frame - start)
            for n, start in enumerate(patches.starts)
            if start <= frame < start + 16
        ]
        places = places or [(len(patches) - 1, 15)]
        mean = np.mean([active[place] for place in places], axis=0)
        np.testing.assert_allclose(heard.activations[frame], mean, rtol=1e-4, atol=1e-5)


def test_masks_sum_to_1_whatever_the_columns_lengths(listener, interpreter, wave):
    import dataclasses

    heard = interpret(interpreter, listener, wave)
    masks = np.stack([heard.mask([number]) for number in range(8)])
    whole = heard.activations @ heard.dictionary.T
    np.testing.assert_allclose(masks.sum(axis=0)[whole > 0.1], 1, atol=1e-4)
    lengths = np.linspace(0.5, 2, 8).astype("float32")
    scaled = dataclasses.replace(
        heard, dictionary=heard.dictionary * lengths, activations=heard.activations / lengths
    )
    np.testing.assert_allclose(scaled.mask([2, 3]), heard.mask([2, 3]), atol=1e-4)


def test_sounds_of_components_sum_to_the_sound(listener, interpreter, wave):
    heard = interpret(interpreter, listener, wave)
    kept, rest = [1, 4], [0, 2, 3, 5, 6, 7]
    both = heard.sound(kept) + heard.sound(rest)
    loud = np.abs(wave) > 0.05
    assert np.abs(both - wave)[loud].max() < 0.05
    assert not heard.sound([]).any()
    parts = heard.parts([1, 4])
    assert parts.names == ("component 1", "component 4")
    np.testing.assert_array_equal(parts.mix([1, 1]), wave)  # with all on, bit for bit
    np.testing.assert_allclose(wave - parts.mix([0, 0]), heard.sound(kept), atol=1e-5)


def test_the_authors_mask_works_on_the_logarithm(listener, interpreter, wave):
    from xaiaudio.stft import analyse, rows_of, synthesise

    heard = interpret(interpreter, listener, wave)
    spectrum = analyse(wave, FRONTEND)
    mask = heard.mask([1, 4])[rows_of(len(wave), 61, FRONTEND)]
    heights = (1 + np.abs(spectrum)) ** mask - 1
    expected = synthesise(heights * np.exp(1j * np.angle(spectrum)), len(wave), FRONTEND)
    np.testing.assert_allclose(heard.sound([1, 4], logarithmic=True), expected, atol=1e-5)


def test_an_interpretation_without_components(listener, interpreter, wave):
    import dataclasses

    heard = interpret(interpreter, listener, wave)
    logit = heard.contributions.sum()
    voted = l2i.predict(interpreter, listener, FRONTEND(wave, overlap=0.5).values)
    assert logit == pytest.approx(voted[:, heard.target].mean(), abs=1e-3)
    nothing = dataclasses.replace(heard, relevant=np.array([], int))
    assert not nothing.sound(nothing.relevant).any()
    with pytest.raises(xa.XaiAudioError, match="No component speaks for low"):
        nothing.parts()
    with pytest.raises(xa.XaiAudioError, match="occlusion has no dictionary"):
        interpret(xa.Explainer("occlusion"), listener, wave)


@pytest.mark.parametrize(
    "numbers, message",
    [
        ([1, 8], "no component 8: their numbers are 0 to 7"),
        ([-1], "no component -1"),
        ([1.7], "no numbers of components"),
        ([[1, 2]], "no numbers of components"),
    ],
)
def test_components_that_there_are_not(listener, interpreter, wave, numbers, message):
    with pytest.raises(xa.XaiAudioError, match=message):
        interpret(interpreter, listener, wave).parts(numbers)


def test_components_can_be_checked_as_parts(listener, interpreter, wave):
    heard = interpret(interpreter, listener, wave)
    result = heard.explanation(listener, [1, 4], overlap=0.5)
    np.testing.assert_allclose(result.weights, heard.contributions[[1, 4]])
    assert result.target_label == "low" and list(result.check())[:2] == ["original", "kept"]
    assert result.check()["original"].label == "low"
    assert [row["part"] for row in result.table()] == ["component 1", "component 4"]


def test_removal_is_what_the_network_loses(listener, interpreter, wave):
    heard = interpret(interpreter, listener, wave)
    assert removal(listener, heard, []) == (0, 0)
    logit, chance = removal(listener, heard, range(8))  # nothing but rounding is left
    patches = FRONTEND(wave, overlap=0.5)
    rest = FRONTEND(wave - heard.sound(range(8)), overlap=0.5)
    for found, ask in ((logit, listener.logits), (chance, listener.scores)):
        fall = ask(patches)[:, 2].mean() - ask(rest)[:, 2].mean()
        assert found == pytest.approx(fall, abs=1e-3)


def test_a_spectrum_as_a_sound():
    columns = np.zeros((129, 2), "float32")
    columns[40:44, 0] = 1
    sound = atom(columns, 0, FRONTEND, seconds=0.5)
    assert sound.shape == (4_000,) and np.abs(sound).max() == pytest.approx(0.5)
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(4_000, 1 / 8_000)
    inside = (hertz > 38 * 31.25) & (hertz < 46 * 31.25)
    assert power[inside].sum() > 0.95 * power.sum()
    assert not atom(columns, 1, FRONTEND).any()
