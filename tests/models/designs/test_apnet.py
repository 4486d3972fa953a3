"""APNet: prototypes in an autoencoder's latent space, against plain definitions."""

import numpy as np
import pytest
from design_contract import check_contract, check_places
from small_apnet import ODD, by_hand
from small_networks import random_patches
from tones import tiny_backbone

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import apnet


@pytest.mark.slow
@pytest.mark.parametrize("shape", [ODD, (96, 64)])
def test_the_contract(shape, tmp_path):
    check_contract(by_hand(shape), random_patches(4, shape), tmp_path)


@pytest.mark.slow
def test_the_contract_of_a_trained_one(trained_apnet, clips, tmp_path):
    train, test = clips.split(5)
    patches = np.concatenate([trained_apnet.frontend(clip.load()).values for clip in test])
    check_contract(trained_apnet, patches, tmp_path, methods=("saliency",))
    check_places(trained_apnet, train)
    assert xa.models.test(trained_apnet, test).clip_accuracy >= 0.8
    for part in trained_apnet.parts:
        assert part.places[0].clip in part.name
        assert part.picture.shape == (96, 64)
    alone = trained_apnet.sound(0)  # without clips, the decoded picture is heard
    assert len(alone) == trained_apnet.frontend.min_samples
    assert not np.array_equal(alone, trained_apnet.sound(0, train))


@pytest.mark.slow
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


@pytest.mark.slow
def test_shuffled_labels_teach_nothing(trained_apnet, clips):
    train, test = clips.split(5)
    options = {name: trained_apnet.options[name] for name in ("per_class", "filters", "channels")}
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
    assert (
        xa.models.test(null, test).clip_accuracy < xa.models.test(trained_apnet, test).clip_accuracy
    )


def test_options_are_checked():
    for wrong in ({"per_class": 0}, {"mixup": -1}, {"epochs": 0}):
        with pytest.raises(XaiAudioError):
            apnet.Options(**wrong)
