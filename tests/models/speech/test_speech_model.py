"""The network, what it writes and what goes on in it, on a tiny one with random weights."""

import dataclasses

import keras
import librosa
import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.errors import DamagedError, XaiAudioError
from xaiaudio.models.speech import (
    alignment,
    corpus,
    generation,
    inside,
    network,
    training,
    vocabulary,
)

RECIPE = training.TrainingRecipe(strings=16, epochs=1, batch=8, width=8, layers=2, heads=2)


def pool(people=("ann", "bob")):
    rng = np.random.default_rng(1)
    return [
        corpus.Word(digit, who, 0, rng.normal(0, 0.1, 1000 + 80 * digit).astype(np.float32))
        for who in people
        for digit in range(10)
    ]


@pytest.fixture(scope="module")
def model():
    made = network.build(RECIPE.size, -2.0, 1.5, 3)
    rng = np.random.default_rng(0)
    # Biases and all: nothing of the definition is multiplied by zero.
    made.set_weights([rng.normal(0, 0.3, value.shape) for value in made.get_weights()])
    return training.Model(made, RECIPE, -2.0, 1.5, {}, 0.0)


@pytest.fixture(scope="module")
def strings():
    return corpus.draw(pool(), 5, seed=2)


@pytest.fixture(scope="module")
def heard(strings):
    return corpus.features(strings.waves)


def norm(x, layer):
    gamma, beta = (value.numpy().astype(float) for value in layer.weights)
    mean, var = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(var + layer.epsilon) * gamma + beta


def dense(x, layer):
    kernel, bias = (value.numpy().astype(float) for value in layer.weights)
    return x @ kernel + bias


def gelu(x):
    return np.vectorize(lambda v: 0.5 * v * (1 + tf.math.erf(np.float64(v) / 2**0.5).numpy()))(x)


def attended(x, y, layer, causal=False, off=None):
    """Multi-head attention by loops over heads and tokens; returns the sums and the weights."""
    values = {w.path.split("/", 1)[1]: w.numpy().astype(float) for w in layer.weights}
    q, k, v, o = (
        (values[f"{name}/kernel"], values[f"{name}/bias"])
        for name in ("query", "key", "value", "attention_output")
    )
    out = np.zeros((len(x), x.shape[1])) + o[1]
    weights = np.zeros((layer.num_heads, len(x), len(y)))
    for head in range(layer.num_heads):
        for token in range(len(x)):
            ask = x[token] @ q[0][:, head] + q[1][head]
            match = np.array([ask @ (y[t] @ k[0][:, head] + k[1][head]) for t in range(len(y))])
            match = match / np.sqrt(layer.key_dim)
            if causal:
                match[token + 1 :] = -np.inf
            share = np.exp(match - match.max())
            share /= share.sum()
            weights[head, token] = share
            got = sum(share[t] * (y[t] @ v[0][:, head] + v[1][head]) for t in range(len(y)))
            if head != off:
                out[token] += got @ o[0][head]
    return out, weights


def slow_decoder(made, states, tokens, off=None):
    """The decoder once more, step by step."""
    layer = made.get_layer
    x = layer("embedded").weights[0].numpy().astype(float)[tokens]
    x = x + 0.3 * network.sines(len(tokens), x.shape[1])
    paid = []
    for k in (1, 2):
        normal = norm(x, layer(f"self{k}_before"))
        x = x + attended(normal, normal, layer(f"self{k}"), True)[0]
        cross = layer(f"cross{k}")
        drop = off[1] if off and off[0] == f"cross{k}" else None
        added, weights = attended(norm(x, layer(f"cross{k}_before")), states, cross, off=drop)
        x = x + added
        paid.append(weights)
        wide = gelu(dense(norm(x, layer(f"decoder{k}_before")), layer(f"decoder{k}_wide")))
        x = x + dense(wide, layer(f"decoder{k}_back"))
    return dense(norm(x, layer("decoded")), layer("logits")), np.concatenate(paid)


