"""The page of a clip on which several classes can be heard at once."""

import dataclasses
import html
import re

import keras
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.explainers.answers import listed
from xaiaudio.models.tags import ClipTags
from xaiaudio.pages import tag_table
from xaiaudio.pages.clip import explain_clip
from xaiaudio.pages.outputs import Outputs
from xaiaudio.pages.summary import line_of
from xaiaudio.unheard import Unheard

FRONTEND = xa.LogMel(frames=12, bands=8)
WAVE = np.random.default_rng(0).normal(0, 0.1, 4000).astype("float32")
LABELS = ("<i>Hum", "Rain", "Bell", "Knock")


@pytest.fixture(scope="module")
def several():
    """A network of sigmoids, the first three of which are above one half on noise."""
    patch = keras.Input((12, 8, 1))
    pooled = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(4, 3)(patch))
    last = keras.layers.Dense(4, activation="sigmoid")
    network = keras.Model(patch, last(pooled))
    random = np.random.default_rng(0)
    last.set_weights([random.normal(0, 0.1, (4, 4)), np.array([3.0, 2.0, 1.0, -3.0])])
    return xa.AudioClassifier.from_keras(network, LABELS, FRONTEND, name="several")


@pytest.mark.slow
def test_the_surest_classes_are_explained_each_under_its_name(several, tmp_path):
    clip = explain_clip(several, WAVE, "noise", methods=["occlusion"], top=2)
    tags = several.tag_clip(WAVE, overlap=0.5)
    assert clip.targets == tuple(tag.label for tag in tags[:2])
    for one, label in zip((clip, *clip.others), clip.targets, strict=True):
        assert set(one.parts[0].result.target_labels) == {label}
        again = xa.explain(several, several.frontend(WAVE, overlap=0.5), label, "occlusion")
        np.testing.assert_array_equal(one.parts[0].result.maps, again.maps)
    page = re.sub('base64,[^"]+', "", clip.html())  # in which any word may stand by chance
    for number, label in enumerate(clip.targets):
        name = html.escape(label)
        assert f'<a href="#class-{number}">{name}</a>' in page
        assert f'id="class-{number}"><h2>{name}</h2>' in page
    assert "<i>Hum" not in page and "Share of the patches" not in page and "vote" not in page
    written = [path.name for path in clip.write(tmp_path, "noise")]
    assert {f"noise{more}-occlusion.npz" for more in ("", "--rain")} <= set(written)
    second = xa.Explanation.load(tmp_path / "noise--rain-occlusion.npz")
    assert set(second.target_labels) == {clip.targets[1]}
    assert sorted(written) == sorted(path.name for path in tmp_path.iterdir())


@pytest.mark.slow
def test_the_page_tells_score_place_and_time_of_each_class(several):
    clip = explain_clip(several, WAVE, "noise", methods=["occlusion"], top=1)
    rows = re.findall(r'<tr><th scope="row">(.*?)</tr>', clip.html())
    tags = several.tag_clip(WAVE, overlap=0.5)
    shown = [tag for tag in tags if tag.score >= 0.1]
    assert len(rows) == len(shown) >= 3
    for row, tag in zip(rows, shown, strict=True):
        assert html.escape(tag.label) in row and f"{tag.score:.0%}" in row
        assert f"{tag.start:.2f} to {tag.end:.2f} s" in row
        assert (f"{tag.seconds:.2f} s</td>" in row) == tag.heard


@pytest.mark.slow
def test_a_class_that_was_asked_for_is_explained_alone(several):
    clip = explain_clip(several, WAVE, "noise", methods=["occlusion"], target="knock", top=3)
    assert clip.targets == ("Knock",)
    assert "Knock" in tag_table.table(clip.tags, clip.targets)


@pytest.mark.slow
def test_the_threshold_decides_who_is_heard(several):
    clip = explain_clip(several, WAVE, "noise", methods=["occlusion"], threshold=1.0, top=3)
    assert len(clip.targets) == 1 and "hears <strong>none of its classes" in clip.html()


def test_classes_without_a_chance_have_no_row():
    random = np.random.default_rng(0)
    labels = tuple(f"class {k}" for k in range(40))
    scores = np.concatenate([random.uniform(0.2, 1, (1, 30)), np.zeros((1, 10))], axis=1)
    tags = ClipTags(labels, scores, np.ones(1, bool), np.zeros(1), np.ones(1))
    shown = tag_table.rows(tags, ["class 39"])
    assert [tag.label for tag in shown] == [tag.label for tag in tags[:10]] + ["class 39"]


