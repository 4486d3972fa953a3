"""SavedModel folders: what is refused in them, and which signature is called."""

import foreign
import numpy as np
import pytest
import tensorflow as tf

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import open_network


def writes(x):
    tf.io.write_file("written-by-a-model.txt", "here")
    return x


def calls(x):
    return tf.py_function(lambda y: y, [x], tf.float32)


def prints(x):
    tf.raw_ops.PrintV2(input=tf.constant("here"), output_stream="file://written-by-a-model.txt")
    return x


def loops(x):
    """A file operation two functions deep, in a loop."""
    return tf.while_loop(lambda k, y: k < 1, lambda k, y: (k + 1, writes(y)), [0, x])[1]


@pytest.mark.slow
@pytest.mark.parametrize(
    "score, operation",
    [
        (writes, "WriteFile"),
        (lambda x: x + tf.cast(tf.strings.length(tf.io.read_file("a")), x.dtype), "ReadFile"),
        (calls, "EagerPyFunc"),
        (prints, "PrintV2"),
        (loops, "WriteFile"),
        (lambda x: x + tf.cast(tf.size(tf.io.matching_files("/*")), x.dtype), "MatchingFiles"),
    ],
)
def test_a_savedmodel_that_does_more_than_compute_is_refused(
    tmp_path, monkeypatch, score, operation
):
    path = foreign.saved_module(tmp_path / "net", score)
    monkeypatch.setattr(tf.saved_model, "load", None)  # it is refused before it is loaded
    with pytest.raises(XaiAudioError, match=f"{operation}.*refused"):
        open_network(path)


@pytest.mark.slow
def test_a_function_that_is_no_signature_is_looked_at_too(tmp_path):
    made = foreign.module(lambda x: x)
    made.other = tf.function(writes, input_signature=[tf.TensorSpec((None, 4), tf.float32)])
    tf.saved_model.save(made, str(tmp_path / "net"), signatures=made.score)
    with pytest.raises(XaiAudioError, match="WriteFile"):
        open_network(tmp_path / "net")


@pytest.mark.slow
def test_a_savedmodel_without_a_signature(tmp_path):
    made = tf.Module()
    made.score = tf.function(lambda x: x)
    made.score(tf.zeros((1, 4)))
    tf.saved_model.save(made, str(tmp_path / "net"))
    with pytest.raises(XaiAudioError, match="no signature to call: save it with"):
        open_network(tmp_path / "net")


@pytest.mark.slow
def test_one_of_several_signatures_is_named(tmp_path):
    path, made = tmp_path / "net", tf.Module()
    spec = [tf.TensorSpec((None, foreign.SOUNDS.samples), tf.float32, name="sound")]
    made.same = tf.function(lambda sound: sound[:, :3], input_signature=spec)
    made.twice = tf.function(lambda sound: 2 * sound[:, :3], input_signature=spec)
    tf.saved_model.save(made, str(path), signatures={"same": made.same, "twice": made.twice})
    with pytest.raises(XaiAudioError, match="2 signatures .*--signature.*: same, twice"):
        open_network(path)
    with pytest.raises(XaiAudioError, match="no signature 'twic' .did you mean 'twice'.*same, tw"):
        open_network(path, signature="twic")
    given = foreign.some("sounds", 3)
    np.testing.assert_array_equal(open_network(path, signature="twice")(given), 2 * given[:, :3])
    asked = {"labels": foreign.LABELS, "frontend": foreign.SOUNDS, "outputs": "logits"}
    same, twice = (xa.load_model(path, signature=name, **asked) for name in ("same", "twice"))
    waves = foreign.SOUNDS(given[0])
    np.testing.assert_array_equal(2 * same.logits(waves), twice.logits(waves))
    assert same.identity != twice.identity
    tf.saved_model.save(made, str(tmp_path / "usual"), signatures=made.same)
    both = [open_network(tmp_path / "usual", name)(given) for name in (None, "serving_default")]
    np.testing.assert_array_equal(both, [given[:, :3]] * 2)


@pytest.mark.slow
def test_keras_exports_are_taken(tmp_path):
    import keras

    network = keras.Sequential(
        [
            keras.Input((24, 16, 1)),
            keras.layers.Conv2D(4, 3, activation="relu"),
            keras.layers.BatchNormalization(),
            keras.layers.Reshape((22, 56)),
            keras.layers.LSTM(4),
            keras.layers.Dense(3, activation="softmax"),
        ]
    )
    network.export(tmp_path / "net", verbose=False)
    model = xa.load_model(
        tmp_path / "net", labels=foreign.LABELS, frontend=foreign.PATCHES, output_name=None
    )
    given = foreign.some("patches")
    wanted = network.predict(given[..., None], verbose=0)
    np.testing.assert_allclose(model.scores(given), wanted, atol=1e-5)
