"""A classifier that is two functions: what it answers, and what it refuses."""

import copy
import pickle

import numpy as np
import pytest
from small_networks import LABELS, frontend

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.black_box import BlackBox


def scores(given):
    return given[:, 0]


def logits(given):
    return given[:, 1]


def model(**about):
    return BlackBox(scores, logits, list(LABELS), frontend(4, 3), name="mine", batch=2, **about)


def test_scores_and_logits_are_functions_of_their_own():
    given = np.random.default_rng(0).normal(size=(5, 2, 3)).astype("float32")
    one = model()
    np.testing.assert_array_equal(one.forward()(given), given[:, 0])
    np.testing.assert_array_equal(one.forward(logits=True)(given), given[:, 1])
    assert one.labels == LABELS
    assert not one.compiled


def test_what_it_is_told_about_itself():
    one = model(attribution="me", history={"loss": [1.0]}, outputs="probabilities", identity="7")
    about = (one.attribution, one.history, one.outputs, one.identity, one.changes)
    assert about == ("me", {"loss": [1.0]}, "probabilities", "7", ())
    plain = model()
    assert (plain.attribution, plain.history, plain.outputs, plain.identity) == ("", {}, None, "")


@pytest.mark.parametrize(
    "about, why", [({}, "is a function"), ({"lacks": "only answers"}, "only answers")]
)
def test_there_is_no_network_to_look_into(about, why):
    for name in ("network", "logits_network"):
        with pytest.raises(XaiAudioError, match=f"mine {why}, and this needs .*: occlusion, lime"):
            getattr(model(**about), name)


def test_it_is_neither_saved_nor_copied(tmp_path):
    with pytest.raises(XaiAudioError, match="mine is a function: it cannot be saved"):
        model().save(tmp_path / "mine.keras")
    assert not list(tmp_path.iterdir())
    for way in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(XaiAudioError, match="cannot be copied or pickled"):
            way(model())
