"""What all figures have in common."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text
from random_explanations import FRONTEND, LABELS, explanation
from small_networks import classifier_of, convolutional, random_patches

import xaiaudio as xa
from xaiaudio import plots
from xaiaudio.plots import canvas
from xaiaudio.plots.render import render


@pytest.mark.slow
@pytest.mark.parametrize("name", [r"$\frac{1}$", r"a$\foo$", "$x$ costs $5", "a_b^c", "5 $"])
def test_names_are_no_formulas(name):
    model = classifier_of(convolutional((24, 16)), [name, "b", "c"])
    figure = xa.plot(xa.explain(model, random_patches(1, (24, 16)), 0, method="gradcam"))
    assert render(figure)[:4] == b"\x89PNG"
    named = [text for text in figure.findobj(Text) if name in text.get_text()]
    assert named and not any("$" in name and text.get_parse_math() for text in named)


@pytest.mark.slow
def test_powers_of_ten_stay_formulas():
    figure, axes = canvas.grid()
    axes[0, 0].plot([1, 1e4], [0, 1])
    axes[0, 0].set_xscale("log")
    before = render(figure)
    assert render(canvas.finish(figure, values=np.zeros(1))) == before


@pytest.fixture(scope="module")
def wave():
    return np.random.default_rng(1).normal(0, 0.1, 48_000).astype("float32")


def all_figures(wave):
    maps = explanation(2)
    grid = np.repeat(np.arange(6), 16)[:, None] * np.ones((1, 64), int)
    history = {"accuracy": [0.5, 0.6], "loss": [1.0, 0.8]}
    checked = {"validation_accuracy": [0.4], "validation_loss": [1.2], "validation_iteration": [2]}
    by_class = {"Rain": maps, "Rooster": explanation(2, seed=3)}
    clip = {"gradcam": np.ones((298, 64)), "lime": -np.ones((200, 64))}
    yield plots.plot(maps)
    yield plots.plot(maps, overlay=True)
    yield plots.comparison([maps, explanation(2, seed=1, method="lime")])
    yield plots.comparison([maps, explanation(2, seed=1, method="lime")], normalise=False)
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


NOTHING = {
    "comparison": lambda: plots.comparison([]),
    "class_comparison": lambda: plots.class_comparison([]),
    "plot": lambda: plots.plot(explanation(1)[:0]),
    "strip": lambda: plots.strip([]),
    "clip_maps": lambda: plots.clip_maps(np.zeros(16_000), {}, FRONTEND),
    "spectrograms": lambda: plots.spectrograms([], FRONTEND),
    "clip_spectrograms": lambda: plots.clip_spectrograms({}, FRONTEND),
    "gallery": lambda: plots.gallery({}, FRONTEND),
    "segments": lambda: plots.segments(np.zeros((96, 64)), {}, FRONTEND),
    "label_counts": lambda: plots.label_counts([]),
    "class_profiles": lambda: plots.class_profiles([], FRONTEND),
    "forgetting": lambda: plots.forgetting(np.zeros((96, 64)), {}, FRONTEND),
    "likeness_curves": lambda: plots.likeness_curves([], {}),
    "curves": lambda: plots.curves({}),
}


@pytest.mark.parametrize("draw", list(NOTHING))
def test_nothing_to_draw_is_said(draw):
    with pytest.raises(xa.XaiAudioError, match="nothing to draw: give one .* at least"):
        NOTHING[draw]()
