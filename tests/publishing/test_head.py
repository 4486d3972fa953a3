"""The head of a page: words and a picture for shared links, and no script twice."""

from types import SimpleNamespace

import pytest
from bs4 import BeautifulSoup
from docutils.core import publish_doctree
from small_book import page

from xaiaudio.publishing import head


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


def metatags(text, title="A <em>map</em> &amp; more", base="https://book.example/"):
    config = SimpleNamespace(html_baseurl=base, html_title='The "book"')
    context = {"title": title, "metatags": "<meta before>"}
    doctree = publish_doctree(text) if text is not None else None
    head._describe(SimpleNamespace(config=config), "maps", "page.html", context, doctree)
    return BeautifulSoup(context["metatags"], "html.parser").find_all("meta", content=True)


def told(*arguments, **options):
    return {
        tag.get("property") or tag["name"]: tag["content"]
        for tag in metatags(*arguments, **options)
    }


def test_the_first_words_describe_a_page_and_nothing_breaks_out():
    tags = told('Title\n=====\n\nYou will "see" <maps>\nof sounds.\n\nMore words.\n')
    assert tags["description"] == tags["og:description"] == 'You will "see" <maps> of sounds.'
    assert tags["og:title"] == "A map & more" and tags["og:site_name"] == 'The "book"'
    assert tags["og:url"] == "https://book.example/maps.html"
    assert tags["og:image"] == f"https://book.example/{head.PICTURE}"


@pytest.mark.parametrize("text", [None, "", "Title\n=====\n"])
def test_a_page_without_words_has_no_description(text):
    tags = told(text, base="")
    assert set(tags) == {"og:title", "og:type", "og:site_name"}


def test_a_description_ends_with_a_word():
    assert head.describe("Short, and whole.") == "Short, and whole."
    assert head.describe("x" * head.LONGEST) == "x" * head.LONGEST
    text = "word " * 39 + "wor, another word"  # the cut would lie within "another"
    assert head.describe(text) == "word " * 39 + "wor"


def test_the_other_extension_is_taken_out_and_ours_stays():
    def handler(module):
        made = lambda *_: None  # noqa: E731
        made.__module__ = module
        return made

    listeners = {
        "doctree-resolved": [
            SimpleNamespace(id=n, handler=handler(module))
            for n, module in enumerate(("sphinx_thebe", "xaiaudio.publishing.mathml"))
        ]
    }
    gone = []
    app = SimpleNamespace(events=SimpleNamespace(listeners=listeners), disconnect=gone.append)
    head._without_thebe(app)
    assert gone == [0]
