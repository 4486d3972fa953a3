"""Prototypes in a frozen embedding."""

import numpy as np
import pytest
from design_contract import check_contract, check_places
from lazily import Lazily
from tones import tiny_backbone

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import matching
from xaiaudio.models.designs.lessons import lessons
from xaiaudio.models.training.tables import patch_table

OPTIONS = {
    "usual": {},
    "random": {"prototypes": "random"},
    "shuffled": {"shuffled": True},
    "learnt": {"project": False},
}


@pytest.fixture(scope="module")
def taught(clips):
    base, (train, test) = tiny_backbone(), clips.split(5)

    def made(name):
        options = {"per_class": 2, "progress": False, **OPTIONS[name]}
        return xa.models.train_design("pecmae", train, base, **options)

    return Lazily(made), train, test


@pytest.mark.slow
def test_the_contract(taught, tmp_path):
    models, train, test = taught
    patches = np.asarray(models["usual"].frontend(test[0].load()))
    check_contract(models["usual"], patches, tmp_path)
    check_places(models["usual"], train)


@pytest.mark.slow
def test_it_learns_and_shuffled_labels_do_not(taught):
    models, _, test = taught
    assert xa.models.test(models["usual"], test).clip_accuracy == 1
    assert xa.models.test(models["shuffled"], test).clip_accuracy < 1


@pytest.mark.slow
def test_a_prototype_is_the_patch_that_its_place_names(taught):
    models, train, _ = taught
    model = models["usual"]
    by_name = {clip.name: clip for clip in train}
    for number, part in enumerate(model.parts):
        place = part.places[0]
        wave = by_name[place.clip].load(model.frontend.sample_rate)
        # A frame's cell begins a little behind its window.
        hop = model.frontend.hop
        first = int(place.start * model.frontend.sample_rate) // hop * hop
        patch = np.asarray(model.frontend(wave[first : first + model.frontend.min_samples]))[:1]
        # exp(-0): the place itself is the most alike that there is.
        assert model.activations(patch)[0, number] == pytest.approx(1, abs=1e-4)
        assert by_name[place.clip].label == part.label


@pytest.mark.slow
def test_prototypes_that_were_not_put_on_patches_are_none(taught):
    models, train, _ = taught
    patches = np.concatenate([np.asarray(models["learnt"].frontend(clip.load())) for clip in train])
    best = models["learnt"].activations(patches).max(axis=0)
    assert (best < 1 - 1e-6).any()


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [{"alpha": 1.0}, {"width": 0}, {"per_class": 0}, {"prototypes": "none"}, {"overlap": 1}],
)
def test_options_that_are_none(options, clips, backbone):
    table = patch_table(clips, backbone.frontend)
    with pytest.raises(XaiAudioError, match=next(iter(options))):
        xa.models.train_design("pecmae", table, backbone, **options)


@pytest.mark.slow
def test_prototypes_that_are_drawn_are_patches_of_whatever_class(taught):
    models, train, _ = taught
    model = models["random"]
    known = lessons(train, model.frontend, seed=0)
    far = matching.distance_maps(model, known.patches)[:, 0, 0]
    assert far.min(axis=0).max() <= 1e-6
    drawn = far.argmin(axis=0)
    assert not known.validation[drawn].any()
    owner = np.repeat(np.arange(len(model.labels)), 2)
    assert (known.targets[drawn] != owner).any()
    # Nothing but the last layer was trained: its loss has no term of the prototypes.
    told = [{name.split("/")[-1] for name in models[one].history} for one in ("random", "usual")]
    assert "own_class" not in told[0] and "own_class" in told[1]
