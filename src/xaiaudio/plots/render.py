"""Draw a figure into bytes, the same bytes for the same figure."""

from __future__ import annotations

import io

DPI = 130


def render(fig) -> bytes:
    """Draw a figure as PNG; the same figure always gives the same bytes.

    Parameters
    ----------
    fig : matplotlib.figure.Figure

    Returns
    -------
    bytes
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    buffer = io.BytesIO()
    FigureCanvasAgg(fig)
    fig.savefig(
        buffer,
        format="png",
        dpi=DPI,
        metadata={"Software": None},
        pil_kwargs={"optimize": True},
    )
    return buffer.getvalue()
