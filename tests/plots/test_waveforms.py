"""Figures of networks of waveforms: samples, filters, shares of bands."""

import numpy as np
import pytest

from xaiaudio import XaiAudioError, plots


@pytest.mark.slow
def test_samples_are_drawn_at_their_times():
    wave = np.zeros(1600)
    wave[800] = -4
    figure = plots.samples({"sound": wave, "other": 2 * np.ones((1600, 1))}, 16_000)
    assert figure.data["sound"].min() == -1  # divided by its largest magnitude
    assert figure.data["other"].max() == 1
    np.testing.assert_allclose(figure.data["zoom"], (0.04, 0.06))
    whole, part, *_ = figure.axes
    assert whole.get_xlim() == pytest.approx((0, 0.1))
    assert part.get_xlim() == pytest.approx((40, 60))
    line = part.lines[0]
    assert line.get_xdata()[line.get_ydata().argmin()] == pytest.approx(50)


def test_silence_has_a_picture():
    figure = plots.samples({"sound": np.zeros(800)})
    assert not figure.data["sound"].any()


@pytest.mark.slow
def test_filters_stand_in_the_order_of_their_loudest_frequency():
    taps = np.arange(256) / 16_000
    hertz = np.array([5000, 500, 2000])
    kernels = np.hanning(256)[:, None] * np.cos(2 * np.pi * taps[:, None] * hertz)
    figure = plots.filters(kernels, 16_000)
    np.testing.assert_allclose(figure.data["peaks"], [500, 2000, 5000], atol=20)
    decibels = figure.data["decibels"]
    assert decibels.shape == (3, 512)
    assert (decibels.max(axis=1) == 0).all()
    assert decibels.min() == -40
    # Half the gain is 6 dB less.
    both = plots.filters(kernels[:, [0]] + kernels[:, [1]] / 2, 16_000).data["decibels"][0]
    assert both[32 - 4 : 32 + 4].max() == pytest.approx(-6, abs=0.2)


def test_shares_add_up_to_one_in_magnitude():
    edges = (0, 125, 1000, 8000)
    values = [[1.0, 1.0, -2.0], [0.0, 0.0, 0.0]]
    figure = plots.band_shares(edges, {"a": values, "b": np.ones((2, 3))}, titles=["one", "two"])
    np.testing.assert_allclose(figure.data["a"], [[0.25, 0.25, -0.5], [0, 0, 0]])
    np.testing.assert_allclose(figure.data["b"], 1 / 3)
    ax = figure.axes[0]
    texts = [text.get_text() for text in ax.get_xticklabels()]
    places = dict(zip(texts, ax.get_xticks(), strict=True))
    # All bands are equally wide.
    assert [places[text] for text in ("125", "1k", "8k")] == [1, 2, 3]
    assert [axes.get_title() for axes in figure.axes] == ["one", "two"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: plots.band_shares((0, 1, 2), {"a": np.ones((2, 3))}),
        lambda: plots.band_shares((0, 1, 2), {"a": np.ones(2)}),
        lambda: plots.filters(np.ones(5)),
    ],
)
def test_what_does_not_fit_is_refused(call):
    with pytest.raises(XaiAudioError, match="shape"):
        call()
