"""APNet: prototypes in an autoencoder's latent space, against plain definitions."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from archives import rewritten
from design_contract import check_contract, check_places
from small_networks import LABELS, frontend, random_patches
from tones import tiny_backbone

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import apnet, apnet_refining, autoencoder
from xaiaudio.models.designs.base import SelfExplaining
from xaiaudio.models.designs.evidence import Evidence

ODD = (21, 13)
RANDOM = np.random.default_rng(4)


PLAN = autoencoder.Plan((3, 4, 5), ((4, 2), (2, 2), (2, 1)), (5, 5, 5, 3))


def network(shape=ODD, count=4, seed=1):
    body = autoencoder.encoder(shape, (-4.0, 5.0), PLAN, 6, seed=seed)
    layer = apnet.DecodedPrototypes(count, **PLAN.to_config(), seed=seed, name="parts")
    logits = keras.layers.Dense(3, name="logits", bias_initializer="normal")
    made = keras.Model(body.inputs[0], logits(layer(body.outputs[0])))
    layer.bands.assign(RANDOM.random(size=layer.bands.shape))
    return made


def by_hand(shape=ODD, count=4):
    evidence = [Evidence(f"prototype {n}", LABELS[n % 3]) for n in range(count)]
    return SelfExplaining.from_network(
        network(shape, count), LABELS, frontend(*shape), evidence, design="apnet"
    )


@pytest.fixture(scope="module")
def trained(clips):
    train, _ = clips.split(5)
    few = {"per_class": 2, "filters": 4, "channels": 4, "epochs": 6, "batch": 16}
    return xa.models.train_design("apnet", train, tiny_backbone(), progress=False, **few)


@pytest.mark.slow
@pytest.mark.parametrize("shape", [ODD, (96, 64)])
def test_the_contract(shape, tmp_path):
    check_contract(by_hand(shape), random_patches(4, shape), tmp_path)


@pytest.mark.slow
def test_the_contract_of_a_trained_one(trained, clips, tmp_path):
    train, test = clips.split(5)
    patches = np.concatenate([trained.frontend(clip.load()).values for clip in test])
    check_contract(trained, patches, tmp_path, methods=("saliency",))
    check_places(trained, train)
    assert xa.models.test(trained, test).clip_accuracy >= 0.8
    for part in trained.parts:
        assert part.places[0].clip in part.name
        assert part.picture.shape == (96, 64)
    alone = trained.sound(0)  # without clips, the decoded picture is heard
    assert len(alone) == trained.frontend.min_samples
    assert not np.array_equal(alone, trained.sound(0, train))


def test_likeness_is_its_plain_definition():
    layer = network().get_layer("parts")
    latent = RANDOM.normal(size=(3, *layer.prototypes.shape[1:])).astype("float32")
    found, prototypes = np.asarray(layer(latent)), np.asarray(layer.prototypes)
    for number, one in enumerate(latent):
        for which, prototype in enumerate(prototypes):
            raw = np.asarray(layer.bands[which], float)
            total = 0.0
            for band in range(one.shape[1]):
                difference = one[:, band].astype(float) - prototype[:, band]
                total += raw[band] / raw.sum() * np.exp(-np.mean(difference**2))
            assert found[number, which] == pytest.approx(total, abs=1e-5)


def test_a_prototype_is_like_itself_and_order_does_not_matter():
    layer = network().get_layer("parts")
    own = np.asarray(layer(layer.prototypes))
    assert np.allclose(np.diag(own), 1, atol=1e-5)
    assert ((own > 0) & (own <= 1 + 1e-6)).all()
    weights = np.asarray(layer.weights_of_bands())
    assert (weights >= 0).all()
    assert np.allclose(weights.sum(axis=1), 1, atol=1e-6)

    model, patches = by_hand(), random_patches(3, ODD)
    before, order = model.logits(patches), np.array([2, 0, 3, 1])
    layer, last = (model.logits_network.get_layer(name) for name in ("parts", "logits"))
    for weight in (layer.prototypes, layer.bands, last.kernel):
        weight.assign(np.asarray(weight)[order])
    assert np.allclose(model.logits(patches), before, atol=1e-5)


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


def test_decoded_pictures_keep_to_the_limits_and_to_their_masks():
    model = by_hand()
    low, high = apnet.limits_of(model.logits_network)
    assert (low, high) == pytest.approx((-4, 5))
    pictures = apnet.decoded(model, apnet.random_masks(model, 4, seed=2))
    assert pictures.shape == (4, *ODD)
    assert pictures.min() >= low - 1e-5
    assert pictures.max() <= high + 1e-5
    others = apnet.decoded(model, apnet.random_masks(model, 4, seed=3))
    assert np.abs(pictures - others).max() > 1e-3  # a picture is in part the masks'
    with pytest.raises(XaiAudioError, match="as many are needed"):
        apnet.decoded(model, apnet.random_masks(model, 3))


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


def test_pairs_to_merge():
    prototypes = RANDOM.normal(size=(5, 2, 3, 4))
    prototypes[3] = prototypes[1] + 0.01
    prototypes[4] = prototypes[0] + 0.01
    found = apnet_refining.distances(prototypes)
    for one, two in np.ndindex(5, 5):
        wanted = np.mean((prototypes[one] - prototypes[two]) ** 2)
        assert found[one, two] == pytest.approx(wanted, abs=1e-9)
    labels = ["dog", "dog", "dog", "dog", "cat"]
    assert apnet_refining.duplicates(found, labels, 0.1) == ((3, 1),)
    assert apnet_refining.duplicates(found, ["dog"] * 5, 0.0) == ()
    assert {gone for gone, _ in apnet_refining.duplicates(found, ["dog"] * 5, 1e9)} == {1, 2, 3, 4}


@pytest.mark.slow
def test_merging_equals_changes_nothing_and_training_again_does(trained, clips):
    train, _ = clips.split(5)
    layer = trained.logits_network.get_layer("parts")
    held = np.asarray(layer.prototypes), np.asarray(layer.bands)
    try:
        for weight in (layer.prototypes, layer.bands):
            values = np.asarray(weight).copy()
            values[1] = values[0]  # both of the first class
            weight.assign(values)
        found = apnet_refining.refine(trained, train, closest=1e-9, epochs=2, progress=False)
        assert len(found.pruned.parts) == len(found.model.parts) == len(trained.parts) - 1
        patches = trained.frontend(train[0].load()).values
        assert np.allclose(found.pruned.logits(patches), trained.logits(patches), atol=1e-4)
        assert not np.allclose(found.model.logits(patches), trained.logits(patches), atol=1e-4)
        again = apnet_refining.refine(found.model, train, closest=0.0, epochs=1, progress=False)
        assert again.merged == () and again.model.options["merged"] == 1
    finally:
        for weight, values in zip((layer.prototypes, layer.bands), held, strict=True):
            weight.assign(values)


@pytest.mark.slow
def test_shuffled_labels_teach_nothing(trained, clips):
    train, test = clips.split(5)
    options = {name: trained.options[name] for name in ("per_class", "filters", "channels")}
    null = xa.models.train_design(
        "apnet",
        train,
        tiny_backbone(),
        shuffled=True,
        progress=False,
        epochs=6,
        batch=16,
        **options,
    )
    assert xa.models.test(null, test).clip_accuracy < xa.models.test(trained, test).clip_accuracy


def test_patches_that_are_nearly_all_silence_are_stretched_by_their_extremes():
    patches = RANDOM.normal(size=(2, 30, 40))
    assert autoencoder.limits(patches) == np.percentile(patches, [0.1, 99.9]).tolist()
    patches = np.full((2, 30, 40), -4.5)
    patches[0, 3, 3] = 1.0
    assert autoencoder.limits(patches) == [-4.5, 1.0]


def test_options_are_checked():
    for wrong in ({"per_class": 0}, {"mixup": -1}, {"epochs": 0}):
        with pytest.raises(XaiAudioError):
            apnet.Options(**wrong)
    with pytest.raises(XaiAudioError, match="only an APNet"):
        model = by_hand()
        model.design = "another"
        apnet_refining.refine(model, ())


@pytest.mark.parametrize("wrong", [{"widths": [10**5] * 3}, {"kernels": [10**4] * 4}])
def test_no_file_asks_for_a_decoder_larger_than_itself(tmp_path, wrong):
    def change(config):
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "DecodedPrototypes":
                layer["config"].update(wrong)
        return config

    changed = rewritten(by_hand().save(tmp_path / "one.keras"), "config.json", change)
    with pytest.raises(XaiAudioError, match="asks for more weights than the file holds"):
        xa.load_model(changed)
