"""Names that were meant, and the kinds of errors."""

import pytest

import xaiaudio as xa
from xaiaudio import errors
from xaiaudio.errors import folded, meant


def test_whoever_catches_one_catches_the_kinds_of_it():
    assert issubclass(errors.DamagedError, xa.XaiAudioError)
    assert issubclass(errors.XaiAudioWarning, UserWarning)
    # An error of a user is none of the usual kinds, that would be caught by accident.
    assert xa.XaiAudioError.__bases__ == (Exception,)


@pytest.mark.parametrize("name", [" Rain", "rain ", "RAIN"])
def test_case_and_space_around_a_name_do_not_count(name):
    assert folded(name) == folded("Rain")
    assert folded("STRASSE") == folded("Straße") and folded("sea waves") != folded("seawaves")


SOUNDS = ["Hot dog stand", "Dog bark", "Dogma", "Rain", "Sea waves"]


@pytest.mark.parametrize(
    "name, most, told",
    [
        ("rain", 1, ["Rain"]),
        ("rian", 1, ["Rain"]),  # a close spelling
        ("dog", 3, ["Dog bark", "Hot dog stand", "Dogma"]),  # as a word before as a part of one
        ("dog", 1, ["Dog bark"]),  # of two words the shorter name
        ("waevs", 1, ["Sea waves"]),  # close to a word of it
        ("ma", 1, []),  # so short it is in many
        ("helicopter", 3, []),
    ],
)
def test_what_was_meant(name, most, told):
    listed = [repr(one) for one in told]
    *others, last = listed or [""]
    wanted = f"{', '.join(others)} or {last}" if others else last
    assert meant(name, SOUNDS, most) == (f" (did you mean {wanted}?)" if wanted else "")


def test_a_name_is_told_as_it_is_written():
    assert meant("GRADCAM", ["GradCAM++"]) == " (did you mean 'GradCAM++'?)"


@pytest.mark.parametrize("name", [None, 3, ("rain",), b"rain"])
def test_what_is_no_text_means_nothing(name):
    assert meant(name, SOUNDS) == ""


def test_nothing_known_nothing_meant():
    assert meant("rain", []) == meant("", SOUNDS) == ""


def test_any_slip_of_one_letter_is_understood():
    names = ["occlusion", "integrated-gradients", "saliency", "smoothgrad"]
    for name in names:
        for place in range(len(name)):
            slip = name[:place] + name[place + 1 :]
            assert meant(slip, names) == f" (did you mean {name!r}?)"