def test_the_decoder_and_its_attention_against_loops(model, strings, heard):
    line = vocabulary.line(strings.digits[0], strings.onsets[0, : strings.counts[0]])
    states = generation.encode(model, heard[:1])
    logits, paid = slow_decoder(model.network, states[0].astype(float), line)
    found = model.network([tf.constant(heard[:1]), tf.constant(line[None])])[0][0]
    assert np.abs(found - logits).max() < 1e-3
    weights = alignment.attention(model, heard[:1], line[None])[0]
    assert weights.shape == (4, vocabulary.LENGTH, network.MOMENTS)
    assert np.abs(weights - paid).max() < 1e-4
    assert np.abs(weights.sum(axis=-1) - 1).max() < 1e-5


def test_a_head_that_is_off_gathers_nothing_and_comes_back(model, strings, heard):
    line = vocabulary.line(strings.digits[1], strings.onsets[1, : strings.counts[1]])
    states = generation.encode(model, heard[1:2])
    before = generation.chances(model, heard[1:2], line[None])
    with inside.without_head(model, "cross2", 1):
        off = generation.chances(model, heard[1:2], line[None])[0]
    wanted = slow_decoder(model.network, states[0].astype(float), line, off=("cross2", 1))[0]
    assert np.abs(off - tf.nn.softmax(wanted).numpy()).max() < 1e-5
    assert np.abs(off - before[0]).max() > 2e-4
    assert np.array_equal(generation.chances(model, heard[1:2], line[None]), before)
    assert len(inside.heads(model)) == 12
    with pytest.raises(XaiAudioError, match="no head 5"), inside.without_head(model, "cross2", 5):
        pass


def test_what_comes_later_is_not_seen(model, strings, heard):
    line = vocabulary.line(strings.digits[0], strings.onsets[0, : strings.counts[0]])
    other = line.copy()
    other[6:] = 11
    one, two = (generation.chances(model, heard[:1], tokens[None])[0] for tokens in (line, other))
    assert np.array_equal(one[:6], two[:6])
    assert not np.allclose(one[6:], two[6:])


def test_the_question_changes_the_answer_and_not_a_bit_of_the_encoder(model, heard):
    whole = keras.Model(
        model.network.inputs,
        [model.network.get_layer("encoded").output, model.network.outputs[0]],
    )
    asked = [
        np.array([vocabulary.prompt(task=task) + [0] * 9] * len(heard), np.int32)
        for task in ("transcribe", "reverse")
    ]
    (one, first), (two, second) = (whole([heard, tokens]) for tokens in asked)
    assert np.array_equal(one, two)
    assert not np.allclose(first, second)


def test_writing_takes_the_most_probable_token_each_time(model, heard):
    lines = generation.write(model, heard, "cipher", "reverse", "times")
    for row, line in enumerate(lines):
        tokens = [*vocabulary.prompt("cipher", "reverse", "times")]
        while len(tokens) < vocabulary.LENGTH and vocabulary.EOS not in tokens:
            padded = np.array([tokens + [0] * (vocabulary.LENGTH - len(tokens))], np.int32)
            logits = model.network([heard[row : row + 1], padded])[0][0, len(tokens) - 1]
            tokens.append(int(np.argmax(logits)))
        assert line.tolist() == tokens + [0] * (vocabulary.LENGTH - len(tokens))


def test_guesses_of_the_language_sum_to_one(model, heard):
    found = generation.language_chances(model, heard)
    assert found.shape == (len(heard), 2)
    assert np.allclose(found.sum(axis=1), 1)


def test_moments_lie_where_the_convolutions_look(model):
    """A click moves those moments most whose middles are close to it."""
    quiet = np.full((1, 320, 40), -2.0, np.float32)
    for frame in (60, 61, 62, 63, 64):
        loud = quiet.copy()
        loud[0, frame] += 3
        conv = keras.Model(model.network.inputs[0], model.network.get_layer("conv2").output)
        moved = np.abs(np.asarray(conv(loud)) - np.asarray(conv(quiet)))[0].sum(axis=1)
        touched = np.flatnonzero(moved > 1e-6)
        times = network.moment_times()[touched]
        middle = (frame * 80 + 128) / corpus.RATE
        assert times.min() <= middle + 0.02
        assert times.max() >= middle - 0.02
        assert np.ptp(times) <= 0.16


