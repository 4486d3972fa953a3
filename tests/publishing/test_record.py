"""What figures and number() write down, and that they leave everything else alone."""

import io
import json
import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from xaiaudio.errors import XaiAudioError
from xaiaudio.plots import render
from xaiaudio.publishing import record


def figure(**data):
    fig = Figure(figsize=(2, 1))
    fig.subplots().plot([1, 4, 9])
    fig.data = data
    return fig


def test_outside_a_notebook_nothing_is_shown(capsys):
    record.number("answer", 42)
    assert capsys.readouterr() == ("", "")


@pytest.fixture
def shown(monkeypatch):
    """Collect what would be displayed."""
    outputs = []
    monkeypatch.setattr(record, "_in_notebook", lambda: True)
    monkeypatch.setattr(
        record, "_display", lambda bundle, metadata: outputs.append((bundle, metadata))
    )
    return outputs


def test_a_figure_is_displayed_with_its_record():
    bundle, metadata = record.figure_bundle("squares", figure(squares=[1, 4, 9], title="up"))
    assert set(bundle) == {"image/png", "text/plain"}
    told = metadata[record.KEY]
    assert told["name"] == "squares"
    assert told["data"]["squares"]["values"] == [1, 4, 9]
    assert told["data"]["title"] == "up"
    json.dumps(metadata, allow_nan=False)


def test_a_figure_without_a_name_or_numbers_is_displayed_as_ever():
    assert record.figure_bundle(None, figure(squares=[1])) == ({}, {})
    assert record.figure_bundle("squares", Figure()) == ({}, {})
    assert record.figure_bundle("squares", figure()) == ({}, {})


@pytest.fixture
def shell():
    """IPython as a notebook has it, but for the kernel."""
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell()
    shell.display_formatter.active_types = shell.display_formatter.format_types
    yield shell
    shell.history_manager.end_session()
    InteractiveShell.clear_instance()


@pytest.mark.slow
def test_figures_are_recorded_under_the_names_of_their_cells(shell, monkeypatch):
    monkeypatch.setattr("IPython.get_ipython", lambda: shell)
    shell.push({"fig": figure(squares=[1, 4, 9]), "bare": Figure()})
    record.record_figures({"fig": ["fig-squares", "fig-again"], "bare": ["fig-bare"]})

    def said(source):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return shell.display_formatter.format(shell.run_cell(source).result)

    bundle, metadata = said("fig\n")
    assert metadata[record.KEY]["name"] == "fig-squares"
    assert bundle["image/png"]
    assert said("fig")[1][record.KEY]["name"] == "fig-again"  # the same source once more
    for source in ("1; fig", "bare"):  # no cell of that name; nothing to record
        assert record.KEY not in said(source)[1]


@pytest.mark.parametrize(
    ("value", "glued"),
    [(np.float64(0.5), "0.5"), (np.int64(3), "3"), ("Rain", "'Rain'"), (True, "True")],
)
def test_number_can_be_quoted_by_glue(shown, value, glued):
    record.number("n", value, tolerance=0.25, timing=True)
    ((bundle, metadata),) = shown
    assert bundle == {"application/papermill.record/text/plain": glued}
    assert metadata["scrapbook"] == {"name": "n", "mime_prefix": "application/papermill.record/"}
    assert metadata[record.KEY]["tolerance"] == 0.25
    assert metadata[record.KEY]["timing"] is True


def test_number_is_what_myst_nb_reads(shown):
    from myst_nb.ext.glue import extract_glue_data_cell
    from nbformat.v4 import new_code_cell, new_output

    record.number("n", 0.25)
    ((bundle, metadata),) = shown
    cell = new_code_cell(outputs=[new_output("display_data", data=bundle, metadata=metadata)])
    ((name, output),) = extract_glue_data_cell(cell)
    assert name == "n"
    assert output["data"] == {"text/plain": "0.25"}


@pytest.mark.parametrize("value", [np.zeros(3), object(), [1, 2]])
def test_number_refuses_what_is_none(value):
    with pytest.raises(XaiAudioError, match="'n' cannot be recorded"):
        record.number("n", value)


@pytest.mark.slow
def test_the_same_figure_gives_the_same_bytes():
    first, second = (render.render(figure(a=1)) for _ in range(2))
    assert first == second
    assert Image.open(io.BytesIO(first)).size == (2 * render.DPI, render.DPI)
    assert b"Software" not in first


def test_small_arrays_are_kept_whole():
    counts = np.arange(12).reshape(3, 4)
    told = record.summarise({"counts": counts})["counts"]
    assert told["values"] == counts.tolist()
    assert told["kind"] == "int" and told["shape"] == [3, 4]
    assert (told["min"], told["max"], told["mean"]) == (0, 11, 5.5)


@pytest.mark.parametrize("shape", [(96, 64), (9, 96, 64), (80_000,), (7, 13, 17, 3), (1025,)])
def test_large_arrays_are_averaged_in_blocks(shape):
    array = np.random.default_rng(0).normal(size=shape)
    told = record.summarise({"a": array})["a"]
    values = np.asarray(told["values"])
    assert values.size <= record.VALUES
    assert told["shape"] == list(shape)
    # Against the slow definition, in one corner and in the opposite one (a shorter block).
    first = array[tuple(slice(0, b) for b in told["blocks"])].mean()
    last = array[
        tuple(slice((n - 1) // b * b, n) for n, b in zip(shape, told["blocks"], strict=True))
    ].mean()
    assert values.flat[0] == pytest.approx(first, rel=1e-4)
    assert values.flat[-1] == pytest.approx(last, rel=1e-4)
    assert told["min"] == pytest.approx(array.min(), rel=1e-4)
    assert len(json.dumps(told)) < 16_000


def test_a_transposed_map_is_told_differently():
    array = np.random.default_rng(0).random((64, 64))
    one, other = record.summarise({"a": array, "b": array.T}).values()
    assert one["values"] != other["values"]


def test_odd_values():
    told = record.summarise(
        {
            "nan": float("nan"),
            "holes": np.array([1.0, np.nan, np.inf]),
            "empty": np.zeros((0, 3)),
            "labels": ["a", None],
            "deep": {"er": {"est": True}},
            "nothing": None,
        }
    )
    assert told["nan"] == "nan"
    assert told["holes"]["not_finite"] == 2 and told["holes"]["max"] == 1
    assert told["empty"]["shape"] == [0, 3] and told["empty"]["values"] == []
    assert told["labels"]["values"] == ["a", None]
    assert told["deep/er/est"] is True
    assert told["nothing"] is None
    json.dumps(told, allow_nan=False)


def test_complex_arrays_are_refused():
    with pytest.raises(XaiAudioError, match="spectrum/z"):
        record.summarise({"z": np.zeros(3, complex)}, "spectrum")
