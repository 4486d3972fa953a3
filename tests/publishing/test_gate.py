"""Each fault that a notebook can have is planted, and found."""

import nbformat.v4 as v4
import pytest
from executed_notebooks import figure, notebook

from xaiaudio.publishing import gate
from xaiaudio.publishing.record import KEY


def told(**pages):
    return [str(problem) for problem in gate.check_notebooks(pages)]


@pytest.mark.slow
def test_a_whole_notebook_passes():
    assert told(page=notebook()) == []


def without(cell, *path):
    *parents, last = path
    place = cell.metadata
    for key in parents:
        place = place[key]
    del place[last]


def error(cell):
    cell.outputs.append(v4.new_output("error", ename="ValueError", evalue="", traceback=[]))


FAULTS = {
    "has no caption": lambda cell: without(cell, "mystnb", "figure"),
    "has no alt text": lambda cell: without(cell, "mystnb", "image", "alt"),
    "has no recorded data": lambda cell: cell.outputs[0].metadata.clear(),
    "recorded data": lambda cell: cell.outputs[0].metadata[KEY]["data"].clear(),
    "was not executed": lambda cell: cell.update(execution_count=None),
    "out of order": lambda cell: cell.update(execution_count=1),
    "ended in ValueError": error,
    "shows 2 pictures": lambda cell: cell.outputs.append(figure("second")),
    "MB of output": lambda cell: cell.outputs.append(v4.new_output("stream", text="x" * 4_000_000)),
}


@pytest.mark.parametrize("what", FAULTS)
def test_each_fault_is_found(what):
    page = notebook()
    FAULTS[what](page.cells[3])
    problems = told(page=page)
    assert len(problems) == 1
    assert problems[0].startswith("page: ") and what in problems[0] and "cell 2" in problems[0]


def test_an_empty_caption_is_none():
    page = notebook()
    page.cells[3].metadata["mystnb"]["figure"]["caption"] = " \n"
    assert "has no caption" in told(page=page)[0]


def test_parameters_must_be_declared():
    page = notebook()
    page.cells[0].metadata["tags"] = []
    assert "no cell is tagged 'parameters'" in told(page=page)[0]


def test_names_are_unique_in_the_book():
    one, two = notebook(), notebook()
    problems = told(one=one, two=two)
    assert [p for p in problems if "number 'n' is already one of 'one'" in p]
    assert [p for p in problems if "figure 'blob' is already one of 'one'" in p]
