"""What is left in an executed notebook."""

import nbformat
import pytest
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


@pytest.mark.parametrize("failures", [0, 1, 2])
def test_a_kernel_that_did_not_come_up_is_tried_again(failures):
    calls = []

    def run():
        calls.append(1)
        if len(calls) <= failures:
            raise RuntimeError("Kernel died before replying to kernel_info")
        return "done"

    assert worker.started(run) == "done"
    assert len(calls) == failures + 1


@pytest.mark.parametrize("message", ["Kernel died before replying to kernel_info", "another"])
def test_what_fails_again_and_again_or_otherwise_is_told(message):
    calls = []

    def run():
        calls.append(1)
        raise RuntimeError(message)

    with pytest.raises(RuntimeError, match=message):
        worker.started(run)
    assert len(calls) == (3 if "kernel_info" in message else 1)
