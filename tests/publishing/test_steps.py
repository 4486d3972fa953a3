"""The steps of a build, and what each says."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small_book import quiet

from xaiaudio import publishing
from xaiaudio.errors import XaiAudioError
from xaiaudio.publishing import baselines, budget, project, steps


def test_another_build_is_not_disturbed(book):
    from filelock import FileLock

    with (
        FileLock(book / "_build/mini.lock"),
        pytest.raises(XaiAudioError, match="Another build of the profile 'mini' is running"),
    ):
        publishing.build(root=book, console=quiet())


def said(console):
    return " ".join(console.export_text().split())


def test_a_polite_request_to_end_is_ctrl_c_and_only_within():
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(KeyboardInterrupt), steps.terminable():
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(5)
    assert signal.getsignal(signal.SIGTERM) is before


def test_outside_the_main_thread_signals_stay_as_they_are():
    def look():
        with steps.terminable():
            return signal.getsignal(signal.SIGTERM)

    with ThreadPoolExecutor(1) as pool:
        assert pool.submit(look).result() is signal.getsignal(signal.SIGTERM)


def test_profiles_are_built_side_by_side_but_each_once(tmp_path):
    one, other = (project.Project(tmp_path, name) for name in ("mini", "esc10-yamnet"))
    told = pytest.raises(XaiAudioError, match="profile 'mini' is running in")
    with steps.lock(one), steps.lock(other), told, steps.lock(one):
        pass
    with steps.lock(one):
        assert one.home.is_dir()


def test_what_is_due_and_what_was_left_is_said(ours):
    console = quiet()
    steps.say_due(ours, console)
    assert said(console) == f"Due: retraining, {', '.join(f'other-{n}' for n in range(7))}."
    steps.say_due(project.find(root=ours.root, only=["other-3"]), console := quiet())
    assert said(console) == "Due: other-3."
    few = budget.Budget(7.5, {}, [])
    steps.say_left(few, ["a run"], console := quiet())
    assert said(console) == ""
    few.left.append("other-2")
    steps.say_left(few, ["a run"], console := quiet())
    text = said(console)
    assert "1 of 2 chapters were NOT RUN, as 7.5 minutes are too short" in text
    assert text.endswith("remain due: other-2.")


def test_without_baselines_nothing_is_compared(tmp_path):
    book = project.Project(tmp_path, "mini")
    project.write_text(book.home / "regression.html", "of the build before")
    assert not steps.compare(book, console := quiet())
    assert "make baselines PROFILE=mini" in said(console)
    assert not (book.home / "regression.html").exists()


@pytest.mark.parametrize("broken, drifted", [(0, 0), (2, 1), (0, 1)])
def test_what_moved_is_broken_or_said(tmp_path, monkeypatch, broken, drifted):
    book = project.Project(tmp_path, "mini")
    book.baselines.mkdir(parents=True)
    moved = [baselines.Difference("maps", f"n{n}", "0.3 apart") for n in range(broken + drifted)]
    monkeypatch.setattr(project.Project, "chapters", lambda self: [])
    monkeypatch.setattr(baselines, "check", lambda *_: moved)
    monkeypatch.setattr(baselines, "sort_out", lambda *_: (moved[:broken], moved[broken:]))
    if broken:
        with pytest.raises(XaiAudioError, match="2 recorded values are not") as caught:
            steps.compare(book, quiet())
        assert "maps: n1: 0.3 apart" in str(caught.value) and "n2" not in str(caught.value)
    else:
        assert steps.compare(book, console := quiet())
        text = said(console)
        assert ("1 recorded values lie beyond" in text) == bool(drifted)
        assert ("All recorded numbers agree" in text) == (not drifted)
    assert (book.home / "regression.html").exists() == bool(moved)


@pytest.mark.parametrize("trained", [True, False])
def test_without_the_training_it_is_said_that_values_may_be_another_networks(
    tmp_path, monkeypatch, trained
):
    book = project.Project(tmp_path, "mini")
    baselines.save(book, "retraining", {"loss": {"value": 1.0}}, [0])
    moved = [baselines.Difference("maps", "n0", "0.3 apart")]
    monkeypatch.setattr(project.Project, "chapters", lambda self: [])
    monkeypatch.setattr(baselines, "check", lambda *_: moved)
    monkeypatch.setattr(baselines, "sort_out", lambda *_: (moved, []))
    monkeypatch.setattr(baselines, "course", lambda _: [0.1] if trained else None)
    with pytest.raises(XaiAudioError) as caught:
        steps.compare(book, quiet())
    assert ("run it too, --only retraining." in str(caught.value)) == (not trained)


def test_pages_that_are_not_whole_are_rendered_again(tmp_path, monkeypatch):
    book, stamp = project.Project(tmp_path), tmp_path / "_build/mini/html" / steps.site.STAMP
    project.write_text(stamp, "{}")
    monkeypatch.setattr(steps.site, "build_site", lambda *_, **__: (tmp_path, True))
    monkeypatch.setattr(steps.site_gate, "check_site", lambda folder: [])
    assert steps.render(book, quiet()) == (tmp_path / "index.html", True) and stamp.exists()
    monkeypatch.setattr(steps.site_gate, "check_site", lambda folder: ["page: no title"])
    with pytest.raises(XaiAudioError, match="not whole:\n  page: no title"):
        steps.render(book, quiet())
    assert not stamp.exists()


def test_run_times_are_told_the_longest_first():
    console = quiet()
    done = publishing.BuildReport(
        "mini", Path("index.html"), {"a": 3.0, "b": 40, "c": 9}, ["a", "b"]
    )
    steps.tell(done, console)
    text = console.export_text()
    assert text.index("40") < text.index("3 ") and " 9 " not in text
    assert "The book: index.html (unchanged)" in text
    steps.tell(publishing.BuildReport("mini"), console)
    assert console.export_text() == ""
