"""Execute one chapter in a process of its own: ``python -m xaiaudio.publishing.worker``.

It speaks JSON lines on standard output: ``{"cell": 3, "of": 12}`` before each code cell, and at
the end ``{"done": true, "cpu_seconds": 40.2}`` or ``{"error": {...}}``. When standard input closes,
the process that ordered the work is gone, and the worker ends itself and its kernel.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import warnings

_ANSI = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07]*\x07")

#: The id of the cell that is added for the time of the execution.
RECORDING = "recording"

#: Lines of the traceback that are passed on.
LAST_LINES = 14


def main():
    """Read the order from the first line of standard input and carry it out."""
    order = json.loads(sys.stdin.readline())
    end_with_parent()
    warnings.filterwarnings("ignore")
    tell = _mouth()
    kernels = from_nursery()
    try:
        execute(order, tell)
    except Exception as error:
        tell({"error": describe(error)})
        raise SystemExit(1) from None
    tell({"done": True, "cpu_seconds": cpu_seconds(kernels)})


def execute(order, tell):
    """Turn a MyST notebook into an executed one.

    Parameters
    ----------
    order : dict
        ``source`` and ``target`` paths, ``parameters``, ``cwd``.
    tell : callable
        Takes a dict to report.
    """
    import jupytext
    import nbformat
    import papermill

    notebook = jupytext.read(order["source"], fmt="md:myst")
    number_cells(notebook)
    notebook.cells.insert(0, recording(notebook))
    code = {
        cell["id"]: n
        for n, cell in enumerate((c for c in notebook.cells[1:] if c.cell_type == "code"), start=1)
    }
    plain = order["target"] + ".source.ipynb"
    nbformat.write(notebook, plain)

    def progress(cell, **_):
        if cell.get("id") in code:
            tell({"cell": code[cell["id"]], "of": len(code)})

    def run():
        papermill.execute_notebook(
            plain,
            order["target"],
            parameters=order["parameters"],
            kernel_name="python3",
            progress_bar=False,
            request_save_on_cell_execute=False,
            cwd=order["cwd"],
            on_cell_start=progress,
        )

    try:
        started(run)
    finally:
        os.unlink(plain)
    tidy(order["target"])


def started(run, tries=3):
    """Run, and run again if the kernel did not come up.

    Kernels that start at the same moment may choose the same network port; all but one of them
    then die before they have executed anything.

    Parameters
    ----------
    run : callable
    tries : int
    """
    for left in reversed(range(tries)):
        try:
            return run()
        except RuntimeError as error:
            if not left or "before replying to kernel_info" not in str(error):
                raise


def number_cells(notebook):
    """Give the cells ids that are the same in every run; jupytext draws them at random."""
    for n, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{n}"


def recording(notebook):
    """Return the cell that has the figures of a notebook recorded under their cells' names."""
    import nbformat

    names = {}
    for cell in notebook.cells:
        figure = (cell.metadata.get("mystnb") or {}).get("figure") or {}
        if cell.cell_type == "code" and figure.get("name"):
            names.setdefault(cell.source.strip(), []).append(figure["name"])
    source = f"from xaiaudio.publishing.record import record_figures\n\nrecord_figures({names!r})"
    return nbformat.v4.new_code_cell(source, id=RECORDING)


# How TensorFlow's remarks begin.
_REMARKS = ("WARNING:tensorflow:", "INFO:tensorflow:")


def tidy(path):
    """Take out what differs from run to run and from machine to machine.

    That is what papermill notes about time and place, and what was written to standard error:
    progress bars, and TensorFlow's remarks on the machine, which it writes to standard output where
    somebody seems to watch. The cell that was added goes too.
    """
    import nbformat

    notebook = nbformat.read(path, as_version=4)
    notebook.metadata.pop("papermill", None)
    notebook.cells = [cell for cell in notebook.cells if cell.get("id") != RECORDING]
    for cell in notebook.cells:
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)
        if cell.cell_type == "code":
            cell.outputs = [out for out in map(_said, cell.outputs) if out is not None]
    nbformat.write(notebook, path)


def _said(output):
    """Return an output without what is no result; None if nothing is left."""
    if output.get("name") == "stderr":
        return None
    if output.get("name") == "stdout":
        lines = output["text"].splitlines(keepends=True)
        output["text"] = "".join(line for line in lines if not line.startswith(_REMARKS))
        return output if output["text"] else None
    return output


def describe(error) -> dict:
    """Say what a reader of the terminal needs to know about a failed cell.

    Parameters
    ----------
    error : Exception

    Returns
    -------
    dict
        ``what``: one line; ``lines``: the end of the traceback, without colour codes;
        ``source``: the failed cell's code, if a cell failed.
    """
    if hasattr(error, "traceback") and hasattr(error, "ename"):
        lines = plain_lines("\n".join(error.traceback))
        return {
            "what": plain_lines(f"{error.ename}: {error.evalue}")[0],
            "lines": lines[-LAST_LINES:],
            "source": error.source,
        }
    if type(error).__name__ == "DeadKernelError":
        return {"what": "the kernel died; most often memory ran out", "lines": []}
    return {"what": f"{type(error).__name__}: {error}".splitlines()[0], "lines": []}


def plain_lines(text) -> list[str]:
    """Split into lines, without colour codes and trailing space.

    Parameters
    ----------
    text : str

    Returns
    -------
    list of str
    """
    return [line.rstrip() for line in _ANSI.sub("", text).strip().splitlines()] or [""]


def _mouth():
    """Keep standard output for the reports; whatever libraries print goes to the log."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)

    def tell(message):
        out.write(json.dumps(message) + "\n")
        out.flush()

    return tell


def from_nursery() -> list:
    """Let kernels come from the nursery, if there is one; return the list that they go to."""
    from jupyter_client.provisioning import local_provisioner

    from . import nursery

    kernels, launch = [], local_provisioner.launch_kernel

    def launched(cmd, *given, env=None, cwd=None, **more):
        made = nursery.kernel(cmd, os.environ if env is None else env, cwd or os.getcwd())
        if made is None:
            return launch(cmd, *given, env=env, cwd=cwd, **more)
        kernels.append(made)
        return made

    local_provisioner.launch_kernel = launched
    return kernels


def cpu_seconds(kernels=()) -> float:
    """Return how long this process and its children that have ended kept a processor busy.

    On Windows those of the children are not known. If the share of one of `kernels` cannot be
    known, nothing is, which is 0.

    Parameters
    ----------
    kernels : sequence of Kernel
        Those of the nursery, which are no children.
    """
    import psutil

    times = psutil.Process().cpu_times()
    children = getattr(times, "children_user", 0) + getattr(times, "children_system", 0)
    others = [share for share in map(_share, kernels) if share is not None]
    if len(others) < len(kernels):
        return 0.0
    return round(times.user + times.system + children + sum(others), 1)


def _share(kernel, seconds=10) -> float | None:
    """Return how long a kernel kept a processor busy, which is told a moment after its end."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        kernel.wait(seconds)
    return kernel.cpu_seconds


def end_with_parent():
    """End this process and its children when whoever started it is gone: when its input closes."""

    def watch():
        # Not sys.stdin.read(): it would hold a lock that Python wants when it ends.
        while os.read(0, 1 << 12):
            pass
        end_children()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def end_children():
    """Kill every process that descends from this one."""
    import psutil

    for child in psutil.Process().children(recursive=True):
        with contextlib.suppress(psutil.Error):
            child.kill()


if __name__ == "__main__":
    main()
