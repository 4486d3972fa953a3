"""What all figures have in common."""

import numpy as np
import pytest
from matplotlib.text import Text
from small_networks import classifier_of, convolutional, random_patches

import xaiaudio as xa
from xaiaudio.plots import canvas
from xaiaudio.plots.render import render


@pytest.mark.parametrize("name", [r"$\frac{1}$", r"a$\foo$", "$x$ costs $5", "a_b^c", "5 $"])
def test_names_are_no_formulas(name):
    model = classifier_of(convolutional((24, 16)), [name, "b", "c"])
    figure = xa.plot(xa.explain(model, random_patches(1, (24, 16)), 0, method="gradcam"))
    assert render(figure)[:4] == b"\x89PNG"
    named = [text for text in figure.findobj(Text) if name in text.get_text()]
    assert named and not any("$" in name and text.get_parse_math() for text in named)


def test_powers_of_ten_stay_formulas():
    figure, axes = canvas.grid()
    axes[0, 0].plot([1, 1e4], [0, 1])
    axes[0, 0].set_xscale("log")
    before = render(figure)
    assert render(canvas.finish(figure, values=np.zeros(1))) == before
