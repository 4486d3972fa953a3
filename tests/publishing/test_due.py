"""Chapters that changed are due, and each of the others in its turn."""

import pytest
from small_book import chapter, make_book, quiet

import xaiaudio as xa
from xaiaudio import publishing
from xaiaudio.publishing import baselines, budget, due, execute, measuring, notebooks, project


def names(found):
    return list(found.only) or [page.name for page in found.chapters()]


@pytest.mark.slow
def test_all_are_due_that_were_never_found_right(ours):
    assert due.due(ours) is ours


@pytest.mark.slow
def test_each_unchanged_chapter_is_due_in_its_turn(ours):
    assert due.note(ours) == ours.root / "tests" / "baselines" / "mini.checked.json"
    turns = [names(due.due(ours, day)) for day in range(due.SHARES)]
    assert all("retraining" in turn for turn in turns)
    others = sorted(name for turn in turns for name in turn if name != "retraining")
    assert others == [f"other-{number}" for number in range(7)]  # each once
    assert due.due(ours, 3).only == due.due(ours, 3 + due.SHARES).only


@pytest.mark.slow
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


@pytest.mark.slow
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


def test_what_is_most_urgent_comes_first(ours):
    assert due.order(ours, 0)[0] == "retraining"
    budget.note(ours, {f"other-{number}": 70 - 10 * number for number in range(6)})
    others = [f"other-{number}" for number in (4, 6, 5, 3, 2, 1, 0)]  # 4's turn; 6 may be short
    assert due.order(ours, 0) == ["retraining", *others]
    due.note(ours)
    for changed in (0, 2, 3):
        page = ours.root / "book" / f"other-{changed}.md"
        page.write_text(page.read_text() + "\nMore words.\n")
    known = project.read_json(due.path_of(ours))
    del known["other-1"]
    project.write_json(due.path_of(ours), known)
    assert due.order(ours, 0)[1:] == [f"other-{n}" for n in (1, 3, 2, 0, 4, 6, 5)]
    leads = {due.order(ours, day)[2] for day in range(due.SHARES)}
    assert leads == {"other-0", "other-2", "other-3"}  # the longest too, when its day comes


@pytest.mark.slow
def test_what_there_is_no_time_for_is_told_and_remains_due(tmp_path):
    code = "```{{code-cell}} ipython3\nimport xaiaudio as xa\n\nxa.number('of-{}', 4.5)\n```\n"
    texts = {name: chapter(name, code.format(name)) for name in ("welcome", "retraining", "long")}
    root = make_book(tmp_path / "clone", **texts)
    ours, console = project.find(root=root), quiet()
    execute.execute(ours, console=quiet())
    assert execute.read_stamp(ours, "welcome")["cpu_seconds"] > 0.3  # a kernel started
    for name in texts:
        path = execute.notebook_path(ours, name)
        run = baselines.recorded(notebooks.read(path))
        baselines.save(ours, name, measuring.measure([run, run]), [0, 1], None)
        path.unlink()  # so that it has to be run again
    budget.note(ours, {"welcome": 20, "retraining": 20, "long": 9000})
    report = publishing.build(root=root, due=True, minutes=5, note=True, console=console)
    assert report.left == ["long"] and sorted(report.executed) == ["retraining", "welcome"]
    assert report.compared and not report.rendered and report.page is None
    said = " ".join(console.export_text().split())
    assert "1 of 3 chapters were NOT RUN" in said and "remain due: long." in said
    assert set(project.read_json(due.path_of(ours))) == {"retraining", "welcome"}
    assert budget.expected(ours)["welcome"] < 20 and budget.expected(ours)["long"] == 9000
    assert "long" in names(due.due(ours, 0)) and "long" in names(due.due(ours, 1))


def test_only_what_is_due_may_be_left_out(ours):
    with pytest.raises(xa.XaiAudioError, match="--due"):
        publishing.build(root=ours.root, minutes=5, console=quiet())
