"""The mixer in a browser: what is heard, shown and said there, against Python's.

Needs a Chromium and the package playwright; neither belongs to the project's own requirements.
"""

import itertools
import shutil

import numpy as np
import pytest
from heard_maps import bright_or_dark

from xaiaudio.explainers.engines.components import Components
from xaiaudio.pages.mixer import mixer
from xaiaudio.sonify.player import ONE_AT_A_TIME, player

sync_api = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install playwright"
)
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium on this machine")

ARGS = (
    "--no-sandbox",
    "--disable-background-networking",
    "--disable-dev-shm-usage",
    "--use-gl=angle",
    "--use-angle=swiftshader",
)
RATE = 16_000
WAVE = (0.1 * np.random.default_rng(0).normal(size=48_000)).clip(-1, 1).astype("float32")


@pytest.fixture(scope="module")
def mixers():
    model = bright_or_dark("bright")
    bands = Components.in_bands(WAVE, model.frontend, 2)
    names = ["low & <slow>", "high", "hum"]
    hum = 0.05 * np.sin(np.arange(len(WAVE)) / 20)
    sources = Components.of_sources(WAVE, [*(0.7 * bands.parts), hum], names)
    times = Components.in_time(WAVE, 4, fade=800)
    return [mixer(sources, model, "dark", title="Noise"), mixer(times, model, "bright")]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as play:
        running = play.chromium.launch(executable_path=CHROMIUM, args=ARGS)
        yield running
        running.close()


@pytest.fixture
def page(browser, mixers, tmp_path):
    yield from opened(browser, mixers, tmp_path)


def opened(browser, mixers, folder, **options):
    file = folder / "mixer.html"
    body = "".join(one.html() for one in mixers) + player(WAVE, RATE, "A player")
    file.write_text(
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1"><title>Mixers</title>'
        "<style>:root{color-scheme:light dark}</style>"
        f"<body>{body}<script>{ONE_AT_A_TIME}</script>",
        encoding="utf-8",
    )
    tab = browser.new_page(**options)
    wrong, asked = [], []
    tab.on("console", lambda message: wrong.append(message.text))
    tab.on("pageerror", lambda error: wrong.append(str(error)))
    tab.on("request", lambda request: asked.append(request.url))
    tab.goto(file.as_uri())
    yield tab
    assert not wrong
    assert all(url.startswith(("file:", "data:", "blob:")) for url in asked)
    tab.close()


def part(page, number, mixer=0):
    return page.locator(".xa-mixer").nth(mixer).locator(f'[data-part="{number}"]')


def score(page, mixer=0):
    return page.locator(".xa-mixer").nth(mixer).locator("[data-score]").inner_text()


def said(made, on):
    chance, label = made.answer(on)
    return f"{made.labels[made.target]}: {chance:.0%}. The network hears {label}."


@pytest.mark.parametrize(
    "number, weights", [(0, [1, 1, 1]), (0, [0, 1, 0]), (0, [0.25, 0.8, 0.5]), (1, [1, 0, 0.3, 1])]
)
def test_the_mix_is_the_one_of_python_sample_by_sample(page, mixers, number, weights):
    rendered = page.evaluate(
        "([number, levels]) => document.querySelectorAll('.xa-mixer')[number]"
        ".xaRender(levels).then((samples) => Array.from(samples))",
        [number, weights],
    )
    wanted = mixers[number].components.mix(np.array(weights))
    assert len(rendered) == len(wanted)
    # Each part was rounded to 16 bits: half a step each. A shift by one sample would be a tenth.
    assert np.abs(rendered - wanted).max() <= 2.5 / 32768
    if all(weight == 1 for weight in weights):
        np.testing.assert_array_equal(rendered, np.rint(wanted * 32768) / 32768)


def test_the_score_of_every_choice_is_the_one_of_python(page, mixers):
    for on in itertools.product([True, False], repeat=3):
        for number, wanted in enumerate(on):
            button = part(page, number).locator("[data-on]")
            if (button.get_attribute("aria-pressed") == "true") != wanted:
                button.click()
        assert score(page) == said(mixers[0], on)
    everything = [True] * 4
    assert score(page, 1) == said(mixers[1], everything)  # the other mixer is left alone
    page.locator("[data-reset]").first.click()
    assert score(page) == said(mixers[0], [True] * 3)


def test_solo_lets_one_part_and_the_residual_sound(page, mixers):
    part(page, 1).locator("[data-solo]").click()
    assert score(page) == said(mixers[0], [False, True, False])
    part(page, 2).locator("[data-solo]").click()
    assert score(page) == said(mixers[0], [False, True, True])
    assert page.evaluate("document.querySelector('.xa-mixer').xaGains()") == [0, 1, 1]


