"""What prototypes stand on: a layer that sees no more than asked, and shuffled weights."""

import numpy as np
import pytest
from tones import seeing_backbone

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import grounds


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
