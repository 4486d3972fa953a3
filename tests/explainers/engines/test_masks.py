"""Masks against masking by hand, patch by patch and mask by mask."""

import numpy as np
import pytest
import tensorflow as tf
from small_networks import random_patches

from xaiaudio.explainers.engines.perturbation import Boxes, Coalitions, Engine

BOXES = np.array([[0, 0, 0, 0], [0, 2, 0, 5], [3, 7, 1, 4], [0, 7, 0, 5], [6, 7, 4, 5]])


def weighted(x):
    """Answer with two numbers that depend on where each value is."""
    x = tf.reshape(x, (tf.shape(x)[0], -1))
    ramp = tf.range(tf.shape(x)[1], dtype=tf.float32)
    return tf.stack([tf.reduce_sum(x * ramp, 1), tf.reduce_sum(x * x, 1)], axis=1)


def by_hand(patches, fill, hidden):
    """Mask by mask; hidden is (n, m, h, w)."""
    return np.array(
        [
            [
                weighted(tf.constant(np.where(mask.reshape(cells), gone, patch)[None]))[0]
                for mask in masks
            ]
            for patch, gone, masks in zip(patches, fill, hidden, strict=True)
            for cells in [mask_shape(patch)]
        ]
    )


def mask_shape(patch):
    return patch.shape[:2] + (1,) * (patch.ndim - 2)


def hidden_boxes(shape):
    hidden = np.zeros((len(BOXES), *shape), bool)
    for mask, (top, bottom, left, right) in zip(hidden, BOXES, strict=True):
        mask[top:bottom, left:right] = True
    return hidden


@pytest.mark.slow
@pytest.mark.parametrize("n, batch", [(1, 4), (3, 4), (3, 5), (2, 64)])
@pytest.mark.parametrize("channels", [(), (2,)])
def test_boxes_equal_masking_by_hand(n, batch, channels):
    patches = random_patches(n, (7, 5, *channels))
    fill = random_patches(n, (7, 5, *channels), seed=1)
    hidden = np.broadcast_to(hidden_boxes((7, 5)), (n, len(BOXES), 7, 5))
    found = Engine(weighted, batch)(patches, fill, Boxes(BOXES))
    np.testing.assert_allclose(found, by_hand(patches, fill, hidden), rtol=1e-5, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("own", [True, False])
def test_coalitions_equal_masking_by_hand(own):
    rng = np.random.default_rng(2)
    n, m, k = 3, 7, 4
    segments = rng.integers(0, k, (n if own else 1, 7, 5))
    present = rng.random((n if own else 1, m, k)) < 0.5
    patches, fill = random_patches(n, (7, 5)), random_patches(n, (7, 5), seed=1)
    hidden = np.array(
        [[~row[segments[i % len(segments)]] for row in present[i % len(present)]] for i in range(n)]
    )
    found = Engine(weighted, 4)(patches, fill, Coalitions(segments, present))
    np.testing.assert_allclose(found, by_hand(patches, fill, hidden), rtol=1e-5, atol=1e-4)
