"""Thumbnails are small, always the same, and red where the class is heard."""

import numpy as np
import pytest
from random_explanations import noisy_thumbnail

from xaiaudio.plots.thumbnails import SIZE, thumbnail


@pytest.mark.slow
def test_a_thumbnail_is_small_and_always_the_same():
    from io import BytesIO

    from PIL import Image

    worst = noisy_thumbnail()  # noise does not compress
    assert len(worst) <= 5000 and worst == noisy_thumbnail()
    assert Image.open(BytesIO(worst)).size == SIZE
    for frames in (1, 3, 20_000):
        assert len(noisy_thumbnail(frames=frames)) <= 5000
    assert thumbnail(np.zeros((5, 8)), np.zeros((5, 8)))[:4] == b"\x89PNG"


def test_what_speaks_for_the_class_is_red_where_it_is():
    from io import BytesIO

    from PIL import Image

    relevance = np.zeros((160, 48))
    relevance[100:120, :10] = 1  # late and low
    relevance[:20, 40:] = -1  # against it
    drawn = np.asarray(
        Image.open(BytesIO(thumbnail(np.zeros((160, 48)), relevance))).convert("RGB")
    ).astype(int)
    red = drawn[..., 0] - drawn[..., 2] > 100
    assert red[38:, 100:120].all() and red.sum() == 200
