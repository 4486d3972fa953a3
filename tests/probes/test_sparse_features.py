"""Sparse features are taken out one by one, and each place of theirs is what the layer sees."""

import numpy as np
import pytest
from small_networks import classifier_of, convolutional, random_patches

from xaiaudio import XaiAudioError
from xaiaudio.models.designs.lessons import Lessons
from xaiaudio.probes.edits import Layer
from xaiaudio.probes.sparse import Codes
from xaiaudio.probes.sparse_features import erased, strongest_rows, where
from xaiaudio.probes.sparse_training import Options, fit

SHAPE = (8, 6)


@pytest.fixture(scope="module")
def model():
    return classifier_of(convolutional(SHAPE))


@pytest.mark.slow
def test_features_are_taken_out_one_by_one(model):
    patches = random_patches(30, SHAPE)
    layer = Layer(model, "hidden")
    values = layer.read(patches)
    auto = fit(values, Options(size=12, k=3, steps=100, batch=16))
    kernel, bias = model.logits_network.layers[-1].get_weights()
    order = np.random.default_rng(0).permutation(12)
    found = erased(layer, auto, patches, order, [0, 2, 12])
    codes = auto.encode(values).matrix.toarray()
    for row, count in enumerate((0, 2, 12)):
        left = codes.copy()
        left[:, order[:count]] = 0
        wanted = (left @ auto.decoder + auto.bias) @ kernel + bias
        np.testing.assert_allclose(found[row], wanted, atol=1e-4)
    with pytest.raises(XaiAudioError, match="13 features are to be taken out, but 12"):
        erased(layer, auto, patches, order, [0, 13])


def test_the_strongest_row_of_each_clip():
    numbers = np.array([[0, 1], [0, 2], [1, 2], [0, 1], [1, 2]])
    strengths = np.array([[1.0, 5.0], [3.0, 1.0], [2.0, 1.0], [4.0, 0.0], [6.0, 1.0]])
    codes = Codes(numbers, strengths, 3)
    clips = np.array([0, 1, 1, 1, 2])
    assert strongest_rows(codes, 0, clips).tolist() == [3, 0]
    assert strongest_rows(codes, 1, clips, 2).tolist() == [4, 0]
    assert strongest_rows(codes, 1, clips).tolist() == [4, 0, 2]


@pytest.mark.slow
def test_a_place_is_what_the_layer_can_see(model):
    layer = Layer(model, "pool")
    frontend = model.frontend
    told = Lessons(
        patches=random_patches(2, SHAPE),
        targets=np.zeros(2, int),
        clip=np.array([0, 1]),
        first=np.array([0, 40]),
        validation=np.zeros(2, bool),
        names=("a", "b"),
        labels=("cat",),
        frontend=frontend,
    )
    # The second patch; row 1 and column 2 of 4 x 3: a pooling of a 3 x 3 convolution.
    place = where(layer, told, layer.places + 1 * 3 + 2)
    assert place.clip == "b"
    times, edges = frontend.frame_times(40), frontend.band_edges()
    assert (place.start, place.end) == (times[1], times[5])
    assert (place.low, place.high) == (pytest.approx(edges[3]), pytest.approx(edges[6]))
    assert Layer(model, "hidden").seen(0) == ((0, 8), (0, 6))


def test_a_feature_that_never_fires_has_no_strongest_row():
    codes = Codes(np.array([[0, 1], [0, 2]]), np.array([[1.0, 0.0], [1.0, 2.0]]), 3)
    assert strongest_rows(codes, 1, [0, 1]).tolist() == []
    assert strongest_rows(codes, 0, [7, 7], 5).tolist() == [0]  # the earlier of two alike
