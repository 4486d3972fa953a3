"""An explanation knows its places, comes back from its file, and refuses what does not fit."""

import dataclasses
import errno
import json
import os

import numpy as np
import pytest

from xaiaudio import Explainer, Explanation, LogMel, XaiAudioError, explain


@pytest.mark.slow
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
        ("starts", [-1, 0]),
        ("starts", [0, 10**12]),
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


def test_a_front_end_that_is_not_that_of_the_maps_is_refused(small, patches, tmp_path):
    path = explain(small, patches[:2], method="occlusion").save(tmp_path / "maps.npz")
    with np.load(path) as file:
        fields = dict(file)
    about = json.loads(str(fields["about"]))
    about["frontend"]["bands"] //= 2
    np.savez(path, **fields | {"about": json.dumps(about)})
    with pytest.raises(XaiAudioError, match="not those of its front end"):
        Explanation.load(path)


def test_a_front_end_of_ones_own_is_not_lost_without_a_word(small, patches, tmp_path):
    class Mine(LogMel):
        def spectrogram(self, wave):
            return 2 * super().spectrogram(wave)

    result = explain(small, patches[:2], method="occlusion")
    mine = Mine(**dataclasses.asdict(result.frontend))
    with pytest.raises(XaiAudioError, match="is a Mine, which a file cannot hold"):
        dataclasses.replace(result, frontend=mine).save(tmp_path / "maps.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("load", [Explanation.load, Explainer.load])
def test_pipes_devices_and_folders_are_not_waited_for(tmp_path, load):
    os.mkfifo(tmp_path / "pipe.npz")
    strange = {tmp_path / "pipe.npz": "pipe", "/dev/zero": "device", tmp_path: "folder"}
    for path, words in strange.items():
        with pytest.raises(XaiAudioError, match=words):
            load(path)


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


@pytest.fixture
def result():
    """Three random maps of a sound, the last patch of which ends in padding."""
    rng = np.random.default_rng(0)
    return Explanation(
        maps=rng.normal(size=(3, 24, 16)).astype("float32"),
        raw=rng.normal(size=(3, 6, 4)).astype("float32"),
        patches=rng.normal(size=(3, 24, 16)).astype("float32"),
        targets=np.array([0, 2, 1]),
        scores=rng.dirichlet(np.ones(3), 3).astype("float32"),
        labels=("cat", "dog", "rain"),
        method="occlusion",
        options={"output": "scores"},
        upsample="nearest",
        frontend=LogMel(frames=24, bands=16),
        starts=np.array([0, 12, 24]),
        length=48,
        sound=np.array([24, 24, 7]),
        report={"samples": np.array([10, 20, 30])},
    )


@pytest.mark.parametrize(
    "index", [1, np.int64(1), slice(1, 3), [2, 0], np.array([True, False, True])]
)
def test_a_part_holds_everything_of_its_patches(result, index):
    part, rows = result[index], np.atleast_1d(np.arange(3)[index])
    assert len(part) == len(rows)
    for name in ("maps", "raw", "patches", "targets", "scores", "starts", "sound"):
        np.testing.assert_array_equal(getattr(part, name), getattr(result, name)[rows])
    np.testing.assert_array_equal(part.report["samples"], 10 * (rows + 1))
    assert part.target_labels == [("cat", "rain", "dog")[row] for row in rows]
    assert part.waves is None and part.length == 48


@pytest.mark.parametrize(
    ("options", "unit"),
    [({"output": "logits"}, "logit"), ({"output": "scores"}, "probability"), ({}, "")],
)
def test_the_unit_is_what_the_network_was_asked_for(result, options, unit):
    assert dataclasses.replace(result, options=options).unit == unit


def test_the_network_is_asked_again_about_patches_that_know_their_padding(result):
    again = result.inputs
    np.testing.assert_array_equal(again, result.patches)
    np.testing.assert_array_equal(again.padding, result.padding)
    assert result.padding.sum(axis=1).tolist() == [0, 0, 17]
    bare = dataclasses.replace(result, sound=None)
    assert bare.inputs is bare.patches and not bare.padding.any()


def test_times_are_the_sounds_own_where_the_place_is_known(result):
    hop = result.frontend.hop / result.frontend.sample_rate
    np.testing.assert_allclose(result.times(1), result.times(0) + 12 * hop)
    nowhere = dataclasses.replace(result, starts=None)
    np.testing.assert_array_equal(nowhere.times(1), result.times(0))


def test_padding_has_no_peak(result):
    raw = np.zeros((3, 6, 4), "float32")
    raw[2, 5, 0] = 9.0  # in the padding
    raw[2, 1, 2] = 1.0
    coarse = dataclasses.replace(result, raw=raw)
    times, centres = result.times(2), result.frontend.band_centres()
    seconds, hertz = coarse.peak(2)
    assert seconds == pytest.approx(times[6]) and centres[8] < hertz < centres[11]


def test_all_that_it_holds_comes_back_from_a_file(result, tmp_path):
    waves = np.random.default_rng(1).normal(size=(3, 50)).astype("float32")
    whole = dataclasses.replace(result, waves=waves, seconds=1.5)
    back = Explanation.load(whole.save(tmp_path / "maps.npz"))
    for field in dataclasses.fields(Explanation):
        one, other = getattr(back, field.name), getattr(whole, field.name)
        if isinstance(other, np.ndarray):
            np.testing.assert_array_equal(one, other)
        elif field.name == "report":
            np.testing.assert_array_equal(one["samples"], other["samples"])
        else:
            assert one == other, field.name


@pytest.mark.slow
@pytest.mark.parametrize(
    "wrong",
    [
        {"starts": np.array([0.5, 1, 2])},
        {"starts": np.array([0, 1])},
        {"sound": np.array([24, 24, 25])},
        {"sound": np.array([-1, 0, 0])},
        {"waves": np.zeros((2, 50), "float32")},
        {"waves": np.zeros((3, 50), int)},
        {"report:samples": np.zeros(2)},
    ],
)
def test_a_file_whose_places_do_not_fit_is_refused(result, tmp_path, wrong):
    path = result.save(tmp_path / "maps.npz")
    with np.load(path) as file:
        fields = dict(file)
    np.savez(path, **fields | wrong)
    with pytest.raises(XaiAudioError, match="is not an explanation saved by xaiaudio"):
        Explanation.load(path)


def test_copies_leave_the_network_behind(result):
    import copy

    known = dataclasses.replace(result, model=object())
    assert copy.deepcopy(known).model is None and known.model is not None
