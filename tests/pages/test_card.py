"""The card as a file: numbers that can be read back, names that cannot break out, whole or not."""

import dataclasses
import errno
import html
import os
import re
from html.parser import HTMLParser

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.evaluate.benchmark.bootstrap import Interval, interval
from xaiaudio.evaluate.benchmark.card import Card
from xaiaudio.evaluate.benchmark.findings import NOTHING, VERDICTS, Finding
from xaiaudio.pages.card import fragment, markdown, page, write

NASTY = '<script>alert("x")</script> | `a` [b](c) {d}`e` *f* \n\n# g $h$ \x1b[31m\u202e & ~'


def finding(measure, seed, method="one", verdict="better"):
    values = np.random.default_rng(seed).normal(0.3, 0.2, (2, 9))
    found, random = map(interval, values)
    gap = interval(values[0] - values[1])
    about = (method, measure, "faithfulness", "share", "higher")
    return Finding(*about, found, random, gap, verdict, "energy", 0.25)


@pytest.fixture
def card():
    return Card(
        title="one: maps of net on set",
        model={"name": "net", "classes": "cat, dog"},
        data={"set": "made"},
        clips=({"clip": "a", "class": "cat"}, {"clip": "b", "class": "dog"}),
        methods={"one": {"method": "occlusion", "mask": "0.5"}},
        run={"seed": "0"},
        findings=tuple(finding(f"m{k}", k) for k in range(4)),
        silent=(("one", "m9", "it draws nothing"),),
        not_shown=("Another network.", "Classes without a clip: bird."),
        again="xaiaudio evaluate my_sounds --card card.md",
    )


@pytest.fixture
def nasty(card):
    changed = {name: {NASTY: NASTY} for name in ("model", "data", "run")}
    return dataclasses.replace(
        card,
        title=NASTY,
        clips=({"clip": NASTY, "class": NASTY},),
        methods={NASTY: {NASTY: NASTY}},
        findings=(finding(NASTY, 0, NASTY),),
        silent=((NASTY, NASTY, NASTY),),
        not_shown=(NASTY,),
        again="```\n# no heading\n</pre><script>",
        **changed,
    )


class Reader(HTMLParser):
    """Collects the tags, and the texts of the cells of tables, row by row."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.rows, self.inside = [], [], False
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        if tag == "tr":
            self.rows.append([])
        self.inside = tag in ("td", "th")
        if self.inside:
            self.rows[-1].append("")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag not in ("td", "th")

    def handle_data(self, data):
        if self.inside:
            self.rows[-1][-1] += data


def markdown_rows(text):
    lines = [line for line in text.splitlines() if line.startswith("| ")]
    cells = (re.split(r"(?<!\\) \| ", line[2:].removesuffix(" |")) for line in lines)
    return [[re.sub(r"\\(.)", r"\1", cell) for cell in line] for line in cells]


def numbers(text):
    return [float(number) for number in re.findall(r"-?\d+(?:\.\d+)?(?:e[-+]\d+)?", text)]


@pytest.mark.parametrize(
    "rows", [lambda c: markdown_rows(markdown(c)), lambda c: Reader(page(c)).rows]
)
def test_the_numbers_can_be_read_back(card, rows):
    found = {row[0]: row for row in rows(card)}
    for one in card.findings:
        _, unit, better, mean, random, gap, verdict, blind, count = found[one.measure]
        assert (unit, better, verdict) == ("share", "higher", VERDICTS["better"])
        ends = [one.found.mean, one.found.low, one.found.high]
        assert numbers(mean) == pytest.approx(ends, rel=5e-3)
        assert float(random) == pytest.approx(one.random.mean, rel=5e-3)
        ends = [one.gap.mean, one.gap.low, one.gap.high]
        assert numbers(gap) == pytest.approx(ends, rel=5e-3)
        assert blind == "energy 0.25" and int(count) == one.found.n


@pytest.mark.parametrize("write_it", [markdown, page, fragment])
def test_everything_is_there(card, write_it):
    text = write_it(card)
    for said in (
        "occlusion",
        "it draws nothing",
        "Classes without a clip: bird.",
        "--card card.md",
    ):
        assert said in html.unescape(text)


def test_what_is_missing_is_a_dash(card):
    few = Interval(0.5, -np.inf, np.inf, 3)
    alone = dataclasses.replace(card.findings[0], random=NOTHING, gap=NOTHING, verdict="alone")
    short = dataclasses.replace(card.findings[1], gap=few, blind="", verdict="undecided")
    rows = {
        row[0]: row
        for row in markdown_rows(markdown(dataclasses.replace(card, findings=(alone, short))))
    }
    assert rows["m0"][4:6] == ["–", "–"]
    assert rows["m1"][5] == "0.5 (too few recordings)" and rows["m1"][7] == "–"


def test_hostile_names_stay_text_in_a_page(card, nasty):
    text = page(nasty)
    assert "<script" not in text and "\x1b" not in text and "\u202e" not in text
    assert Reader(text).tags.count("pre") == 1
    # As many elements as with harmless names, but for the rows that are fewer.
    assert set(Reader(text).tags) == set(Reader(page(card)).tags)
    shown = " ".join(NASTY.split()).replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")
    assert [shown, shown] in Reader(text).rows


def test_hostile_names_stay_text_in_markdown(nasty):
    from markdown_it import MarkdownIt

    text = markdown(nasty)
    made = MarkdownIt("gfm-like", {"linkify": False}).render(text)
    tags = set(Reader(made).tags)
    assert not tags & {"script", "a", "em", "del"}
    assert made.count("<h1>") == 1 and made.count("<code>") == 1
    assert "no heading</h1>" not in made
    shown = " ".join(NASTY.split()).replace("\x1b", r"\x1b").replace("\u202e", r"\u202e")
    assert [shown, shown] in Reader(made).rows


@pytest.mark.parametrize("name", ["card.md", "card.html"])
def test_a_command_with_names_that_no_file_can_hold(tmp_path, card, name):
    # Names that are no UTF-8 come from the command line as surrogates.
    again = "xaiaudio evaluate a\udcff.wav\n\t--seed 1 \x1b[31m\u202e"
    text = write(dataclasses.replace(card, again=again), tmp_path / name).read_text("utf-8")
    assert r"a\udcff.wav" in text and r"    --seed 1 \x1b[31m\u202e" in text
    assert "\x1b" not in text and "\u202e" not in text


@pytest.mark.parametrize("name", ["card.md", "card.html"])
def test_a_file_is_whole(tmp_path, card, name):
    path = write(card, tmp_path / "new" / name)
    text = path.read_text(encoding="utf-8")
    assert text == (page(card) if name.endswith("html") else markdown(card))
    assert [one.name for one in path.parent.iterdir()] == [name]


@pytest.mark.parametrize("name", ["card.md", "card.html"])
def test_a_full_disk_leaves_the_old_card(tmp_path, card, monkeypatch, name):
    (tmp_path / name).write_text("the old one")

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(xa.XaiAudioError, match="Could not write .*: No space left on device"):
        write(card, tmp_path / name)
    assert [one.name for one in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "the old one"


def test_other_endings_and_folders_are_refused(tmp_path, card):
    for name in ("card", "card.pdf"):
        with pytest.raises(xa.XaiAudioError, match="ends neither in .md nor in .html"):
            write(card, tmp_path / name)
    (tmp_path / "folder.md").mkdir()
    with pytest.raises(xa.XaiAudioError, match="is a folder"):
        write(card, tmp_path / "folder.md")
    with pytest.raises(xa.XaiAudioError, match="Could not write .*too long"):
        write(card, tmp_path / f"{'a' * 300}.md")
