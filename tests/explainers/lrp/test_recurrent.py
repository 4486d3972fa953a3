"""Relevance through LSTM layers, against loops over time, cells and inputs."""

import keras
import numpy as np
import pytest
from keras import layers

from xaiaudio.errors import XaiAudioError
from xaiaudio.explainers import lrp
from xaiaudio.explainers.gradients import gradient


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def share(relevance, parts, epsilon):
    """Share one number among parts: each gets its part of their sum."""
    total = sum(parts)
    total += epsilon if total >= 0 else -epsilon
    return [part * relevance / total for part in parts]


def by_hand(layer, x, arriving, epsilon=1e-6):
    """Relevance of one input (frames, bands), from that of the states (frames, units)."""
    frames, bands = x.shape
    units = layer.units
    kernel, recurrent, *bias = (np.array(w, float) for w in layer.get_weights())
    bias = bias[0] if bias else np.zeros(4 * units)
    h, c = np.zeros((frames + 1, units)), np.zeros((frames + 1, units))
    i, f, g, o = (np.zeros((frames, units)) for _ in range(4))
    for t in range(frames):
        for u in range(units):
            z = [bias[k * units + u] for k in range(4)]
            for k in range(4):
                z[k] += sum(x[t, b] * kernel[b, k * units + u] for b in range(bands))
                z[k] += sum(h[t, v] * recurrent[v, k * units + u] for v in range(units))
            i[t, u], f[t, u], g[t, u], o[t, u] = sigmoid(z[0]), sigmoid(z[1]), z[2], sigmoid(z[3])
            c[t + 1, u] = f[t, u] * c[t, u] + i[t, u] * np.tanh(g[t, u])
        h[t + 1] = o[t] * np.tanh(c[t + 1])
    found, stayed = np.zeros(x.shape), 0.0
    of_h, of_c = np.zeros((frames + 1, units)), np.zeros((frames + 1, units))
    of_h[1:] = arriving
    for t in reversed(range(frames)):
        for u in range(units):
            of_c[t + 1, u] += of_h[t + 1, u]
            parts = [f[t, u] * c[t, u], i[t, u] * np.tanh(g[t, u])]
            past, signal = share(of_c[t + 1, u], parts, epsilon)
            of_c[t, u] += past
            column = 2 * units + u
            parts = [x[t, b] * kernel[b, column] for b in range(bands)]
            parts += [h[t, v] * recurrent[v, column] for v in range(units)]
            *shares, rest = share(signal, [*parts, bias[column]], epsilon)
            found[t] += shares[:bands]
            of_h[t] += shares[bands:]
            stayed += rest
    return found, stayed, h[1:]


def gru_by_hand(layer, x, arriving, epsilon=1e-6):
    """Do the same for a GRU."""
    frames, bands = x.shape
    units = layer.units
    kernel, recurrent, *bias = (np.array(w, float) for w in layer.get_weights())
    after = layer.cell.reset_after
    outer, inner = np.zeros(3 * units), np.zeros(3 * units)
    if bias:
        outer, inner = bias[0] if after else (bias[0], inner)
    h = np.zeros((frames + 1, units))
    z, r, g = (np.zeros((frames, units)) for _ in range(3))
    for t in range(frames):
        own = h[t] @ recurrent + inner
        seen = x[t] @ kernel + outer
        z[t] = sigmoid(seen[:units] + own[:units])
        r[t] = sigmoid(seen[units : 2 * units] + own[units : 2 * units])
        for u in range(units):
            c = 2 * units + u
            if after:
                g[t, u] = seen[c] + r[t, u] * own[c]
            else:
                g[t, u] = seen[c] + sum(r[t, v] * h[t, v] * recurrent[v, c] for v in range(units))
        h[t + 1] = z[t] * h[t] + (1 - z[t]) * np.tanh(g[t])
    shares, stayed = np.zeros(x.shape), 0.0
    of_h = np.zeros((frames + 1, units))
    of_h[1:] = arriving
    for t in reversed(range(frames)):
        for u in range(units):
            c = 2 * units + u
            parts = [z[t, u] * h[t, u], (1 - z[t, u]) * np.tanh(g[t, u])]
            past, signal = share(of_h[t + 1, u], parts, epsilon)
            of_h[t, u] += past
            reset = r[t, [u] * units] if after else r[t]
            parts = [x[t, b] * kernel[b, c] for b in range(bands)]
            parts += [reset[v] * h[t, v] * recurrent[v, c] for v in range(units)]
            parts += [outer[c], reset[u] * inner[c]]
            *given, one, other = share(signal, parts, epsilon)
            shares[t] += given[:bands]
            of_h[t] += given[bands:]
            stayed += one + other
    return shares, stayed, h[1:]


