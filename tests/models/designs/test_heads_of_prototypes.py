"""Layers of prototypes while they are trained: costs, nearest places, projection."""

import keras
import numpy as np
import pytest
from small_networks import frontend
from tones import seeing_backbone

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import grounds, protopnet
from xaiaudio.models.designs.heads_of_prototypes import (
    Head,
    after,
    clustering,
    cross_entropy,
    distinct,
    least,
    nearest_of,
)
from xaiaudio.models.designs.lessons import Lessons, lessons
from xaiaudio.models.designs.prototypes import Prototypes
from xaiaudio.models.receptive import Fields


@pytest.mark.slow
def test_a_second_projection_changes_nothing(clips):
    train, _ = clips.split(5)
    base = seeing_backbone()
    known = lessons(train, base.frontend.with_overlap(0.5), seed=0)
    head = protopnet.head_of(known, base, protopnet.Options(per_class=2))
    head.draw(0)
    head.layer.prototypes.assign(head.layer.prototypes.numpy() + 0.05)
    first = head.project()
    vectors = head.layer.prototypes.numpy()
    second = head.project()
    assert np.array_equal(head.layer.prototypes.numpy(), vectors)
    assert first.number.tolist() == second.number.tolist()
    assert (known.targets[first.number[:, 0]] == head.owner).all()
    assert not known.validation[first.number].any()


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


def test_the_least_distance_is_over_all_places():
    distances = np.random.default_rng(0).random((3, 2, 4, 5)).astype("float32")
    found = least(distances)
    for n, k in np.ndindex(3, 5):
        assert found[n, k] == min(distances[n, h, w, k] for h in range(2) for w in range(4))
    np.testing.assert_array_equal(least(distances[:, 0, 0]), distances[:, 0, 0])


def test_the_cross_entropy_by_its_definition():
    rng = np.random.default_rng(0)
    logits, targets = rng.normal(size=(6, 3)).astype("float32"), rng.integers(0, 3, 6)
    wanted = np.mean(
        [
            -np.log(np.exp(row[target]) / sum(np.exp(row)))
            for row, target in zip(logits.astype(float), targets, strict=True)
        ]
    )
    assert float(cross_entropy(logits, targets)) == pytest.approx(wanted, rel=1e-5)


def test_two_courses_of_training_keep_apart():
    first, second = {"best": 1, "validation/total": [3, 2]}, {"best": 2}
    told = {**first, **after(second)}
    assert told == {"best": 1, "validation/total": [3, 2], "last layer, best": 2}


def taught(clips=6, labels=("a", "b")):
    """Lessons of two patches a clip, and a ground of 2 by 2 cells that are the patch's own."""
    rng = np.random.default_rng(2)
    clip = np.repeat(np.arange(clips), 2)
    return Lessons(
        patches=rng.normal(size=(2 * clips, 2, 2)).astype("float32"),
        targets=clip % len(labels),
        clip=clip,
        first=np.zeros(2 * clips, int),
        validation=clip >= clips - len(labels),
        names=tuple(f"clip {n}" for n in range(clips)),
        labels=labels,
        frontend=frontend(2, 2),
    )


def plain_ground():
    patch = keras.Input((2, 2, 1))
    network = keras.Model(patch, keras.layers.Identity()(patch))
    own = np.array([[0, 1], [1, 2]])
    return grounds.Ground(network, Fields(own, own))


def head_of(known, count=4):
    return Head(plain_ground(), known, Prototypes(count, name="parts"), own=2.0, others=-0.5)


def test_the_last_layer_begins_with_own_and_others():
    head = head_of(taught())
    assert head.owner.tolist() == [0, 0, 1, 1]
    wanted = [[2, -0.5]] * 2 + [[-0.5, 2]] * 2
    np.testing.assert_array_equal(head.last.kernel, wanted)
    with pytest.raises(XaiAudioError, match="5 prototypes cannot be shared by 2 classes"):
        head_of(taught(), 5)


@pytest.mark.parametrize("own", [True, False])
def test_the_nearest_places_by_looking_at_all(own):
    known = taught()
    head = head_of(known)
    head.layer.prototypes.assign([[-1.0], [0.0], [0.5], [2.0]])
    found = head.nearest(2, own=own)
    for part, prototype in enumerate((-1, 0, 0.5, 2)):
        places = sorted(
            ((known.patches[n].ravel()[cell] - prototype) ** 2, n, cell)
            for n in range(len(known.patches))
            for cell in range(4)
            if not known.validation[n] and (not own or known.targets[n] == head.owner[part])
        )
        wanted = {}
        for far, n, cell in places:
            wanted.setdefault(known.clip[n], (n, cell, far))
        for k, (n, cell, far) in enumerate(list(wanted.values())[:2]):
            assert (found.number[part, k], found.cell[part, k]) == (n, cell)
            assert found.distance[part, k] == pytest.approx(far, abs=1e-5)


def test_projected_and_drawn_prototypes_are_cells_of_their_class():
    known = taught()
    head = head_of(known)
    for put in (head.project, lambda: head.draw(3)):
        found = put()
        values = known.patches.reshape(-1, 4)[found.number[:, 0], found.cell[:, 0]]
        np.testing.assert_array_equal(head.layer.prototypes.numpy()[:, 0], values)
        assert (known.targets[found.number[:, 0]] == head.owner).all()
        assert not known.validation[found.number].any()


def test_clusters_are_the_means_of_what_lies_near_them():
    known = taught()
    head = head_of(known)
    head.cluster(0)
    for label in range(2):
        mine = (known.targets == label) & ~known.validation
        values = known.patches[mine].ravel()
        centres = head.layer.prototypes.numpy()[head.owner == label, 0]
        nearest = np.abs(values[:, None] - centres).argmin(axis=1)
        for number, centre in enumerate(centres):
            assert centre == pytest.approx(values[nearest == number].mean(), abs=1e-5)


def test_evidence_names_the_clip_and_the_cells():
    known = taught()
    head = head_of(known)
    found = head.project()
    for part, one in enumerate(head.evidence(found, "ball")):
        label = known.labels[part // 2]
        assert (one.name, one.label) == (f"{label}, ball {part % 2 + 1}", label)
        row, column = divmod(int(found.cell[part, 0]), 2)
        cells = (row, row + 1), (column, column + 1)
        assert one.places == (known.place(int(found.number[part, 0]), *cells),)
