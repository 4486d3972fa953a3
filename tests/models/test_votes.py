import os

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.models.votes import majority, vote_shares, voters


def test_shares_are_those_of_a_plain_count():
    scores = np.random.default_rng(0).random((50, 4))
    winners = [max(range(4), key=lambda k: row[k]) for row in scores]
    expected = [winners.count(k) / 50 for k in range(4)]
    np.testing.assert_allclose(vote_shares(scores), expected)


def test_most_patches_win_even_with_a_lower_mean():
    scores = np.array([[0.51, 0.49], [0.51, 0.49], [0.0, 1.0]])
    assert majority(scores) == 0


def test_a_tie_goes_to_the_higher_mean_among_the_tied():
    # The third class has the highest mean of all, but no vote.
    scores = np.array([[0.50, 0.02, 0.48], [0.04, 0.49, 0.47]])
    assert scores.mean(axis=0).argmax() == 2
    assert majority(scores) == 0
    assert majority(scores[:, [1, 0, 2]]) == 1


def test_silence_beside_the_loudest_has_no_vote():
    levels = [-30.0, -90.0, -90.1, -np.inf]
    assert voters(levels).tolist() == [True, True, False, False]
    assert not voters([-np.inf, -np.inf]).any()


@pytest.mark.slow
def test_the_silent_end_of_a_clip_does_not_decide():
    """A sound in the first of five seconds: what the network says of silence counts for nothing."""
    model = xa.load_model("lite")
    wave = np.zeros(80_000, "float32")
    wave[:16_000] = 0.1 * np.random.default_rng(0).standard_normal(16_000)
    prediction = model.predict_clip(wave, overlap=0.5)
    patches = model.frontend(wave, overlap=0.5)
    loud = [np.any(wave[s * 160 : s * 160 + 15_600]) for s in patches.starts]
    assert prediction.voted.tolist() == loud and prediction.quiet == loud.count(False) > 0
    answers = model.scores(patches)[loud].argmax(axis=1)
    assert prediction.label == model.labels[np.bincount(answers).argmax()]
    assert sum(prediction.shares.values()) == pytest.approx(1)


@pytest.mark.slow
@pytest.mark.parametrize("amplitude", [0.0, 1e-39, 1e-6, 2**-15])
def test_a_silent_sound_is_called_silent(amplitude):
    """Also where rounding, or the last bit of 16, is all that it holds."""
    noise = amplitude * np.random.default_rng(0).uniform(-1, 1, 20_000)
    with pytest.raises(xa.XaiAudioError, match="silent"):
        xa.load_model("lite").predict_clip(noise.astype("float32"))


@pytest.mark.slow
def test_a_silent_sound_can_be_given_a_label():
    said = xa.load_model("lite").predict_clip(np.zeros(20_000, "float32"), silence="nothing")
    assert said.label == "nothing" and said.shares["nothing"] == 1.0
    assert said.shares["Rain"] == 0.0 and sum(said.shares.values()) == 1.0
    assert said.quiet == len(said.patch_scores)


@pytest.mark.slow
def test_a_soft_sound_is_no_silence():
    noise = 1e-4 * np.random.default_rng(0).standard_normal(20_000)  # -80 dB
    assert xa.load_model("lite").predict_clip(noise.astype("float32")).voted.all()


@pytest.mark.skipif("XAIAUDIO_ESC10" not in os.environ, reason="the recordings are not here")
@pytest.mark.parametrize(
    "name, label, of_all, of_voters",
    [
        ("5-231762-A", "Dog bark", False, True),
        ("5-201274-A", "Person sneeze", True, False),
    ],
)
def test_the_networks_own_clever_hans_is_silence(name, label, of_all, of_voters):
    """What *Clever Hans* tells of `lite`: silence made a dog a sneeze, and a sneeze right."""
    model = xa.load_model("lite")
    clip = next(one for one in xa.datasets.load("esc10").of(label) if name in one.name)
    prediction = model.predict_clip(clip.load(), overlap=0.75)
    assert (model.labels[majority(prediction.patch_scores)] == label) is of_all
    assert (prediction.label == label) is of_voters
    silence = np.full((1, *model.frontend.patch_shape), model.frontend.silence, "float32")
    assert model.labels[int(model.scores(silence).argmax())] == "Person sneeze"
