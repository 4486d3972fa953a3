"""Profiles: the same chapters on other sounds, and one training for all who ask."""

import dataclasses
import shutil

import pytest

from xaiaudio import imports, models
from xaiaudio.errors import XaiAudioError
from xaiaudio.publishing import profiles


def test_profiles_are_the_documented_three():
    assert list(profiles.PROFILES) == ["mini", "esc10-yamnet", "esc10-vggish"]
    assert {entry.dataset for entry in profiles.PROFILES.values()} == {"synthetic", "esc10"}


def test_the_defaults_are_those_of_the_example():
    assert [entry.epochs for entry in profiles.PROFILES.values()] == [4, 5, 5]
    for entry in profiles.PROFILES.values():
        assert (entry.batch_size, entry.learning_rate) == (128, 1e-3)
        assert (entry.halve_every, entry.validate_every, entry.overlap) == (2, 50, 0.75)
        assert entry.test_fold == 5


def test_an_unknown_profile_is_told_with_the_known_ones():
    with pytest.raises(XaiAudioError, match="'huge'.*mini, esc10-yamnet, esc10-vggish"):
        profiles.profile("huge")


def test_a_seed_changes_nothing_else():
    assert profiles.profile("mini", seed=3) == dataclasses.replace(
        profiles.PROFILES["mini"], seed=3
    )


class Counted:
    """Stands in for a trained network: saving writes its name."""

    calls = 0

    def save(self, path):
        path.write_text("trained")
        return path


@pytest.fixture
def training(monkeypatch, tmp_path):
    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path))
    monkeypatch.setattr(profiles.Profile, "_key", lambda self, freeze: f"{self.seed}-{freeze}")
    asked = []

    def train(self, freeze, resume, progress):
        asked.append((self.seed, freeze))
        resume.mkdir()
        return Counted()

    monkeypatch.setattr(profiles.Profile, "_train", train)
    monkeypatch.setattr(models, "load_model", lambda path: path.read_text(), raising=False)
    return asked


def test_whoever_asks_first_trains_and_the_rest_load(training, tmp_path):
    book = profiles.profile("mini")
    assert [book.classifier(progress=False) for _ in range(3)] == ["trained"] * 3
    assert training == [(0, False)]
    assert not list((tmp_path / "models").glob("*.resume"))


def test_variants_and_seeds_are_trained_apart(training):
    profiles.profile("mini").classifier(progress=False)
    profiles.profile("mini").classifier(freeze=True, progress=False)
    profiles.profile("mini", seed=1).classifier(progress=False)
    assert training == [(0, False), (0, True), (1, False)]


@pytest.fixture
def some(monkeypatch, tmp_path):
    """Return what makes a set of clips out of names, the next that any profile asks for."""
    from xaiaudio.datasets import Clip, ClipSet

    held = []

    def clips(**content):
        for name, text in content.items():
            (tmp_path / f"{name}.wav").write_text(text)
        paths = [tmp_path / f"{name}.wav" for name in content]
        made = tuple(Clip(path, label="a", fold=1, licence="") for path in paths)
        held[:] = [ClipSet("some", made, ("a",))]

    monkeypatch.setattr(profiles, "_clips", lambda *about: held[0])
    return clips


def test_other_weights_or_options_or_clips_get_another_name(monkeypatch, tmp_path, some):
    some(one="1", two="2")
    book = profiles.profile("esc10-yamnet")
    monkeypatch.delenv("XAIAUDIO_YAMNET", raising=False)
    names = [book._key(False), book._key(True), dataclasses.replace(book, epochs=6)._key(False)]
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "yamnet.npz").write_text("weights")
    monkeypatch.setenv("XAIAUDIO_YAMNET", str(tmp_path / "weights" / "yamnet.npz"))
    names.append(book._key(False))
    some(one="1", three="2")
    names.append(book._key(False))
    some(one="1", three="another recording")
    names.append(book._key(False))
    assert len(set(names)) == 6
    # Where the weights lie, how many clips are measured and how many teach an interpreter: none of
    # it changes the network.
    shutil.copy(tmp_path / "weights" / "yamnet.npz", tmp_path / "same.npz")
    monkeypatch.setenv("XAIAUDIO_YAMNET", str(tmp_path / "weights"))
    assert book._key(False) == names[-1]
    monkeypatch.setenv("XAIAUDIO_YAMNET", str(tmp_path / "same.npz"))
    other = dataclasses.replace(book, measured=3, taught=2, quick_speech=True)
    assert other._key(False) == names[-1]
    (tmp_path / "same.npz").write_text("other weights")
    assert book._key(False) not in names


