"""Prototypes in a tree: the tree, the loss and the levels by their definitions."""

import numpy as np
import pytest
from design_contract import check_contract, check_places
from lazily import Lazily
from small_trees import UNEVEN
from tones import LABELS, tiny_backbone

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import hierarchy
from xaiaudio.models.designs.trees import Tree

OPTIONS = {"usual": {}, "flat": {"tree": "flat"}, "shuffled": {"shuffled": True}}


@pytest.fixture(scope="module")
def taught(clips):
    train, test = clips.split(5)

    def made(name):
        options = {"dimensions": 4, "progress": False, **OPTIONS[name]}
        return xa.models.train_design("hierarchy", train, tiny_backbone(), **options)

    return Lazily(made), train, test


def patches_of(model, clips):
    return np.concatenate([np.asarray(model.frontend(clip.load())) for clip in clips])


@pytest.mark.slow
def test_the_contract(taught, tmp_path):
    models, train, test = taught
    check_contract(models["usual"], patches_of(models["usual"], test[:2]), tmp_path)
    check_places(models["usual"], train)


@pytest.mark.slow
def test_it_learns_and_shuffled_labels_do_not(taught):
    models, _, test = taught
    assert xa.models.test(models["usual"], test).clip_accuracy == 1
    assert xa.models.test(models["shuffled"], test).clip_accuracy < 1


@pytest.mark.slow
def test_each_level_is_a_softmax_of_distances_to_its_own_prototypes(taught):
    models, _, test = taught
    model = models["usual"]
    patches = patches_of(model, test)
    layer = model.network.get_layer("parts")
    points = np.asarray(layer.prototypes, float)
    places = model.inner("point", lambda: layer.input, patches).astype(float)
    other = Tree(LABELS, (("tone", "tone", "noise"), ("all", "all", "all")))
    for tree in (None, other):
        of = hierarchy.tree(model) if tree is None else tree
        found = hierarchy.answers(model, patches, tree)
        centres = {label: points[k] for k, label in enumerate(LABELS)}
        below = LABELS
        for height in range(of.heights):
            if height:
                level = of.levels[height - 1]
                children = {g: [] for g in level}
                for child in dict.fromkeys(below):
                    children[level[below.index(child)]].append(centres[child])
                centres = {g: sum(some) / len(some) for g, some in children.items()}
                below = level
            for row, place in enumerate(places):
                powers = [np.exp(-sum((place - centres[g]) ** 2)) for g in of.groups(height)]
                expected = np.array(powers) / sum(powers)
                np.testing.assert_allclose(found[height][row], expected, atol=1e-4)
    np.testing.assert_allclose(
        hierarchy.answers(model, patches)[0], model.scores(patches), atol=1e-5
    )


@pytest.mark.slow
def test_a_prototype_is_the_mean_of_its_class_as_nearest_centroids_have_it(taught):
    from sklearn.neighbors import NearestCentroid

    models, train, test = taught
    model = models["flat"]
    from xaiaudio.models.designs.lessons import lessons

    learnt = lessons(train, model.frontend, seed=0)
    layer = model.network.get_layer("parts")
    places = model.inner("point", lambda: layer.input, learnt.patches)
    kept = ~learnt.validation
    peer = NearestCentroid().fit(places[kept], learnt.targets[kept])
    np.testing.assert_allclose(layer.prototypes, peer.centroids_, atol=1e-4)
    asked = patches_of(model, test)
    named = model.inner("point", lambda: layer.input, asked)
    np.testing.assert_array_equal(model.scores(asked).argmax(axis=1), peer.predict(named))


def test_the_loss_by_its_definition():
    import keras
    import tensorflow as tf

    rng = np.random.default_rng(0)
    projection = keras.layers.Dense(3, use_bias=False)
    projection.build((None, 6))
    means = rng.normal(size=(5, 6)).astype("float32")
    vectors = rng.normal(size=(7, 6)).astype("float32")
    targets = rng.integers(0, 5, 7)
    told = hierarchy._losses(projection, means, UNEVEN, 0.5)(
        tf.constant(vectors), tf.constant(targets), True
    )
    kernel = np.asarray(projection.kernel, float)
    one = (means[0] + means[2] + means[3]) / 3
    centres = [
        (dict(zip("abcde", means.astype(float), strict=True)), {name: name for name in "abcde"}),
        (
            {"one": one, "two": means[1], "three": means[4]},
            dict(zip("abcde", UNEVEN.levels[0], strict=True)),
        ),
        # A child counts once, however many leaves it has.
        (
            {"top": (one + means[1]) / 2, "other": means[4]},
            dict(zip("abcde", UNEVEN.levels[1], strict=True)),
        ),
    ]
    for height, (points, group) in enumerate(centres):
        total = 0.0
        for vector, target in zip(vectors, targets, strict=True):
            powers = {
                name: np.exp(-np.square((vector - point) @ kernel).sum())
                for name, point in points.items()
            }
            total -= np.log(powers[group["abcde"[target]]] / sum(powers.values()))
        expected = np.exp(-0.5 * height) * total / len(vectors)
        assert float(told[f"level {height}"]) == pytest.approx(expected, rel=1e-4)
    assert len(told) == 3


def test_sums_of_leaves_are_probabilities():
    scores = np.random.default_rng(1).dirichlet(np.ones(5), 4)
    found = hierarchy.summed(UNEVEN, scores)
    np.testing.assert_allclose(found[0], scores)
    for level in found:
        np.testing.assert_allclose(level.sum(axis=1), 1)
    np.testing.assert_allclose(found[1][:, 0], scores[:, [0, 2, 3]].sum(axis=1))


def test_severity_is_of_mistakes_only():
    assert hierarchy.severity(UNEVEN, [0, 0, 0, 0], [0, 2, 1, 4]).tolist() == [1, 2, 3]
    assert len(hierarchy.severity(UNEVEN, [1], [1])) == 0


@pytest.mark.slow
def test_wrong_questions(taught):
    model = taught[0]["usual"]
    with pytest.raises(XaiAudioError, match="tree of other|of other classes"):
        hierarchy.answers(model, np.zeros((1, 96, 64)), UNEVEN)
    for option in ({"tree": "oak"}, {"alpha": -1.0}, {"dimensions": 0}, {"overlap": 1.0}):
        with pytest.raises(XaiAudioError, match=next(iter(option))):
            hierarchy.Options(**option)


@pytest.mark.slow
def test_scores_by_what_the_backbone_said_before(taught):
    models, _, test = taught
    patches = patches_of(models["usual"], test[:4])
    for model in [models[name] for name in OPTIONS]:
        found = hierarchy.scores_on(model, tiny_backbone(), patches)
        np.testing.assert_allclose(found, model.scores(patches), atol=1e-6)
    with pytest.raises(XaiAudioError, match="does not stand on"):
        hierarchy.scores_on(models["usual"], tiny_backbone(seed=1), patches)
