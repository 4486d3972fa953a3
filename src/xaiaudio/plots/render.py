"""Draw a figure into bytes, the same bytes for the same figure."""

from __future__ import annotations

import contextlib
import io
from typing import TYPE_CHECKING, Any

from ..errors import XaiAudioError, meant

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DPI = 130

#: What a figure can be drawn as, and what its file says of itself: no date, no version.
FORMATS = {
    "png": {"Software": None},
    "pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    "svg": {"Creator": None, "Date": None},
}

# Text stays text, in PDF with its fonts inside. Names of shapes in SVG would be drawn by chance.
_SETTINGS: Any = {"pdf.fonttype": 42, "svg.fonttype": "none", "svg.hashsalt": "xaiaudio"}


def render(fig: Figure, format: str = "png", dpi: float = DPI) -> bytes:
    """Draw a figure; the same figure always gives the same bytes.

    Parameters
    ----------
    fig : matplotlib.figure.Figure
    format : {"png", "pdf", "svg"}
        PDF and SVG can be enlarged, and their text can be searched.
    dpi : float
        Dots per inch: of a PNG, and of what is made of pixels in a PDF or SVG.

    Returns
    -------
    bytes

    Raises
    ------
    XaiAudioError
        For another format, or a resolution outside 20 to 1200.
    """
    if format not in FORMATS:
        raise XaiAudioError(
            f"Figures cannot be drawn as {format!r}{meant(format, FORMATS)}: choose one of "
            f"{', '.join(FORMATS)}."
        )
    if isinstance(dpi, bool) or not isinstance(dpi, (int, float)) or not 20 <= dpi <= 1200:
        raise XaiAudioError(f"dpi is {dpi!r}: it must be a number from 20 to 1200.")
    from matplotlib import rc_context
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(fig)
    with rc_context(_SETTINGS), _laid_out(fig, dpi):
        fig.savefig(buffer, format=format, dpi=dpi, metadata=FORMATS[format])
    return buffer.getvalue()


@contextlib.contextmanager
def _laid_out(fig, dpi):
    """Lay a figure out: matplotlib would draw it twice, the first time for its layout alone."""
    engine, usual = fig.get_layout_engine(), fig.dpi
    if engine is None:
        yield
        return
    fig.dpi = dpi
    try:
        engine.execute(fig)
        fig.set_layout_engine("none")
        fig.dpi = usual
        yield
    finally:
        fig.dpi = usual
        fig.set_layout_engine(engine)
