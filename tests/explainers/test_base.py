import dataclasses
import errno

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from xaiaudio import Explanation, XaiAudioError, explain, explain_classes
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


@pytest.mark.parametrize("how", ["nearest", "bilinear"])
@pytest.mark.parametrize(
    "coarse, shape", [((4, 16), (7, 31)), ((3, 2), (98, 40)), ((5, 7), (96, 64)), ((1, 1), (7, 3))]
)
def test_upsampling_odd_shapes(how, coarse, shape):
    raw = np.random.default_rng(0).normal(size=(1, *coarse)).astype("float32")
    expected = plain_upsampling(raw[0], shape, how)
    np.testing.assert_allclose(upsampled(raw, shape, how)[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("targets", [999, -50]),
        ("targets", [0.5, 0.0]),
        ("scores", np.ones((2, 1))),
        ("maps", np.zeros((2, 3, 4))),
        ("maps", np.full((2, 7, 5), "x")),
        ("patches", np.zeros((3, 7, 5))),
        ("raw", np.zeros(2)),
    ],
)
def test_fields_that_do_not_fit_are_refused(small, patches, tmp_path, name, value):
    path = explain(small, patches[:2], method="occlusion").save(tmp_path / "maps.npz")
    with np.load(path) as file:
        fields = dict(file)
    Explanation.load(path)
    np.savez(path, **fields | {name: np.asarray(value)})
    with pytest.raises(XaiAudioError, match="is not an explanation saved by xaiaudio"):
        Explanation.load(path)


def test_saved_and_loaded(small, patches, tmp_path):
    options = {"mask": np.float32(0.5), "stride": (0.25, 0.5)}
    result = explain(small, patches, "dog", "occlusion", upsample="nearest", **options)
    path = result.save(tmp_path / "maps.npz")
    assert [file.name for file in tmp_path.iterdir()] == ["maps.npz"]
    back = Explanation.load(path)
    for name in ("maps", "raw", "patches", "targets", "scores"):
        np.testing.assert_array_equal(getattr(back, name), getattr(result, name))
    assert (back.labels, back.method, back.frontend) == (
        result.labels,
        "occlusion",
        result.frontend,
    )
    assert back.options["mask"] == 0.5
    assert back[1:].maps.shape == (2, 24, 16)
    assert back[0].target_labels == ["dog"]


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04 cut short"])
def test_strange_files(tmp_path, content):
    path = tmp_path / "strange.npz"
    path.write_bytes(content)
    with pytest.raises(XaiAudioError, match=r"strange\.npz"):
        Explanation.load(path)
    np.savez(path, maps=np.zeros(3))
    with pytest.raises(XaiAudioError, match="not an explanation"):
        Explanation.load(path)
    with pytest.raises(XaiAudioError, match="nowhere"):
        Explanation.load(tmp_path / "nowhere.npz")


@pytest.mark.slow
def test_damaged_files(small, patches, tmp_path):
    whole = explain(small, patches).save(tmp_path / "maps.npz").read_bytes()
    path = tmp_path / "damaged.npz"
    rng = np.random.default_rng(0)
    complained = 0
    for place in rng.integers(len(whole), size=200):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 0x5A]) + whole[place + 1 :])
        try:
            Explanation.load(path)  # what belongs to no array may well be lost
        except XaiAudioError as error:
            assert "damaged.npz is not an explanation" in str(error)
            complained += 1
    assert complained > 100


def test_a_full_disk_leaves_what_was_there(small, patches, tmp_path, monkeypatch):
    path = explain(small, patches).save(tmp_path / "maps.npz")
    before = path.read_bytes()

    def full(file, **_):
        file.write(b"PK")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(XaiAudioError, match=r"Could not write .*maps\.npz: No space left"):
        explain(small, patches).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["maps.npz"]


def test_save_to_a_place_that_cannot_be_written(small, patches, tmp_path):
    with pytest.raises(XaiAudioError, match="Could not write"):
        explain(small, patches).save(tmp_path / "no" / "folder" / "maps.npz")


def test_classes_by_one_name(small, patches):
    assert list(explain_classes(small, patches, "dog", "gradcam")) == ["dog"]
    assert list(explain_classes(small, patches, [2, "cat"], "gradcam")) == ["rain", "cat"]


def test_the_peak_is_the_middle_of_the_highest_cells(small, patches):
    result = explain(small, patches, "dog", "occlusion")
    raw = np.zeros((2, 6, 4), "float32")
    raw[0, 2, 1] = 1.0
    raw[1, 1:3, 2:] = 1 - 1e-7
    raw[1, 2, 3] = 1.0
    coarse = dataclasses.replace(result[:2], raw=raw, starts=np.array([0, 10]), length=40)
    times, centres = small.frontend.frame_times(), small.frontend.band_centres()
    # A cell of 4 frames by 4 bands, then four of them.
    assert coarse.peak() == pytest.approx((times[10], (centres[5] + centres[6]) / 2))
    later = 10 * small.frontend.hop / small.frontend.sample_rate
    assert coarse.peak(1) == pytest.approx((times[8] + later, (centres[11] + centres[12]) / 2))
