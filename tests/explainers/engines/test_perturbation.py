import gc
import weakref
from contextlib import contextmanager

import numpy as np
import pytest
import tensorflow as tf
from small_networks import classifier_of, convolutional, random_patches
from sound_functions import linear, sounds

from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines import perturbation
from xaiaudio.explainers.engines.perturbation import Boxes, Coalitions, Engine, engine_of

BOXES = np.array([[0, 0, 0, 0], [0, 2, 0, 5], [3, 7, 1, 4], [0, 7, 0, 5], [6, 7, 4, 5]])


def weighted(x):
    """Answer with two numbers that depend on where each value is."""
    x = tf.reshape(x, (tf.shape(x)[0], -1))
    ramp = tf.range(tf.shape(x)[1], dtype=tf.float32)
    return tf.stack([tf.reduce_sum(x * ramp, 1), tf.reduce_sum(x * x, 1)], axis=1)


@pytest.mark.slow
def test_one_trace_serves_any_number_of_patches_and_masks():
    traces = []

    def forward(x):
        traces.append(tuple(x.shape))
        return weighted(x)

    engine = Engine(forward, 4)
    for n in (1, 2, 5):
        for m in (1, 3, 5):
            patches = random_patches(n, (7, 5))
            engine(patches, patches * 0, Boxes(BOXES[:m]))
    for k in (2, 3):
        segments, present = np.zeros((1, 7, 5), int), np.ones((1, 3, k), bool)
        engine(patches, patches * 0, Coalitions(segments, present))
    assert traces == [(None, 7, 5)] * 2  # one for boxes, one for coalitions


@pytest.mark.slow
@pytest.mark.parametrize(("m", "expected"), [(1, [2]), (5, [6]), (8, [8]), (19, [8, 8, 4])])
def test_the_last_pass_is_filled_up_to_a_quarter_of_a_batch(m, expected):
    sizes = []

    def note(x):
        sizes.append(len(x))
        return x

    def forward(x):
        return weighted(tf.ensure_shape(tf.numpy_function(note, [x], tf.float32), x.shape))

    patches = random_patches(1, (7, 5))
    boxes = Boxes(np.tile(BOXES[:1], (m, 1)))
    found = Engine(forward, 8)(patches, patches * 0, boxes)
    assert sizes == expected and found.shape == (1, m, 2)
    np.testing.assert_array_equal(found[:, -1], found[:, 0])


@pytest.mark.slow
def test_engine_is_kept_and_let_go_with_its_classifier():
    classifier = classifier_of(convolutional((6, 6)))
    patches = random_patches(1, (6, 6))
    for output in ("scores", "logits"):
        engine = engine_of(classifier, output)
        assert engine_of(classifier, output) is engine
        found = engine(patches, patches * 0, Boxes(BOXES[:1]))[:, 0]
        np.testing.assert_allclose(found, getattr(classifier, output)(patches), atol=1e-6)
    gone, network = weakref.ref(classifier), weakref.ref(classifier.network)
    del classifier, engine
    gc.collect()
    assert gone() is None
    assert network() is None


@pytest.mark.slow
def test_interrupted_sweep_leaves_the_engine_whole(monkeypatch):
    engine = Engine(weighted, 2)
    patches = random_patches(2, (7, 5))
    whole = engine(patches, patches * 0, Boxes(BOXES))
    steps = []

    @contextmanager
    def bar(*_):
        def advance():
            steps.append(None)
            if len(steps) == 2:
                raise KeyboardInterrupt

        yield advance

    with monkeypatch.context() as patch:
        patch.setattr(perturbation, "bar", bar)
        with pytest.raises(KeyboardInterrupt):
            engine(patches, patches * 0, Boxes(BOXES))
    np.testing.assert_array_equal(engine(patches, patches * 0, Boxes(BOXES)), whole)


def test_progress_goes_to_stderr_and_only_to_a_terminal(capsys):
    engine = Engine(weighted, 2)
    patches = random_patches(2, (7, 5))
    engine(patches, patches * 0, Boxes(BOXES))
    assert capsys.readouterr() == ("", "")
    engine(patches, patches * 0, Boxes(BOXES), progress=True)
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Asking the network" in printed.err


def test_unknown_output(small):
    with pytest.raises(XaiAudioError, match="'scores', 'logits'"):
        engine_of(small, "embedding")


@pytest.mark.slow
@pytest.mark.parametrize("batch", [2, 5, 64])
def test_cells_of_a_function_of_sounds_are_hidden_by_filters(batch):
    waves = sounds(5)
    classifier = linear(*waves[2:], batch=batch)
    segments = classifier.frontend(waves[:2].ravel())
    fill = np.full(segments.shape, -3.0, "float32")
    boxes = np.array([[0, 0, 0, 0], [3, 20, 5, 40], [0, 61, 0, 64]])
    found = engine_of(classifier, "logits")(segments, fill, Boxes(boxes))
    for number, (top, bottom, left, right) in enumerate(boxes):
        wanted = segments.values.copy()
        wanted[:, top:bottom, left:right] = -3
        expected = classifier.logits(classifier.changed(segments, wanted))
        np.testing.assert_allclose(found[:, number], expected, rtol=1e-4, atol=1e-3)
    np.testing.assert_array_equal(found[:, 0], classifier.logits(segments))
    with pytest.raises(XaiAudioError, match="these patches do not know theirs"):
        engine_of(classifier)(segments.values, fill, Boxes(boxes))
