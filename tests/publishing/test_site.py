"""The rendered book: whole pages, sounds beside them, clean notebooks, nothing done twice."""

import csv
import io
import json
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from bs4 import BeautifulSoup
from small_book import chapter, make_book, quiet

from xaiaudio import publishing
from xaiaudio.errors import XaiAudioError
from xaiaudio.publishing import fragments, project, site


def page(root, name):
    return BeautifulSoup((root / f"_build/html/{name}.html").read_text(), "html.parser")


@pytest.mark.slow
def test_the_book_is_there(built):
    root, report, said = built
    assert report.page == root / "_build/html/index.html" and report.page.is_file()
    assert report.rendered and not report.did_nothing
    assert str(report.page) in said and "maps" in said


def test_numbers_reach_the_prose(built):
    assert "The answer is 42.50 under mini" in page(built[0], "welcome").get_text()
    assert "the answer was 42.5" in page(built[0], "maps").get_text()  # from another page


def test_no_page_declares_a_script_twice_and_all_players_know_each_other(built):
    for name in ("welcome", "maps", "plain"):
        soup = page(built[0], name)
        scripts = [tag.get("src") or tag.get_text() for tag in soup.find_all("script")]
        assert not [script for script in scripts if "thebe" in script.lower()]
        assert any("players.js" in script for script in scripts)
    assert "pause()" in (built[0] / "_build/html/_static/players.js").read_text()


def test_shared_links_have_a_title_and_a_description(built):
    soup = page(built[0], "plain")
    tags = {
        tag.get("property") or tag.get("name"): tag["content"]
        for tag in soup.find_all("meta", content=True)
    }
    assert tags["og:title"] == "Plain"
    assert tags["description"] == tags["og:description"]
    assert tags["description"].startswith("Words, and")
    assert tags["og:image"].startswith("https://") and tags["og:image"].endswith(".png")
    assert tags["og:url"].endswith("/plain.html")


def test_all_recorded_numbers_are_a_table_to_take_along(built):
    link = page(built[0], "plain").find("a", download=True)
    path = built[0] / "_build/html" / link["href"]
    rows = list(csv.DictReader(path.read_text().splitlines()))
    (answer,) = [row for row in rows if row["number"] == "answer"]
    assert answer["chapter"] == "welcome" and float(answer["this run"]) == 42.5
    assert f"{len(rows)} numbers stand in the text" in page(built[0], "plain").get_text()


def test_figures_have_caption_alt_text_and_number(built):
    figure = page(built[0], "maps").find("figure", id="fig-blob")
    assert figure.img["alt"] == "A bright blob right of the middle."
    assert "A blob, with" in figure.figcaption.get_text()
    assert "Fig. 1 shows it" in page(built[0], "maps").get_text()


def test_sounds_are_files_loaded_on_demand(built):
    (player,) = page(built[0], "maps").find_all("audio")
    assert player["preload"] == "none" and player.has_attr("controls")
    sound = built[0] / "_build/html" / player["src"]
    assert sound.read_bytes() == b"ID3" + bytes(range(256)) * 9


def test_records_stay_out_of_the_pages(built):
    for name in ("maps", "welcome"):
        page = (built[0] / f"_build/html/{name}.html").read_text()
        assert "xaiaudio.record+json" not in page


def test_notebooks_to_download_are_clean_and_valid(built):
    path = built[0] / "_build/html/_sources/maps.ipynb"
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    assert all(not cell.outputs for cell in notebook.cells if cell.cell_type == "code")
    assert "seed = 7" in path.read_text()  # as the author wrote it
    links = {a.get("href") for a in page(built[0], "maps").find_all("a")}
    assert "_sources/maps.ipynb" in links
    where = "/xaiaudio/xaiaudio/blob/gh-pages/_sources/maps.ipynb"
    assert f"https://colab.research.google.com/github{where}" in links
    binder = "https://mybinder.org/v2/gh/xaiaudio/xaiaudio/gh-pages?urlpath=lab/tree/_sources/"
    assert f"{binder}maps.ipynb" in links


def test_what_only_the_build_knows_is_filled_in(built):
    text = page(built[0], "plain").get_text()
    assert "with mini" in text and re.search(r"\d+ cores", text)
    assert "numpy" in text and "recorded-numbers.csv" in text and "{{" not in text
    assert "It took less than a minute" in page(built[0], "welcome").get_text()


def test_nothing_is_rendered_twice(book):
    console = quiet()
    publishing.build(root=book, console=quiet())  # the copy has its own paths
    report = publishing.build(root=book, console=console)
    assert report.did_nothing
    said = console.export_text()
    assert "All 2 chapters are up to date" in said and "(unchanged)" in said


