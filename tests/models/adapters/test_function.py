"""Functions that become classifiers: what they end in, and what is wrong with them."""

import foreign
import numpy as np
import pytest
import tensorflow as tf
from sound_functions import classifier, softmax, sounds, three_numbers

from xaiaudio.errors import XaiAudioError, XaiAudioWarning


def test_scores_are_the_function():
    model, waves = classifier(batch=3), sounds(7)
    np.testing.assert_allclose(model.logits(waves), three_numbers(waves), atol=1e-5)
    np.testing.assert_allclose(model.scores(waves), softmax(three_numbers(waves)), atol=1e-6)
    segments = model.frontend(waves.ravel())
    np.testing.assert_array_equal(model.scores(segments), model.scores(segments.waves))
    assert model.name == "three_numbers"
    assert "three_numbers" in repr(model)


@pytest.mark.parametrize("one", [True, False])
def test_probabilities_are_taken_as_they_are(one):
    def probabilities(waves):
        logits = three_numbers(waves)
        return softmax(logits) if one else 1 / (1 + np.exp(-logits))

    model, waves = classifier(probabilities, "probabilities"), sounds(4)
    np.testing.assert_allclose(model.scores(waves), probabilities(waves), atol=1e-6)
    back = tf.nn.softmax(model.logits(waves)) if one else tf.nn.sigmoid(model.logits(waves))
    np.testing.assert_allclose(back, probabilities(waves), atol=1e-6)


def test_sigmoids_are_put_behind_logits_where_asked():
    model, waves = classifier(outputs="sigmoid"), sounds(4)
    np.testing.assert_allclose(
        model.scores(waves), 1 / (1 + np.exp(-three_numbers(waves))), atol=1e-6
    )
    np.testing.assert_allclose(model.logits(waves), three_numbers(waves), atol=1e-5)


def test_certain_probabilities_have_finite_logits():
    for rows in ([1.0, 0.0, 0.0], [1.0, 1.0, 0.0]):
        model = classifier(lambda waves, rows=rows: np.tile(rows, (len(waves), 1)), "probabilities")
        assert np.isfinite(model.logits(sounds(2))).all()


def crash(waves):
    raise ValueError("no such device")


@pytest.mark.parametrize(
    "given, message",
    [
        ({"function": "path.onnx"}, "This is a str, not a function"),
        (
            {"function": crash},
            r"array of float32 of the shape \(2, 8000\): ValueError: no such device",
        ),
        ({"labels": ("a", "b")}, r"shape \(2, 3\), but \(2, 2\) is needed"),
        ({"outputs": "softmax"}, "outputs is 'softmax'"),
        ({"outputs": "probabilities"}, "which are no probabilities: say outputs='logits'"),
        ({"function": lambda x: softmax(three_numbers(x))}, "probabilities already"),
        ({"batch": 0}, "batch is 0"),
        ({"seconds": 0}, "seconds is 0"),
        ({"seconds": 0.001}, "at least 256, one window"),
        ({"sample_rate": "16k"}, "sample_rate is '16k'"),
    ],
)
def test_what_is_wrong_with_a_function_shows_at_once(given, message):
    with pytest.raises(XaiAudioError, match=message):
        classifier(**given)


def test_one_logit_is_that_of_a_sigmoid():
    model = foreign.framed_model(lambda waves: 3 * waves[:, :1], labels=["yes"])
    waves = foreign.some("sounds")
    np.testing.assert_allclose(model.scores(waves), 1 / (1 + np.exp(-3 * waves[:, :1])), atol=1e-6)
    flat = foreign.framed_model(lambda waves: 3 * waves[:, 0], labels=["yes"])
    np.testing.assert_array_equal(flat.scores(waves), model.scores(waves))


def test_a_network_in_training_mode_is_noticed():
    draw = np.random.default_rng(0)
    with pytest.warns(XaiAudioWarning, match="mine answers otherwise when it is asked again.*eval"):
        foreign.framed_model(lambda waves: foreign.framed(waves) * (draw.random(3) > 0.5))
    with pytest.warns(XaiAudioWarning, match="or alone"):
        foreign.framed_model(
            lambda waves: foreign.framed(waves) - foreign.framed(waves).mean(axis=0)
        )


def test_rounding_is_no_other_answer(recwarn):
    draw = np.random.default_rng(0)
    foreign.framed_model(lambda waves: foreign.framed(waves) * draw.normal(1, 1e-3, 3))
    assert not [one for one in recwarn if issubclass(one.category, XaiAudioWarning)]
