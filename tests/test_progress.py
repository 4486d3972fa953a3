"""One progress bar, also within another."""

import io

import pytest
from rich.console import Console

from xaiaudio import progress


@pytest.fixture
def terminal():
    return Console(file=io.StringIO(), force_terminal=True, width=100)


def shown(console):
    return console.file.getvalue()


def test_nothing_is_shown_where_nobody_watches(capsys):
    for wanted in (None, False):
        with progress.bar(2, wanted) as step:
            step()
    assert capsys.readouterr() == ("", "")


def test_one_that_is_asked_for_goes_to_standard_error(capsys):
    with progress.bar(2, True, "Making") as step:
        step()
        step(text="almost")
        progress._OPEN[0].refresh()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "Making" in printed.err and "2/2" in printed.err and "almost" in printed.err


def test_a_bar_within_a_bar_is_a_line_of_the_same_display(terminal):
    with progress.bar(2, True, "Methods", console=terminal) as outer:
        with progress.bar(3, True, "Masks [a]", console=terminal) as inner:
            inner()
            (display,) = progress._OPEN
            assert [task.fields["title"] for task in display.tasks] == ["Methods", "Masks [a]"]
            display.refresh()
        outer()
        assert [task.completed for task in display.tasks] == [1]
    assert progress._OPEN == [] and progress._USERS == [0]
    assert "Masks [a]" in shown(terminal) and "1/3" in shown(terminal)


def test_what_fails_leaves_no_display(terminal):
    with pytest.raises(KeyboardInterrupt), progress.bar(2, True, console=terminal):
        raise KeyboardInterrupt
    assert progress._OPEN == [] and progress._USERS == [0]


def test_bytes_and_totals_known_later(terminal):
    with progress.bar(None, True, "Fetching", size=True, console=terminal) as step:
        step(done=2_000_000, total=4_000_000)
        progress._OPEN[0].refresh()
    assert "2.0/4.0 MB" in shown(terminal)


def test_a_notebook_is_asked_for(monkeypatch, capsys):
    monkeypatch.setattr(progress, "_in_notebook", lambda: True)
    with progress.bar(2, None, "Here") as step:
        step()
    assert capsys.readouterr().err == ""
    with progress.bar(2, None, "Here", notebook=True) as step:
        step()
    assert "Here" in capsys.readouterr().err