def dense_by_hand(layer, x, arriving, epsilon=1e-6):
    kernel, bias = layer.get_weights()
    found = np.zeros(len(x))
    for j, own in enumerate(arriving):
        found += share(own, [*(x * kernel[:, j]), bias[j]], epsilon)[: len(x)]
    return found


def network(*stack, shape=(7, 3), classes=3, bias=True):
    keras.utils.set_random_seed(4)
    x = inputs = keras.Input(shape)
    for layer in stack:
        x = layer(x)
    model = keras.Model(inputs, layers.Dense(classes, use_bias=bias, name="logits")(x))
    rng = np.random.default_rng(1)
    for weight in model.weights:
        weight.assign(rng.normal(0, 0.6, weight.shape))
    return model


def sounds(n=3, shape=(7, 3), seed=2):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype("float32")


def zero_signal_biases(model):
    """Take away the biases that can keep relevance; the gates keep theirs."""
    for layer in model.layers:
        if isinstance(layer, layers.LSTM):
            bias = layer.cell.bias.numpy()
            bias[2 * layer.units : 3 * layer.units] = 0
            layer.cell.bias.assign(bias)
        elif isinstance(layer, layers.Dense):
            layer.bias.assign(np.zeros_like(layer.bias))


def close(found, wanted):
    np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=2e-4 * np.abs(wanted).max())


