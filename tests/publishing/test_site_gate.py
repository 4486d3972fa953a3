"""Each fault that a page can have is planted, and found."""

import pytest

from xaiaudio.publishing import site_gate

PAGE = """<!doctype html><html><head><link rel="stylesheet" href="_static/a.css"></head>
<body><main><article><h1 id="top">Title</h1>{}</article></main></body></html>"""

GOOD = """
<p>Text with a <a href="other.html#there">link</a>, <a href="#top">one up</a>,
<a href="https://example.org/nowhere">one out</a>, <a href="#">one to nothing</a>.</p>
<img src="_images/a%20b.png" alt="A map."><code>{{glue}} ??</code>
<audio controls preload="none"><source src="_static/sounds/a.mp3"></audio>
"""


@pytest.fixture
def site(tmp_path):
    for name in ("_static/sounds", "_images"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "_static/a.css").touch()
    (tmp_path / "_static/sounds/a.mp3").write_bytes(b"ID3" * 200)
    (tmp_path / "_static/sounds/empty.mp3").touch()
    (tmp_path / "_images/a b.png").write_bytes(b"png")
    (tmp_path / "other.html").write_text(PAGE.format('<h2 id="there">There</h2>'))
    (tmp_path / "index.html").write_text(PAGE.format(GOOD))
    return tmp_path


def told(site, body):
    (site / "index.html").write_text(PAGE.format(GOOD + body))
    return [str(problem) for problem in site_gate.check_site(site)]


def test_a_whole_site_passes(site):
    assert told(site, "") == []


FAULTS = {
    '<a href="gone.html">x</a>': "gone.html leads nowhere",
    '<a href="other.html#gone">x</a>': "other.html#gone has no such place",
    '<a href="#gone">x</a>': "#gone has no such place",
    '<a href="../outside.html">x</a>': "../outside.html leads nowhere",
    '<img src="_images/gone.png" alt="x">': "_images/gone.png leads nowhere",
    '<img src="_images/a%20b.png">': "_images/a%20b.png has no alt text",
    '<img src="_images/a%20b.png" alt=" ">': "has no alt text",
    '<script src="_static/gone.js"></script>': "gone.js leads nowhere",
    "<audio controls></audio>": "a player has no source",
    '<audio src="_static/sounds/gone.mp3"></audio>': "gone.mp3 leads nowhere",
    '<audio src="_static/sounds/empty.mp3"></audio>': "empty.mp3 is empty",
    '<audio src="data:audio/mpeg;base64,AAAA"></audio>': "a sound sits in the page",
    "<p>it is {glue:text}`n:.1f` per cent</p>": "a role that was not understood",
    "<p>made with {{ profile }} today</p>": "a substitution that was not filled in",
    "<p>as Fig. ?? shows</p>": "a reference that leads nowhere",
    '<div class="system-message">Unknown directive</div>': "Sphinx complains",
    "<p>" + "long " * 500_000 + "</p>": "index.html: 2.5 MB",
}


@pytest.mark.parametrize("body", FAULTS, ids=lambda body: FAULTS[body][:40])
def test_each_fault_is_found(site, body):
    problems = told(site, body)
    assert len(problems) == 1
    assert FAULTS[body] in problems[0] and problems[0].startswith("index.html: ")


def test_large_sounds_are_found(site):
    (site / "_static/sounds/a.mp3").write_bytes(bytes(400_000))
    assert "a.mp3: 0.4 MB; keep it under 0.3 MB" in told(site, "")[0]


def test_nothing_at_all_is_a_problem(tmp_path):
    assert "there is no page" in str(site_gate.check_site(tmp_path)[0])
