"""Under each sound stands what the network says of that very sound."""

import html
import re

import keras
import numpy as np
import pytest
from heard_maps import RATE, tone

import xaiaudio as xa
from xaiaudio import sonify
from xaiaudio.errors import XaiAudioError

FRONTEND = xa.LogMel(frames=12, bands=8)
LABELS = ["low", "<b>high</b>", "c"]


def classifier(activation, bias=(0.0, 0.0, 0.0), labels=LABELS):
    """Hear "low" where the lower half of the bands is the louder one, else the second class."""
    patch = keras.Input((12, 8))
    flat = keras.layers.Flatten()(patch)
    layer = keras.layers.Dense(3, activation=activation)
    network = keras.Model(patch, layer(flat))
    side = np.tile(np.repeat([0.1, -0.1], 4), 12)
    layer.set_weights([np.stack([side, -side, 0 * side], 1), np.array(bias)])
    return xa.AudioClassifier.from_keras(network, labels, FRONTEND)


@pytest.fixture(scope="module")
def one():
    return classifier("softmax")


@pytest.fixture(scope="module")
def several():
    return classifier("sigmoid", bias=(0, 0, -3))


SOUNDS = {"deep": 0.3 * tone(150, 1.0), "shrill": 0.3 * tone(6000, 1.0)}


def captions(shown):
    """What stands under the players of a page, as a reader sees it."""
    found = re.findall("<figcaption>(.*?)</figcaption>", shown._repr_html_())
    return [html.unescape(text) for text in found]


def test_under_each_sound_stands_the_answer_to_that_sound(one):
    shown = sonify.answered(one, SOUNDS)
    assert list(shown.answers) == list(SOUNDS)
    for caption, (name, wave) in zip(captions(shown), SOUNDS.items(), strict=True):
        said = one.predict_clip(wave)
        chance = said.patch_scores.mean(axis=0)[LABELS.index(said.label)]
        assert caption == f"{name}. The network hears {said.label} (probability {chance:.0%})."
    assert shown.answers["deep"].label == "low" != shown.answers["shrill"].label


def test_without_a_class_that_it_is_to_be_nothing_is_said_of_one(one):
    assert not any(", not" in text for text in sonify.answered(one, SOUNDS).captions().values())


def test_where_another_class_is_heard_the_caption_says_so(one):
    deep, shrill = captions(sonify.answered(one, SOUNDS, "low"))
    assert ", not" not in deep and ", not low (" in shrill
    deep, shrill = captions(sonify.answered(one, SOUNDS, {"deep": "c"}))
    assert ", not c (" in deep and ", not" not in shrill
    both = sonify.answered(one, SOUNDS, LABELS[:2])
    assert [answer.kept for answer in both.answers.values()] == [True, True]


def test_class_names_and_captions_cannot_break_out_of_the_page(one):
    page = sonify.answered(one, {"<i>shrill</i>": SOUNDS["shrill"]})._repr_html_()
    assert "<b>" not in page and "<i>" not in page
    assert html.escape("<b>high</b>") in page and html.escape("<i>shrill</i>") in page
    folded = sonify.answered(one, {"x": SOUNDS["shrill"]}, folded=True)._repr_html_()
    assert "<b>" not in folded and html.escape("<b>high</b>") in folded


def test_a_folded_answer_is_not_in_sight(one):
    page = sonify.answered(one, SOUNDS, folded=True)._repr_html_()
    open_to_all = re.sub("<details>.*?</details>", "", page)
    assert page.count("The network hears") == 2 and "The network hears" not in open_to_all
    assert page.count("<summary>What does the network hear?</summary>") == 2


def test_short_sounds_are_lengthened_for_the_network_and_played_as_they_are(one):
    short = SOUNDS["deep"][:400]
    shown = sonify.answered(one, {"short": short})
    padded = np.pad(short, (0, one.frontend.min_samples - len(short)))
    assert shown.answers["short"].probability == pytest.approx(
        float(one.scores(one.frontend(padded)).max()), abs=1e-5
    )
    assert len(shown.sounds["short"]) == 400


def test_a_silent_sound_is_silent_for_either_network(one, several):
    for model in (one, several):
        shown = sonify.answered(model, {"nothing": np.zeros(8000)}, "low")
        assert shown.captions() == {"nothing": "nothing. It is silent."}
        assert shown.answers["nothing"].label == "silence" and not shown.answers["nothing"].kept


