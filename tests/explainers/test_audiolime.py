"""audioLIME against its definition, written once more with loops and dense algebra."""

import numpy as np
import pytest
from small_networks import classifier_of, convolutional
from sound_functions import RATE as SOUND_RATE
from sound_functions import linear, sounds

import xaiaudio as xa
from xaiaudio import LogMel
from xaiaudio.explainers import audiolime, lime
from xaiaudio.explainers.engines import designs
from xaiaudio.explainers.engines.components import Components
from xaiaudio.models.hearing import hear

SHAPE = (20, 16)


@pytest.fixture(scope="module")
def model():
    return classifier_of(convolutional(SHAPE))


@pytest.fixture(scope="module")
def wave():
    """A hum, with a few knocks."""
    rng = np.random.default_rng(0)
    sound = 0.1 * np.sin(np.arange(12_000) / 4) + rng.normal(0, 0.01, 12_000)
    sound[2_000::3_000] += 0.8
    return sound.astype("float32")


@pytest.fixture(scope="module")
def patches(model, wave):
    return model.frontend(wave, overlap=0, sounds=True)


def magnitudes(sound, frontend):
    return np.exp(frontend.spectrogram(sound).astype(float)) - frontend.offset


@pytest.mark.slow
@pytest.mark.parametrize("sources", audiolime.SOURCES)
def test_maps_against_the_definition(model, patches, sources):
    options = {"sources": sources, "segments": 2, "samples": 9, "count": 2, "seed": 3}
    target = 1
    found = xa.explain(model, patches, target, "audiolime", **options)
    assert found.unit == "logit" and len(found) == len(patches)
    for number in range(len(patches)):
        sound = patches.waves[number]
        whole = (
            Components.harmonic_percussive(sound)
            if sources == "harmonic-percussive"
            else Components.nmf(sound, model.frontend, 2, seed=3)
        )
        half = len(sound) // 2
        parts = []
        for time in (slice(0, half), slice(half, None)):
            for part in whole.parts:
                alone = np.zeros_like(sound)
                alone[time] = part[time]
                parts.append(alone)
        rest = sound - sum(parts)
        rows = designs.draw(4, 9, 3).present
        answers = []
        for row in rows:
            remix = rest + sum(on * part for on, part in zip(row, parts, strict=True))
            answers.append(model.logits(model.frontend(remix.astype("float32")))[0, target])
        # The ridge by its normal equations, the intercept free.
        close = np.exp(-8 * (1 - np.sqrt(rows.mean(axis=1))) ** 2)
        ones = np.column_stack([np.ones(len(rows)), rows])
        penalty = np.diag([0, 1, 1, 1, 1])
        weights = np.linalg.solve(
            ones.T @ (close[:, None] * ones) + penalty, ones.T @ (close * answers)
        )[1:]
        cells = [magnitudes(part, model.frontend) for part in [*parts, rest]]
        expected = sum(w * c for w, c in zip(weights, cells[:-1], strict=True)) / sum(cells)
        scale = np.abs(weights).max()
        np.testing.assert_allclose(found.maps[number], expected, atol=0.01 * scale)


@pytest.mark.slow
def test_the_report_says_how_the_weights_were_found(model, patches):
    found = xa.explain(model, patches, 0, "audiolime", samples=12)
    assert (found.report["samples"] == 12).all()
    assert {"rows", "kernel_width", "alpha", "r2", "stability", "residual"} <= set(found.report)
    assert ((found.report["residual"] >= 0) & (found.report["residual"] < 1e-6)).all()


@pytest.mark.slow
def test_two_calls_agree_and_few_parts_leave_nothing_to_chance(model, patches):
    exact = [
        xa.explain(model, patches, 0, "audiolime", segments=2, seed=seed).maps for seed in (0, 1)
    ]
    np.testing.assert_array_equal(*exact)
    drawn = [
        xa.explain(model, patches, 0, "audiolime", samples=12, seed=seed).maps for seed in (4, 4, 5)
    ]
    np.testing.assert_array_equal(drawn[0], drawn[1])
    assert np.abs(drawn[0] - drawn[2]).max() > 0


@pytest.mark.slow
def test_several_classes_from_the_same_remixes(model, patches):
    every = xa.explain_classes(model, patches, [0, 2], "audiolime", samples=12)
    for label, one in every.items():
        alone = xa.explain(model, patches, label, "audiolime", samples=12)
        np.testing.assert_allclose(one.maps, alone.maps, atol=1e-6)


@pytest.mark.slow
def test_silence_has_an_empty_map(model):
    patches = model.frontend(np.zeros(12_000, "float32"), sounds=True)
    with pytest.warns(xa.XaiAudioWarning):
        assert not xa.explain(model, patches, 0, "audiolime", samples=12).maps.any()


