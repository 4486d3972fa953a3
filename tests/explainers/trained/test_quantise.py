"""The codebook of classes against its definition, and its invariants."""

import numpy as np
import pytest
import tensorflow as tf

import xaiaudio as xa
from xaiaudio.explainers.trained.quantise import commitments, nearest, owners, straight_through

RANDOM = np.random.default_rng(0)
CODES, CLASSES, DEPTH = 23, 4, 5
OWNER = owners(CODES, CLASSES)


@pytest.fixture
def codebook():
    return tf.constant(RANDOM.normal(size=(CODES, DEPTH)), tf.float32)


@pytest.fixture
def values():
    return tf.constant(RANDOM.normal(size=(6, 3, 2, DEPTH)), tf.float32)


def test_parts_are_nearly_equal_and_in_order():
    for codes, classes in [(1024, 50), (1024, 10), (23, 4), (7, 7), (2, 1), (512, 3)]:
        found = owners(codes, classes)
        assert (np.diff(found) >= 0).all()
        sizes = np.bincount(found, minlength=classes)
        assert len(sizes) == classes
        assert sizes.min() >= 1
        assert np.ptp(sizes) <= 1
    assert sorted(set(np.bincount(owners(1024, 50)))) == [20, 21]
    assert sorted(set(np.bincount(owners(1024, 10)))) == [102, 103]


def test_too_few_codes():
    with pytest.raises(xa.XaiAudioError, match="3 codes for 4 classes"):
        owners(3, 4)


def test_the_nearest_code_of_the_class_is_taken(values, codebook):
    classes = np.array([0, 1, 2, 3, 1, 0])
    found = nearest(values, codebook, OWNER, classes).numpy()
    book = codebook.numpy()
    for place in np.ndindex(found.shape):
        value = values.numpy()[place]
        best, least = None, np.inf
        for code in range(CODES):
            distance = sum((value - book[code]) ** 2)
            if OWNER[code] == classes[place[0]] and distance < least:
                best, least = code, distance
        assert found[place] == best


def test_it_never_leaves_the_class_even_for_huge_values(codebook):
    values = tf.constant(RANDOM.normal(0, 1e6, (8, 50, DEPTH)), tf.float32)
    for one in range(CLASSES):
        found = nearest(values, codebook, OWNER, np.full(8, one)).numpy()
        assert (OWNER[found] == one).all()


def test_quantised_twice_is_quantised_once(values, codebook):
    classes = np.array([3, 3, 2, 1, 0, 0])
    once = nearest(values, codebook, OWNER, classes)
    codes = straight_through(values, tf.gather(codebook, once))
    twice = nearest(codes, codebook, OWNER, classes)
    np.testing.assert_array_equal(once, twice)
    np.testing.assert_array_equal(tf.gather(codebook, twice), codes)


def test_another_class_changes_nothing_but_the_part(values, codebook):
    """With the same codes in each part, the code taken has the same place in it."""
    part = tf.constant(RANDOM.normal(size=(5, DEPTH)), tf.float32)
    book, owner = tf.tile(part, (3, 1)), np.repeat(np.arange(3), 5)
    found = [nearest(values, book, owner, np.full(6, one)).numpy() for one in range(3)]
    np.testing.assert_array_equal(found[0] + 5, found[1])
    np.testing.assert_array_equal(found[0] + 10, found[2])


def test_with_a_code_for_each_class_all_cells_are_alike(values):
    book = tf.constant(RANDOM.normal(size=(CLASSES, DEPTH)), tf.float32)
    classes = np.array([0, 1, 2, 3, 1, 0])
    found = nearest(values, book, owners(CLASSES, CLASSES), classes).numpy()
    np.testing.assert_array_equal(found, np.broadcast_to(classes[:, None, None], (6, 3, 2)))


def test_what_comes_back_goes_straight_through(values, codebook):
    codes = tf.gather(codebook, RANDOM.integers(CODES, size=(6, 3, 2)))
    upstream = tf.constant(RANDOM.normal(size=values.shape), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch([values, codes])
        out = straight_through(values, codes)
        total = tf.reduce_sum(out * upstream)
    np.testing.assert_array_equal(out, codes)
    to_values, to_codes = tape.gradient(total, [values, codes])
    np.testing.assert_array_equal(to_values, upstream)
    assert to_codes is None


def test_each_commitment_moves_one_side(values, codebook):
    codes = tf.gather(codebook, RANDOM.integers(CODES, size=(6, 3, 2)))
    difference = (codes - values).numpy()
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([values, codes])
        found = commitments(values, codes)
    for loss in found.values():
        assert float(loss) == pytest.approx((difference**2).mean(), rel=1e-5)
    slope = 2 * difference / difference.size
    assert tape.gradient(found["codes"], values) is None
    assert tape.gradient(found["values"], codes) is None
    np.testing.assert_allclose(tape.gradient(found["codes"], codes), slope, rtol=1e-4)
    np.testing.assert_allclose(tape.gradient(found["values"], values), -slope, rtol=1e-4)