def test_of_several_classes_all_that_are_heard_are_named(several):
    loud = np.concatenate([SOUNDS["deep"], SOUNDS["shrill"]])
    answer = sonify.answered(several, {"scene": loud}).answers["scene"]
    scores = several.scores(several.frontend(loud))
    best = {label: float(scores[:, n].max()) for n, label in enumerate(LABELS)}
    assert answer.heard == 2 and dict(answer.probable) == pytest.approx(
        {label: best[label] for label in LABELS[:2]}
    )
    assert scores[:, 0].mean() < best["low"] - 0.05  # a mean would say another number
    assert list(dict(answer.probable).values()) == sorted(best.values(), reverse=True)[:2]


def test_one_class_heard_for_certain_does_not_make_a_softmax_of_sigmoids():
    """Their sum is then 1, as that of a softmax is."""
    certain = classifier("sigmoid", bias=(30, -30, -30))
    deep = SOUNDS["deep"] * 1e-3
    assert certain.scores(certain.frontend(deep)).sum(axis=1) == pytest.approx(1, abs=1e-3)
    answer = sonify.answered(certain, {"deep": deep}).answers["deep"]
    assert answer.heard == 1 and str(answer) == "The network hears low (100%)."


@pytest.mark.parametrize(("outputs", "heard"), [("sigmoid", 2), ("logits", None)])
def test_a_function_of_samples_is_known_by_its_logits(outputs, heard):
    def function(waves):
        return np.tile([3.0, 2.0, -4.0], (len(waves), 1)).astype("f4")

    model = xa.AudioClassifier.from_function(
        function, LABELS, sample_rate=RATE, seconds=0.5, outputs=outputs
    )
    answer = sonify.answered(model, SOUNDS).answers["deep"]
    assert getattr(answer, "heard", None) == heard and answer.label == "low"


def test_where_no_class_is_heard_the_two_most_probable_are_named(several):
    answer = sonify.answered(several, SOUNDS, "c", threshold=0.9999).answers["deep"]
    assert answer.heard == 0 and len(answer.probable) == 2 and answer.label == "low"
    text = str(answer)
    assert text.startswith("The network hears none of its classes; the most probable are low (")
    assert text.endswith("%).") and not answer.kept


def test_of_several_classes_one_that_is_not_heard_is_said_so(several):
    shown = sonify.answered(several, {"deep": SOUNDS["deep"]}, "c")
    assert ", not c (" in shown.captions()["deep"] and not shown.answers["deep"].kept
    assert sonify.answered(several, {"deep": SOUNDS["deep"]}, "low").answers["deep"].kept


def test_the_network_can_be_asked_about_something_else_than_is_played(one):
    pair = {"left": SOUNDS["shrill"]}
    shown = sonify.answered(one, SOUNDS | pair, heard={"left": SOUNDS["deep"]}, whole="the two")
    texts = shown.captions()
    assert texts["left"].startswith("left. Asked about the two, the network hears low (")
    assert texts["deep"].startswith("deep. The network hears low (")
    assert shown.answers["left"].label == "low"
    assert np.array_equal(shown.sounds["left"], SOUNDS["shrill"])


def test_a_name_that_ends_a_sentence_gets_no_second_full_stop(one):
    shown = sonify.answered(one, {"Is it deep?": SOUNDS["deep"]})
    assert shown.captions()["Is it deep?"].startswith("Is it deep? The network hears")


@pytest.mark.parametrize("strange", [{"targets": {"depe": "low"}}, {"heard": {"depe": [0.0]}}])
def test_a_sound_that_is_not_there_is_refused(one, strange):
    with pytest.raises(XaiAudioError, match="'depe'.*deep, shrill"):
        sonify.answered(one, SOUNDS, **strange)


def test_an_unknown_class_is_refused(one):
    with pytest.raises(XaiAudioError, match="cat"):
        sonify.answered(one, SOUNDS, "cat")


def test_sounds_are_played_at_the_rate_of_the_front_end(one):
    assert sonify.answered(one, SOUNDS).sample_rate == one.frontend.sample_rate == RATE
