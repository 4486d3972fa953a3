"""Where a training run stands: what is written comes back, and nothing else is taken for it."""

import keras
import numpy as np
import pytest

from xaiaudio.errors import DamagedError, XaiAudioError
from xaiaudio.models.training.checkpoint import Checkpoint, restore, values

SETTINGS = {"epochs": 3, "clips": ("a", "b"), "rate": 0.1}


def groups():
    rng = np.random.default_rng(0)
    many = [rng.normal(size=(k % 4, 2)).astype("float32") for k in range(12)]
    return {"network": many, "best": [np.array(7), np.array([True, False])]}


def test_what_was_saved_last_comes_back_in_order(tmp_path):
    kept = Checkpoint(tmp_path / "runs" / "one", SETTINGS)
    assert kept.load() is None
    kept.save({"network": [np.zeros(2)]}, {"done": 0})
    kept.save(groups(), {"done": 2, "history": {"loss": [0.1, 1 / 3]}})
    found, state = Checkpoint(tmp_path / "runs" / "one", SETTINGS).load()
    assert state == {"done": 2, "history": {"loss": [0.1, 1 / 3]}}
    assert found.keys() == groups().keys()
    for name, arrays in groups().items():
        assert len(found[name]) == len(arrays)
        for one, other in zip(found[name], arrays, strict=True):
            assert one.dtype == other.dtype
            np.testing.assert_array_equal(one, other)
    assert [path.name for path in (tmp_path / "runs" / "one").iterdir()] == ["checkpoint.npz"]


def test_without_a_folder_nothing_is_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    kept = Checkpoint(None, SETTINGS)
    kept.save(groups(), {"done": 2})
    assert kept.load() is None
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("other", [{"epochs": 4}, {"clips": ("a",)}, {"seed": 1}])
def test_another_runs_checkpoint_is_refused(tmp_path, other):
    Checkpoint(tmp_path, SETTINGS).save(groups(), {"done": 1})
    with pytest.raises(XaiAudioError, match="other clips or options: delete it, or give resume"):
        Checkpoint(tmp_path, {**SETTINGS, **other}).load()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_half_a_file_is_damaged(tmp_path, share):
    Checkpoint(tmp_path, SETTINGS).save(groups(), {"done": 1})
    file = tmp_path / "checkpoint.npz"
    file.write_bytes(file.read_bytes()[: int(share * file.stat().st_size)])
    with pytest.raises(DamagedError, match="damaged: delete it to start anew"):
        Checkpoint(tmp_path, SETTINGS).load()


def test_pickled_arrays_are_not_opened(tmp_path):
    file = tmp_path / "checkpoint.npz"
    np.savez(file, about='{"settings": {}, "state": {}}', x=np.array([{}], object))
    with pytest.raises(DamagedError):
        Checkpoint(tmp_path, {}).load()


def test_an_interrupted_save_leaves_the_one_before(tmp_path, monkeypatch):
    kept = Checkpoint(tmp_path, SETTINGS)
    kept.save(groups(), {"done": 1})

    def stopped(*given, **more):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez", stopped)
    with pytest.raises(KeyboardInterrupt):
        kept.save(groups(), {"done": 2})
    monkeypatch.undo()
    assert kept.load()[1] == {"done": 1}


def test_variables_are_copied_and_put_back():
    variables = [keras.Variable(np.arange(3.0)), keras.Variable(np.ones((2, 2)))]
    held = values(variables)
    for variable in variables:
        variable.assign(-variable)
    np.testing.assert_array_equal(held[0], [0, 1, 2])  # copies
    restore(variables, held)
    np.testing.assert_array_equal(variables[0], [0, 1, 2])
    np.testing.assert_array_equal(variables[1], np.ones((2, 2)))
    with pytest.raises(ValueError):
        restore(variables, held[:1])
