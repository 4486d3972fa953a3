"""TFLite files: what is refused in them, whole numbers, and sizes that are open."""

import subprocess
import sys

import foreign
import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.errors import XaiAudioError
from xaiaudio.models import open_network


def converted(path, score, spec=((1, 4), tf.float32), **settings):
    made = foreign.module(score, spec)
    convert = tf.lite.TFLiteConverter.from_concrete_functions(
        [made.score.get_concrete_function()], made
    )
    for name, value in settings.items():
        setattr(convert, name, value)
    path.write_bytes(convert.convert())
    return path


@pytest.mark.slow
def test_operations_of_tensorflow_in_tflite_are_refused(tmp_path):
    kinds = tf.lite.OpsSet
    path = converted(
        tmp_path / "net.tflite",
        lambda x: x * tf.linalg.det(tf.reshape(x, (2, 2))),
        target_spec=tf.lite.TargetSpec(supported_ops=[kinds.TFLITE_BUILTINS, kinds.SELECT_TF_OPS]),
    )
    with pytest.raises(XaiAudioError, match="operation FlexMatrixDeterminant.*refused"):
        open_network(path)


@pytest.mark.slow
def test_whole_numbers_of_tflite_stand_for_floats(tmp_path):
    given = np.random.default_rng(0).uniform(-1, 1, (20, 1, 4)).astype("float32")
    kernel = np.random.default_rng(1).normal(size=(4, 3)).astype("float32")
    path = converted(
        tmp_path / "net.tflite",
        lambda x: tf.matmul(x, kernel),
        optimizations=[tf.lite.Optimize.DEFAULT],
        representative_dataset=lambda: ([one] for one in given),
        inference_input_type=tf.int8,
        inference_output_type=tf.int8,
    )
    network = open_network(path)
    wanted = given[:, 0] @ kernel
    assert np.abs(network(given[:, 0]) - wanted).max() < 0.03 * np.abs(wanted).max()


@pytest.mark.slow
def test_one_at_once_becomes_any_number_only_where_that_is_the_same(tmp_path):
    apart = open_network(converted(tmp_path / "apart.tflite", lambda x: 2 * x))
    mixed = open_network(converted(tmp_path / "mixed.tflite", lambda x: x * tf.reduce_sum(x)))
    assert apart.input.shape == (None, 4)
    assert mixed.input.shape == (1, 4)
    given = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(apart(given), 2 * given)
    np.testing.assert_allclose(mixed(given), given * given.sum(axis=1, keepdims=True), rtol=1e-5)


@pytest.mark.slow
def test_a_length_that_is_open_is_set(tmp_path):
    network = open_network(
        converted(
            tmp_path / "net.tflite",
            lambda x: tf.reduce_mean(x, axis=1, keepdims=True),
            ((1, None), tf.float32),
        )
    )
    for length in (5, 9, 5):
        given = np.arange(2 * length, dtype="float32").reshape(2, length)
        np.testing.assert_allclose(network(given), given.mean(axis=1, keepdims=True), rtol=1e-6)


@pytest.mark.slow
def test_damage_in_a_tflite_file_never_ends_the_process(tmp_path):
    """In a process of its own: what a damaged file breaks may be the interpreter itself."""
    foreign.write_tflite(tmp_path / "good.tflite", "patches")
    content = (tmp_path / "good.tflite").read_bytes()
    rng = np.random.default_rng(0)
    for number in range(6):
        damaged = bytearray(content)
        for place in rng.integers(8, len(content), 20):
            damaged[place] = rng.integers(256)
        (tmp_path / f"{number}.tflite").write_bytes(damaged)
    for number, part in enumerate((0.2, 0.5, 0.9)):
        (tmp_path / f"short{number}.tflite").write_bytes(content[: int(part * len(content))])
    program = """
import sys, pathlib
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import open_network
for path in sorted(pathlib.Path(sys.argv[1]).glob("*.tflite")):
    try:
        open_network(path)
    except XaiAudioError:
        pass
"""
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path], capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr[-2000:]
