"""Each fault that a notebook can have is planted, and found."""

import nbformat.v4 as v4
import pytest

from xaiaudio.publishing import gate, notebooks
from xaiaudio.publishing.record import KEY

PNG = "iVBORw0KGgo="
SHOWN = {"mystnb": {"figure": {"caption": "A map."}, "image": {"alt": "A blob."}}}


def figure(name="blob", data=None):
    record = {"kind": "figure", "name": name, "data": {"x": 1} if data is None else data}
    return v4.new_output("display_data", data={"image/png": PNG}, metadata={KEY: record})


def number(name):
    return v4.new_output(
        "display_data", data={}, metadata={KEY: {"kind": "number", "name": name, "value": 1}}
    )


def notebook():
    return v4.new_notebook(
        cells=[
            v4.new_code_cell("seed = 0", metadata={"tags": ["parameters"]}, execution_count=1),
            v4.new_code_cell(
                "seed = 3", metadata={"tags": [notebooks.INJECTED]}, execution_count=2
            ),
            v4.new_markdown_cell("# Words"),
            v4.new_code_cell("show()", metadata=SHOWN, execution_count=3, outputs=[figure()]),
            v4.new_code_cell("number()", execution_count=4, outputs=[number("n")]),
            v4.new_code_cell(""),
        ]
    )


def told(**pages):
    return [str(problem) for problem in gate.check_notebooks(pages)]


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


def test_the_copy_for_reading_shows_what_was_run():
    page = notebook()
    page.cells[0].source = 'profile = "mini"  # which sounds\nseed = 0\nother = 1'
    page.cells[1].source = '# Parameters\nprofile = "esc10-yamnet"\nseed = 3'
    shown = notebooks.for_reading(page)
    assert len(shown.cells) == len(page.cells) - 1
    assert shown.cells[0].source == (
        'profile = "esc10-yamnet"  # which sounds\nseed = 3\nother = 1'
    )
    assert not notebooks.records(shown) and notebooks.records(page)


def test_the_copy_to_download_has_no_outputs():
    clean = notebooks.without_outputs(notebook())
    assert len(clean.cells) == 5
    assert clean.cells[0].source == "seed = 0"
    assert all(not c.outputs and c.execution_count is None for c in clean.cells if "outputs" in c)