def test_between_on_and_off_the_nearest_score_is_shown_and_said_to_be_so(page, mixers):
    note = page.locator(".xa-mixer [data-nearest]").first
    slider = part(page, 0).locator("[data-gain]")
    for percent, on in ((49, False), (51, True)):
        slider.fill(str(percent))
        assert score(page) == said(mixers[0], [on, True, True])
        assert "between" in note.inner_text()
        assert part(page, 0).locator("output").inner_text() == f"{percent}%"
    slider.fill("0")
    assert note.inner_text() == "" and score(page) == said(mixers[0], [False, True, True])


def test_with_all_parts_off_the_note_says_what_is_answered_to(page, mixers):
    note = page.locator(".xa-mixer [data-nearest]").first
    for number in range(3):
        assert note.inner_text() == ""
        part(page, number).locator("[data-gain]").fill("0")
    assert "All parts are off" in note.inner_text()
    assert score(page) == said(mixers[0], [False] * 3)


def test_one_sound_at_a_time_and_the_play_head_runs(page):
    first, second = (page.locator(".xa-mixer").nth(n).locator("[data-play]") for n in (0, 1))
    first.click()
    page.wait_for_function("document.querySelector('.xa-mixer [data-seek]').value > 0.2")
    assert first.inner_text() == "Stop"
    second.click()
    assert (first.inner_text(), second.inner_text()) == ("Play", "Stop")
    page.evaluate("document.querySelector('audio').play()")
    page.wait_for_function("!document.querySelector('audio').paused")
    assert second.inner_text() == "Play"
    first.click()
    assert page.evaluate("document.querySelector('audio').paused")
    first.click()
    assert first.inner_text() == "Play"


def test_it_plays_from_where_it_is_put_and_stops_at_the_end(page):
    page.locator("[data-seek]").first.fill("2.8")
    page.locator("[data-play]").first.click()
    page.wait_for_function("document.querySelector('[data-play]').textContent == 'Play'")
    assert float(page.locator("[data-seek]").first.input_value()) == 0


def test_everything_can_be_done_with_the_keyboard(page, mixers):
    page.locator("[data-seek]").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.locator("[data-play]").first.inner_text() == "Stop"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")  # all on
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    assert score(page) == said(mixers[0], [False, True, True])
    chosen = page.locator(".xa-mixer-mark[data-chosen]")
    assert chosen.get_attribute("data-mark") == "0"
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Home")
    assert part(page, 0).locator("[data-gain]").input_value() == "0"


def test_everything_has_a_name_for_screen_readers(page):
    for name in ("low & <slow>", "solo low & <slow>"):
        assert page.get_by_role("button", name=name, exact=True).count() == 1
    assert page.get_by_role("slider", name="Level of high in percent").count() == 1
    assert page.get_by_role("slider", name="Position of the play-head in seconds").count() == 2
    assert page.get_by_role("group", name="Mixer: Noise").count() == 1
    assert page.locator("[aria-live=polite]").count() == 2


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_a_phone_and_can_be_read_in_the_dark(browser, mixers, tmp_path, scheme):
    options = {"viewport": {"width": 390, "height": 800}, "color_scheme": scheme}
    for tab in opened(browser, mixers, tmp_path, **options):
        assert tab.evaluate("document.documentElement.scrollWidth") <= 390
        buttons = tab.locator(".xa-mixer button").all()
        assert all(button.bounding_box()["height"] >= 32 for button in buttons)
        part(tab, 1).locator("[data-on]").click()
        contrast = tab.evaluate(_CONTRAST)
        assert min(contrast) >= 4.5, contrast


# Of the texts of a mixer's buttons, score and notes, against what lies behind them.
_CONTRAST = """() => {
  const paper = matchMedia("(prefers-color-scheme: dark)").matches ? [18, 18, 18] : [255, 255, 255];
  const parse = (text) => text.match(/[0-9.]+/g).map(Number);
  const light = (rgb) => rgb.slice(0, 3).map((value) => value / 255)
    .map((value) => (value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const found = document.querySelectorAll(
    ".xa-mixer button, .xa-mixer [data-score], .xa-mixer-note, .xa-mixer-adds, .xa-mixer output");
  return [...found].map((one) => {
    let behind = one;
    while (behind && parse(getComputedStyle(behind).backgroundColor)[3] === 0) {
      behind = behind.parentElement;
    }
    const back = light(behind ? parse(getComputedStyle(behind).backgroundColor) : paper);
    const ink = light(parse(getComputedStyle(one).color));
    return (Math.max(back, ink) + 0.05) / (Math.min(back, ink) + 0.05);
  });
}"""