def test_states_by_layer_and_over_words(model, strings, heard):
    found = inside.states(model, heard)
    assert list(found) == inside.layers(model) == ["sound", "convolutions", "layer 1", "layer 2"]
    assert np.array_equal(found["sound"][0, 2], heard[0, 8:12].ravel())
    end = norm(found["layer 2"].astype(float), model.network.get_layer("encoded"))
    assert np.abs(end - generation.encode(model, heard)).max() < 1e-4
    pooled = inside.over_words(found["layer 1"], strings)
    times, number = network.moment_times(), 0
    for row in range(len(strings)):
        for place in range(strings.counts[row]):
            mine = [
                found["layer 1"][row, t]
                for t, time in enumerate(times)
                if strings.onsets[row, place] <= time < strings.ends[row, place]
            ]
            assert np.abs(pooled[number] - np.mean(mine, axis=0)).max() < 1e-4
            number += 1
    assert number == len(pooled)


@pytest.mark.parametrize("count", [2, 5])
def test_paths_are_those_of_dynamic_time_warping(count):
    gain = np.random.default_rng(count).normal(size=(6, 5, 17))
    found = alignment.paths(gain, [count] * 6)
    for one, visited in zip(gain, found, strict=True):
        _, path = librosa.sequence.dtw(C=-one[:count], subseq=False)
        wanted = np.zeros(one.shape, bool)
        wanted[path[:, 0], path[:, 1]] = True
        assert np.array_equal(visited, wanted)


def test_standardising_and_smoothing_by_loops():
    weights = np.random.default_rng(0).random((2, 3, 5, 9))
    found = alignment.standardised(weights, [3, 5])
    for row, count in enumerate((3, 5)):
        for head in range(3):
            for moment in range(9):
                column = weights[row, head, :count, moment]
                wanted = (column - column.mean()) / column.std()
                assert found[row, head, :count, moment] == pytest.approx(wanted)
                assert (found[row, head, count:, moment] == 0).all()
    smooth = alignment.smoothed(weights, 3)
    assert smooth[1, 2, 3, 4] == np.median(weights[1, 2, 3, 3:6])


def planted(strings, head, heads=4):
    """Attention in which one head follows the words, and the others look anywhere."""
    rng = np.random.default_rng(0)
    weights = rng.random((len(strings), heads, 5, network.MOMENTS)) + 0.5
    times = network.moment_times()
    for row, count in enumerate(strings.counts):
        edges = [*strings.onsets[row, :count], np.nanmax(strings.ends[row]), 9.9]
        for place in range(count + 1):
            within = (times >= edges[place]) & (times < edges[place + 1])
            weights[row, head, place] = np.where(within, 20.0, 0.01)
    return weights / weights.sum(axis=-1, keepdims=True)


def test_a_head_that_follows_the_words_is_picked_and_tells_the_onsets(strings):
    weights = planted(strings, head=2)
    assert alignment.picked(weights, strings.counts + 1, 1).tolist() == [2]
    found = alignment.onsets(weights, strings.counts, [2])
    late = (found - strings.onsets)[:, 1:]
    assert np.nanmax(np.abs(late)) <= 0.04 + 1e-9
    assert np.array_equal(np.isnan(found), np.isnan(strings.onsets))
    moments = alignment.peaks(weights, strings.counts, [2, 0])
    for row, count in enumerate(strings.counts):
        for place in range(count):
            mean = (weights[row, 2, place] + weights[row, 0, place]) / 2
            assert moments[row, place] == network.moment_times()[np.argmax(mean)]
    half = alignment.halfway(moments)
    assert half[0, :2] == pytest.approx([moments[0, 0], moments[0, :2].mean()])
    assert np.array_equal(np.isnan(half), np.isnan(strings.onsets))


