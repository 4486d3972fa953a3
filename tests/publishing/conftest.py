"""A small book in a folder of its own, built once for all tests that only look at it."""

import shutil

import pytest
from small_book import MAPS, PLAIN, WELCOME, chapter, make_book, quiet

from xaiaudio import cache, publishing
from xaiaudio.publishing import project


@pytest.fixture(scope="session", autouse=True)
def same_package():
    """Let nobody who edits the package meanwhile make the small book out of date."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cache, "closure", lambda *modules, code=(): ())
        yield


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Build the small book once; look, do not touch."""
    root = make_book(
        tmp_path_factory.mktemp("built") / "clone",
        welcome=chapter("Welcome", WELCOME, "xaiaudio:\n  first: true\n"),
        maps=chapter("Maps", MAPS),
        plain=PLAIN,
    )
    console = quiet()
    report = publishing.build(root=root, workers=2, console=console)
    return root, report, console.export_text()


@pytest.fixture
def book(built, tmp_path):
    """Return a copy of the built book, to be changed."""
    root = tmp_path / "clone"
    shutil.copytree(built[0], root)
    return root


@pytest.fixture
def ours(tmp_path):
    """A book of eight chapters that nobody runs."""
    names = ["retraining", *(f"other-{number}" for number in range(7))]
    texts = {
        name: chapter(name, f"```{{code-cell}} ipython3\n{n}\n```") for n, name in enumerate(names)
    }
    return project.find(root=make_book(tmp_path / "clone", **texts))
