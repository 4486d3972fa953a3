"""Render the executed notebooks and the plain pages as a web site."""

from __future__ import annotations

import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

from .. import cache
from ..errors import XaiAudioError
from ..sonify.player import ONE_AT_A_TIME
from . import notebooks
from .execute import notebook_path, read_stamp
from .fragments import NUMBERS, fill_in, fragments, numbers_csv
from .project import digest, files_key, read_json, toc_names, write_json, write_text

#: A player as the chapters make it, with the sound inside.
_EMBEDDED = re.compile(r"data:audio/(?:mpeg|mp3);base64,([A-Za-z0-9+/=\s]+?)(?=[\"'\s>])")

#: Files of the repository that change how the pages look.
_INPUTS = ("_config.yml", "_toc.yml", "book/references.bib", "environment.yml")

STAMP = ".built.json"

_JUPYTER_BOOK = (
    "from xaiaudio.publishing.worker import end_with_parent; end_with_parent(); "
    "from jupyter_book.cli.main import main; main()"
)


def build_site(project, *, console=None) -> tuple[Path, bool]:
    """Bring the rendered book up to date.

    Parameters
    ----------
    project : Project
        With all chapters executed.
    console : rich.console.Console, optional

    Returns
    -------
    folder : Path
        ``_build/html``.
    fresh : bool
        Whether anything had to be done.

    Raises
    ------
    XaiAudioError
        If Sphinx warns of anything.
    """
    key = site_key(project)
    own, shown = project.home / "html", project.build / "html"
    if read_json(own / STAMP, {}).get("key") != key:
        assemble(project)
        _sphinx(project, console)
        _finish(project, project.home / "site" / "_build" / "html", key)
        replace_folder(project.home / "site" / "_build" / "html", own)
    elif read_json(shown / STAMP, {}).get("key") == key:
        return shown, False
    # Builds of two profiles may run side by side, and both end here.
    with cache.lock(project.build / "html.lock", advice=""):
        partial = project.build / "html.partial"
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(own, partial)
        replace_folder(partial, shown)
    return shown, True


def site_key(project) -> str:
    """Hash everything that the rendered pages are made of."""
    files = [project.root / name for name in _INPUTS]
    files += sorted(
        path for path in (project.root / "book" / "_static").rglob("*") if path.is_file()
    )
    files += [page.path for page in project.pages()]
    files += [notebook_path(project, chapter.name) for chapter in project.chapters()]
    # The API page shows the package's docstrings, the generated tables the baselines.
    files += sorted(Path(__file__).resolve().parents[1].rglob("*.py"))
    files += sorted((project.root / "tests" / "baselines").rglob("*.json"))
    return digest(f"{project.profile}\0{files_key(files, project.root)}".encode())


def assemble(project) -> Path:
    """Write the source tree that Sphinx reads.

    Executed notebooks (sounds in files of their own, records taken out), plain pages, the
    configuration and what is generated. Nothing else, so that Sphinx never sees a chapter twice.

    Parameters
    ----------
    project : Project

    Returns
    -------
    Path
    """
    import nbformat

    source = project.home / "source"
    shutil.rmtree(source, ignore_errors=True)
    book = project.root / "book"
    if (book / "_static").is_dir():
        shutil.copytree(book / "_static", source / "_static")
    write_text(source / "_static" / "players.js", ONE_AT_A_TIME)
    for name in ("_config.yml", "_toc.yml"):
        shutil.copy(project.root / name, source / name)
    if (book / "references.bib").is_file():
        shutil.copy(book / "references.bib", source / "references.bib")
    known = fragments(project)
    chapters = [page.name for page in project.chapters()]
    write_text(source / NUMBERS, numbers_csv(project, chapters))
    for page in project.pages():
        if not page.has_code:
            write_text(
                source / f"{page.name}.md", _to_notebooks(fill_in(page.text, known), chapters)
            )
            continue
        notebook = notebooks.for_reading(notebooks.read(notebook_path(project, page.name)))
        _fill_in(project, notebook, page.name, known)
        for cell in notebook.cells:
            if cell.cell_type == "markdown":
                cell.source = _to_notebooks(cell.source, chapters)
        _sounds_to_files(notebook, page.name, source / "_static" / "sounds")
        nbformat.write(notebook, _in(source, f"{page.name}.ipynb"))
    return source


def _in(folder, name) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _fill_in(project, notebook, name, known):
    seconds = read_stamp(project, name).get("seconds", 0)
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            cell.source = fill_in(cell.source, known, seconds)


