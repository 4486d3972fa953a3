"""Profiles: the same chapters on other sounds, and one training for all who ask."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import pytest

from xaiaudio import models
from xaiaudio.errors import XaiAudioError
from xaiaudio.publishing import profiles


def test_profiles_are_the_documented_three():
    assert list(profiles.PROFILES) == ["mini", "esc10-yamnet", "esc10-vggish"]
    assert {entry.dataset for entry in profiles.PROFILES.values()} == {"synthetic", "esc10"}


def test_the_defaults_are_those_of_the_example():
    for entry in profiles.PROFILES.values():
        assert (entry.epochs, entry.batch_size, entry.learning_rate) == (5, 128, 1e-3)
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


def test_other_weights_or_options_or_clips_get_another_name(monkeypatch):
    from xaiaudio.datasets import Clip, ClipSet

    def clips(*names):
        made = tuple(Clip(path=f"/{name}.wav", label="a", fold=1, licence="") for name in names)
        made = tuple(dataclasses.replace(c, path=profiles.Path(c.path)) for c in made)
        return ClipSet("some", made, ("a",))

    held = [clips("one", "two")]
    monkeypatch.setattr(profiles, "load_clips", lambda *args, **options: held[0])
    book = profiles.profile("esc10-yamnet")
    names = [book._key(False), book._key(True), dataclasses.replace(book, epochs=6)._key(False)]
    monkeypatch.setenv("XAIAUDIO_YAMNET", "/elsewhere")
    names.append(book._key(False))
    held[0] = clips("one", "three")
    names.append(book._key(False))
    assert len(set(names)) == 5
    assert book._key(False) == names[-1]


# Loaded on the way, but they touch neither a sound nor a weight of a training run.
APART = {"__init__.py", "attribution.py", "cache.py", "mixtures.py", "people.py", "safety.py"}


def test_a_change_to_what_trains_is_noticed():
    code = (
        "import sys, xaiaudio.models.training.transfer, xaiaudio.datasets.events\n"
        "for m in list(sys.modules.values()):\n"
        "    if m.__name__.startswith('xaiaudio.'): print(m.__file__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    package = Path(profiles.__file__).parents[1]
    listed = {file for pattern in profiles.SHAPING for file in package.glob(pattern)}
    loaded = {Path(line) for line in done.stdout.split("\n") if line}
    loaded = {
        file
        for file in loaded
        if file.parts[len(package.parts)] in ("models", "datasets", "synthesis")
    }
    # The digits are another set of sounds, no profile's: `load` only makes them reachable.
    loaded = {file for file in loaded if file.parent != package / "datasets" / "digits"}
    assert package / "models" / "training" / "loop.py" in loaded
    forgotten = {file for file in loaded - listed if file.name not in APART}
    assert not forgotten
    for pattern in profiles.SHAPING:
        assert list(package.glob(pattern)), pattern