@pytest.mark.slow
def test_what_cannot_be_heard_is_said_on_the_page(several):
    much = Unheard(0.4, 0.0, 125.0, 7500.0, 48_000)
    clip = explain_clip(several, WAVE, "noise", methods=["occlusion"], top=1, unheard=much)
    assert html.escape(str(much)) in clip.html()
    little = Unheard(0.001, 0.0, 125.0, 7500.0, 48_000)
    clip = explain_clip(several, WAVE, "noise", methods=["occlusion"], top=1, unheard=little)
    assert "hears nothing" not in clip.html()


@pytest.mark.slow
def test_all_outputs_are_there_for_each_class_and_the_summary_names_them(several, tmp_path):
    clip = explain_clip(several, WAVE, "noise", methods=["occlusion"], top=2)
    stereo = np.repeat(np.stack([WAVE, WAVE], axis=1), 2, axis=0)
    clip = clip.of_recording(stereo, 2 * FRONTEND.sample_rate)
    outputs = Outputs(figures=("svg",), sound="wav", tables=("csv",))
    written = {path.name for path in clip.write(tmp_path, "x", outputs)}
    assert written == {"x.html"} | {
        f"{name}{end}"
        for name in ("x", "x--rain")
        for end in (
            ".svg",
            *("-occlusion.npz", "-occlusion.csv"),
            *("-occlusion-kept.wav", "-occlusion-removed.wav"),
        )
    }
    line = line_of(clip, "noise.wav", "x.html")
    surest = several.tag_clip(WAVE, overlap=0.5)[0]
    assert (line.answer, line.probability) == (surest.label, surest.score)
    assert line.target == ", ".join(clip.targets) and np.isnan(line.share)


@pytest.mark.slow
def test_files_are_called_after_their_class_and_never_alike(several):
    clip = explain_clip(several, WAVE, "noise", methods=["occlusion"], top=1)
    others = [dataclasses.replace(clip, target=name) for name in ("A (b)", "a, B", "???", "x" * 99)]
    many = dataclasses.replace(clip, others=tuple(others))
    assert [name for _, name in many.named("s")] == [
        "s", "s--a-b", "s--a-b-3", "s--4", "s--" + "x" * 40
    ]  # fmt: skip


@pytest.mark.slow
def test_an_excerpt_is_told_by_the_times_of_its_file(several):
    asked = {"methods": ["occlusion"], "top": 1}
    whole = explain_clip(several, WAVE, "noise", **asked)
    clip = explain_clip(several, WAVE, "noise", begins=100.0, **asked)
    assert [tag.start - 100 for tag in clip.tags] == pytest.approx([t.start for t in whole.tags])
    assert [tag.seconds for tag in clip.tags] == pytest.approx([t.seconds for t in whole.tags])
    assert f"{clip.tags[0].start:.2f} to {clip.tags[0].end:.2f} s" in clip.html()


@pytest.mark.slow
def test_the_threshold_reaches_the_sounds_and_the_mixer(several):
    asked = {"methods": ["occlusion"], "top": 1, "mix": "time"}
    plain = explain_clip(several, WAVE, "noise", **asked)
    (most, second) = plain.tags.top(2)
    between = (most.score + second.score) / 2
    clip = explain_clip(several, WAVE, "noise", threshold=between, **asked)
    double = np.repeat(WAVE[:, None], 2, axis=0)
    for one, level in ((plain, 0.5), (clip, between)):
        (part,) = one.of_recording(double, 2 * FRONTEND.sample_rate).parts
        assert one.tags.threshold == one.mixer.threshold == level
        for said in (*part.heard.answers.values(), *part.own.answers.values()):
            assert said.silent or all((p > level) for _, p in said.probable[: said.heard])
        for heard, row in zip(one.mixer.heard, one.mixer.scores, strict=True):
            names = [several.labels[k] for k in np.argsort(-row) if row[k] > level]
            assert heard == listed(names)
    # The scores are the same, and what is heard of them is not.
    np.testing.assert_array_equal(clip.mixer.scores, plain.mixer.scores)
    assert clip.parts[0].heard.answers["original"].heard == 1
    assert plain.parts[0].heard.answers["original"].heard == len(plain.tags.heard) == 3
    assert clip.mixer.heard[-1] == most.label != plain.mixer.heard[-1]
    assert f"The network hears {html.escape(most.label)} (" in clip.html()
