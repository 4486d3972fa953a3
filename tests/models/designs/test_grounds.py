"""What prototypes stand on: a layer that sees no more than asked, and shuffled weights."""

import numpy as np
import pytest
from small_networks import random_patches
from tones import seeing_backbone, tiny_backbone

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import comparison, grounds
from xaiaudio.models.training.tables import patch_table


def test_the_last_layer_that_sees_no_more_than_asked():
    base = seeing_backbone()
    found = grounds.feature_maps(base, 0.25)
    assert found.network.layers[-1].name == "last"
    widths = np.diff(found.fields.frames, axis=1)
    assert widths.max() == 13  # 5 + 2 * 4
    assert grounds.feature_maps(base, 0.1).network.output_shape == (None, 24, 16, 6)
    with pytest.raises(XaiAudioError, match="take a larger share"):
        grounds.feature_maps(base, 0.01)


def test_random_weights_are_others_of_the_same_size():
    base = seeing_backbone()
    one, two = (grounds.embedding(base, random=random).network for random in (False, True))
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        assert np.array_equal(np.sort(a.ravel()), np.sort(b.ravel()))
    assert not np.array_equal(one.get_weights()[0], two.get_weights()[0])


@pytest.mark.slow
def test_several_networks_on_one_backbone_ask_it_once(taught_prototypes, monkeypatch):
    taught, _, test = taught_prototypes
    models = {name: taught[name] for name in ("protopnet", "protoconcepts", "audioprotopnet")}
    base = seeing_backbone()
    table = patch_table(test, base.frontend)
    asked, real = [], grounds.outputs
    monkeypatch.setattr(grounds, "outputs", lambda *a: asked.append(real(*a)) or asked[-1])
    for one in models.values():
        found = grounds.activations_on(one, base, table.patches)
        np.testing.assert_allclose(found, one.activations(table.patches), atol=1e-5)
        assert comparison.price(one, table, backbone=base) == comparison.price(one, table)
    ends = [array.shape[1:] for array in asked]
    wanted = [grounds.feature_maps(base, sees).network.output_shape[1:] for sees in (0.5, 0.5, 1)]
    assert ends == [shape for shape in wanted for _ in range(2)]


def test_embeddings_follow_from_the_map_that_others_stand_on(monkeypatch):
    base, asked, real = tiny_backbone(), [], grounds.outputs
    patches = random_patches(3, base.frontend.patch_shape)
    monkeypatch.setattr(grounds, "outputs", lambda *a: asked.append(real(*a)) or asked[-1])
    found = grounds.embedding(base).maps(patches)
    np.testing.assert_allclose(found, base.network.predict(patches[..., None], verbose=0), 1e-5)
    maps = grounds.feature_maps(base, 1.0).maps(patches)
    assert asked[0].ndim == 4 and np.array_equal(asked[0], maps)
