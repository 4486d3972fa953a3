"""Chapters are executed once, failures are told, and Ctrl-C leaves nothing half-done."""

import json
import os
import signal
import subprocess
import sys
import time

import nbformat
import psutil
import pytest
from small_book import chapter, make_book, quiet

from xaiaudio.errors import XaiAudioError
from xaiaudio.publishing import budget, execute, notebooks, project


def run(root, **options):
    return execute.execute(project.find(root=root), console=quiet(), **options)


def test_executed_notebooks_carry_what_they_recorded(built):
    root, report, _ = built
    assert report.executed == ["welcome", "maps"]
    maps = notebooks.read(root / "_build/mini/executed/maps.ipynb")
    (record,) = notebooks.records(maps)
    assert record["name"] == "fig-blob"
    assert record["data"]["map"]["shape"] == [96, 64]
    assert "papermill" not in maps.metadata


def test_parameters_are_handed_over(built):
    welcome = notebooks.read(built[0] / "_build/mini/executed/welcome.ipynb")
    values = {record["name"]: record["value"] for record in notebooks.records(welcome)}
    assert values["answer"] == 42.5  # the chapter's own default of the seed is 7
    assert values["where"] == "mini"


def test_every_kernel_has_the_same_threads_on_every_machine(built):
    # The number of threads decides how sums are rounded, and so which weights a training ends with.
    welcome = notebooks.read(built[0] / "_build/mini/executed/welcome.ipynb")
    values = {record["name"]: record["value"] for record in notebooks.records(welcome)}
    assert values["threads"] == execute.THREADS


def test_run_times_are_kept(built):
    root, report, _ = built
    kept = json.loads((root / "_build/mini/timings.json").read_text())
    assert kept == report.seconds
    assert all(seconds > 0 for seconds in kept.values())
    stamp = json.loads((root / "_build/mini/executed/maps.json").read_text())
    assert stamp["versions"]["python"].startswith("3.")
    assert stamp["peak_mb"] > 50


def test_a_second_run_executes_nothing(book):
    path = book / "_build/mini/executed/maps.ipynb"
    before = path.stat().st_mtime_ns
    assert not any(done.fresh for done in run(book))
    assert path.stat().st_mtime_ns == before


@pytest.mark.slow
def test_a_changed_chapter_alone_is_executed(book):
    path = book / "book/welcome.md"
    path.write_text(path.read_text() + "\nOne sentence more.\n")
    fresh = {done.name: done.fresh for done in run(book)}
    assert fresh == {"welcome": True, "maps": False}


def stale(root):
    """Name the chapters that would be executed, without executing them."""
    ours = project.find(root=root)
    return [
        page.name
        for page in ours.chapters()
        if execute.read_stamp(ours, page.name).get("key") != project.chapter_key(ours, page)
    ]


@pytest.mark.slow
def test_a_damaged_notebook_or_stamp_is_executed_anew(book):
    (book / "_build/mini/executed/maps.ipynb").write_text("")
    (book / "_build/mini/timings.json").write_text("[1]")
    fresh = {done.name: done.fresh for done in run(book)}
    assert fresh == {"welcome": False, "maps": True}
    assert stale(book) == []


@pytest.mark.parametrize("text", ["{", "[1, 2]", '"a"', '{"key": 1}', '{"seconds": "long"}', ""])
def test_a_stamp_that_is_none_counts_as_not_there(book, text):
    assert stale(book) == []
    (book / "_build/mini/executed/maps.json").write_text(text)
    assert stale(book) == ["maps"]


def test_a_notebook_that_is_not_what_was_written_is_noticed(book):
    path = book / "_build/mini/executed/maps.ipynb"
    path.write_text(path.read_text().replace("42.5", "43.5") + " ")
    assert stale(book) == ["maps"]


@pytest.mark.parametrize("text", ["[1]", '{"maps": "long", "welcome": 2}', "{"])
def test_timings_that_are_none_are_left_out(book, text):
    (book / "_build/mini/timings.json").write_text(text)
    assert execute._timings(project.find(root=book)).get("maps") is None
    assert not any(done.fresh for done in run(book))


