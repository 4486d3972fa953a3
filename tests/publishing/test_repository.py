"""What the repository promises: pages, pins, targets, one step from clone to book."""

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from pybtex.database.input import bibtex

from xaiaudio.publishing import project

ROOT = Path(__file__).parents[2]


def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_page_of_the_book_is_there_and_listed():
    listed = project.toc_names(ROOT / "_toc.yml")
    assert sorted(listed) == sorted(path.stem for path in (ROOT / "book").glob("*.md"))
    assert len(listed) == len(set(listed))


def test_what_is_cited_is_in_the_bibliography():
    parser = bibtex.Parser()
    known = parser.parse_file(str(ROOT / "book/references.bib")).entries
    for page in (ROOT / "book").glob("*.md"):
        for cited in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", page.read_text(encoding="utf-8")):
            for key in cited.split(","):
                assert key.strip() in known, (page.name, key)


def test_no_file_holds_two_versions_of_a_line():
    paths = [*ROOT.glob("*.*"), *(ROOT / "book").glob("*.*"), *(ROOT / "tests").rglob("*.py")]
    paths += (ROOT / "src").rglob("*.py")
    for path in filter(Path.is_file, paths):
        lines = path.read_text(encoding="utf-8").splitlines()
        marks = [line for line in lines if line.startswith(("<<<<<<< ", ">>>>>>> "))]
        assert not marks, path.name


# Modules without a test file of their name, and who holds what they promise.
WITHOUT_TESTS = {"types.py": "names of types, which nothing reads while it runs: mypy does"}


def test_every_module_has_its_test_file():
    """What is said of src/xaiaudio/a/b.py stands in tests/a/test_b.py."""
    source = ROOT / "src/xaiaudio"
    modules = sorted(path.relative_to(source) for path in source.rglob("[!_]*.py"))
    missing = [
        path.as_posix()
        for path in modules
        if not (ROOT / "tests" / path.parent / f"test_{path.name}").is_file()
    ]
    assert len(modules) > 400
    assert missing == list(WITHOUT_TESTS), "write its tests/FOLDER/test_NAME.py"


def test_every_chapter_has_baselines():
    chapters = [page.name for page in project.find(root=ROOT).chapters()]
    for profile in ("mini", "esc10-yamnet"):
        kept = {path.stem for path in (ROOT / "tests/baselines" / profile).glob("*.json")}
        # A page may record nothing; the build fails if it does and has no baseline.
        assert kept <= set(chapters) and len(kept) >= len(chapters) - 2


def test_the_lock_is_complete_and_names_no_index():
    lock = text("requirements.lock")
    assert "http://" not in lock and "https://" not in lock and "file:" not in lock
    pinned = re.findall(r"^([a-z0-9._-]+)==", lock, flags=re.MULTILINE)
    assert len(re.findall(r"--hash=sha256:[0-9a-f]{64}", lock)) >= len(pinned)
    about = tomllib.loads(text("pyproject.toml"))["project"]
    extras = about["optional-dependencies"]
    for wanted in [*about["dependencies"], *extras["book"], *extras["dev"]]:
        name = re.match(r"[A-Za-z0-9._-]+", wanted)[0].lower()
        assert name in pinned, f"make lock: {name} is not pinned"


def test_conda_uses_the_same_pins():
    environment = yaml.safe_load(text("environment.yml"))
    *_, pip = environment["dependencies"]
    assert "-r requirements.lock" in pip["pip"]
    assert "python=3.11" in environment["dependencies"]


def test_pre_commit_needs_no_network():
    config = yaml.safe_load(text(".pre-commit-config.yaml"))
    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    assert {hook["language"] for hook in config["repos"][0]["hooks"]} <= {"system", "fail"}


@pytest.mark.skipif(not shutil.which("make"), reason="there is no make")
def test_make_lists_its_targets():
    listed = subprocess.run(
        ["make", "-s"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    targets = ["install", "book", "test", "lint", "format", "baselines", "bench", "peers"]
    for target in [*targets, "oracles", "lock", "clean"]:
        assert re.search(rf"^make {target} +\S", listed, flags=re.MULTILINE)


def visible_cells():
    """Yield page, first line and code of each cell that a reader sees."""
    cell = re.compile(
        r"^```\{code-cell\}[^\n]*\n(---\n.*?^---\n|(?::[^\n]*\n)*)\n*(.*?)^```$", re.M | re.S
    )
    for page in sorted((ROOT / "book").glob("*.md")):
        whole = page.read_text(encoding="utf-8")
        for found in cell.finditer(whole):
            if "remove-" not in found[1]:
                yield page.name, whole[: found.start()].count("\n") + 1, found[2]


def test_cells_that_a_reader_sees_are_short_and_plain():
    cells = list(visible_cells())
    assert len(cells) > 500
    for page, line, code in cells:
        lines = code.rstrip("\n").split("\n")
        assert len(lines) <= 15, f"{page}, line {line}: {len(lines)} lines"
        assert max(map(len, lines)) <= 86, f"{page}, line {line}: does not fit the page"
        # What only the build needs stands in cells that are tagged remove-cell.
        assert "xa.number(" not in code, f"{page}, line {line}"


def test_the_welcome_page_leads_to_every_other_page():
    # The pages of the API are listed on the first of them.
    pages = text("book/welcome.md") + text("book/api.md")
    led = set(re.findall(r"\{doc\}`([a-z-]+)`", pages))
    # The bibliography is reached from every citation.
    assert set(project.toc_names(ROOT / "_toc.yml")) - led <= {"welcome", "bibliography"}


def test_the_readme_shows_a_picture_and_says_what_is_on_it():
    told, file = re.search(r"^!\[(.+)\]\((.+)\)$", text("README.md"), flags=re.MULTILINE).groups()
    assert len(told.split()) > 10
    assert (ROOT / file).read_bytes()[:4] == b"\x89PNG"
    assert (ROOT / file).stat().st_size < 200_000
    assert file in text("tools/readme_picture.py")


def make_venv(folder, **environment):
    return subprocess.run(
        ["sh", ROOT / "tools/make_venv.sh", folder],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def fake_python(folder, body):
    path = folder / "python3"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return str(path)


def test_an_old_python_is_told(tmp_path):
    old = fake_python(tmp_path, 'echo "Python 3.9.2"; exit 1')
    done = make_venv(tmp_path / "venv", PYTHON=old)
    assert done.returncode == 1 and not (tmp_path / "venv").exists()
    assert "Python 3.11, 3.12 or 3.13 is needed" in done.stderr and "Python 3.9.2" in done.stderr
    assert "make install PYTHON=" in done.stderr


def test_a_python_without_venv_is_told(tmp_path):
    bare = fake_python(tmp_path, 'case "$2" in *ensurepip*) exit 1;; esac; exit 0')
    done = make_venv(tmp_path / "venv", PYTHON=bare)
    assert done.returncode == 1 and not (tmp_path / "venv").exists()
    assert "python3-venv" in done.stderr


@pytest.mark.slow
def test_a_good_environment_is_left_alone(tmp_path):
    assert make_venv(tmp_path / "venv").returncode == 0
    mark = tmp_path / "venv/mark"
    mark.touch()
    assert make_venv(tmp_path / "venv").returncode == 0
    assert mark.exists()
