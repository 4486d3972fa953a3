"""Figures: they hold the numbers they show, on axes and scales that can be compared."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure

from xaiaudio import XaiAudioError, plots
from xaiaudio.explainers.base import upsampled
from xaiaudio.explainers.explanation import Explanation
from xaiaudio.frontend import LogMel
from xaiaudio.plots import canvas

LABELS = ("Rain", "Rooster", "Chainsaw")
FRONTEND = LogMel.vggish(overlap=0.5)


def result(n=3, *, seed=0, method="gradcam", scale=1.0):
    rng = np.random.default_rng(seed)
    raw = (scale * rng.normal(size=(n, 6, 4))).astype("float32")
    return Explanation(
        maps=upsampled(raw, FRONTEND.patch_shape),
        raw=raw,
        patches=rng.normal(size=(n, 96, 64)).astype("float32"),
        targets=np.arange(n) % 3,
        scores=rng.dirichlet(np.ones(3), n).astype("float32"),
        labels=LABELS,
        method=method,
        options={},
        upsample="bilinear",
        frontend=FRONTEND,
    )


@pytest.fixture(scope="module")
def wave():
    return np.random.default_rng(1).normal(0, 0.1, 48_000).astype("float32")


def images(figure):
    return [image for ax in figure.axes for image in ax.images]


def texts(figure):
    return [ax.get_title() for ax in figure.axes]


def all_figures(wave):
    maps = result(2)
    grid = np.repeat(np.arange(6), 16)[:, None] * np.ones((1, 64), int)
    history = {"accuracy": [0.5, 0.6], "loss": [1.0, 0.8]}
    checked = {"validation_accuracy": [0.4], "validation_loss": [1.2], "validation_iteration": [2]}
    by_class = {"Rain": maps, "Rooster": result(2, seed=3)}
    clip = {"gradcam": np.ones((298, 64)), "lime": -np.ones((200, 64))}
    yield plots.plot(maps)
    yield plots.plot(maps, overlay=True)
    yield plots.comparison([maps, result(2, seed=1, method="lime")])
    yield plots.comparison([maps, result(2, seed=1, method="lime")], normalise=False)
    yield plots.class_comparison([by_class])
    yield plots.clip_maps(wave, clip, FRONTEND)
    yield plots.clip_maps(wave, clip, FRONTEND, normalise=False)
    yield plots.segments(maps.patches[0], {"grid": grid}, FRONTEND)
    yield plots.segments(maps.patches[0], {"g": grid}, FRONTEND, weights={"g": np.arange(6) - 2})
    yield plots.spectrograms(maps.patches, FRONTEND, titles=["a", "b"])
    yield plots.waveform(wave)
    yield plots.clip_spectrogram(wave, FRONTEND)
    yield plots.clip_spectrogram(wave, FRONTEND, boundaries=False)
    yield plots.clip_spectrograms({"loud": wave, "soft": wave / 10}, FRONTEND)
    yield plots.filterbank(FRONTEND)
    yield plots.label_counts({"Rain": 3, "Rooster": 5})
    yield plots.class_shares({"Rain": 0.25, "Rooster": 0.75}, true="Rain")
    yield plots.training_curves(history)
    yield plots.training_curves({**history, **checked, "epoch_iteration": [1, 2]})
    yield plots.confusion([[3, 1, 0], [0, 2, 0], [0, 0, 0]], LABELS)
    yield plots.confusion_pair(np.eye(3, dtype=int), np.ones((3, 3), int), LABELS)


@pytest.mark.slow
def test_every_figure_is_plain_narrow_drawable_and_knows_its_numbers(wave):
    for figure in all_figures(wave):
        assert type(figure) is Figure
        assert figure.get_size_inches()[0] <= 8
        assert figure.data and all(isinstance(name, str) for name in figure.data)
        assert figure._repr_png_()[:8] == b"\x89PNG\r\n\x1a\n"


@pytest.mark.slow
def test_pyplot_is_never_imported():
    import subprocess
    import sys

    code = (
        "import sys, numpy as np, xaiaudio as xa; xa.plots.waveform(np.zeros(9)); "
        "sys.exit('matplotlib.pyplot' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60).returncode == 0


def test_time_runs_right_in_seconds_and_frequency_up_in_hertz():
    figure, axes = canvas.grid()
    cells = np.zeros((96, 64))
    cells[40, 50] = 1
    image = canvas.image(axes[0, 0], cells, FRONTEND)
    canvas.mel_axis(axes[0, 0], FRONTEND)
    left, right, bottom, top = image.get_extent()
    assert (left, right) == pytest.approx((FRONTEND.times()[0], FRONTEND.times()[-1]))
    assert (bottom, top, image.origin) == (0, 64, "lower")
    row, column = np.argwhere(np.asarray(image.get_array()) == 1)[0]
    assert (row, column) == (50, 40)
    ticks = dict(
        zip(
            [float(label.get_text()) for label in axes[0, 0].get_yticklabels()],
            axes[0, 0].get_yticks(),
            strict=True,
        )
    )
    # 1000 Hz is 1000 mel of HTK's formula, and so within the band whose borders enclose it.
    band = int(np.searchsorted(FRONTEND.band_edges(), 1000.0)) - 1
    assert band <= ticks[1000.0] <= band + 1
    assert {500.0, 1000.0, 2000.0, 4000.0} <= set(ticks)


def test_plot_shows_raw_maps_on_one_scale_around_zero():
    maps = result(3, scale=0.01)
    figure = plots.plot(maps)
    largest = np.abs(maps.maps).max()
    shown = [image for image in images(figure) if image.get_cmap().name == canvas.SIGNED]
    assert len(shown) == 3
    for image in shown:
        assert image.get_clim() == pytest.approx((-largest, largest))
    np.testing.assert_array_equal(figure.data["maps"], maps.maps)
    assert figure.data["limit"] == pytest.approx(largest)


def test_plot_normalises_all_maps_by_one_number():
    maps = result(3, scale=0.01)
    shown = plots.plot(maps, normalise=True).data["maps"]
    np.testing.assert_allclose(shown, maps.maps / np.abs(maps.maps).max(), rtol=1e-5)


def test_plot_draws_no_more_patches_than_asked():
    assert len(plots.plot(result(5), max_patches=2).data["maps"]) == 2


def test_a_map_of_zeros_is_drawn_white():
    nothing = dataclasses.replace(result(1), maps=np.zeros((1, 96, 64), "float32"))
    figure = plots.plot(nothing, normalise=True)
    assert figure.data["limit"] == 1.0
    assert figure._repr_png_()


@pytest.mark.slow
def test_comparison_has_a_row_per_method_and_a_column_per_patch():
    first, second = result(3), result(3, seed=1, method="lime", scale=100)
    figure = plots.comparison([first, second])
    panels = [ax for ax in figure.axes if ax.images]
    assert len(panels) == 3 * 3
    signed = [image for image in images(figure) if image.get_cmap().name == canvas.SIGNED]
    assert {image.get_clim() for image in signed} == {(-1.0, 1.0)}
    assert np.abs(figure.data["lime"]).max() == pytest.approx(1)
    chance = first.scores[0, first.targets[0]]
    assert f"Rain\n{chance:.0%}" in texts(figure)


def test_comparison_in_the_methods_own_units_has_a_scale_per_method():
    first, second = result(2), result(2, seed=1, method="lime", scale=100)
    figure = plots.comparison([first, second], normalise=False)
    signed = [image for image in images(figure) if image.get_cmap().name == canvas.SIGNED]
    limits = [image.get_clim()[1] for image in signed]
    assert limits[0] == limits[1] == pytest.approx(np.abs(first.maps).max())
    assert limits[2] == limits[3] == pytest.approx(np.abs(second.maps).max())


def test_comparison_refuses_explanations_of_different_patches():
    with pytest.raises(XaiAudioError, match="same patches"):
        plots.comparison([result(2), result(3)])


def test_class_comparison_puts_the_classes_of_one_patch_side_by_side():
    by_class = {"Rain": result(2), "Rooster": result(2, seed=5)}
    figure = plots.class_comparison([by_class], patch=1, classes=["Rooster", "Rain"])
    shown = figure.data["gradcam"]
    together = np.stack([by_class["Rooster"].maps[1], by_class["Rain"].maps[1]])
    np.testing.assert_allclose(shown, together / np.abs(together).max(), rtol=1e-5)


def test_spectrograms_mark_wrong_predictions():
    figure = plots.spectrograms(
        result(2).patches, FRONTEND, true=["Rain", "Rain"], predicted=["Rain", "Rooster"]
    )
    assert texts(figure)[:2] == ["Rain\n✓ Rain", "Rain\n✗ Rooster"]


def test_clip_spectrogram_marks_where_patches_start(wave):
    starts = plots.clip_spectrogram(wave, FRONTEND).data["starts"]
    assert len(starts) == len(FRONTEND(wave))
    np.testing.assert_allclose(np.diff(starts), FRONTEND.hop_seconds)


def test_a_sound_shorter_than_a_patch_has_a_spectrogram_without_patches():
    figure = plots.clip_spectrogram(np.zeros(4000, "float32"), FRONTEND)
    assert len(figure.data["starts"]) == 0


def test_segments_draw_a_line_at_every_border():
    numbers = np.repeat([0, 1], 48)[:, None] * np.ones((1, 64), int)
    figure = plots.segments(np.zeros((96, 64)), {"halves": numbers}, FRONTEND)
    upright = [c for c in figure.axes[0].collections if len(c.get_segments())]
    places = np.concatenate([line[:, 0] for c in upright for line in c.get_segments()])
    np.testing.assert_allclose(places, FRONTEND.times()[48])


def test_segments_of_a_whole_sound_lie_at_its_own_times():
    numbers = np.repeat(np.arange(498) * 10 // 498, 64).reshape(498, 64)
    figure = plots.segments(np.zeros((498, 64)), {"tenths": numbers}, FRONTEND)
    lines = [line for c in figure.axes[0].collections for line in c.get_segments()]
    found = np.unique([line[:, 0] for line in lines])
    # A frame is a hundredth of a second, the first one in the middle of a window of 25 ms.
    first = [np.flatnonzero(numbers[:, 0] == k)[0] for k in range(1, 10)]
    expected = 0.0075 + np.array(first) / 100
    np.testing.assert_allclose(found, expected)


def test_segments_can_show_weights():
    numbers = np.repeat([0, 1], 48)[:, None] * np.ones((1, 64), int)
    figure = plots.segments(
        np.zeros((96, 64)), {"halves": numbers}, FRONTEND, weights={"halves": [2.0, -1.0]}
    )
    assert figure.data["halves"][0, 0] == 2 and figure.data["halves"][-1, 0] == -1


def test_confusion_summaries_are_recall_and_precision():
    figure = plots.confusion([[9, 1, 0], [2, 8, 0], [0, 0, 0]], LABELS)
    np.testing.assert_allclose(figure.data["recall"], [0.9, 0.8, np.nan])
    np.testing.assert_allclose(figure.data["precision"], [9 / 11, 8 / 9, np.nan])
    assert figure.data["accuracy"] == pytest.approx(17 / 20)
    written = {text.get_text() for ax in figure.axes for text in ax.texts}
    assert {"9", "90%", "20%", "82%", "–"} <= written


def test_confusion_of_the_wrong_size_is_refused():
    with pytest.raises(XaiAudioError, match="3 rows"):
        plots.confusion([[1, 0], [0, 1]], LABELS)


def test_confusion_pair_compares_shares_of_each_class():
    figure = plots.confusion_pair([[3, 1], [0, 8]], [[30, 10], [0, 1]], ["a", "b"])
    np.testing.assert_array_equal(figure.data["first"], figure.data["second"])
    assert len({image.get_clim() for image in images(figure)}) == 1


def test_label_counts_of_two_sets():
    figure = plots.label_counts(
        [{"Rain": 4, "Rooster": 2}, {"Rooster": 1}], names=["training", "test"]
    )
    np.testing.assert_array_equal(figure.data["counts"], [[4, 2], [0, 1]])


def test_training_curves_count_iterations_from_one():
    history = {"accuracy": [0.5, 0.6], "loss": [1.0, 0.8], "validation_iteration": [2]}
    history |= {"validation_accuracy": [0.4], "validation_loss": [1.2]}
    figure = plots.training_curves(history)
    np.testing.assert_array_equal(figure.data["iteration"], [1, 2])
    drawn = figure.axes[0].lines[0].get_xydata()
    np.testing.assert_allclose(drawn, [[1, 50], [2, 60]])


def test_a_network_without_history_has_no_training_curves():
    with pytest.raises(XaiAudioError, match="no training"):
        plots.training_curves({})


def test_the_axes_of_a_patch_are_in_the_sounds_own_seconds():
    patches = FRONTEND(np.random.default_rng(0).normal(size=40_000), overlap=0.5)[2:4]
    made = dataclasses.replace(result(len(patches)), starts=patches.starts)
    figure = plots.plot(made)
    for number, image in enumerate(images(figure)[:2]):
        times = patches.times(number)
        assert image.get_extent()[:2] == pytest.approx((times[0], times[-1]))
