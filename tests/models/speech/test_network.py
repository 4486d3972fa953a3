"""The network of the speech model against loops, on a tiny one with random weights."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_speech import slow_decoder

from xaiaudio.models.speech import (
    alignment,
    corpus,
    generation,
    network,
    vocabulary,
)


@pytest.mark.slow
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


def test_what_comes_later_is_not_seen(model, strings, heard):
    line = vocabulary.line(strings.digits[0], strings.onsets[0, : strings.counts[0]])
    other = line.copy()
    other[6:] = 11
    one, two = (generation.chances(model, heard[:1], tokens[None])[0] for tokens in (line, other))
    assert np.array_equal(one[:6], two[:6])
    assert not np.allclose(one[6:], two[6:])


@pytest.mark.slow
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


@pytest.mark.slow
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
