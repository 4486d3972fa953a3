"""SLIME by its definition: segments off in the patch, or out of the samples."""

import itertools

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from small_networks import additive, random_patches
from sound_functions import linear, sounds

import xaiaudio as xa
from xaiaudio import LogMel, XaiAudioError, explain
from xaiaudio.explainers.engines import remixes
from xaiaudio.explainers.slime import Options
from xaiaudio.stft import analyse, rows_of, synthesise, to_stft

SHAPE = (24, 16)


def edges(length, count):
    """First and last-plus-one of each of `count` parts, in plain numbers."""
    numbers = [place * count // length for place in range(length)]
    return [(numbers.index(k), length - numbers[::-1].index(k)) for k in range(count)]


def boxes(kind, shape=SHAPE, *, times=10, bands=8, grid=(6, 4)):
    """Segments as boxes (top, bottom, left, right), time by time and along the bands first."""
    rows, columns = {"time": (times, 1), "frequency": (1, bands), "grid": grid}[kind]
    return [(*row, *column) for row in edges(shape[0], rows) for column in edges(shape[1], columns)]


def by_definition(ask, inputs_of, count, seed=None):
    """The surrogate's weights from all coalitions, fitted by scikit-learn."""
    present = np.array(list(itertools.product([1, 0], repeat=count)))
    answers = ask(np.stack([inputs_of(row) for row in present]))
    distance = 1 - np.sqrt(present.mean(axis=1))
    closeness = np.exp(-(distance**2) / (2 * 0.25**2))
    return Ridge(alpha=1).fit(present, answers, sample_weight=closeness).coef_


OPTIONS = {"times": 6, "bands": 5, "grid": (3, 2)}


@pytest.mark.parametrize("kind, count", [("time", 6), ("frequency", 5), ("grid", 6)])
@pytest.mark.parametrize("fill", ["mean", "silence"])
def test_weights_in_the_patch(small, kind, count, fill):
    patch = random_patches(1, SHAPE)[0]
    places = boxes(kind, **OPTIONS)
    assert len(places) == count
    filled = {"mean": patch.mean(), "silence": np.log(0.01)}[fill]

    def without(row):
        made = patch.copy()
        for on, (top, bottom, left, right) in zip(row, places, strict=True):
            if not on:
                made[top:bottom, left:right] = filled
        return made

    weights = by_definition(lambda made: small.logits(made)[:, 1], without, count)
    samples = 2**count
    found = explain(
        small, patch, "dog", "slime", segments=kind, fill=fill, samples=samples, **OPTIONS
    )
    for weight, (top, bottom, left, right) in zip(weights, places, strict=True):
        np.testing.assert_allclose(found.maps[0, top:bottom, left:right], weight, atol=2e-5)
    assert np.abs(weights).max() > 1e-3
    assert found.report["rows"] == samples


def test_the_papers_segments_are_the_default():
    found = Options()
    assert (found.times, found.bands, found.grid) == (10, 8, (6, 4))
    assert Options(segments="time").surrogate.grid == (10, 1)
    assert Options(segments="frequency").surrogate.grid == (1, 8)
    assert found.surrogate.fill == "mean" and found.surrogate.grid == (6, 4)


@pytest.mark.slow
def test_an_additive_network_gives_what_each_segment_adds():
    classifier, weights = additive((96, 64))
    patch = random_patches(1, (96, 64))[0]
    for kind in ("time", "frequency", "grid"):
        found = explain(
            classifier, patch, "cat", "slime", segments=kind, samples=1024, fill=0.0
        ).maps[0]
        places = boxes(kind, (96, 64))
        assert len(places) == {"time": 10, "frequency": 8, "grid": 24}[kind]
        gains = weights[..., 0] * patch
        for top, bottom, left, right in places:
            gain = gains[top:bottom, left:right].sum(dtype=float)
            assert found[top, left] == pytest.approx(gain, rel=0.05, abs=0.5)


def without(wave, row, places, frontend):
    """Take segments out of samples by their Fourier transform, one after the other."""
    spectrum = analyse(wave, frontend)
    left = wave.astype(float)
    for on, (top, bottom, low, high) in zip(row, places, strict=True):
        if not on:
            inside = np.zeros((frontend.frames, frontend.bands))
            inside[top:bottom, low:high] = 1
            bins = to_stft(inside, frontend)[rows_of(len(wave), frontend.frames, frontend)]
            left -= synthesise(spectrum * bins, len(wave), frontend)
    return left


@pytest.mark.slow
@pytest.mark.parametrize("kind, count", [("time", 6), ("frequency", 5), ("grid", 6)])
def test_weights_in_the_sound(kind, count):
    model = xa.load_model("lite")
    wave = np.random.default_rng(0).normal(0, 0.1, 16_000).astype("float32")
    wave[6_000:] *= 0.2
    patches = model.frontend(wave, sounds=True)
    places = boxes(kind, (96, 64), **OPTIONS)

    def ask(made):
        return model.logits(np.concatenate([model.frontend(one) for one in made]))[:, 2]

    samples = patches.waves[0]
    weights = by_definition(ask, lambda row: without(samples, row, places, model.frontend), count)
    found = explain(
        model, patches, 2, "slime", segments=kind, domain="sound", samples=2**count, **OPTIONS
    )
    for weight, (top, bottom, left, right) in zip(weights, places, strict=True):
        np.testing.assert_allclose(found.maps[0, top:bottom, left:right], weight, atol=1e-3)
    assert np.abs(weights).max() > 0.02


@pytest.mark.slow
def test_several_sounds_and_classes_at_once_are_as_alone():
    model = xa.load_model("lite")
    wave = np.random.default_rng(1).normal(0, 0.1, 33_000).astype("float32")
    patches = model.frontend(wave, overlap=0, sounds=True)
    options = {"method": "slime", "domain": "sound", "samples": 40}
    found = xa.explain_classes(model, patches, [0, 3], **options)
    assert len(patches) == 2
    for number, target in itertools.product(range(2), (0, 3)):
        alone = explain(model, patches[number], target, **options)
        together = found[model.labels[target]]
        np.testing.assert_allclose(together.maps[number], alone.maps[0], atol=1e-4)
        assert together.report["r2"][number] == pytest.approx(alone.report["r2"][0], abs=1e-4)


@pytest.mark.slow
def test_a_network_of_sounds_is_asked_for_its_samples():
    """<d, part> is what a part adds to a linear answer, whatever the others do."""
    waves = sounds(2)
    classifier = linear(waves[0], 0 * waves[0])
    patches = classifier.frontend(waves[1])
    options = {"segments": "time", "times": 4, "domain": "sound", "output": "logits"}
    found = explain(classifier, patches, 0, "slime", samples=4000, **options)
    frontend = classifier.frontend
    places = boxes("time", patches.shape[1:], times=4)
    for place, (top, *_) in enumerate(places):
        row = [other != place for other in range(4)]
        part = patches.waves[0] - without(patches.waves[0], row, places, frontend)
        assert found.maps[0, top] == pytest.approx(waves[0] @ part, rel=0.02, abs=0.02)


@pytest.mark.slow
def test_the_whole_sound_is_the_first_question_to_the_last_bit():
    model = xa.load_model("lite")
    wave = np.random.default_rng(2).normal(0, 0.1, 16_000).astype("float32")
    patches = model.frontend(wave, sounds=True)
    pictures = model.frontend.pictures(patches.waves)
    asked, original = [], remixes.pictures

    def spy(*arguments):
        asked.append(original(*arguments))
        return asked[-1]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(remixes, "pictures", spy)
        explain(model, patches, 0, "slime", domain="sound", samples=30)
    np.testing.assert_array_equal(asked[0][0], pictures[0])
    np.testing.assert_allclose(pictures, patches.values, atol=1e-5)


@pytest.mark.slow
def test_a_front_end_that_begins_before_the_sound():
    """With `centred` windows the samples of a patch begin before it; the cells stay its own."""
    frontend = LogMel.librosa(
        sample_rate=16_000, fft=512, hop=160, frames=24, bands=16, ref=1.0, top_db=None
    )
    classifier, _ = additive((24, 16))
    classifier = xa.AudioClassifier.from_keras(classifier.network, classifier.labels, frontend)
    wave = 0.0001 * np.random.default_rng(0).normal(size=16_000)
    start = 30 * 160
    wave[start : start + 8 * 160] += 0.5 * np.sin(np.arange(8 * 160) / 3)
    patches = frontend(wave, sounds=True)[1]
    first = int(patches.starts[0])
    found = explain(classifier, patches, 0, "slime", segments="time", domain="sound", times=3)
    weights = [abs(found.maps[0, frame, 0]) for frame in (4, 12, 20)]
    assert first == 24 and np.argmax(weights) == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, message",
    [
        ({"segments": "superpixels"}, "segments is 'superpixels'"),
        ({"domain": "frequency"}, "domain is 'frequency'"),
        ({"times": 0}, "times is 0"),
        ({"bands": 2.5}, "bands is 2.5"),
        ({"grid": 4}, "grid is 4"),
        ({"samples": 1}, "samples is 1"),
        ({"draws": "alphabetical"}, "draws is 'alphabetical'"),
        ({"fill": "mean", "domain": "sound"}, "taken out of a sound leaves silence"),
        ({"fill": np.zeros(16), "domain": "sound"}, "taken out of a sound leaves silence"),
        ({"domain": "sound"}, r"frontend\(wave, sounds=True\)"),
        ({"segments": "time", "times": 25}, "cannot be cut into a grid"),
    ],
)
def test_wrong_options(small, patches, options, message):
    with pytest.raises(XaiAudioError, match=message):
        explain(small, patches, method="slime", **options)


def test_patches_that_are_no_pictures_of_their_samples():
    frontend = LogMel.librosa(sample_rate=16_000, fft=512, hop=160, frames=24, bands=16, ref="max")
    classifier, _ = additive((24, 16))
    classifier = xa.AudioClassifier.from_keras(classifier.network, classifier.labels, frontend)
    wave = np.random.default_rng(0).normal(0, 0.1, 16_000)
    wave[8_000:] *= 0.01
    patches = frontend(wave, sounds=True)
    with pytest.raises(XaiAudioError, match="more of the sound than their own samples"):
        explain(classifier, patches, 0, "slime", domain="sound")
