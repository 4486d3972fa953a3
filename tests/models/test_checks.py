"""Labels, and what is said of classes that there are none of."""

import keras
import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.models import AudioClassifier


def model(units=3):
    patch = keras.Input((96, 64, 1))
    return keras.Model(patch, keras.layers.Dense(units)(keras.layers.GlobalMaxPooling2D()(patch)))


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (["a", "b"], "3 outputs"),
        ("abc", "one string"),
        (["a", "b", "a"], "twice"),
        ([1, 2, 3], "1"),
    ],
)
def test_labels_that_do_not_fit(labels, words):
    with pytest.raises(XaiAudioError, match=words):
        AudioClassifier.from_keras(model(), labels)


def test_index_takes_names_and_numbers():
    classifier = AudioClassifier.from_keras(model(), ["a", "b", "c"])
    assert classifier.index("b") == classifier.index(1) == classifier.index(np.int64(1)) == 1
    for wrong in ("d", 3, -1, None, True, ["a"]):
        with pytest.raises(XaiAudioError, match="a, b, c"):
            classifier.index(wrong)


def test_index_looks_past_upper_case_and_asks_what_was_meant():
    labels = ["Rooster", "rain", "Rain", "Sea waves"]
    classifier = AudioClassifier.from_keras(model(units=4), labels)
    assert classifier.index("rooster") == classifier.index(" ROOSTER ") == 0
    assert (classifier.index("rain"), classifier.index("Rain")) == (1, 2)
    with pytest.raises(XaiAudioError, match="no class 'RAIN'"):
        classifier.index("RAIN")
    with pytest.raises(XaiAudioError, match=r"did you mean 'Sea waves'\?"):
        classifier.index("sea wave")
    with pytest.raises(XaiAudioError, match=r"no class 'Wave' \(did you mean 'Sea waves'\?\)"):
        classifier.index("Wave")


def test_labels_that_hold_the_word_come_before_close_spellings():
    labels = ["Hot dog stand", "Dog bark", "Dogma", "Doge", "Dig", "Rain", "Church bells"]
    classifier = AudioClassifier.from_keras(model(units=7), labels)
    asked = r"\(did you mean 'Dog bark', 'Hot dog stand', 'Doge' or 'Dogma'\?\)"
    with pytest.raises(XaiAudioError, match=asked):
        classifier.index("dog")
    with pytest.raises(XaiAudioError, match=r"did you mean 'Church bells'\?"):
        classifier.index("belsl")
    with pytest.raises(XaiAudioError, match="no class 'xylophone': its"):
        classifier.index("xylophone")


def test_a_message_does_not_list_hundreds_of_classes():
    many = AudioClassifier.from_keras(model(units=521), [f"c{i}" for i in range(521)])
    with pytest.raises(XaiAudioError, match="c19 and 501 more") as caught:
        many.index("x")
    assert len(str(caught.value)) < 200


def test_a_front_end_that_is_no_logmel():
    with pytest.raises(XaiAudioError, match=r"front end is a function.*LogMel"):
        AudioClassifier.from_keras(model(), ["a", "b", "c"], lambda wave: wave)
