"""The summary of many sounds."""

import html
import re
import shutil
import subprocess

import numpy as np
import pytest

from xaiaudio.pages.summary import PICTURES, Line, page, write
from xaiaudio.plots.thumbnails import SIZE, thumbnail


def picture(seed=0, frames=500):
    rng = np.random.default_rng(seed)
    return thumbnail(rng.normal(size=(frames, 64)), rng.normal(size=(frames, 64)))


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


def test_a_thumbnail_is_small_and_always_the_same():
    from io import BytesIO

    from PIL import Image

    worst = picture()  # noise does not compress
    assert len(worst) <= 5000 and worst == picture()
    assert Image.open(BytesIO(worst)).size == SIZE
    for frames in (1, 3, 20_000):
        assert len(picture(frames=frames)) <= 5000
    assert thumbnail(np.zeros((5, 8)), np.zeros((5, 8)))[:4] == b"\x89PNG"


def test_what_speaks_for_the_class_is_red_where_it_is():
    from io import BytesIO

    from PIL import Image

    relevance = np.zeros((160, 48))
    relevance[100:120, :10] = 1  # late and low
    relevance[:20, 40:] = -1  # against it
    drawn = np.asarray(
        Image.open(BytesIO(thumbnail(np.zeros((160, 48)), relevance))).convert("RGB")
    ).astype(int)
    red = drawn[..., 0] - drawn[..., 2] > 100
    assert red[38:, 100:120].all() and red.sum() == 200


def test_a_page_of_very_many_sounds_stays_small():
    many = page(lines(PICTURES + 200, picture=picture()))
    assert many.count("<img ") == PICTURES and len(many) < 4_500_000
    assert f"Only the first {PICTURES} have one" in many
    assert "Only the first" not in page(lines(3, picture=picture()))


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
