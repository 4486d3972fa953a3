"""Patches that are altered while a network learns."""

import numpy as np
import pytest
import tensorflow as tf
from small_networks import frontend, random_patches

import xaiaudio as xa
from xaiaudio.models.designs.augmentation import Augmentation

SHAPE = (20, 12)


@pytest.mark.slow
@pytest.mark.parametrize("front", [frontend(*SHAPE), xa.LogMel.librosa(frames=20, bands=12)])
def test_altered_patches_are_still_patches_of_their_classes(front):
    altered = Augmentation(front, 0)
    patches = front.silence + 3 * np.abs(random_patches(64, SHAPE)).astype(np.float32)
    targets = np.eye(3, dtype=np.float32)[np.arange(64) % 3]
    found, mixed = (part.numpy() for part in altered(tf.constant(patches), tf.constant(targets)))
    assert found.shape == patches.shape and np.isfinite(found).all()
    assert np.allclose(mixed.sum(axis=1), 1, atol=1e-5) and mixed.min() >= 0
    assert found.min() >= front.silence - 1e-3
    assert np.abs(found - patches).max() > 0.1


def test_turning_loses_no_frame():
    patches = random_patches(8, SHAPE).astype(np.float32)
    turned = Augmentation(frontend(*SHAPE), 1)._turned(tf.constant(patches)).numpy()
    starts = []
    for one, other in zip(patches, turned, strict=True):
        (start,) = [s for s in range(20) if np.array_equal(np.roll(one, -s, axis=0), other)]
        starts.append(start)
    assert len(set(starts)) > 1


def test_what_is_blanked_is_one_stretch_and_gets_the_mean_of_its_patch():
    patches = random_patches(40, SHAPE).astype(np.float32)
    for axis, longest in ((1, 6), (2, 30)):
        found = Augmentation(frontend(*SHAPE), 2)._blanked(tf.constant(patches), axis, longest)
        widths = []
        for one, other in zip(patches, found.numpy(), strict=True):
            changed = one != other
            lines = changed.all(axis=2 - axis)
            whole = np.broadcast_to(np.expand_dims(lines, 2 - axis), one.shape)
            np.testing.assert_array_equal(changed, whole)
            places = np.flatnonzero(lines)
            assert not len(places) or np.ptp(places) + 1 == len(places)
            np.testing.assert_allclose(other[changed], one.mean(), atol=1e-5)
            widths.append(len(places))
        assert min(widths) == 0 and max(widths) == min(longest, SHAPE[axis - 1])


def test_mixed_patches_and_targets_share_alike():
    patches = random_patches(30, SHAPE).astype(np.float32)
    targets = np.eye(30, dtype=np.float32)  # each of a class of its own: shares can be read off
    altered = Augmentation(frontend(*SHAPE), 3)
    found, mixed = (part.numpy() for part in altered._mixed(patches, tf.constant(targets)))
    shares = np.diag(mixed)
    for n, share in enumerate(shares):
        np.testing.assert_allclose(mixed[n, n - 1], 1 - share, atol=1e-6)
        wanted = share * patches[n] + (1 - share) * patches[n - 1]
        np.testing.assert_allclose(found[n], wanted, atol=1e-5)
    assert 0 <= shares.min() < 0.05 < 0.95 < shares.max() <= 1


@pytest.mark.slow
def test_louder_patches_are_those_of_a_louder_sound():
    wave = np.random.default_rng(0).normal(0, 0.1, 10_000).astype(np.float32)
    for front in (frontend(*SHAPE), xa.LogMel.librosa(frames=20, bands=12)):
        patch = np.asarray(front(wave))[:1]
        found = Augmentation(front, 4)._louder(tf.constant(patch)).numpy()
        gains = np.logspace(-0.5, 0.5, 101)  # ten decibels down and up
        others = np.stack(
            [np.asarray(front((gain * wave).astype(np.float32)))[0] for gain in gains]
        )
        apart = np.abs(others - found).max(axis=(1, 2))
        assert apart.min() < 0.01 * np.abs(patch).max()
        assert np.abs(found - patch).max() > apart.min() + 0.05
