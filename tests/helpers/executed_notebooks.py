"""A small executed notebook, as a chapter leaves it."""

import nbformat.v4 as v4

from xaiaudio.publishing import notebooks
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