FAILING = """\
Words first.

```{code-cell} ipython3
def inner():
    raise ValueError("no such thing as 7 <patches>")

inner()
```

```{code-cell} ipython3
print("never reached")
```
"""


@pytest.mark.slow
def test_a_failing_chapter_is_told_and_the_others_stay(tmp_path):
    root = make_book(
        tmp_path / "clone",
        good=chapter("Good", "```{code-cell} ipython3\n1 + 1\n```\n", "xaiaudio: {first: true}\n"),
        bad=chapter("Bad", FAILING),
    )
    with pytest.raises(XaiAudioError) as caught:
        run(root)
    told = str(caught.value)
    line = (root / "book/bad.md").read_text().splitlines().index("def inner():") + 1
    assert "Chapter 'bad' failed: ValueError: no such thing as 7 <patches>" in told
    assert f"cell 2 (line {line} of bad.md): def inner():" in told
    assert "inner()" in told.splitlines()[-2] or "raise ValueError" in told
    assert "\x1b" not in told
    assert len(told.splitlines()) <= 18
    names = {path.name for path in (root / "_build/mini/executed").iterdir()}
    assert names == {"good.ipynb", "good.json"}
    # Mended, only the failed one is executed.
    path = root / "book/bad.md"
    path.write_text(path.read_text().replace("raise ValueError", "return str"))
    fresh = {done.name: done.fresh for done in run(root)}
    assert fresh == {"good": False, "bad": True}


@pytest.mark.slow
def test_a_kernel_that_dies_is_told(tmp_path):
    body = "```{code-cell} ipython3\nimport os\n\nos._exit(3)\n```\n"
    root = make_book(tmp_path / "clone", dying=chapter("Dying", body))
    with pytest.raises(XaiAudioError, match="'dying' failed: the kernel died"):
        run(root)


SLEEPING = """\
```{code-cell} ipython3
import os
import pathlib
import time

pathlib.Path(os.environ["XAIAUDIO_TEST_PID"]).write_text(str(os.getpid()))
time.sleep(120)
```
"""

BUILD = "from xaiaudio import publishing; publishing.build(root={root!r})"


