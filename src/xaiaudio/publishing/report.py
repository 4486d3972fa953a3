"""The page that shows what moved: old and new side by side, and the difference."""

from __future__ import annotations

import base64
import html
import io

import numpy as np

from . import metric, notebooks
from .execute import notebook_path
from .project import write_text

#: Pictures of an array with more than two axes: the first so many.
MAPS = 4

_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 72rem; padding: 0 1rem;
  color: #1c1c1c; background: #fff; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.15rem; margin-top: 2.5rem; }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: .3rem .6rem;
  border-bottom: 1px solid #ccc; vertical-align: top; overflow-wrap: break-word; }
img { max-width: 100%; } .moved { color: #a40000; } .wide { overflow-x: auto; }
@media (prefers-color-scheme: dark) { body { color: #e6e6e6; background: #181818; }
  .moved { color: #ff8a80; } img { background: #fff; } }
"""


def write_report(project, differences):
    """Write ``regression.html`` for the differences that a comparison found.

    Parameters
    ----------
    project : Project
    differences : list of Difference

    Returns
    -------
    Path
    """
    shown = {}
    for chapter in {difference.chapter for difference in differences}:
        path = notebook_path(project, chapter)
        shown[chapter] = notebooks.pictures(notebooks.read(path)) if path.is_file() else {}
    parts = [_section(difference, shown[difference.chapter]) for difference in differences]
    rows = "".join(_row(difference, n) for n, difference in enumerate(differences))
    title = f"{len(differences)} recorded values moved (profile {project.profile})"
    page = (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{_safe(title)}</title><style>{_STYLE}</style></head><body>"
        f"<h1>{_safe(title)}</h1><p>If this is meant, renew the baselines: <code>make baselines "
        f"PROFILE={_safe(project.profile)}</code>, and say why in the commit message.</p>"
        '<div class="wide"><table><tr><th>chapter</th><th>value</th><th>what moved</th>'
        "<th>spread</th><th>runs</th></tr>"
        f"{rows}</table></div>"
        + "".join(f'<div id="d{n}">{part}</div>' for n, part in enumerate(parts))
        + "</body></html>\n"
    )
    return write_text(project.home / "regression.html", page)


def _row(difference, number):
    entry = difference.entry or {}
    cells = [
        _safe(difference.chapter),
        f'<a href="#d{number}">{_safe(difference.name)}</a>',
        f'<span class="moved">{_safe(difference.what)}</span>',
        _safe(_spread(entry.get("spread", ""))),
        _safe(entry.get("runs", "")),
    ]
    return "<tr>" + "".join(f"<td>{cell}</td>" for cell in cells) + "</tr>"


def _spread(spread):
    if isinstance(spread, dict):
        return ", ".join(f"{rule} {value:.3g}" for rule, value in spread.items())
    return f"{spread:.3g}" if isinstance(spread, float) else str(spread)


def _section(difference, pictures):
    entry = difference.entry or {}
    old, new = entry.get("value"), difference.value
    head = f"<h2>{_safe(difference.chapter)}: {_safe(difference.name)}</h2>"
    head += f'<p class="moved">{_safe(difference.what)}</p>'
    if metric.is_array(old) or metric.is_array(new):
        body = _picture(draw(old, new), "Old and new values side by side, and their difference")
    else:
        body = (
            "<table><tr><th>old</th><th>new</th></tr>"
            f"<tr><td>{_safe(_text(old))}</td><td>{_safe(_text(new))}</td></tr></table>"
        )
    figure = pictures.get(difference.name.split("/")[0])
    if figure:
        body += "<p>The figure as it is now:</p>" + _picture(figure, "The figure as it is now")
    return head + body


def _text(value):
    return value.get("values", value) if isinstance(value, dict) else value


def _picture(png, alt):
    return f'<img alt="{alt}" src="data:image/png;base64,{png}">'


def _safe(value) -> str:
    return html.escape(str(value))


def draw(old, new) -> str:
    """Draw recorded arrays side by side, with their difference where it can be taken.

    Parameters
    ----------
    old, new : dict or None
        Recorded arrays.

    Returns
    -------
    str
        A PNG in base64.
    """
    from matplotlib.figure import Figure

    arrays = [_planes(value) for value in (old, new)]
    panels = [("old", arrays[0]), ("new", arrays[1])]
    if all(planes is not None for planes in arrays) and arrays[0].shape == arrays[1].shape:
        panels.append(("new - old", arrays[1] - arrays[0]))
    rows = max(len(planes) for _, planes in panels if planes is not None)
    figure = Figure(figsize=(3.6 * len(panels), 2.6 * rows), layout="constrained")
    axes = figure.subplots(rows, len(panels), squeeze=False)
    known = [planes for planes in arrays if planes is not None]
    limits = min(p.min() for p in known), max(p.max() for p in known)
    for column, (title, planes) in enumerate(panels):
        for row in range(rows):
            axis = axes[row, column]
            if planes is None or row >= len(planes):
                axis.axis("off")
                continue
            axis.set_title(title, fontsize=9)
            _plot(axis, planes[row], limits, difference=title == "new - old")
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=80, metadata={"Software": None})
    return base64.b64encode(buffer.getvalue()).decode("ascii")


def _planes(value):
    """Bring any array to a stack of planes or lines; None if there is none."""
    if not metric.is_array(value) or not value["values"]:
        return None
    array = metric.values_of(value)
    if array.ndim == 1:
        return array[None]
    return array.reshape(-1, *array.shape[-2:])[:MAPS]


def _plot(axis, plane, limits, difference):
    if plane.ndim == 1:
        axis.plot(plane, marker="." if plane.size < 40 else None)
        return
    if difference:
        most = np.abs(plane).max() or 1.0
        image = axis.imshow(
            plane.T, origin="lower", aspect="auto", cmap="RdBu_r", vmin=-most, vmax=most
        )
    else:
        image = axis.imshow(
            plane.T, origin="lower", aspect="auto", cmap="viridis", vmin=limits[0], vmax=limits[1]
        )
    axis.figure.colorbar(image, ax=axis)
