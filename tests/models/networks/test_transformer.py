"""The transformer: its tiles, what it learns, and which settings it refuses."""

import numpy as np
import pytest
from small_networks import frontend

from xaiaudio import XaiAudioError
from xaiaudio.models.designs.lessons import Lessons
from xaiaudio.models.graph import graph_of
from xaiaudio.models.networks import transformer
from xaiaudio.models.networks.transformer import Options
from xaiaudio.models.tokens import tokens_of


@pytest.mark.slow
@pytest.mark.parametrize("pooling", ["token", "mean"])
def test_each_token_sees_its_tile(pooling):
    options = Options((2, 3), 4, 2, 1, pooling)
    network = transformer.build(frontend(4, 6), 3, options)
    found = tokens_of(graph_of(network))
    first = int(pooling == "token")
    np.testing.assert_array_equal(found.places, first + np.arange(4).reshape(2, 2))
    np.testing.assert_array_equal(found.read, [0] if first else np.arange(4))
    assert network.get_layer("tiles").output.shape[1:] == (4, 6)


@pytest.mark.slow
def test_it_learns_the_shape_of_a_sound():
    """Two classes, long in time or wide in frequency, at any time."""
    rng, n = np.random.default_rng(0), 240
    targets = rng.integers(2, size=n)
    patches = rng.normal(-3, 0.3, (n, 24, 24)).astype("float32")
    for patch, target, when in zip(patches, targets, rng.integers(12, size=n), strict=True):
        long, wide = (12, 2) if target else (2, 12)
        patch[when : when + long, 6 : 6 + wide] += 4
    given = Lessons(
        patches=patches,
        targets=targets,
        clip=np.arange(n),
        first=np.zeros(n, int),
        validation=np.arange(n) < 40,
        names=tuple(map(str, range(n))),
        labels=("wide", "long"),
        frontend=frontend(24, 24),
    )
    options = Options((8, 6), 8, 2, 1, epochs=15, batch=20, rate=5e-3)
    model = transformer.train(given, options, progress=False)
    hits = (model.scores(patches[:40]).argmax(axis=1) == targets[:40]).mean()
    assert hits > 0.9
    assert model.history["options"]["tile"] == [8, 6]


@pytest.mark.parametrize(
    "options, message",
    [
        ({"pooling": "max"}, "pooling is 'max'"),
        ({"size": 10, "heads": 4}, "size must be a multiple of heads"),
        ({"layers": 0}, "layers is 0"),
        ({"epochs": 0}, "epochs is 0"),
    ],
)
def test_settings_that_make_no_sense(options, message):
    with pytest.raises(XaiAudioError, match=message):
        Options(**options)


def test_tiles_that_do_not_fill_the_patch():
    with pytest.raises(XaiAudioError, match="Tiles of 5 frames by 16 bands do not fill"):
        transformer.build(frontend(96, 64), 3, Options((5, 16)))
