"""Where the book is, and what a chapter depends on."""

import pytest
from small_book import chapter, make_book

from xaiaudio import cache, imports
from xaiaudio.errors import XaiAudioError
from xaiaudio.publishing import execute, project


def test_what_a_key_depends_on(book, monkeypatch, tmp_path):
    monkeypatch.setattr(cache, "closure", imports.closure)
    (tmp_path / "copy").mkdir()

    def keys(name="mini", seed=0):
        ours = project.find(name, seed, book)
        return [project.chapter_key(ours, page) for page in ours.chapters()]

    found = [keys()]
    assert keys() == found[0]
    (book / "requirements.lock").write_text("numpy==0\n")
    found += [keys(), keys(seed=1), keys("esc10-yamnet")]
    monkeypatch.setenv("XAIAUDIO_ESC10", str(tmp_path / "copy"))
    assert keys() == found[1]  # the profile "mini" does not touch them
    assert keys("esc10-yamnet") != found[3]
    found.append(keys("esc10-yamnet"))
    (tmp_path / "copy" / "new.wav").write_text("another sound")
    found.append(keys("esc10-yamnet"))
    found.append([project.chapter_key(project.find(root=book), page(book, "xa.explain"))])
    found.append([project.chapter_key(project.find(root=book), page(book, "xa.plot"))])
    assert len({key for keys in found for key in keys}) == sum(map(len, found))


def page(root, code):
    text = f"```{{code-cell}} ipython3\nimport xaiaudio as xa\n{code}\n```\n"
    return project.Page("page", root / "book" / "page.md", text)


@pytest.mark.slow
def test_a_chapter_depends_on_what_its_code_uses():
    def files(code):
        read = imports.closure(code=[project.code_of(page(execute.Path(), code).text)])
        return {path.relative_to(imports.ROOT).as_posix() for path in read}

    explained = files("xa.explain(model, patches)")
    assert {"explainers/base.py", "explainers/lime.py"} <= explained
    assert not [name for name in explained if name.startswith(("plots/", "evaluate/", "cli/"))]
    assert "sonify/masks.py" in files("xa.listen(result)")
    assert files("xa.LogMel.vggish()") == {
        *("frontend.py", "frontend_settings.py", "filterbank.py", "patches.py"),
    }


def test_sets_and_backbones_are_found_by_their_names():
    assert project._named_in('xa.datasets.load("synthetic")') == {"datasets.events"}
    assert project._named_in('xa.load_model("lite")') == {"models.networks.lite"}
    assert project._named_in("book.clips()") == set()


@pytest.mark.slow
def test_the_code_of_every_chapter_is_read():
    ours = project.find()
    everything = len(imports.PACKAGE.everything(""))
    for chapter_ in ours.chapters():
        compile(project.code_of(chapter_.text), chapter_.name, "exec")
        used = imports.closure(code=[project.code_of(chapter_.text)])
        assert 5 < len(used) < 0.7 * everything, chapter_.name


def test_a_table_of_contents_that_is_none(tmp_path):
    path = tmp_path / "_toc.yml"
    path.write_text("just: words")
    with pytest.raises(XaiAudioError, match="is not a table of contents"):
        project.toc_names(path)


def test_the_book_around_the_working_directory_is_found(ours, monkeypatch):
    monkeypatch.chdir(ours.root / "book")
    assert project.find() == ours
    assert project.find("esc10-yamnet", "3", only=["other-1"]) == project.Project(
        ours.root, "esc10-yamnet", 3, ("other-1",)
    )
    with pytest.raises(XaiAudioError, match="There is no book .* run this in a clone"):
        project.find(root=ours.root / "book")


def test_each_profile_seed_and_rounding_has_a_folder(tmp_path):
    homes = {
        project.Project(tmp_path, *about).home.relative_to(tmp_path / "_build").as_posix()
        for about in (("mini",), ("mini", 2), ("mini", 0, (), "avx2"), ("other", 2, (), "avx2"))
    }
    assert homes == {
        "mini", "mini/seed-2", "mini/rounding-avx2", "other/seed-2/rounding-avx2"
    }  # fmt: skip


def test_pages_are_chapters_if_they_have_code_and_say_when_they_run(tmp_path):
    code = "```{code-cell} ipython3\n1\n```\n"
    root = make_book(
        tmp_path / "clone",
        plain="# Words\n\nOf `{code-cell}`.\n",
        one=chapter("One", code, "xaiaudio: {first: true}\n"),
        two=chapter("Two", code, "xaiaudio: {early: true}\n"),
    )
    ours = project.find(root=root)
    plain, one, two = ours.pages()
    assert [page.has_code for page in (plain, one, two)] == [False, True, True]
    assert [(page.first, page.early) for page in (plain, one, two)] == [
        *((False, False), (True, False), (False, True)),
    ]
    assert ours.chapters() == [one, two]
    assert project.find(root=root, only=["two"]).chapters() == [two]
    with pytest.raises(XaiAudioError, match="no chapter 'plain': it has one, two"):
        project.find(root=root, only=["plain"]).chapters()


@pytest.mark.parametrize(
    "text, read",
    [
        ("---\na: 1\n---\nwords", {"a": 1}),
        ("---\n---\nwords", {}),
        ("---\n: [\n---\n", {}),
        ("words\n---\na: 1\n---\n", {}),
        ("---\na: 1\nwords", {}),
        ("", {}),
    ],
)
def test_what_stands_at_the_head_of_a_page(text, read):
    assert project.front_matter(text) == read


def test_json_is_read_if_it_is_what_is_expected(tmp_path):
    path = project.write_json(tmp_path / "deep" / "a.json", {"é": [1, 2]})
    assert project.read_json(path) == project.read_json(path, {}) == {"é": [1, 2]}
    assert project.read_json(path, []) == [] and "é" in path.read_text(encoding="utf-8")
    for text in ("{", "[" * 100_000, "\x00"):
        path.write_text(text)
        assert project.read_json(path, {}) == {}
    assert project.read_json(tmp_path / "none.json", 3) == 3
    assert [one.name for one in path.parent.iterdir()] == ["a.json"]


def test_a_key_of_files_changes_with_a_name_and_with_a_byte(tmp_path):
    def key(**files):
        paths = [tmp_path / name for name in files]
        for path, text in zip(paths, files.values(), strict=True):
            path.write_text(text) if text is not None else path.unlink(missing_ok=True)
        return project.files_key(paths, tmp_path)

    told = [key(a="1", b="2"), key(a="1", b="3"), key(a="1", c="2"), key(a="12", b="")]
    assert len(set(told)) == 4 and key(a="1", b="2") == told[0]
    assert key(a="12", b=None) == told[3]  # what is missing counts as empty
