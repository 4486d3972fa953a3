"""The summary of many sounds."""

import dataclasses
import html
import re
import shutil
import subprocess

import pytest
from random_explanations import noisy_thumbnail

from xaiaudio.pages.summary import PICTURES, Line, line_of_long, page, write


def lines(count, **options):
    return [
        Line(
            file=f"sound {number}.wav",
            page=f"sound {number}.html",
            answer="Rain" if number % 3 else "Dog",
            share=(number % 7) / 7,
            probability=0.5,
            target="Rain",
            seconds=float(number % 11),
            kept={"gradcam": "Rain"},
            **options,
        )
        for number in range(count)
    ]


def test_a_page_of_very_many_sounds_stays_small():
    many = page(lines(PICTURES + 200, picture=noisy_thumbnail()))
    assert many.count("<img ") == PICTURES and len(many) < 4_500_000
    assert f"Only the first {PICTURES} have one" in many
    assert "Only the first" not in page(lines(3, picture=noisy_thumbnail()))


def test_names_are_escaped():
    bad = '"><script>alert(1)</script>'
    text = page([Line(file=bad, page=f"{bad}#?.html", answer=bad, target=bad, kept={bad: bad})])
    assert text.count("<script>") == 1 and html.escape(bad) in text
    assert "%23%3F.html" in text
    assert "<script>alert" not in page([Line(file=bad, failed=bad)])


def test_counts_of_each_class_are_there():
    text = page(lines(9))
    assert '<th scope="row">Rain</th>' in text and "<td>6</td></tr>" in text
    assert "9 sounds explained" in text


def test_tables_that_make_sense_are_written(tmp_path):
    pytest.importorskip("pyarrow")
    found = write(lines(3), tmp_path / "new", ("raven", "parquet", "audacity"))
    assert [path.name for path in found] == ["index.html", "summary.csv", "summary.parquet"]


@pytest.mark.slow
@pytest.mark.skipif(not shutil.which("chromium"), reason="a browser sorts the table")
def test_a_click_sorts_by_numbers_and_another_one_the_other_way(tmp_path):
    text = page(lines(12))
    # Says what stands first after each of two clicks, in the title.
    probe = """<script>
const button = [...document.querySelectorAll(".sounds button")].find(
  (one) => one.textContent === "seconds");
const first = () => document.querySelector(".sounds tbody tr").cells[6].textContent;
const said = [];
for (let click = 0; click < 2; click += 1) {
  button.focus(); document.activeElement.click();
  said.push(first() + " " + button.parentElement.getAttribute("aria-sort"));
}
document.title = said.join("; ");
</script></body>"""
    (tmp_path / "x.html").write_text(text.replace("</body>", probe), encoding="utf-8")
    flags = ("--headless", "--no-sandbox", "--disable-gpu", "--dump-dom")
    done = subprocess.run(
        ["chromium", *flags, f"file://{tmp_path}/x.html"], capture_output=True, text=True
    )
    assert "<title>0.00 ascending; 10.00 descending</title>" in done.stdout


@pytest.mark.parametrize(
    "files, shown",
    [
        (["/a/b/x.wav", "/a/c/y.wav"], ["b/x.wav", "c/y.wav"]),
        (["a/x.wav", "a/y.wav"], ["x.wav", "y.wav"]),
        (["x.wav", "a/y.wav"], ["x.wav", "a/y.wav"]),
        (["/x.wav", "a/y.wav"], ["/x.wav", "a/y.wav"]),
        (["/x.wav", "/a/y.wav"], ["x.wav", "a/y.wav"]),
    ],
)
def test_the_folder_of_all_is_not_named_again_and_again(files, shown):
    text = page([Line(file=file, page="x.html", answer="Rain") for file in files])
    assert re.findall(r'<a href="x.html">(.*?)</a>', text) == shown


@pytest.mark.slow
def test_the_line_of_a_summary(long_page):
    line = line_of_long(long_page, "x.wav", "x.html")
    best = max(long_page.events, key=lambda event: event.peak_score)
    assert (line.answer, line.probability) == (best.label, best.peak_score)
    assert line.target == f"2 of {len(long_page.events)} events" and line.seconds == 75
    assert 0 <= line.share <= 1
    nothing = line_of_long(
        dataclasses.replace(long_page, events=(), explained=()), "x.wav", "x.html"
    )
    assert nothing.answer == "no event" and nothing.target == "0 of 0 events"