def test_training_learns_and_is_its_seeds_alone(tmp_path):
    recipe = dataclasses.replace(RECIPE, strings=32, epochs=6, rate=0.01)
    one, two = (training.train(recipe, pool(), progress=False) for _ in range(2))
    assert one.course["text"][-1] < one.course["text"][0]
    assert one.course["words"][-1] < one.course["words"][0]
    for mine, yours in zip(one.network.get_weights(), two.network.get_weights(), strict=True):
        assert np.abs(mine - yours).max() < 1e-4
    one.save(tmp_path / "model.npz")
    back = training.load(tmp_path / "model.npz", recipe)
    strings = corpus.features(corpus.draw(pool(), 3).waves)
    assert np.array_equal(generation.write(back, strings), generation.write(one, strings))
    assert back.course == one.course
    with pytest.raises(XaiAudioError, match="another recipe"):
        training.load(tmp_path / "model.npz", recipe.with_seed(1))
    (tmp_path / "bad.npz").write_bytes(b"x")
    with pytest.raises(DamagedError, match="no speech model"):
        training.load(tmp_path / "bad.npz", recipe)


def test_what_a_recipe_leaves_out_is_not_heard():
    recipe = dataclasses.replace(RECIPE, strings=300)
    without = dataclasses.replace(recipe, without_speaker="bob", without_pair=(3, 7))
    assert "bob" in training.strings_of(recipe, pool()).speakers
    strings = training.strings_of(without, pool())
    assert set(strings.speakers) == {"ann"}
    assert not any((3, 7) in zip(said, said[1:], strict=False) for said in strings.digits)
    assert any((7, 3) in zip(said, said[1:], strict=False) for said in strings.digits)
    fewer = dataclasses.replace(recipe, without_question=("cipher", "reverse"))
    assert len(fewer.questions) == 6
    assert all(one[:2] != ("cipher", "reverse") for one in fewer.questions)
    assert len(recipe.questions) == 8


def test_what_would_leave_nothing_out_is_refused():
    with pytest.raises(XaiAudioError, match="'bobby' cannot be left out: the voices are ann, bob"):
        training.strings_of(dataclasses.replace(RECIPE, without_speaker="bobby"), pool())
    with pytest.raises(XaiAudioError, match="a word is needed"):
        training.strings_of(dataclasses.replace(RECIPE, without_speaker="bob"), pool(["bob"]))
    for question in (["cipher", "reverse"], ("cipher", "revers"), ("cipher",)):
        with pytest.raises(XaiAudioError, match="must be a tuple of plain or cipher"):
            dataclasses.replace(RECIPE, without_question=question)
    with pytest.raises(XaiAudioError, match="two digits, or none"):
        dataclasses.replace(RECIPE, without_pair=(3,))


def test_what_cannot_be_heard_or_read_is_refused(model, strings, heard):
    for ask in (generation.write, generation.language_chances, inside.states):
        for wrong in (strings.waves, heard[:, :100], heard[:0], heard[0]):
            with pytest.raises(XaiAudioError, match=r"\(n, 320, 40\) is needed"):
                ask(model, wrong)
        with pytest.raises(XaiAudioError, match="NaN or infinite"):
            ask(model, heard * np.nan)
    lines = np.zeros((len(heard), vocabulary.LENGTH), int)
    for ask in (generation.chances, alignment.attention):
        for wrong in (lines[:, :5], lines[:1]):
            with pytest.raises(XaiAudioError, match="one for each string"):
                ask(model, heard, wrong)
        with pytest.raises(XaiAudioError, match="a token beyond"):
            ask(model, heard, lines + len(vocabulary.TOKENS))


def test_an_untrained_twin_has_other_weights(model):
    other = training.untrained(model)
    assert len(other.network.get_weights()) == len(model.network.get_weights())
    assert other.mean == model.mean
    assert not np.allclose(other.network.get_weights()[0], model.network.get_weights()[0])
