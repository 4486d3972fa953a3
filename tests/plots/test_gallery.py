"""The figures that take sounds apart show what the front end computes."""

import numpy as np
import pytest

from xaiaudio import LogMel, plots
from xaiaudio.plots.render import render
from xaiaudio.publishing.record import summarise

FRONTEND = LogMel.vggish(overlap=0.75)


@pytest.fixture(scope="module")
def waves():
    rng = np.random.default_rng(0)
    return {name: rng.uniform(-gain, gain, 32_000) for name, gain in (("a", 1), ("b", 0.1))}


@pytest.mark.slow
def test_gallery_shows_each_sound(waves):
    figure = plots.gallery({**waves, "third": waves["a"]}, FRONTEND)
    np.testing.assert_allclose(figure.data["b"], FRONTEND.spectrogram(waves["b"]))
    np.testing.assert_allclose(figure.data["peaks"], [1, 0.1, 1], rtol=0.01)
    scales = {drawn.get_clim() for ax in figure.axes[:8] for drawn in ax.images}
    assert len(scales) == 1
    assert render(figure)[:4] == b"\x89PNG"


@pytest.mark.slow
def test_gallery_of_silence_draws(waves):
    assert render(plots.gallery({"silence": np.zeros(32_000)}, FRONTEND))


def test_masked_shows_only_the_mask(waves):
    rows = FRONTEND.spectrogram(waves["a"])
    mask = rows > np.median(rows)
    figure = plots.masked(waves["a"], {"loud": mask}, FRONTEND)
    whole, part = (ax.images[0].get_array() for ax in figure.axes[:2])
    assert not np.ma.getmaskarray(whole).any()
    np.testing.assert_array_equal(np.ma.getmaskarray(np.ma.masked_invalid(part)).T, ~mask)
    assert "loud" in summarise(figure.data)


def test_steps_magnitudes_are_the_front_end_s(waves):
    figure = plots.steps(waves["a"], FRONTEND)
    decibels, rows = figure.data["magnitude"], figure.data["spectrogram"]
    assert decibels.max() == 0
    # The mel bands of those magnitudes are the log-mel rows, up to the common factor.
    bands = np.log(10 ** (decibels / 20) @ FRONTEND.mel_matrix())
    factor = (rows - bands).ravel()
    assert factor.std() < 0.01
