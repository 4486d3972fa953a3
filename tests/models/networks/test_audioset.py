"""AudioSet's classes: names in their order, and which of them says the same less exactly."""

import os
from pathlib import Path

import pytest

from xaiaudio.models.networks import audioset, tflite


def test_the_names_are_in_the_order_of_the_outputs():
    names = audioset.classes()
    assert len(names) == len(set(names)) == 521
    assert (names[0], names[132], names[494], names[-1]) == (
        "Speech",
        "Music",
        audioset.SILENCE,
        "Field recording",
    )


def test_the_more_general_classes_are_classes_and_none_is_its_own():
    names = set(audioset.classes())
    for label in names:
        assert audioset.general(label) <= names - {label}
    # Whatever stands above one that stands above me stands above me too.
    for label in names:
        for above in audioset.general(label):
            assert audioset.general(above) < audioset.general(label)


@pytest.mark.parametrize(
    "label, above",
    [
        ("Yip", {"Dog", "Domestic animals, pets", "Animal"}),
        ("Police car (siren)", {"Emergency vehicle", "Motor vehicle (road)", "Vehicle"}),
        ("Ambulance (siren)", {"Siren", "Alarm"}),
        ("Hiss", set()),
        (audioset.SILENCE, set()),
        ("Techno", {"Electronic music", "Music"}),
    ],
)
def test_what_is_true_wherever_a_class_is(label, above):
    assert above <= audioset.general(label) and bool(above) == bool(audioset.general(label))


def test_only_networks_of_audioset_have_more_general_classes():
    assert audioset.more_general(["Dog", "Bark"]) == {}
    mine = (*audioset.classes()[:480], "Hammock")
    known = audioset.more_general(mine)
    assert known["Bark"] == audioset.general("Bark") and known["Hammock"] == frozenset()


@pytest.mark.skipif("XAIAUDIO_YAMNET" not in os.environ, reason="YAMNet's file is not here")
def test_the_names_are_those_of_googles_own_file():
    files = list(Path(os.environ["XAIAUDIO_YAMNET"]).parent.glob("*.tflite"))
    if not files:
        pytest.skip("no TFLite file beside the weights")
    assert tflite.labels(files[0]) == audioset.classes()
