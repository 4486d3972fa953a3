"""The rendered book: whole pages, sounds beside them, clean notebooks, nothing done twice."""

import io
import json
import shutil
import time
from concurrent.futures import ThreadPoolExecutor

import nbformat
import pytest
from small_book import chapter, make_book, page, quiet

from xaiaudio import publishing
from xaiaudio.errors import XaiAudioError
from xaiaudio.publishing import project, site


@pytest.mark.slow
def test_the_book_is_there(built):
    root, report, said = built
    assert report.page == root / "_build/html/index.html" and report.page.is_file()
    assert report.rendered and not report.did_nothing
    assert str(report.page) in said and "maps" in said


def test_numbers_reach_the_prose(built):
    assert "The answer is 42.50 under mini" in page(built[0], "welcome").get_text()
    assert "the answer was 42.5" in page(built[0], "maps").get_text()  # from another page


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


@pytest.mark.slow
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


def test_replacing_a_folder_leaves_one_of_them(tmp_path):
    for name in ("old", "new"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "page").write_text(name)
    site.replace_folder(tmp_path / "new", tmp_path / "old")
    assert [path.name for path in tmp_path.iterdir()] == ["old"]
    assert (tmp_path / "old/page").read_text() == "new"


def test_the_stamp_names_the_profile(built):
    stamp = json.loads((built[0] / "_build/html" / site.STAMP).read_text())
    assert stamp["profile"] == "mini"
    assert isinstance(quiet().file, io.StringIO)