@pytest.mark.slow
@pytest.mark.parametrize("epsilon", [1e-6, 0.1])
@pytest.mark.parametrize("backwards", [False, True])
def test_one_layer_equals_loops(epsilon, backwards):
    model = network(layers.LSTM(4, go_backwards=backwards, name="memory"))
    x, targets = sounds(), [0, 2, 1]
    found = lrp.relevance(model, x, targets, f"epsilon({epsilon})", report=True)
    memory, logits = model.get_layer("memory"), model.get_layer("logits")
    for n, target in enumerate(targets):
        heard = x[n, ::-1] if backwards else x[n]
        state = by_hand(memory, heard, np.zeros((7, 4)))[2]
        start = np.zeros(3)
        start[target] = found.logits[n]
        arriving = np.zeros((7, 4))
        arriving[-1] = dense_by_hand(logits, state[-1], start, epsilon)
        wanted, stayed, _ = by_hand(memory, heard, arriving, epsilon)
        close(found.inputs[n], wanted[::-1] if backwards else wanted)
        share_of = {layer.name: layer for layer in found.layers}
        np.testing.assert_allclose(share_of["memory"].bias[n], stayed, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("reset_after", [True, False])
@pytest.mark.parametrize("backwards", [False, True])
@pytest.mark.parametrize("bias", [True, False])
def test_a_gru_equals_loops(reset_after, backwards, bias):
    options = {"reset_after": reset_after, "go_backwards": backwards, "use_bias": bias}
    model = network(layers.GRU(4, name="memory", **options))
    x, targets = sounds(), [0, 2, 1]
    found = lrp.relevance(model, x, targets, "epsilon", report=True)
    memory, logits = model.get_layer("memory"), model.get_layer("logits")
    for n, target in enumerate(targets):
        heard = x[n, ::-1] if backwards else x[n]
        state = gru_by_hand(memory, heard, np.zeros((7, 4)))[2]
        start = np.zeros(3)
        start[target] = found.logits[n]
        arriving = np.zeros((7, 4))
        arriving[-1] = dense_by_hand(logits, state[-1], start)
        wanted, stayed, _ = gru_by_hand(memory, heard, arriving)
        close(found.inputs[n], wanted[::-1] if backwards else wanted)
        share_of = {layer.name: layer for layer in found.layers}
        np.testing.assert_allclose(share_of["memory"].bias[n], stayed, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_a_gru_that_answers_at_every_frame_and_in_both_directions():
    both = layers.Bidirectional(layers.GRU(3, return_sequences=True), name="both")
    model = network(both, layers.GlobalAveragePooling1D())
    x, targets = sounds(), [2, 0, 1]
    found = lrp.relevance(model, x, targets, "epsilon", report=True)
    kept = sum(layer.bias for layer in found.layers)
    sums = found.inputs.sum(axis=(1, 2))
    np.testing.assert_allclose(sums + kept, found.logits, rtol=2e-3, atol=1e-3)


def test_frames_taken_out_by_a_mask_are_refused_by_the_name_of_the_layer():
    inputs = keras.Input((7, 3))
    state = layers.LSTM(2)(layers.Masking(name="gaps")(inputs))
    model = keras.Model(inputs, layers.Dense(3)(state))
    with pytest.raises(XaiAudioError, match="'gaps' \\(Masking\\)"):
        lrp.relevance(model, sounds(), [0, 1, 2])


@pytest.mark.slow
def test_a_stack_equals_loops():
    model = network(
        layers.LSTM(4, return_sequences=True, name="lower"),
        layers.LSTM(2, return_sequences=True, go_backwards=True, use_bias=False, name="upper"),
        layers.GlobalAveragePooling1D(name="mean"),
    )
    x, targets = sounds(), [1, 1, 0]
    found = lrp.relevance(model, x, targets, "epsilon")
    lower, upper, logits = (model.get_layer(name) for name in ("lower", "upper", "logits"))
    for n, target in enumerate(targets):
        below = by_hand(lower, x[n], np.zeros((7, 4)))[2]
        above = by_hand(upper, below[::-1], np.zeros((7, 2)))[2]
        start = np.zeros(3)
        start[target] = found.logits[n]
        of_mean = dense_by_hand(logits, above.mean(axis=0), start)
        arriving = np.zeros((7, 2))
        for u in range(2):
            arriving[:, u] = share(of_mean[u], list(above[:, u] / 7), 1e-6)
        of_below = by_hand(upper, below[::-1], arriving)[0][::-1]
        close(found.inputs[n], by_hand(lower, x[n], of_below)[0])


@pytest.mark.slow
@pytest.mark.parametrize("sequences", [False, True])
def test_both_directions_equal_two_layers(sequences):
    both = layers.Bidirectional(layers.LSTM(3, return_sequences=sequences), name="both")
    rest = [layers.GlobalAveragePooling1D()] if sequences else []
    model = network(both, *rest)
    x, targets = sounds(), np.array([2, 0, 1])
    one = layers.LSTM(3, return_sequences=sequences)
    other = layers.LSTM(3, return_sequences=sequences, go_backwards=True)
    inputs = keras.Input((7, 3))
    states = [one(inputs), other(inputs)]
    if sequences:
        states = [layers.GlobalAveragePooling1D()(state) for state in states]
    logits = layers.Dense(3)
    plain = keras.Model(inputs, logits(layers.Concatenate()(states)))
    one.set_weights(both.forward_layer.get_weights())
    other.set_weights(both.backward_layer.get_weights())
    logits.set_weights(model.get_layer("logits").get_weights())
    np.testing.assert_allclose(model(x), plain(x), atol=1e-5)
    found, wanted = (lrp.relevance(some, x, targets, "epsilon").inputs for some in (model, plain))
    close(found, wanted)


@pytest.mark.slow
def test_relevance_is_conserved_without_the_biases_of_signals():
    model = network(layers.LSTM(5, return_sequences=True), layers.LSTM(4), shape=(23, 6))
    x, targets = sounds(4, (23, 6)), [0, 1, 2, 0]
    with_biases = lrp.relevance(model, x, targets, report=True)
    kept = sum(layer.bias for layer in with_biases.layers)
    sums = with_biases.inputs.sum(axis=(1, 2))
    # Else this test would not see the biases.
    assert np.abs(with_biases.logits - sums).max() > 0.05
    np.testing.assert_allclose(sums + kept, with_biases.logits, rtol=1e-3, atol=1e-3)
    zero_signal_biases(model)
    assert any(np.abs(layer.cell.bias).max() > 0.1 for layer in model.layers[1:3])
    found = lrp.relevance(model, x, targets)
    np.testing.assert_allclose(found.inputs.sum(axis=(1, 2)), found.logits, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
def test_gates_that_do_not_listen_make_it_input_times_gradient():
    # With constant gates and no squashing, the layer is linear.
    memory = layers.LSTM(4, activation="linear", name="memory")
    model = network(memory)
    zero_signal_biases(model)
    for weight in (memory.cell.kernel, memory.cell.recurrent_kernel):
        values = weight.numpy()
        values[:, :8], values[:, 12:] = 0, 0
        weight.assign(values)
    x, targets = sounds(), [0, 1, 2]
    found = lrp.relevance(model, x, targets, "0").inputs
    close(found, x * gradient(model, x, targets))


@pytest.mark.slow
def test_the_flat_rule_for_the_first_layer_does_not_reach_a_memory():
    model = network(layers.LSTM(4))
    x = sounds()
    maps = [
        lrp.relevance(model, x, [0, 0, 0], composite).inputs
        for composite in ("epsilon-plus-flat", "epsilon")
    ]
    np.testing.assert_array_equal(*maps)
    report = lrp.relevance(model, x, [0, 0, 0], report=True).layers
    assert report[0].rule == "epsilon"


@pytest.mark.slow
def test_layers_behind_a_memory_do_not_see_the_input():
    model = network(layers.LSTM(4, return_sequences=True), layers.Flatten(), layers.Dense(2))
    report = lrp.relevance(model, sounds(), [0, 0, 0], report=True).layers
    assert {layer.rule for layer in report} == {"epsilon", ""}


@pytest.mark.slow
def test_a_normalisation_behind_a_memory_is_not_folded_into_it():
    norm = layers.BatchNormalization(name="norm")
    model = network(layers.LSTM(4, activation="linear"), norm)
    norm.moving_variance.assign(np.full(4, 0.5))
    norm.beta.assign(np.zeros(4))
    norm.moving_mean.assign(np.zeros(4))
    zero_signal_biases(model)
    found = lrp.relevance(model, sounds(), [0, 1, 2], "epsilon")
    np.testing.assert_allclose(found.inputs.sum(axis=(1, 2)), found.logits, rtol=1e-3, atol=1e-3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "says"),
    [
        (layers.LSTM(2, stateful=True, name="odd"), "stateful"),
        (layers.LSTM(2, activation="sigmoid", name="odd"), "activation sigmoid"),
        (layers.LSTM(2, recurrent_activation="tanh", name="odd"), "gates between 0 and 1"),
        (layers.SimpleRNN(2, name="odd"), "no rule for layer 'odd' \\(SimpleRNN\\)"),
        (layers.Bidirectional(layers.LSTM(2), merge_mode="sum", name="odd"), "'sum'"),
        (layers.Bidirectional(layers.SimpleRNN(2), name="odd"), "SimpleRNN in both directions"),
    ],
)
def test_a_layer_that_cannot_be_treated_is_named(layer, says):
    keras.utils.set_random_seed(0)
    inputs = keras.Input(batch_shape=(3, 7, 3))
    model = keras.Model(inputs, layers.Dense(3)(layer(inputs)))
    with pytest.raises(XaiAudioError, match=says) as caught:
        lrp.relevance(model, sounds(), [0, 1, 2])
    assert "odd" in str(caught.value)


def test_a_given_first_state_is_refused():
    inputs = keras.Input((7, 3))
    start = layers.Dense(2)(layers.Flatten()(inputs))
    state = layers.LSTM(2, name="told")(inputs, initial_state=[start, start])
    model = keras.Model(inputs, layers.Dense(3)(state))
    with pytest.raises(XaiAudioError, match="'told' is given its first state"):
        lrp.relevance(model, sounds(), [0, 1, 2])


@pytest.mark.slow
@pytest.mark.parametrize("rule", ["z+", "flat", "gamma"])
def test_only_the_epsilon_rule_is_for_a_memory(rule):
    model = network(layers.LSTM(4, name="memory"))
    with pytest.raises(XaiAudioError, match=f"'memory' cannot take the {rule[0]}"):
        lrp.relevance(model, sounds(), [0, 1, 2], {"LSTM": rule})
