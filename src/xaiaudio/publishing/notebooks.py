"""Read executed notebooks: their records, and clean copies of them."""

from __future__ import annotations

import copy
import re
from typing import TYPE_CHECKING

from ..errors import XaiAudioError
from .record import KEY

if TYPE_CHECKING:
    from nbformat import NotebookNode

    from ..types import PathLike

INJECTED = "injected-parameters"
_PICTURES = ("image/png", "image/svg+xml", "image/jpeg")


def read(path: PathLike) -> NotebookNode:
    """Read a notebook.

    Parameters
    ----------
    path : path

    Returns
    -------
    nbformat.NotebookNode

    Raises
    ------
    XaiAudioError
        If it is not there or not a notebook.
    """
    import nbformat

    try:
        return nbformat.read(path, as_version=4)
    except Exception as error:
        raise XaiAudioError(f"{path} is not a notebook: {error}.") from error


def code_cells(notebook):
    """Yield the code cells that hold code, numbered as in the chapter (from 1)."""
    number = 0
    for cell in notebook.cells:
        if cell.cell_type != "code" or INJECTED in tags(cell):
            continue
        number += 1
        if cell.source.strip():
            yield number, cell


def tags(cell) -> list:
    """Return the tags of a cell."""
    return cell.metadata.get("tags") or []


def is_picture(output) -> bool:
    """Tell whether an output shows a picture."""
    return any(kind in output.get("data", {}) for kind in _PICTURES)


def record_of(output):
    """Return the record that an output carries, or None."""
    return (output.get("metadata") or {}).get(KEY)


def records(notebook):
    """List the records of a notebook, in order.

    Parameters
    ----------
    notebook : NotebookNode

    Returns
    -------
    list of dict
        As :mod:`xaiaudio.publishing.record` wrote them.
    """
    found = []
    for _, cell in code_cells(notebook):
        found += [r for r in map(record_of, cell.get("outputs", [])) if r]
    return found


def pictures(notebook) -> dict:
    """Return the PNG of each recorded figure, in base64, by its name."""
    found = {}
    for _, cell in code_cells(notebook):
        for output in cell.get("outputs", []):
            record = record_of(output)
            if record and record["kind"] == "figure" and is_picture(output):
                found[record["name"]] = output["data"].get("image/png", "")
    return found


def without_outputs(notebook):
    """Return a copy as a reader wants to download it: code and text, nothing executed."""
    clean = copy.deepcopy(notebook)
    clean.cells = [cell for cell in clean.cells if INJECTED not in tags(cell)]
    for cell in clean.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    return clean


def for_reading(notebook):
    """Return a copy for the pages: records taken out, parameters shown as they were run."""
    page = copy.deepcopy(notebook)
    injected = [cell for cell in page.cells if INJECTED in tags(cell)]
    page.cells = [cell for cell in page.cells if INJECTED not in tags(cell)]
    for cell in page.cells:
        if cell.cell_type != "code":
            continue
        if injected and "parameters" in tags(cell):
            cell.source = _with_values(cell.source, injected[0].source)
        for output in cell.get("outputs", []):
            (output.get("metadata") or {}).pop(KEY, None)
    return page


def _with_values(source, injected) -> str:
    """Put the values that papermill injected in the place of the defaults."""
    for name, value in re.findall(r"^(\w+) = (.+)$", injected, flags=re.MULTILINE):
        pattern = rf"^({name}\s*=\s*)(\"[^\"]*\"|'[^']*'|[^\s#]+)"

        def put(match, value=value):
            return match[1] + value

        source = re.sub(pattern, put, source, flags=re.MULTILINE)
    return source
