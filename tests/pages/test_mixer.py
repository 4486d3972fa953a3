"""The mixer's page, its table and the samples in it, without a browser."""

import base64
import html
import io
import itertools
import json
import re
import shutil
import subprocess
from importlib.resources import files

import numpy as np
import pytest
import soundfile
from heard_maps import bright_or_dark

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines.components import Components
from xaiaudio.pages.mixer import MOST, Mixer, cut, flac, mixer, owned, samples

RATE = 16_000
RNG = np.random.default_rng(0)
WAVE = (0.2 * RNG.normal(size=24_000)).clip(-1, 1).astype("float32")
EVIL = 'a</script><b "x">'


@pytest.fixture(scope="module")
def model():
    return bright_or_dark(EVIL)


def three(model):
    """Return three parts and a residual."""
    low = Components.in_bands(WAVE, model.frontend, 2)
    sources = np.concatenate([0.8 * low.parts, [np.sin(np.arange(len(WAVE)) / 3)]])
    return Components.of_sources(WAVE, sources, [EVIL, "high", "tone"])


def data_of(page):
    return json.loads(re.search(r"<script type=\"application/json\"[^>]*>(.*?)</script>", page)[1])


def test_the_table_says_what_the_network_says_of_each_mix(model):
    parts = three(model)
    made = mixer(parts, model, "dark", overlap=0.5)
    data = data_of(made.html())
    for on in itertools.product([False, True], repeat=3):
        # The plain definition: one sound after the other.
        patches = model.frontend(parts.mix(np.array(on)), overlap=0.5, pad=True)
        mean = model.scores(patches).mean(axis=0)
        chance, label = made.answer(on)
        assert chance == pytest.approx(mean[1], abs=1e-5)
        assert label == model.labels[mean.argmax()]
        number = sum(2**bit for bit, is_on in enumerate(on) if is_on)
        assert data["scores"][number] == pytest.approx(mean[1], abs=1e-4)
        assert data["labels"][data["heard"][number]] == label
    assert data["target"] == "dark"


@pytest.mark.slow
def test_of_a_network_of_sigmoids_all_that_is_heard_is_named():
    import keras

    front = xa.LogMel(frames=12, bands=8)
    patch = keras.Input((12, 8))
    dense = keras.layers.Dense(
        3, activation="sigmoid", kernel_initializer=keras.initializers.RandomNormal(0, 0.2, seed=3)
    )
    network = keras.Model(patch, dense(keras.layers.Flatten()(patch)))
    heard = xa.AudioClassifier.from_keras(network, ["a", "b", "c"], front)
    parts = Components.in_bands(WAVE, front, 3)
    made = mixer(parts, heard, "b", overlap=0)
    said = set()
    for on in itertools.product([False, True], repeat=3):
        scores = heard.scores(front(parts.mix(np.array(on)), overlap=0, pad=True)).max(axis=0)
        chance, label = made.answer(on)
        assert chance == pytest.approx(scores[1], abs=1e-5)
        above = [(score, name) for score, name in zip(scores, "abc", strict=True) if score > 0.5]
        wanted = [name for _, name in sorted(above, reverse=True)] or ["none of its classes"]
        assert re.split(", | and ", label) == wanted
        said.add(label)
    assert len(said) > 1
    data = data_of(made.html())
    assert [data["labels"][number] for number in data["heard"]] == made.heard


def test_with_all_parts_on_it_is_the_answer_to_the_sound_itself(model):
    made = mixer(three(model), model)
    assert made.target == made.scores[-1].argmax()
    patches = model.frontend(WAVE, pad=True)
    np.testing.assert_allclose(made.scores[-1], model.scores(patches).mean(axis=0), atol=1e-6)


@pytest.mark.parametrize("loud", [1.0, 5.0])
def test_the_samples_come_out_of_the_page_as_they_went_in(model, loud):
    parts = Components(WAVE, loud * three(model).parts, ("a", "b", "c"))
    pcm, scale = samples(parts)
    data = data_of(mixer(parts, model, "dark").html())
    for sound, wanted in zip(data["sounds"], pcm, strict=True):
        decoded, rate = soundfile.read(io.BytesIO(base64.b64decode(sound)), dtype="int16")
        assert rate == RATE
        np.testing.assert_array_equal(decoded, wanted)
    # All together are the sound in 16 bits, bit for bit.
    whole = pcm.astype(int).sum(axis=0)
    np.testing.assert_array_equal(whole, np.rint(WAVE / scale * 32768))
    for on in ([1, 0, 1], [0, 0.5, 0.25]):
        mixed = (pcm * np.array([1, *on])[:, None]).sum(axis=0) / 32768 * scale
        assert np.abs(mixed - parts.mix(on)).max() < 4 * scale / 32768


def test_the_page_rounds_scores_to_the_same_percent(model):
    parts = three(model)
    scores = np.array([[score, 1 - score] for score in (0.12496, 0.13504, 0.00497, 0.99503)] * 2)
    shown = data_of(Mixer(parts, scores, model.labels, 0, model.frontend).html())["scores"]
    for score, one in zip(shown, scores[:, 0], strict=True):
        assert f"{int(np.floor(100 * score + 0.5))}%" == f"{one:.0%}"