@pytest.mark.slow
def test_a_changed_page_is_rendered_without_executing(book):
    path = book / "book/plain.md"
    path.write_text(path.read_text() + "\nA new sentence.\n")
    report = publishing.build(root=book, console=quiet())
    assert report.rendered and report.executed == []
    assert "A new sentence." in page(book, "plain").get_text()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("See {doc}`nowhere`.", "nowhere"),
        ("{glue:text}`nothing:.1f`", "nothing"),
        ("![](missing.png)", "missing.png"),
        ("{cite:p}`nobody2020`", "nobody2020"),
    ],
)
def test_warnings_are_errors(tmp_path, text, told):
    root = make_book(tmp_path / "clone", welcome=f"# Hello\n\n{text}\n")
    with pytest.raises(XaiAudioError, match=f"does not render.*(.|\n)*welcome.*{told}"):
        publishing.build(root=root, console=quiet())
    assert not (root / "_build/html").exists()


@pytest.mark.slow
def test_an_incomplete_figure_stops_the_build(tmp_path):
    body = """
    ```{code-cell} ipython3
    ---
    mystnb:
      figure:
        name: fig-bare
    ---
    from matplotlib.figure import Figure

    fig = Figure(figsize=(1, 1))
    fig.data = {"x": 1}
    fig
    ```
    """
    root = make_book(tmp_path / "clone", bare=chapter("Bare", body))
    with pytest.raises(XaiAudioError) as caught:
        publishing.build(root=root, console=quiet())
    assert "bare: the figure of cell 2 has no caption; set mystnb.figure.caption" in str(
        caught.value
    )


@pytest.mark.slow
def test_pages_that_fail_the_check_are_not_taken_for_good(tmp_path):
    root = make_book(tmp_path / "clone", welcome="# Hello\n\n<audio controls></audio>\n")
    for _ in range(2):
        with pytest.raises(XaiAudioError, match="a player has no source"):
            publishing.build(root=root, console=quiet())


def test_another_build_is_not_disturbed(book):
    from filelock import FileLock

    with (
        FileLock(book / "_build/mini.lock"),
        pytest.raises(XaiAudioError, match="Another build of the profile 'mini' is running"),
    ):
        publishing.build(root=book, console=quiet())


def test_two_profiles_that_end_together_do_not_mix_their_pages(tmp_path, monkeypatch):
    """Both copy their pages to the same place; here each copy takes a while."""
    projects = [project.Project(tmp_path, name) for name in ("one", "other")]
    for each in projects:
        (each.home / "html").mkdir(parents=True)
        for number in range(20):
            (each.home / "html" / str(number)).write_text(each.profile)
        (each.home / "html" / site.STAMP).write_text('{"key": "same"}')
    monkeypatch.setattr(site, "site_key", lambda _: "same")
    copytree = shutil.copytree

    def slowly(*folders):
        copytree(*folders, copy_function=lambda *names: (time.sleep(0.01), shutil.copy(*names)))

    monkeypatch.setattr(site.shutil, "copytree", slowly)
    with ThreadPoolExecutor(2) as pool:
        assert [folder for folder, _ in pool.map(site.build_site, projects)]
    pages = list((tmp_path / "_build/html").glob("[0-9]*"))
    assert len(pages) == 20 and len({page.read_text() for page in pages}) == 1
    assert not list((tmp_path / "_build").glob("*.partial"))


def test_an_unknown_profile_is_told(book):
    with pytest.raises(XaiAudioError, match="maxi"):
        publishing.build("maxi", root=book, console=quiet())


def test_placeholders():
    known = {"machine": "2 cores"}
    assert fragments.fill_in("{{ machine }}, {{other}}, {run-time}", known, 70) == (
        "2 cores, {{other}}, about a minute"
    )


def test_replacing_a_folder_leaves_one_of_them(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page").write_text(name)
    site.replace_folder(tmp_path / "new", tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old/page").read_text() == "new"


def test_a_table_of_contents_that_is_none(tmp_path):
    path = tmp_path / "_toc.yml"
    path.write_text("just: words")
    with pytest.raises(XaiAudioError, match="is not a table of contents"):
        project.toc_names(path)


def test_the_stamp_names_the_profile(built):
    stamp = json.loads((built[0] / "_build/html" / site.STAMP).read_text())
    assert stamp["profile"] == "mini"
    assert isinstance(quiet().file, io.StringIO)
