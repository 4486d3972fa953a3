"""Executed notebooks are read, and copied for the pages and to download."""

import copy

import nbformat
import pytest
from executed_notebooks import PNG, figure, notebook

from xaiaudio.errors import XaiAudioError
from xaiaudio.publishing import notebooks


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


def test_cells_are_numbered_as_in_the_chapter():
    page = notebook()
    page.cells.append(nbformat.v4.new_code_cell("last()"))
    found = [(number, cell.source) for number, cell in notebooks.code_cells(page)]
    # What was injected is none of them; an empty one counts, and is not given.
    assert found == [(1, "seed = 0"), (2, "show()"), (3, "number()"), (5, "last()")]


def test_records_and_pictures_are_found_by_their_names():
    page = notebook()
    page.cells[3].outputs.append(nbformat.v4.new_output("stream", text="words"))
    page.cells[4].outputs.append(figure("second"))
    assert [record["name"] for record in notebooks.records(page)] == ["blob", "n", "second"]
    assert notebooks.pictures(page) == {"blob": PNG, "second": PNG}
    assert not notebooks.is_picture(page.cells[3].outputs[1])
    page.cells[3].metadata = {"tags": None}
    assert notebooks.tags(page.cells[3]) == []


def test_copies_leave_the_notebook_as_it_is():
    page = notebook()
    before = copy.deepcopy(page)
    assert notebooks.for_reading(page) != page != notebooks.without_outputs(page)
    assert page == before


@pytest.mark.parametrize(
    "line, injected, shown",
    [
        ("seed = 0", "seed = 3", "seed = 3"),
        ("seed=0  # why", "seed = 3", "seed=3  # why"),
        ('where = "a # b"', 'where = "c"', 'where = "c"'),
        ("where = 'a'", r'where = "c:\new\1"', r'where = "c:\new\1"'),
        ("other_seed = 0", "seed = 3", "other_seed = 0"),
        ("    seed = 0", "seed = 3", "    seed = 0"),
    ],
)
def test_injected_values_take_the_place_of_the_defaults(line, injected, shown):
    page = notebook()
    page.cells[0].source, page.cells[1].source = line, injected
    assert notebooks.for_reading(page).cells[0].source == shown


@pytest.mark.parametrize("text", [None, "", "{", "[1]"])
def test_what_is_no_notebook_is_told(tmp_path, text):
    path = tmp_path / "page.ipynb"
    if text is not None:
        path.write_text(text)
    with pytest.raises(XaiAudioError, match=r"page\.ipynb is not a notebook"):
        notebooks.read(path)
    nbformat.write(notebook(), path)
    assert notebooks.records(notebooks.read(path)) == notebooks.records(notebook())
