"""Figures as files: they open, their text is text, and the same figure gives the same bytes."""

import io
import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

import xaiaudio as xa
from xaiaudio import plots
from xaiaudio.plots.render import render


def figure():
    wave = np.random.default_rng(0).normal(0, 0.1, 16_000).astype("float32")
    frontend = xa.LogMel.vggish()
    relevance = np.random.default_rng(1).normal(size=(len(frontend.spectrogram(wave)), 64))
    return plots.clip_maps(wave, {"<gradcam> & co": relevance}, frontend)


@pytest.mark.slow
@pytest.mark.parametrize("format", ["png", "pdf", "svg"])
def test_the_same_figure_gives_the_same_bytes_and_no_date(format):
    data = render(figure(), format)
    assert data == render(figure(), format)
    assert not re.search(rb"CreationDate|<dc:date>|Matplotlib v|20\d\d-\d\d-\d\d", data)


@pytest.mark.slow
def test_a_layout_that_is_done_once_moves_no_pixel():
    fig, plain = figure(), io.BytesIO()
    drawn = np.asarray(Image.open(io.BytesIO(render(fig, dpi=100))))
    figure().savefig(plain, format="png", dpi=100)
    assert np.array_equal(drawn, np.asarray(Image.open(plain)))
    assert type(fig.get_layout_engine()).__name__ == "ConstrainedLayoutEngine"
    bare = Figure()
    bare.subplots().plot([1, 2])
    assert render(bare).startswith(b"\x89PNG")


@pytest.mark.slow
def test_svg_is_well_formed_and_its_text_is_text():
    root = ElementTree.fromstring(render(figure(), "svg"))
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    words = [text.text for text in root.iter("{http://www.w3.org/2000/svg}text")]
    assert "<gradcam> & co" in words and "frequency (Hz)" in words


@pytest.mark.slow
def test_a_pdf_holds_its_fonts_and_its_text(tmp_path):
    data = render(figure(), "pdf")
    assert data.startswith(b"%PDF-") and data.rstrip().endswith(b"%%EOF")
    assert b"/FontFile2" in data and b"/Type3" not in data
    if not shutil.which("pdftotext"):
        pytest.skip("pdftotext reads it back, where it is there")
    (tmp_path / "x.pdf").write_bytes(data)
    done = subprocess.run(["pdftotext", tmp_path / "x.pdf", "-"], capture_output=True, check=True)
    assert "<gradcam> & co" in done.stdout.decode()


@pytest.mark.slow
def test_dots_per_inch_are_those_of_the_picture(tmp_path):
    sizes = []
    for dpi in (65, 130):
        (tmp_path / "x.png").write_bytes(render(figure(), dpi=dpi))
        sizes.append(np.array(Image.open(tmp_path / "x.png").size))
    assert sizes[1] == pytest.approx(2 * sizes[0], abs=2)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, said", [({"format": "PDF"}, "'pdf'"), ({"dpi": 5}, "20 to 1200")]
)
def test_what_cannot_be_drawn_is_said(options, said):
    with pytest.raises(xa.XaiAudioError, match=said):
        render(figure(), **options)
