"""Prototypes of APNet that are merged."""

import numpy as np
import pytest
from small_apnet import by_hand

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import apnet_refining

RANDOM = np.random.default_rng(4)


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
def test_merging_equals_changes_nothing_and_training_again_does(trained_apnet, clips):
    train, _ = clips.split(5)
    layer = trained_apnet.logits_network.get_layer("parts")
    held = np.asarray(layer.prototypes), np.asarray(layer.bands)
    try:
        for weight in (layer.prototypes, layer.bands):
            values = np.asarray(weight).copy()
            values[1] = values[0]  # both of the first class
            weight.assign(values)
        found = apnet_refining.refine(trained_apnet, train, closest=1e-9, epochs=2, progress=False)
        assert len(found.pruned.parts) == len(found.model.parts) == len(trained_apnet.parts) - 1
        patches = trained_apnet.frontend(train[0].load()).values
        assert np.allclose(found.pruned.logits(patches), trained_apnet.logits(patches), atol=1e-4)
        assert not np.allclose(
            found.model.logits(patches), trained_apnet.logits(patches), atol=1e-4
        )
        again = apnet_refining.refine(found.model, train, closest=0.0, epochs=1, progress=False)
        assert again.merged == () and again.model.options["merged"] == 1
    finally:
        for weight, values in zip((layer.prototypes, layer.bands), held, strict=True):
            weight.assign(values)


def test_another_design_has_nothing_to_merge():
    with pytest.raises(XaiAudioError, match="only an APNet"):
        model = by_hand()
        model.design = "another"
        apnet_refining.refine(model, ())