@pytest.mark.slow
def test_nothing_lies_on_padding(model, wave):
    padded = model.frontend(wave[2_000:3_500], pad=True, sounds=True)
    found = xa.explain(model, padded, 0, "audiolime", samples=12)
    assert padded.padding.any() and not found.maps[padded.padding].any()
    assert found.maps[~padded.padding].any()


@pytest.mark.slow
def test_of_a_linear_function_of_sounds_the_weights_are_what_the_parts_add():
    direction = np.random.default_rng(1).normal(size=(2, SOUND_RATE))
    model, wave = linear(*direction), sounds(1)[0]
    found = xa.explain(model, model.frontend(wave), 0, "audiolime", segments=3, samples=64)
    parts = Components.harmonic_percussive(wave).times(3)
    added = parts.parts.astype(float) @ direction[0]
    # LIME's penalty draws all weights towards 0, the more, the fewer rows there are.
    shares = audiolime.shares(parts, model.frontend)
    whole = np.tensordot(added, shares, 1)
    assert np.corrcoef(found.maps[0].ravel(), whole.ravel())[0, 1] > 0.99


def test_each_cell_is_shared_out_between_the_parts(model, patches):
    sound = patches.waves[0]
    half = Components.of_sources(sound, [0.5 * sound, 0.25 * sound])
    shares = audiolime.shares(half, model.frontend)
    np.testing.assert_allclose(shares[0], 0.5, atol=1e-5)
    np.testing.assert_allclose(shares[1], 0.25, atol=1e-5)


@pytest.mark.slow
def test_whole_sounds_by_their_sources(model, wave):
    stems = {"hum": 0.5 * wave, "rest": 0.25 * wave}
    found = audiolime.explain_sources(model, wave, 1, stems, segments=3, samples=64, seed=2)
    expected = xa.explain_parts(
        model, Components.of_sources(wave, stems).times(3), 1, samples=64, seed=2
    )
    np.testing.assert_array_equal(found.weights, expected.weights)
    assert found.components.names[:3] == ("hum, time 1", "rest, time 1", "hum, time 2")
    # Without cutting, and with a separator.
    plain = audiolime.explain_sources(model, wave, 1, lambda sound: [sound / 2], segments=1)
    assert plain.components.names == ("source 1",)
    ask = hear(model, np.stack([wave, wave / 2]), output="logits")[:, 1]
    assert np.sign(plain.weights[0]) == np.sign(ask[0] - ask[1])
    named = audiolime.explain_sources(model, wave, 1, "nmf", count=2, segments=2, samples=16)
    assert len(named.components) == 4
    # By default one stretch a second: this sound is shorter.
    assert len(audiolime.explain_sources(model, wave, 1).components) == 2


@pytest.mark.parametrize(
    "options, message",
    [
        ({"sources": "stems"}, "sources is 'stems'"),
        ({"segments": 0}, "segments is 0"),
        ({"count": 1.5}, "count is 1.5"),
        ({"samples": 1}, "samples is 1"),
        ({"output": "loss"}, "output is 'loss'"),
    ],
)
def test_wrong_options_are_refused(options, message):
    with pytest.raises(xa.XaiAudioError, match=message):
        xa.Explainer("audiolime", **options)


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, message",
    [
        ({"segments": 0}, "segments is 0"),
        ({"segments": 2, "fade": 5}, "fade is 5: it must be a number of seconds from 0 to"),
        ({"fade": np.nan}, "fade is nan"),
        ({"fade": "soft"}, "fade is 'soft'"),
        ({"sources": "nmf", "seed": -1}, "seed is -1"),
    ],
)
def test_of_whole_sounds_what_is_wrong_is_named_as_it_was_given(model, wave, options, message):
    with pytest.raises(xa.XaiAudioError, match=message):
        audiolime.explain_sources(model, wave, **options)


def test_patches_without_their_sounds_are_refused(model, patches):
    with pytest.raises(xa.XaiAudioError, match=r"model.frontend\(wave, sounds=True\)"):
        xa.explain(model, patches.values, 0, "audiolime")


@pytest.mark.slow
def test_a_front_end_that_compares_with_the_whole_sound_is_refused(wave):
    frontend = LogMel(
        frames=SHAPE[0], bands=SHAPE[1], decibels=True, ref="max", power=2, top_db=80.0
    )
    labels = ["cat", "dog", "rain"]
    model = xa.AudioClassifier.from_keras(convolutional(SHAPE), labels, frontend)
    fading = wave * np.linspace(1, 0.01, len(wave), dtype="float32")
    with pytest.raises(xa.XaiAudioError, match="explain_sources"):
        xa.explain(model, frontend(fading, sounds=True), 0, "audiolime")


def test_its_options_become_limes():
    options = audiolime.Options(samples=20, seed=3, kernel_width=0.5, draws="independent")
    assert options.fitting == lime.Options(
        samples=20, seed=3, kernel_width=0.5, draws="independent"
    )
