"""``xaiaudio book``: its options reach the build."""

import pytest
from commands import call, complaint


def test_book_hands_its_options_on(capsys, monkeypatch):
    from xaiaudio import publishing

    asked = {}
    monkeypatch.setattr(publishing, "build", lambda *given, **more: asked.update(more, p=given))
    given = ("--profile", "mini", "--workers", "2", "--no-render", "--due", "--note")
    given += ("--minutes", "30")
    status, _, _ = call(capsys, "book", *given)
    assert status == 0
    assert asked.pop("p") == ("mini",)
    assert asked.pop("due") is True and asked.pop("note") is True
    assert asked.pop("minutes") == 30
    assert asked == {"seed": 0, "check": True, "workers": 2, "only": (), "render": False}
    monkeypatch.setattr(
        publishing, "renew_baselines", lambda *given, **more: asked.update(more, p=given)
    )
    assert call(capsys, "book", "--renew-baselines", "--seeds", "4")[0] == 0
    assert asked["seeds"] == 4


def test_book_without_its_extra_says_how_to_install_it(capsys, monkeypatch):
    import importlib.util

    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "papermill" else real(name)
    )
    status, _, err = call(capsys, "book")
    assert status == 1
    assert 'pip install "xaiaudio[book]"' in complaint(err)


@pytest.mark.parametrize("profile", [" ", "nonsense"])
def test_a_profile_that_does_not_exist(capsys, profile):
    status, _, err = call(capsys, "book", "--profile", profile)
    assert status == 1
    assert "mini" in complaint(err)


def test_chapters_that_are_named_are_handed_on(capsys, monkeypatch):
    from xaiaudio import publishing

    asked = {}
    for name in ("build", "renew_baselines"):
        monkeypatch.setattr(
            publishing, name, lambda profile, name=name, **more: asked.update({name: more})
        )
    chapters = ("--only", "gradcam", "--only", "lime")
    assert call(capsys, "book", *chapters, "--no-check", "--seed", "3")[0] == 0
    assert call(capsys, "book", *chapters, "--renew-baselines", "--roundings", "0")[0] == 0
    build, renewed = asked["build"], asked["renew_baselines"]
    assert build["only"] == renewed["only"] == ["gradcam", "lime"]
    assert build["check"] is False and build["seed"] == 3
    assert renewed["roundings"] == 0 and renewed["seeds"] == 3