def hear_ctrl_c():
    """Undo what a shell does to a job in the background: such a job never hears Ctrl-C."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_interruption_ends_the_kernels_and_leaves_nothing(tmp_path, how):
    root = make_book(tmp_path / "clone", sleeping=chapter("Sleeping", SLEEPING))
    note = tmp_path / "pid"
    process = subprocess.Popen(
        [sys.executable, "-c", BUILD.format(root=str(root))],
        preexec_fn=hear_ctrl_c,
        env={**os.environ, "XAIAUDIO_TEST_PID": str(note)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    kernel = int(wait_for(lambda: note.exists() and note.read_text()))
    assert psutil.pid_exists(kernel)
    process.send_signal(how)
    _, errors = process.communicate(timeout=20)
    assert process.returncode != 0
    wait_for(lambda: not alive(kernel))
    if how != signal.SIGKILL:
        assert "KeyboardInterrupt" in errors
        assert not list((root / "_build/mini/executed").iterdir())
    # Whatever was left, the next build clears it away.
    (root / "book/sleeping.md").write_text(
        chapter("Awake", "```{code-cell} ipython3\n1 + 1\n```\n")
    )
    run(root)
    names = {path.name for path in (root / "_build/mini/executed").iterdir()}
    assert names == {"sleeping.ipynb", "sleeping.json"}


def alive(pid):
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for(what, seconds=60):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := what():
            return found
        time.sleep(0.1)
    raise AssertionError("waited in vain")


def test_scratch_folders_of_killed_builds_are_swept(tmp_path):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    left = [f"xaiaudio-build-{os.getpid()}-a", "xaiaudio-build-x-a", "xaiaudio-mine", "other-1-a"]
    for name in (f"xaiaudio-build-{gone.pid}-abc", *left):
        (tmp_path / name).mkdir()
        (tmp_path / name / "log.txt").touch()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"xaiaudio-build-{gone.pid}-link").symlink_to(tmp_path / "elsewhere")
    execute.sweep_scratch(tmp_path)
    kept = {path.name for path in tmp_path.iterdir()}
    assert kept == {*left, "elsewhere", f"xaiaudio-build-{gone.pid}-link"}


def test_what_a_start_up_file_prints_is_no_report():
    said = "print('Welcome!'); print('{\"done\": true}')"
    job = execute._Job(None, "key")
    job.process = subprocess.Popen([sys.executable, "-c", said], stdout=subprocess.PIPE, text=True)
    crew = execute._Crew(None, None, None, None, {}, {})
    crew._listen(job)
    assert [crew.news.get_nowait()[1] for _ in range(2)] == [{"done": True}, None]


def test_the_longest_come_first_as_measured_here_or_elsewhere(tmp_path):
    ours, jobs = waiting(tmp_path, "short", "long", "slow-here", "new")
    assert order(ours, jobs) == ["short", "long", "slow-here", "new"]  # nothing is known
    budget.note(ours, {"short": 20, "long": 90, "slow-here": 30})
    assert order(ours, jobs) == ["long", "slow-here", "new", "short"]
    project.write_json(ours.home / "timings.json", {"slow-here": 200})
    assert order(ours, jobs) == ["slow-here", "long", "new", "short"]
    few = budget.Budget(5, {}, ["short", "slow-here", "long", "new"])
    assert order(ours, jobs, few) == few.order


def test_beside_the_training_run_those_that_do_without_it(tmp_path):
    asks = {"trains": "first", "speaks": "early", "sings": "early"}
    ours, jobs = waiting(tmp_path, "other", "speaks", "sings", "trains", **asks)
    budget.note(ours, {"other": 90, "speaks": 20, "sings": 30, "trains": 10})
    jobs = execute._in_order(ours, jobs)
    assert [job.chapter.name for job in jobs] == ["trains", "sings", "speaks", "other"]
    trains, sings, speaks, other = jobs
    assert execute._next(jobs, []) is trains
    assert execute._next([sings, speaks, other], [trains]) is sings
    assert execute._next([other], [trains, sings]) is None  # it waits for what is trained
    assert execute._next([other], [sings]) is other
    assert execute._next([trains, other], [trains]) is None  # one at a time
    known = {"trains": 9000, "sings": 9000, "speaks": 20}
    few = budget.Budget(5, known, ["sings", "speaks", "trains"])
    jobs = execute._in_order(ours, jobs, few)
    assert execute._next(jobs, [], few) is trains  # however long it takes
    assert execute._next(jobs[1:], [trains], few) is speaks
    assert execute._next([sings], [], few) is None


def waiting(folder, *names, **asks):
    body = "```{code-cell} ipython3\n1\n```\n"
    more = {name: f"xaiaudio: {{{what}: true}}\n" for name, what in asks.items()}
    texts = {name: chapter(name, body, more.get(name, "")) for name in names}
    ours = project.find(root=make_book(folder / "clone", **texts))
    return ours, [execute._Job(page, "") for page in ours.chapters()]


def order(ours, jobs, few=None):
    return [job.chapter.name for job in execute._in_order(ours, jobs, few)]


def test_a_missing_page_and_a_missing_book_are_told(tmp_path, monkeypatch):
    root = make_book(tmp_path / "clone", welcome="# Hello\n", lost="# Lost\n")
    (root / "book/lost.md").unlink()
    with pytest.raises(XaiAudioError, match="_toc.yml lists 'lost'"):
        run(root)
    with pytest.raises(XaiAudioError, match="There is no book"):
        project.find(root=tmp_path)


def test_cell_ids_do_not_change(built):
    notebook = nbformat.read(built[0] / "_build/mini/executed/maps.ipynb", as_version=4)
    ids = [cell["id"] for cell in notebook.cells if notebooks.INJECTED not in notebooks.tags(cell)]
    assert ids == [f"cell-{n}" for n in range(len(ids))]
