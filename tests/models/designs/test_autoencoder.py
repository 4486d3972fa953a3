"""The autoencoder of patches, each part against its plain definition."""

import numpy as np
import pytest
import tensorflow as tf
from small_apnet import ODD, PLAN, by_hand, network
from small_networks import random_patches

from xaiaudio.models.designs import apnet, autoencoder

RANDOM = np.random.default_rng(4)


@pytest.mark.slow
def test_every_block_of_a_mask_has_its_largest_cell():
    model = by_hand()
    patches = random_patches(2, ODD)
    befores = autoencoder.watched(model.logits_network)(patches[..., None])[2:]
    for before, mask, (tall, wide) in zip(
        befores, apnet.masks(model, patches), PLAN.pools, strict=True
    ):
        before = np.asarray(before)
        for n, t, f, c in np.ndindex(2, mask.shape[1] // tall, mask.shape[2] // wide, 3):
            block = (n, slice(t * tall, (t + 1) * tall), slice(f * wide, (f + 1) * wide), c)
            assert np.array_equal(mask[block] == 1, before[block] == before[block].max())


@pytest.mark.slow
def test_the_decoder_is_its_plain_definition():
    """Transposed convolution by adding kernels up, cell by cell."""
    decoder = network().get_layer("parts").decoder
    latent = RANDOM.normal(size=(1, 1, 4, 6)).astype("float32")
    shapes = [(24, 16, 3), (6, 8, 4), (3, 4, 5)]
    masks = [RANDOM.integers(0, 2, (1, *shape)).astype("float32") for shape in shapes]
    tensor = latent[0].astype(float)[::1]
    # The poolings stand for 24 frames in all: one latent step is made 2, then 4 and 16 long.
    masks = [mask[:, : 16 // step] for mask, step in zip(masks, (1, 4, 8), strict=True)]
    for step, pool, mask in zip(decoder.steps[:0:-1], PLAN.pools[::-1], masks[::-1], strict=True):
        tensor = np.repeat(np.repeat(spread(tensor, step), pool[0], 0), pool[1], 1)
        tensor = tensor * mask[0]
        tensor = np.where(tensor > 0, tensor, autoencoder.SLOPE * tensor)
    wanted = np.tanh(spread(tensor, decoder.steps[0]))
    assert np.allclose(np.asarray(decoder(latent, masks))[0], wanted, atol=1e-5)


@pytest.mark.slow
def test_one_channel_comes_out_as_of_a_transposed_convolution_and_so_do_the_slopes():
    decoder = network().get_layer("parts").decoder
    layer = decoder.steps[0]
    tensor, weights = (
        tf.constant(RANDOM.normal(size=shape).astype("float32"))
        for shape in ((2, 9, 8, 3), (2, 9, 8, 1))
    )
    layer.bias.assign([0.0])
    found = []
    for way in (layer, lambda given: autoencoder._to_one_channel(given, layer.kernel.value)):
        with tf.GradientTape() as tape:
            tape.watch(tensor)
            made = way(tensor)
            total = tf.reduce_sum(weights * made)
        found.append([made, *tape.gradient(total, [tensor, layer.kernel.value])])
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-4)


def spread(tensor, step):
    kernel, bias = (weight.astype(float) for weight in step.get_weights())
    tall, wide = (size // 2 for size in kernel.shape[:2])
    rows, columns = tensor.shape[:2]
    made = np.zeros((rows + 2 * tall, columns + 2 * wide, kernel.shape[2]))
    for row, column in np.ndindex(rows, columns):
        patch = kernel @ tensor[row, column]
        made[row : row + len(kernel), column : column + kernel.shape[1]] += patch
    return made[tall : tall + rows, wide : wide + columns] + bias


@pytest.mark.slow
def test_batch_normalisation_is_folded_without_a_change():
    one, two = (
        autoencoder.encoder(ODD, (-4.0, 5.0), PLAN, 6, normalise=normalise, seed=2)
        for normalise in (True, False)
    )
    patches = random_patches(3, ODD)[..., None]
    for _ in range(3):
        one(patches, training=True)  # moves its running means
    autoencoder.folded(one, two)
    assert np.allclose(one(patches), two(patches), atol=1e-4)


def test_patches_that_are_nearly_all_silence_are_stretched_by_their_extremes():
    patches = RANDOM.normal(size=(2, 30, 40))
    assert autoencoder.limits(patches) == np.percentile(patches, [0.1, 99.9]).tolist()
    patches = np.full((2, 30, 40), -4.5)
    patches[0, 3, 3] = 1.0
    assert autoencoder.limits(patches) == [-4.5, 1.0]


def test_a_plan_is_read_from_lists_and_written_as_such():
    told = {"widths": [3, 4], "pools": [[4, 2], [2, 1]], "kernels": [5, 3, 3]}
    plan = autoencoder.Plan.of(**told)
    assert plan.to_config() == told
    assert plan == autoencoder.Plan((3, 4), ((4, 2), (2, 1)), (5, 3, 3))
    assert plan.step == (8, 2)


def test_the_reach_of_a_cell_is_what_moves_it():
    plan = autoencoder.Plan((3,), ((2, 3),), (3, 5))
    shape = (30, 36)
    network = autoencoder.encoder(shape, (-10.0, 10.0), plan, 4, seed=3)
    patch = random_patches(1, shape)[0]
    moved = np.repeat(patch[None], sum(shape), axis=0)
    for frame in range(30):
        moved[frame, frame] += 2
    for band in range(36):
        moved[30 + band, :, band] += 2
    before = np.asarray(network(patch[None, ..., None]))[0, 7, 6]
    apart = np.abs(np.asarray(network(moved[..., None]))[:, 7, 6] - before)
    touched = apart.max(axis=1) > 1e-5  # the others differ by rounding at most
    for cells, reach in zip((touched[:30], touched[30:]), plan.reach, strict=True):
        places = np.flatnonzero(cells)
        assert len(places) == np.ptp(places) + 1 == reach
    assert plan.reach == (12, 17)
