"""Prototypes in a frozen embedding."""

import numpy as np
import pytest
from design_contract import check_contract, check_places

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs.heads_of_prototypes import clustering, distinct, nearest_of
from xaiaudio.models.training.tables import patch_table


@pytest.fixture(scope="module")
def taught(clips):
    from tones import tiny_backbone

    base = tiny_backbone()
    train, test = clips.split(5)
    made = {
        name: xa.models.train_design("pecmae", train, base, per_class=2, progress=False, **options)
        for name, options in {
            "usual": {},
            "random": {"prototypes": "random"},
            "shuffled": {"shuffled": True},
            "learnt": {"project": False},
        }.items()
    }
    return made, train, test


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


def test_each_prototype_of_a_class_takes_another_clip():
    best = np.array([[0.1, 0.0], [0.0, 0.1], [0.5, 0.6], [0.2, 0.2]])
    targets, clips, owner = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 2]), np.array([0, 0])
    assert distinct(best, targets, clips, owner).tolist() in ([1, 2], [2, 0])
    # With one clip only they share it.
    one = distinct(best[:2], targets[:2], clips[:2], owner)
    assert sorted(one.tolist()) == [0, 1]
    with pytest.raises(XaiAudioError, match="no patch that a prototype could be"):
        distinct(best, targets, clips, np.array([2, 2]))


def test_the_nearest_are_of_clips_of_their_own():
    best = np.array([[0.3], [0.1], [0.2], [np.inf]])
    found = nearest_of(best, np.array([[7], [8], [9], [5]]), np.array([0, 0, 1, 2]), 3)
    assert found.number.tolist() == [[1, 2, -1]]
    assert found.cell.tolist() == [[8, 9, 0]]
    assert found.distance[0, :2].tolist() == pytest.approx([0.1, 0.2])


def test_costs_against_their_definition():
    rng = np.random.default_rng(0)
    nearest = rng.uniform(size=(5, 4)).astype("float32")
    targets, owner = np.array([0, 1, 1, 0, 1]), np.array([0, 0, 1, 1])
    own = [min(nearest[n, p] for p in range(4) if owner[p] == targets[n]) for n in range(5)]
    far = [min(nearest[n, p] for p in range(4) if owner[p] != targets[n]) for n in range(5)]
    found = clustering(nearest, targets, owner)
    assert np.allclose([float(one) for one in found], [np.mean(own), np.mean(far)], atol=1e-6)


@pytest.mark.parametrize(
    "options",
    [{"alpha": 1.0}, {"width": 0}, {"per_class": 0}, {"prototypes": "none"}, {"overlap": 1}],
)
def test_options_that_are_none(options, clips, backbone):
    table = patch_table(clips, backbone.frontend)
    with pytest.raises(XaiAudioError, match=next(iter(options))):
        xa.models.train_design("pecmae", table, backbone, **options)