def test_flac_is_without_loss():
    pcm = RNG.integers(-32768, 32768, 5000).astype(np.int16)
    np.testing.assert_array_equal(
        soundfile.read(io.BytesIO(flac(pcm, RATE)), dtype="int16")[0], pcm
    )


def test_names_are_escaped_and_no_text_ends_the_script(model):
    page = mixer(three(model), model, EVIL, title=EVIL)._repr_html_()
    assert EVIL not in page and html.escape(EVIL) in page
    assert page.count("</script>") == 2
    assert data_of(page)["target"] == EVIL
    assert len(re.findall('data-on aria-pressed="true"', page)) == 3
    assert 'aria-live="polite"' in page and "<noscript>" in page
    # Nothing is fetched from anywhere.
    addresses = re.findall(r"(?:src|href)=\"([^\"]{0,30})|url\(([^)]{0,30})", page)
    assert addresses and all("".join(one).startswith("data:") for one in addresses)
    assert "http" not in re.sub(r"data:[^)\"]*", "", page).replace(data_of(page)["sounds"][1], "")


@pytest.mark.slow
def test_an_explanation_brings_its_network_its_class_and_its_weights(model):
    result = xa.explain_parts(model, three(model), "dark", samples=8, overlap=0.5)
    made = mixer(result)
    assert made.labels[made.target] == "dark"
    assert f"{result.weights[0]:+.2g} {made.unit}" in made.html()
    np.testing.assert_allclose(made.scores[-1], result.scores, atol=1e-6)
    with pytest.raises(XaiAudioError, match="network"):
        mixer(three(model))


def test_parts_are_drawn_where_they_have_most_of_the_power(model):
    frontend = xa.LogMel.vggish()
    halves = owned(Components.in_time(WAVE, 2), frontend)
    frames = np.arange(halves.shape[1])
    middle = (frames * frontend.hop + frontend.window / 2) / RATE
    for mask, inside in zip(halves, (middle < 0.75, middle >= 0.75), strict=True):
        well = np.abs(middle - 0.75) > 0.02
        ends = (frames * frontend.hop + frontend.window) < len(WAVE)
        np.testing.assert_array_equal(mask[well & ends], np.tile(inside[well & ends, None], 64))
    bands = owned(Components.in_bands(WAVE, frontend, 2), frontend)
    assert bands[0, 5:100, :30].mean() > 0.97 and bands[1, 5:100, 34:].mean() > 0.97
    assert not (bands[0] & bands[1]).any()


@pytest.mark.slow
def test_ten_parts_stay_below_a_megabyte(model):
    wave = (0.1 * RNG.normal(size=80_000)).astype("float32")
    page = mixer(Components.in_time(wave, MOST, fade=800), model, "dark").html()
    assert len(page) < 1e6
    assert len(data_of(page)["scores"]) == 1024


@pytest.mark.parametrize(
    "parts, message",
    [
        (Components.in_time(WAVE, MOST + 1), "11 parts"),
        (Components(np.ones((4, 4)), np.ones((1, 4, 4)), ("cells",)), "parts of a patch"),
        (WAVE, "takes parts of a sound, and this is ndarray"),
    ],
)
def test_what_cannot_be_mixed_is_refused(model, parts, message):
    with pytest.raises(XaiAudioError, match=message):
        mixer(parts, model)


def test_what_is_too_short_is_not_cut(model):
    assert cut(WAVE[:1], model.frontend, "time", patches=1) is None
    assert len(cut(WAVE[:5], model.frontend, "time", patches=1)) == 5


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("node") is None, reason="no node to read JavaScript with")
def test_the_script_is_javascript():
    script = files("xaiaudio.pages").joinpath("mixer.js")
    done = subprocess.run(["node", "--check", str(script)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_long_sounds_and_rates_that_browsers_do_not_play_have_no_mixer():
    frontend = xa.LogMel.vggish()
    assert cut(np.zeros(61 * 16_000), frontend, "time", 100) is None
    assert len(cut(np.zeros(59 * 16_000), frontend, "time", 120)) == 2
    slow = xa.LogMel(sample_rate=4000, fmax=2000.0)
    assert cut(np.zeros(8000), slow, "time", 2) is None
    with pytest.raises(xa.XaiAudioError, match="choose one of"):
        cut(np.zeros(8000), frontend, "words", 2)


def test_parts_are_named_after_their_place():
    frontend = xa.LogMel.vggish()
    wave = np.random.default_rng(0).normal(0, 0.1, 32_000)
    assert cut(wave, frontend, "time", 1).names[:2] == ("0.0 to 0.4 s", "0.4 to 0.8 s")
    bands = cut(wave, frontend, "bands", 1)
    for part, name in zip(bands.parts, bands.names, strict=True):
        low, high = (float(number) for number in name[:-3].split(" to "))
        spectrum = np.square(np.abs(np.fft.rfft(part)))
        hertz = np.fft.rfftfreq(len(part), 1 / 16_000)
        inside = (hertz > 0.9 * low - 40) & (hertz < 1.1 * high + 40)
        if low > 125 and high < 7500:  # the outer bands take what lies beyond them
            assert spectrum[inside].sum() > 0.75 * spectrum.sum()
