"""Functions of sounds and of patches: what they may return, and frame by frame answers."""

import foreign
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.adapters.answers import Asked


@pytest.mark.parametrize("pool", ["mean", "max"])
def test_frames_of_a_span_become_one_answer(pool):
    waves = foreign.some("sounds", 3)
    whole, part = foreign.framed_model(pool=pool), foreign.framed_model(pool=pool, span=(0.05, 0.1))
    take = {"mean": np.mean, "max": np.max}[pool]
    for row, wave in enumerate(waves):
        # 20 frames of 12.5 ms: 4 to 7 have their middle in the span.
        frames = foreign.framed(wave[None])[0]
        np.testing.assert_allclose(whole.logits(waves)[row], take(frames, axis=0), atol=1e-6)
        np.testing.assert_allclose(part.logits(waves)[row], take(frames[4:8], axis=0), atol=1e-6)


@pytest.mark.slow
def test_an_explanation_of_a_span_lies_in_the_span():
    wave = np.random.default_rng(0).normal(0, 0.3, 2_000).astype("float32")
    model = foreign.framed_model(span=(0.15, 0.2))
    result = xa.explain(model, model.frontend(wave), "b", "occlusion")
    strength = np.abs(result.maps[0]).sum(axis=1)
    seconds = (np.arange(len(strength)) * 128 + 128) / 8_000
    # A hidden cell reaches half a mask and half a window to either side.
    assert strength[(seconds > 0.1) & (seconds < 0.25)].sum() > 0.95 * strength.sum()
    assert 0.15 < seconds[strength.argmax()] < 0.2


@pytest.mark.parametrize(
    "span, message",
    [
        ((0.101, 0.104), "20 frames in 0.25 s, and none of them has its middle between"),
        ((0.2, 0.1), "from a time to a later one"),
        (0.1, "two times within a segment"),
        (("a", "b"), "two times within a segment"),
    ],
)
def test_a_span_that_says_nothing_is_refused(span, message):
    with pytest.raises(XaiAudioError, match=message):
        foreign.framed_model(span=span)


class Tensor:
    """What PyTorch returns with gradients: NumPy refuses it until it is detached."""

    def __init__(self, values, steps=()):
        self.values, self.steps = values, steps

    def detach(self):
        return Tensor(self.values, (*self.steps, "detach"))

    def cpu(self):
        return Tensor(self.values, (*self.steps, "cpu"))

    def float(self):
        return Tensor(self.values, (*self.steps, "float"))

    def __array__(self, dtype=None, copy=None):
        if self.steps != ("detach", "cpu", "float"):
            raise RuntimeError("Can't call numpy() on Tensor that requires grad.")
        return np.asarray(self.values, dtype)


def test_a_tensor_with_gradients_is_taken():
    waves = foreign.some("sounds")
    model = foreign.framed_model(lambda given: Tensor(foreign.framed(given)))
    np.testing.assert_allclose(model.logits(waves), foreign.framed(waves).mean(axis=1), atol=1e-6)


def test_a_function_that_fails_is_told_what_it_was_given():
    def fails(waves):
        return waves.unsqueeze(1)

    with pytest.raises(
        XaiAudioError, match=r"NumPy array of float32 of the shape \(2, 2000\): Attr"
    ):
        foreign.framed_model(fails)


@pytest.mark.oracle
def test_a_network_of_pytorch_is_three_lines():
    torch = pytest.importorskip("torch")
    network = torch.nn.Sequential(torch.nn.Linear(2_000, 3))

    def scores(waves):
        return network(torch.from_numpy(waves))

    model, waves = foreign.framed_model(scores), foreign.some("sounds")
    weight, bias = (part.detach().numpy() for part in network.parameters())
    np.testing.assert_allclose(model.logits(waves), waves @ weight.T + bias, atol=1e-5)


@pytest.mark.parametrize(
    "found, message",
    [
        (np.zeros((2, 4)), r"answered 2 sounds with the shape \(2, 4\), but \(2, 3\) is needed"),
        (np.zeros((2, 2, 2, 3)), r"shape \(2, 2, 2, 3\)"),
        (np.zeros(3), r"shape \(3,\)"),
        (np.full((2, 3), np.nan), "NaN or infinity for noise"),
        ("text", "answered with a str, of which no array .* could not convert"),
        ({"logits": np.zeros((2, 3))}, r"answered with a dict, .* the scores alone, \(n, 3\)"),
        (np.zeros((2, 3)) + 1j, "The numbers are complex"),
    ],
)
def test_answers_that_do_not_fit_are_refused(found, message):
    with pytest.raises(XaiAudioError, match=message):
        foreign.framed_model(lambda waves: found, "logits")


def test_what_it_is_asked_about_is_its_own():
    ask = Asked(lambda given: given.fill(0) or np.ones((len(given), 1)), "mine", 1, 1.0)
    given = np.ones((2, 5), np.float32)
    ask(given)
    assert given.all()
