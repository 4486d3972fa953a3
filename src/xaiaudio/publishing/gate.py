"""What the executed notebooks must have before they are rendered."""

from __future__ import annotations

from dataclasses import dataclass

from . import notebooks

#: A cell whose outputs take more than this makes a page that is slow to open.
CELL_MB = 3.0


@dataclass(frozen=True)
class Problem:
    """Something that must be put right.

    Attributes
    ----------
    page : str
    what : str
    fix : str
        What to do about it.
    """

    page: str
    what: str
    fix: str

    def __str__(self):
        return f"{self.page}: {self.what}; {self.fix}"


def check_notebooks(pages) -> list[Problem]:
    """Check all executed notebooks of a book.

    Parameters
    ----------
    pages : dict of str to NotebookNode
        By name.

    Returns
    -------
    list of Problem
        Empty if all is well.
    """
    problems = []
    for page, notebook in pages.items():
        problems += check_notebook(page, notebook)
    return problems + _names(pages)


def check_notebook(page, notebook) -> list[Problem]:
    """Check one executed notebook.

    No error among the outputs; every code cell executed, in order; parameters declared; every
    picture with caption, alternative text and recorded numbers.

    Parameters
    ----------
    page : str
    notebook : NotebookNode

    Returns
    -------
    list of Problem
    """
    problems = []
    cells = list(notebooks.code_cells(notebook))
    if not any("parameters" in notebooks.tags(cell) for _, cell in cells):
        problems.append(
            Problem(page, "no cell is tagged 'parameters'", "add one with profile and seed")
        )
    last = 0
    for number, cell in cells:
        count = cell.get("execution_count")
        if count is None:
            problems.append(Problem(page, f"cell {number} was not executed", _first(cell)))
        elif count <= last:
            problems.append(Problem(page, f"cell {number} was executed out of order", "run again"))
        last = max(last, count or 0)
        problems += _errors(page, number, cell) + _figures(page, number, cell)
        problems += _size(page, number, cell)
    return problems


def _errors(page, number, cell):
    return [
        Problem(page, f"cell {number} ended in {output.get('ename')}", "mend it or catch it")
        for output in cell.get("outputs", [])
        if output.get("output_type") == "error"
    ]


def _figures(page, number, cell):
    pictures = [output for output in cell.get("outputs", []) if notebooks.is_picture(output)]
    if not pictures:
        return []
    problems = []
    mystnb = cell.metadata.get("mystnb") or {}
    if len(pictures) > 1:
        problems.append(
            Problem(page, f"cell {number} shows {len(pictures)} pictures", "one cell, one figure")
        )
    if not str((mystnb.get("figure") or {}).get("caption") or "").strip():
        problems.append(
            Problem(
                page, f"the figure of cell {number} has no caption", "set mystnb.figure.caption"
            )
        )
    if not str((mystnb.get("image") or {}).get("alt") or "").strip():
        problems.append(
            Problem(page, f"the figure of cell {number} has no alt text", "set mystnb.image.alt")
        )
    for output in pictures:
        record = notebooks.record_of(output)
        if not record or not record.get("data"):
            problems.append(
                Problem(
                    page,
                    f"the figure of cell {number} has no recorded data",
                    "set mystnb.figure.name, and fig.data if xaiaudio.plots did not draw it",
                )
            )
    return problems


def _size(page, number, cell):
    megabytes = sum(len(str(output)) for output in cell.get("outputs", [])) / 1e6
    if megabytes <= CELL_MB:
        return []
    return [
        Problem(page, f"cell {number} has {megabytes:.1f} MB of output", f"keep it to {CELL_MB} MB")
    ]


def _names(pages):
    """Names of numbers and figures are what the prose and the baselines know them by."""
    problems, seen = [], {}
    for page, notebook in pages.items():
        for record in notebooks.records(notebook):
            name = (record["kind"], record["name"])
            if name in seen:
                problems.append(
                    Problem(
                        page,
                        f"the {name[0]} '{name[1]}' is already one of '{seen[name]}'",
                        "choose another name",
                    )
                )
            seen.setdefault(name, page)
    return problems


def _first(cell):
    return f"it begins: {cell.source.strip().splitlines()[0]}"