@pytest.mark.slow
def test_what_shapes_a_network_is_all_there_and_no_more():
    book = profiles.profile("mini")
    found = imports.closure("models.training.transfer", *book.modules)
    files = {path.relative_to(imports.ROOT).as_posix() for path in found}
    needed = ("audio", "frontend", "synthesis/dsp", "models/training/loop", "models/networks/lite")
    assert {f"{name}.py" for name in needed} <= files
    assert "models/networks/lite.keras" in files
    foreign = ("explainers/", "evaluate/", "plots/", "publishing/", "cli/", "datasets/digits/")
    assert not [name for name in files if name.startswith(foreign)]


def test_a_damaged_network_is_trained_anew(training, monkeypatch, tmp_path, capsys):
    book = profiles.profile("mini")
    book.classifier(progress=False)

    def load(path):
        if path.read_text() != "trained":
            raise XaiAudioError(f"{path} is damaged.")
        return path.read_text()

    monkeypatch.setattr(models, "load_model", load, raising=False)
    (file,) = (tmp_path / "models").glob("*.keras")
    file.write_text("trainee")
    assert book.classifier(progress=False) == "trained"
    assert len(training) == 2
    assert "is made anew" in capsys.readouterr().err


@pytest.mark.slow
def test_every_profile_has_a_registered_set_and_backbone():
    for entry in profiles.PROFILES.values():
        for module in entry.modules:
            assert imports.closure(module), module


@pytest.mark.slow
def test_an_interpreter_is_trained_once_for_each_network_and_option(monkeypatch, some, tmp_path):
    import numpy as np
    from small_networks import classifier_of, convolutional

    from xaiaudio import Explainer
    from xaiaudio.explainers import registry

    @dataclasses.dataclass(frozen=True)
    class Options:
        scale: float = 1.0
        seed: int = 0

    asked = []

    def fit(model, clips, options):
        asked.append((model.name, options.scale, options.seed, len(clips)))
        return {"learnt": np.full(2, options.scale)}

    monkeypatch.setenv("XAIAUDIO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(registry, "_METHODS", dict(registry._all()))
    add = registry.register("learner", options=Options, summary="", paper="", fit=fit)
    add(lambda *given: np.zeros((1, 1, 1)))
    some(one="1", two="2")
    models_ = [classifier_of(convolutional((8, 6), seed=seed)) for seed in (0, 1)]
    book = profiles.profile("mini", seed=3)
    monkeypatch.setattr(profiles.Profile, "split", lambda self: (self.clips(), None))
    monkeypatch.setattr(profiles.Profile, "classifier", lambda self: models_[0])
    first = book.interpreter("learner")
    again = book.interpreter("learner", model=models_[0])
    assert isinstance(first, Explainer) and first == again
    assert book.interpreter("learner", scale=2.0).weights["learnt"].tolist() == [2, 2]
    book.interpreter("learner", model=models_[1])
    book.interpreter("learner", seed=5)
    some(one="1", two="another recording")
    book.interpreter("learner")
    assert [one[1:] for one in asked] == [
        (1.0, 3, 2),
        (2.0, 3, 2),
        (1.0, 3, 2),
        (1.0, 5, 2),
        (1.0, 3, 2),
    ]
    less = dataclasses.replace(book, taught=1)
    less.interpreter("learner")
    assert asked[-1] == (models_[0].name, 1.0, 3, 1)
    with pytest.raises(XaiAudioError, match="occlusion is not trained"):
        book.interpreter("occlusion")