def _to_notebooks(text, chapters) -> str:
    """Let links and quoted numbers find the chapters, which are notebooks by now."""
    names = "|".join(map(re.escape, chapters))
    return re.sub(rf"(\]\(|`)({names})\.md(?=[#)]|::)", r"\1\2.ipynb", text)


def _sounds_to_files(notebook, page, folder):
    """Move the sounds out of the page, so that it opens fast and loads them when played."""
    up = "../" * page.count("/")

    def move(match):
        sound = base64.b64decode(match[1])
        name = f"{digest(sound)[:16]}.mp3"
        path = _in(folder, name)
        if not path.exists():
            path.write_bytes(sound)
        return f"{up}_static/sounds/{name}"

    for _, cell in notebooks.code_cells(notebook):
        for output in cell.get("outputs", []):
            page_html = output.get("data", {}).get("text/html")
            if page_html and "<audio" in page_html:
                page_html = _EMBEDDED.sub(move, page_html)
                output["data"]["text/html"] = re.sub(r"<audio\b[^>]*>", _on_demand, page_html)


def _on_demand(match) -> str:
    tag = re.sub(r"\s+preload(=(\"[^\"]*\"|'[^']*'|\S+))?", "", match[0])
    return tag.replace("<audio", '<audio preload="none"', 1)


def _sphinx(project, console):
    """Run Jupyter Book on the source tree, warnings being errors."""
    site = project.home / "site"
    shutil.rmtree(site, ignore_errors=True)
    command = [sys.executable, "-c", _JUPYTER_BOOK, "build"]
    command += [str(project.home / "source"), "--path-output", str(site)]
    command += ["-W", "-n", "--keep-going", "--quiet"]
    env = {**os.environ, "NO_COLOR": "1", "PYTHONWARNINGS": "ignore", "PYTHONHASHSEED": "0"}
    status = console.status("Rendering the pages ...") if console else None
    if status:
        status.start()
    try:
        done = run_bound(command, env)
    finally:
        if status:
            status.stop()
    log = write_text(project.home / "site.log", done.stdout + done.stderr)
    if done.returncode:
        raise XaiAudioError(f"The book does not render (all of it: {log}):\n{_warnings(done)}")


def run_bound(command, env=None) -> subprocess.CompletedProcess:
    """Run a command that calls :func:`.end_with_parent`, so that it ends when we do.

    Parameters
    ----------
    command : list of str
    env : dict, optional

    Returns
    -------
    subprocess.CompletedProcess
        With what it printed as text.
    """
    # Nothing is ever written to this pipe: it closes when this process ends, however it ends.
    ours, held = os.pipe()
    try:
        return subprocess.run(
            command,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            env=env,
            stdin=ours,
            check=False,
        )
    finally:
        os.close(ours)
        os.close(held)


def _warnings(done) -> str:
    plain = re.sub(r"\x1b\[[0-9;]*m", "", done.stderr)
    lines = [line for line in plain.splitlines() if "WARNING" in line or "ERROR" in line]
    lines = [line for line in lines if "absl::" not in line]  # TensorFlow's, no fault of a page
    return "\n".join(f"  {line}" for line in (lines or plain.splitlines()[-15:])[:40])


def _finish(project, html, key):
    """Put beside the pages what is missing to publish the folder as it is."""
    import nbformat

    known = fragments(project)
    for page in project.chapters():
        clean = notebooks.without_outputs(notebooks.read(notebook_path(project, page.name)))
        _fill_in(project, clean, page.name, known)
        nbformat.write(clean, _in(html / "_sources", f"{page.name}.ipynb"))
    # Binder builds its machine from the published branch.
    for name in ("environment.yml", "requirements.lock"):
        if (project.root / name).is_file():
            shutil.copy(project.root / name, html / name)
    if not (html / "index.html").exists():
        root = toc_names(project.root / "_toc.yml")[0]
        raise XaiAudioError(f"Jupyter Book wrote no index.html for the root page '{root}'.")
    (html / ".nojekyll").touch()
    write_json(html / STAMP, {"key": key, "profile": project.profile})


def replace_folder(new, old):
    """Put a finished folder in the place of another; at no time is there half of one.

    Parameters
    ----------
    new, old : Path
        On the same file system. `old` need not exist.
    """
    aside = old.with_name(old.name + ".old.partial")
    shutil.rmtree(aside, ignore_errors=True)
    old.parent.mkdir(parents=True, exist_ok=True)
    if old.exists():
        os.replace(old, aside)
    os.replace(new, old)
    shutil.rmtree(aside, ignore_errors=True)
