"""Prototypes that are balls."""

import numpy as np
import pytest
from tones import seeing_backbone

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import matching, protoconcepts
from xaiaudio.models.designs.lessons import lessons


@pytest.mark.slow
def test_members_of_a_ball_count_the_same(taught_prototypes):
    models, train, _ = taught_prototypes
    model = models["protoconcepts"]
    known = lessons(train, model.frontend, seed=0)
    patches = known.patches[~known.validation]
    inside, numbers = matching.members(model, patches), model.activations(patches)
    for part, evidence in enumerate(model.parts):
        assert len(evidence.places) == len({place.clip for place in evidence.places}) >= 2
        assert inside[:, part].sum() >= len(evidence.places)
        # Equal but for the last digit: vectors of numbers have another logarithm than one by one.
        assert np.ptp(numbers[inside[:, part], part]) <= 1e-6
        assert (numbers[~inside[:, part], part] < numbers[inside[:, part], part].min()).all()
    radii = model.logits_network.get_layer("parts").radii.numpy()
    larger = matching.members(model, patches, radii * 2)
    assert not (inside & ~larger).any() and larger.sum() > inside.sum()


@pytest.mark.slow
def test_balls_grown_anew_are_as_trained_and_others_have_the_same_centres(taught_prototypes):
    models, train, test = taught_prototypes
    base, model = seeing_backbone(), models["protoconcepts"]
    patches = np.asarray(model.frontend(test[0].load()))
    again = protoconcepts.grown(model, train, base, members=5, progress=False)
    points = protoconcepts.grown(model, train, base, radius=0.0, progress=False)
    assert again.options == model.options and points.options == {**model.options, "radius": 0.0}
    layer, same, other = (one.logits_network.get_layer("parts") for one in (model, again, points))
    np.testing.assert_allclose(same.radii.numpy(), layer.radii.numpy(), rtol=1e-4)
    np.testing.assert_allclose(again.logits(patches), model.logits(patches), atol=1e-2)
    assert not other.radii.numpy().any()
    np.testing.assert_array_equal(other.prototypes.numpy(), layer.prototypes.numpy())
    assert not np.allclose(points.weights, model.weights)
    with pytest.raises(XaiAudioError, match="design 'protopnet'"):
        protoconcepts.grown(models["protopnet"], train, base)


@pytest.mark.parametrize("options", [{"members": 0}, {"radius": -1}])
def test_balls_that_are_none(options):
    with pytest.raises(XaiAudioError, match=next(iter(options))):
        protoconcepts.Options(**options)
