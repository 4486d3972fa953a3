"""States by layer and heads that are off, against their definitions."""

import numpy as np
import pytest
import tensorflow as tf
from small_speech import norm, slow_decoder

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.speech import (
    generation,
    inside,
    network,
    vocabulary,
)


@pytest.mark.slow
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


@pytest.mark.slow
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
