import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaiaudio import explain_classes
from xaiaudio.explainers.base import upsampled

sizes = st.integers(1, 12)


def plain_upsampling(raw, shape, how):
    """Cell by cell: where its centre lies on the coarse grid."""
    h, w = raw.shape
    out = np.zeros(shape)
    for i, j in np.ndindex(*shape):
        y, x = (i + 0.5) * h / shape[0] - 0.5, (j + 0.5) * w / shape[1] - 0.5
        if how == "nearest":
            out[i, j] = raw[int(y + 0.5), int(x + 0.5)]
            continue
        y, x = np.clip(y, 0, h - 1), np.clip(x, 0, w - 1)
        top, left = int(y), int(x)
        bottom, right = min(top + 1, h - 1), min(left + 1, w - 1)
        a, b = y - top, x - left
        out[i, j] = (1 - a) * ((1 - b) * raw[top, left] + b * raw[top, right]) + a * (
            (1 - b) * raw[bottom, left] + b * raw[bottom, right]
        )
    return out


@pytest.mark.slow
@pytest.mark.parametrize("how", ["nearest", "bilinear"])
@settings(deadline=None, max_examples=50)
@given(h=sizes, w=sizes, height=st.integers(1, 5), width=st.integers(1, 5))
def test_upsampling_by_whole_numbers(how, h, w, height, width):
    raw = np.random.default_rng(0).normal(size=(2, h, w)).astype("float32")
    shape = (h * height, w * width)
    found = upsampled(raw, shape, how)
    assert found.shape == (2, *shape)
    for one, coarse in zip(found, raw, strict=True):
        np.testing.assert_allclose(one, plain_upsampling(coarse, shape, how), atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("how", ["nearest", "bilinear"])
@pytest.mark.parametrize(
    "coarse, shape", [((4, 16), (7, 31)), ((3, 2), (98, 40)), ((5, 7), (96, 64)), ((1, 1), (7, 3))]
)
def test_upsampling_odd_shapes(how, coarse, shape):
    raw = np.random.default_rng(0).normal(size=(1, *coarse)).astype("float32")
    expected = plain_upsampling(raw[0], shape, how)
    np.testing.assert_allclose(upsampled(raw, shape, how)[0], expected, atol=1e-5)


@pytest.mark.slow
def test_classes_by_one_name(small, patches):
    assert list(explain_classes(small, patches, "dog", "gradcam")) == ["dog"]
    assert list(explain_classes(small, patches, [2, "cat"], "gradcam")) == ["rain", "cat"]
