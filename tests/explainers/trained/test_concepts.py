"""A whole sound by its components: their masks, their sounds, and what each adds."""

import numpy as np
import pytest
from heard_tones import FRONTEND

import xaiaudio as xa
from xaiaudio.explainers.trained import l2i
from xaiaudio.explainers.trained.concepts import atom, interpret, removal


@pytest.mark.slow
def test_a_whole_sound_by_its_components(listener, interpreter, wave):
    heard = interpret(interpreter, listener, wave)
    assert heard.target_label == "low" and heard.activations.shape == (61, 8)
    patches = FRONTEND(wave, overlap=0.5)
    active = l2i.answers_of(listener, patches.values, interpreter.options, interpreter.weights)[0]
    for frame in (0, 20, 60):
        places = [
            (n, frame - start)
            for n, start in enumerate(patches.starts)
            if start <= frame < start + 16
        ]
        places = places or [(len(patches) - 1, 15)]
        mean = np.mean([active[place] for place in places], axis=0)
        np.testing.assert_allclose(heard.activations[frame], mean, rtol=1e-4, atol=1e-5)


@pytest.mark.slow
def test_masks_sum_to_1_whatever_the_columns_lengths(listener, interpreter, wave):
    import dataclasses

    heard = interpret(interpreter, listener, wave)
    masks = np.stack([heard.mask([number]) for number in range(8)])
    whole = heard.activations @ heard.dictionary.T
    np.testing.assert_allclose(masks.sum(axis=0)[whole > 0.1], 1, atol=1e-4)
    lengths = np.linspace(0.5, 2, 8).astype("float32")
    scaled = dataclasses.replace(
        heard, dictionary=heard.dictionary * lengths, activations=heard.activations / lengths
    )
    np.testing.assert_allclose(scaled.mask([2, 3]), heard.mask([2, 3]), atol=1e-4)


@pytest.mark.slow
def test_sounds_of_components_sum_to_the_sound(listener, interpreter, wave):
    heard = interpret(interpreter, listener, wave)
    kept, rest = [1, 4], [0, 2, 3, 5, 6, 7]
    both = heard.sound(kept) + heard.sound(rest)
    loud = np.abs(wave) > 0.05
    assert np.abs(both - wave)[loud].max() < 0.05
    assert not heard.sound([]).any()
    parts = heard.parts([1, 4])
    assert parts.names == ("component 1", "component 4")
    np.testing.assert_array_equal(parts.mix([1, 1]), wave)  # with all on, bit for bit
    np.testing.assert_allclose(wave - parts.mix([0, 0]), heard.sound(kept), atol=1e-5)


def test_the_authors_mask_works_on_the_logarithm(listener, interpreter, wave):
    from xaiaudio.stft import analyse, rows_of, synthesise

    heard = interpret(interpreter, listener, wave)
    spectrum = analyse(wave, FRONTEND)
    mask = heard.mask([1, 4])[rows_of(len(wave), 61, FRONTEND)]
    heights = (1 + np.abs(spectrum)) ** mask - 1
    expected = synthesise(heights * np.exp(1j * np.angle(spectrum)), len(wave), FRONTEND)
    np.testing.assert_allclose(heard.sound([1, 4], logarithmic=True), expected, atol=1e-5)


def test_an_interpretation_without_components(listener, interpreter, wave):
    import dataclasses

    heard = interpret(interpreter, listener, wave)
    logit = heard.contributions.sum()
    voted = l2i.predict(interpreter, listener, FRONTEND(wave, overlap=0.5).values)
    assert logit == pytest.approx(voted[:, heard.target].mean(), abs=1e-3)
    nothing = dataclasses.replace(heard, relevant=np.array([], int))
    assert not nothing.sound(nothing.relevant).any()
    with pytest.raises(xa.XaiAudioError, match="No component speaks for low"):
        nothing.parts()
    with pytest.raises(xa.XaiAudioError, match="occlusion has no dictionary"):
        interpret(xa.Explainer("occlusion"), listener, wave)


@pytest.mark.parametrize(
    "numbers, message",
    [
        ([1, 8], "no component 8: their numbers are 0 to 7"),
        ([-1], "no component -1"),
        ([1.7], "no numbers of components"),
        ([[1, 2]], "no numbers of components"),
    ],
)
def test_components_that_there_are_not(listener, interpreter, wave, numbers, message):
    with pytest.raises(xa.XaiAudioError, match=message):
        interpret(interpreter, listener, wave).parts(numbers)


def test_components_can_be_checked_as_parts(listener, interpreter, wave):
    heard = interpret(interpreter, listener, wave)
    result = heard.explanation(listener, [1, 4], overlap=0.5)
    np.testing.assert_allclose(result.weights, heard.contributions[[1, 4]])
    assert result.target_label == "low" and list(result.check())[:2] == ["original", "kept"]
    assert result.check()["original"].label == "low"
    assert [row["part"] for row in result.table()] == ["component 1", "component 4"]


def test_removal_is_what_the_network_loses(listener, interpreter, wave):
    heard = interpret(interpreter, listener, wave)
    assert removal(listener, heard, []) == (0, 0)
    logit, chance = removal(listener, heard, range(8))  # nothing but rounding is left
    patches = FRONTEND(wave, overlap=0.5)
    rest = FRONTEND(wave - heard.sound(range(8)), overlap=0.5)
    for found, ask in ((logit, listener.logits), (chance, listener.scores)):
        fall = ask(patches)[:, 2].mean() - ask(rest)[:, 2].mean()
        assert found == pytest.approx(fall, abs=1e-3)


def test_a_spectrum_as_a_sound():
    columns = np.zeros((129, 2), "float32")
    columns[40:44, 0] = 1
    sound = atom(columns, 0, FRONTEND, seconds=0.5)
    assert sound.shape == (4_000,) and np.abs(sound).max() == pytest.approx(0.5)
    power = np.abs(np.fft.rfft(sound)) ** 2
    hertz = np.fft.rfftfreq(4_000, 1 / 8_000)
    inside = (hertz > 38 * 31.25) & (hertz < 46 * 31.25)
    assert power[inside].sum() > 0.95 * power.sum()
    assert not atom(columns, 1, FRONTEND).any()


def test_one_component_may_be_named_by_a_class_of_ones_own(listener, interpreter, wave):
    low, high = (interpret(interpreter, listener, wave, label) for label in ("low", "high"))
    assert (low.target_label, high.target_label) == ("low", "high")
    np.testing.assert_array_equal(low.activations, high.activations)
    for heard in (low, high):
        largest = np.abs(heard.contributions).max()
        np.testing.assert_allclose(heard.relevance, heard.contributions / largest, rtol=1e-4)
        assert (np.diff(heard.relevance[heard.relevant]) <= 0).all()
