"""What is left in an executed notebook."""

import nbformat
from nbformat import v4

from xaiaudio.publishing import worker


def test_tidy_keeps_results_and_drops_standard_error(tmp_path):
    path = tmp_path / "chapter.ipynb"
    outputs = [
        v4.new_output("stream", name="stdout", text="loss 0.1"),
        v4.new_output("stream", name="stderr", text="could not find a GPU"),
        v4.new_output("display_data", data={"text/plain": "a figure"}),
    ]
    cells = [v4.new_markdown_cell("text"), v4.new_code_cell("print(1)", outputs=outputs)]
    cells[1].metadata["papermill"] = {"duration": 1.0}
    nbformat.write(v4.new_notebook(cells=cells, metadata={"papermill": {}}), path)
    worker.tidy(path)
    left = nbformat.read(path, as_version=4)
    assert [out.get("name", out.output_type) for out in left.cells[1].outputs] == [
        "stdout",
        "display_data",
    ]
    assert "papermill" not in left.metadata and "papermill" not in left.cells[1].metadata
