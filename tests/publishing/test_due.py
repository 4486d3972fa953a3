"""Chapters that changed are due, and each of the others in its turn."""

import pytest
from small_book import chapter, make_book, quiet

from xaiaudio import publishing
from xaiaudio.publishing import due, measuring, project


@pytest.fixture
def ours(tmp_path):
    """A book of eight chapters that nobody runs."""
    names = ["retraining", *(f"other-{number}" for number in range(7))]
    texts = {
        name: chapter(name, f"```{{code-cell}} ipython3\n{n}\n```") for n, name in enumerate(names)
    }
    return project.find(root=make_book(tmp_path / "clone", **texts))


def names(found):
    return list(found.only) or [page.name for page in found.chapters()]


def test_all_are_due_that_were_never_found_right(ours):
    assert due.due(ours) is ours


def test_each_unchanged_chapter_is_due_in_its_turn(ours):
    assert due.note(ours) == ours.root / "tests" / "baselines" / "mini.checked.json"
    turns = [names(due.due(ours, day)) for day in range(due.SHARES)]
    assert all("retraining" in turn for turn in turns)
    others = sorted(name for turn in turns for name in turn if name != "retraining")
    assert others == [f"other-{number}" for number in range(7)]  # each once
    assert due.due(ours, 3).only == due.due(ours, 3 + due.SHARES).only


def test_what_changed_is_due_at_once(ours):
    due.note(ours)
    page = ours.root / "book" / "other-4.md"
    page.write_text(page.read_text() + "\nMore words.\n")
    assert all("other-4" in names(due.due(ours, day)) for day in range(due.SHARES))
    (ours.root / "requirements.lock").write_text("another==1.0\n")
    assert due.due(ours, 0) is ours


def test_words_about_the_code_do_not_count(tmp_path):
    texts = [
        '"""One."""\ndef f(a):\n    """Two."""\n    return a + 1  # why\n',
        '"""Another."""\n\n\ndef f(a):\n    """Words."""\n    # more\n    return (a\n    + 1)\n',
        '"""One."""\ndef f(a):\n    """Two."""\n    return a + 2\n',
        '"""One."""\ndef f(a):\n    "Two."\n    "Three."\n    return a + 1\n',
    ]
    found = []
    for number, text in enumerate(texts):
        path = tmp_path / f"{number}.py"
        path.write_text(text)
        found.append(due._meaning(path))
    assert found[0] == found[1] and len(set(found)) == 3
    (tmp_path / "list.txt").write_text("# a")
    (tmp_path / "other.txt").write_text("# b")
    assert due._meaning(tmp_path / "list.txt") != due._meaning(tmp_path / "other.txt")


def test_another_profile_is_noted_apart(ours):
    due.note(ours)
    assert not due.due(project.find("esc10-yamnet", root=ours.root), 0).only


def test_noting_some_leaves_the_others(ours):
    due.note(ours)
    page = ours.root / "book" / "other-1.md"
    page.write_text(page.read_text() + "\nMore words.\n")
    due.note(project.find(root=ours.root, only=["other-1"]))
    assert sum(len(names(due.due(ours, day))) for day in range(due.SHARES)) < 8 + 2 * due.SHARES
    page.write_text(page.read_text() + "\nStill more.\n")
    assert "other-1" in names(due.due(ours, 0)) and "other-1" in names(due.due(ours, 1))


def test_a_build_notes_what_it_found_right_and_nothing_else(book):
    console = quiet()
    publishing.build(root=book, note=True, render=False, console=console)
    ours = project.find(root=book)
    assert not due.path_of(ours).exists()  # there is nothing to compare with yet
    measuring.renew(ours, 2, 0, console=console)
    publishing.build(root=book, note=True, render=False, console=console)
    assert set(project.read_json(due.path_of(ours))) == {"welcome", "maps"}
    report = publishing.build(root=book, due=True, render=True, console=console)
    assert "Due: " in console.export_text()
    assert not report.rendered or not due.due(ours).only
