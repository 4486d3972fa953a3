"""The layer of prototypes, against its definition written with loops."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs.prototypes import Prototypes


def _layer(shape, count=3, seed=0, **options):
    layer = Prototypes(count, **options)
    layer.build((None, *shape))
    rng = np.random.default_rng(seed)
    for weight in layer.weights:
        if weight.name != "radii":
            weight.assign(rng.uniform(0.1, 1, weight.shape))
    return layer


def _draw(shape, n=4, seed=1):
    return np.random.default_rng(seed).normal(size=(n, *shape)).astype("float32")


def _distance(one, two, distance):
    if distance == "cosine":
        return 1 - one @ two / np.sqrt((one @ one) * (two @ two))
    return np.mean((one - two) ** 2)


def _alike(d, similarity, radius=None):
    d = d if radius is None else max(d, radius)
    if similarity == "exp":
        return np.exp(-d)
    return np.log((d + 1) / (d + 1e-4)) if similarity == "log-ratio" else max(1 - d, 0)


KINDS = [
    ("mean-squared", "exp"),
    ("mean-squared", "log-ratio"),
    ("cosine", "relu-cosine"),
    ("cosine", "exp"),
]


@pytest.mark.slow
@pytest.mark.parametrize("radius", [None, 0.7])
@pytest.mark.parametrize("pooling", ["max", "mean"])
@pytest.mark.parametrize(("distance", "similarity"), KINDS)
def test_of_maps(distance, similarity, pooling, radius):
    layer = _layer(
        (3, 2, 5), distance=distance, similarity=similarity, pooling=pooling, radius=radius
    )
    maps, prototypes = _draw((3, 2, 5)).astype(float), layer.prototypes.numpy().astype(float)
    found = np.asarray(layer(maps.astype("float32")))
    for n in range(4):
        for p in range(3):
            values = [
                _alike(_distance(maps[n, h, w], prototypes[p], distance), similarity, radius)
                for h in range(3)
                for w in range(2)
            ]
            wanted = max(values) if pooling == "max" else np.mean(values)
            assert found[n, p] == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("distance", ["mean-squared", "cosine"])
@pytest.mark.parametrize("shape", [(3, 2, 5), (5,)])
def test_the_least_distance_and_its_slopes(distance, shape):
    layer = _layer(shape, distance=distance, scale=5.0)
    maps, found = tf.constant(_draw(shape)), []
    for least in (layer.least, lambda m: tf.reshape(layer.distances(m), (4, -1, 3))):
        with tf.GradientTape() as tape:
            tape.watch(maps)
            near = least(maps)
            near = near if near.shape == (4, 3) else tf.reduce_min(near, axis=1)
            total = tf.reduce_sum(tf.square(near))
        slopes = tape.gradient(total, [maps, layer.prototypes.value])
        found.append([near, *map(tf.convert_to_tensor, slopes)])
    for one, two in zip(*found, strict=True):
        assert np.allclose(one, two, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("distance", "similarity"), KINDS)
def test_of_vectors(distance, similarity):
    layer = _layer((6,), distance=distance, similarity=similarity)
    vectors, prototypes = _draw((6,)), layer.prototypes.numpy()
    wanted = [[_alike(_distance(v, p, distance), similarity) for p in prototypes] for v in vectors]
    assert np.allclose(layer(vectors), wanted, atol=1e-5)


def test_of_bands():
    layer = _layer((4, 3, 2), pooling="frequency-weighted")
    maps, prototypes = _draw((4, 3, 2)), layer.prototypes.numpy()
    weights = layer.bands.numpy()
    found = np.asarray(layer(maps))
    for n in range(4):
        for p in range(3):
            wanted = sum(
                weights[p, f] * np.exp(-np.mean((maps[n, :, f] - prototypes[p, :, f]) ** 2))
                for f in range(3)
            )
            assert found[n, p] == pytest.approx(wanted, abs=1e-5)
    same = np.asarray(layer(prototypes))
    assert np.allclose(np.diag(same), weights.sum(axis=1), atol=1e-5)


def test_the_log_ratio_at_known_distances():
    layer = _layer((2,), similarity="log-ratio")
    found = np.asarray(layer.alike(np.array([0, 1, 128], "float32")))
    assert found == pytest.approx([9.2103, 0.6930, 0.00778], abs=1e-3)


def test_the_same_is_at_no_distance_and_nothing_is_nearer():
    layer = _layer((3, 2, 5), count=6, similarity="log-ratio")
    maps = _draw((3, 2, 5), n=6)
    layer.prototypes.assign(maps[:, 1, 1])
    distances = np.asarray(layer.distances(maps))
    assert np.abs(distances[np.arange(6), 1, 1, np.arange(6)]).max() <= 1e-6
    assert distances.min() >= 0


@pytest.mark.slow
@pytest.mark.parametrize("size", [8, 128])
@pytest.mark.parametrize("away", [0.0, 1e-3, 1e-2, 1.0])
def test_single_precision_loses_nothing_near_a_prototype(size, away):
    layer = _layer((2, 2, size), similarity="log-ratio", scale=size)
    maps = 3 + _draw((2, 2, size))
    layer.prototypes.assign(maps[:3, 0, 1] + away * _draw((size,), n=3, seed=2))
    vectors = layer.prototypes.numpy().astype(float)
    far = np.square(maps.astype(float)[..., None, :] - vectors).sum(axis=-1)
    found = np.asarray(layer.similarities(maps))
    assert np.abs(found - np.log((far + 1) / (far + 1e-4))).max() <= 1e-5


def test_order_of_the_prototypes_is_the_order_of_the_numbers():
    layer, maps = _layer((3, 2, 5)), _draw((3, 2, 5))
    before = np.asarray(layer(maps))
    layer.prototypes.assign(layer.prototypes.numpy()[[2, 0, 1]])
    assert np.allclose(layer(maps), before[:, [2, 0, 1]], atol=1e-6)


def test_members_of_a_ball_tie_and_a_larger_ball_only_adds():
    layer, vectors = _layer((6,), radius=1.0), _draw((6,), n=40)
    distances = np.asarray(layer.distances(vectors))
    members = []
    for radius in (0.5, 1.0, 1.5):
        layer.radii.assign(np.full(3, radius))
        found = np.asarray(layer(vectors))
        inside = distances <= radius
        for part in range(3):
            assert inside[:, part].sum() > 1 or radius == 0.5
            assert len(set(found[inside[:, part], part].tolist())) <= 1
            outside = found[~inside[:, part], part]
            assert (outside < np.exp(-radius)).all()
        members.append(inside)
    assert not (members[0] & ~members[1]).any() and not (members[1] & ~members[2]).any()


def test_nothing_has_no_direction():
    layer = _layer((4,), distance="cosine", similarity="relu-cosine")
    assert np.allclose(layer(np.zeros((2, 4), "float32")), 0, atol=1e-6)


def test_its_configuration_makes_it_again():
    options = {"distance": "cosine", "similarity": "exp", "radius": 0.25, "scale": 3.0}
    layer = _layer((5,), **options)
    again = Prototypes.from_config(layer.get_config())
    again.build((None, 5))
    assert {**again.get_config()} == {**layer.get_config()}
    for name, value in options.items():
        assert getattr(again, name) == value


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"count": 0}, "count is 0"),
        ({"distance": "cosin"}, "did you mean|There is no distance"),
        ({"similarity": "relu-cosine"}, "of the distance"),
        ({"pooling": "sum"}, "no pooling"),
        ({"radius": -1.0}, "radius"),
    ],
)
def test_arguments_that_are_none(options, message):
    with pytest.raises(XaiAudioError, match=message):
        Prototypes(**{"count": 2, **options})


def test_shapes_that_do_not_fit():
    with pytest.raises(XaiAudioError, match="take"):
        Prototypes(2, pooling="frequency-weighted").build((None, 5))
    assert keras.Input((3, 2, 5)) is not None
    assert Prototypes(2)(keras.Input((3, 2, 5))).shape == (None, 2)
