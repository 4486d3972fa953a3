"""Events are explained as the patches of the whole sound would be, and only they."""

import numpy as np
import pytest
import soundfile
from long_sounds import SMALL, network, stereo
from sound_functions import linear

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.networks import audioset
from xaiaudio.timelines import HeardEvent, chosen, events, explain_events, most_exact, timeline


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("events") / "field.wav"
    soundfile.write(path, stereo(4.0, 44_100), 44_100, "PCM_24")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("end", ["softmax", "sigmoid"])
def test_maps_are_those_of_the_patches_around_the_peak(file, end):
    model = network(SMALL, end)
    line = timeline(model, file)
    found = events(line, float(np.quantile(line.scores.max(axis=1), 0.5)), gap=0.0)
    assert found
    explained = explain_events(model, file, line, found, methods=["gradcam", "occlusion"])
    wave = xa.load_audio(file)
    patches = model.frontend(wave)
    for one in explained:
        peak = int(np.abs(line.middles - one.event.peak).argmin())
        span = slice(max(peak - 1, 0), peak + 2)
        for name in ("gradcam", "occlusion"):
            expected = xa.explain(model, patches[span], one.event.label, method=name)
            np.testing.assert_allclose(one.results[name].maps, expected.maps, atol=1e-4)
        first = int(patches.starts[span][0]) * SMALL.hop
        np.testing.assert_allclose(one.wave, wave[first : first + len(one.wave)], atol=1e-5)
        assert one.start == pytest.approx(first / 16_000)
        assert one.start < one.event.peak < one.end


@pytest.mark.slow
def test_what_is_kept_was_asked_again(file):
    model = network(SMALL)
    line = timeline(model, file)
    (one,) = explain_events(model, file, line, chosen(events(line, 0.3), 1))
    heard = one.heard["gradcam"]
    np.testing.assert_allclose(heard.kept + heard.removed, one.wave, atol=1e-6)
    said = model.predict_clip(heard.kept, overlap=0.5, pad=True, silence="silence")
    assert heard.answers["kept"].label == said.label


@pytest.mark.slow
def test_a_span_of_the_file(file):
    model = network(SMALL)
    line = timeline(model, file, start=1.0)
    (one,) = explain_events(model, file, line, chosen(events(line, 0.3), 1))
    assert 1.0 <= one.start <= one.event.peak
    scores = one.results["gradcam"].scores[:, model.index(one.event.label)]
    assert scores.max() == pytest.approx(one.event.peak_score, abs=1e-5)


@pytest.mark.slow
def test_a_network_of_samples(file):
    model = linear(*np.random.default_rng(0).normal(0, 0.05, (3, 8_000)))
    line = timeline(model, file, overlap=0.5)
    explained = explain_events(
        model, file, line, chosen(events(line, 0.34), 2), methods=["occlusion", "gradcam"]
    )
    assert all(list(one.results) == ["occlusion"] for one in explained)
    assert "gradcam" in explained[0].failed


def test_methods_that_cannot_are_an_error_if_none_can(file):
    model = linear(*np.random.default_rng(0).normal(0, 0.05, (3, 8_000)))
    line = timeline(model, file)
    with pytest.raises(XaiAudioError, match="gradcam"):
        explain_events(model, file, line, events(line, 0.34)[:1], methods=["gradcam"])


def test_no_event_needs_no_explanation(file):
    assert explain_events(network(SMALL), file, None, ()) == ()


@pytest.mark.slow
def test_a_file_that_became_shorter(file, tmp_path):
    model = network(SMALL)
    line = timeline(model, file)
    soundfile.write(tmp_path / "x.wav", np.zeros(100), 16_000)
    with pytest.raises(XaiAudioError, match="shorter than when its timeline was made"):
        explain_events(model, tmp_path / "x.wav", line, events(line, 0.3))


def test_the_surest_of_each_class_come_first():
    score = {"dog": (0.9, 0.8, 0.7), "rain": (0.6,), "cat": (0.95, 0.5)}
    made = [
        HeardEvent(label, 10.0 * k + n, 10.0 * k + n + 1, 10.0 * k + n, value)
        for n, (label, values) in enumerate(score.items())
        for k, value in enumerate(values)
    ]
    best = {(one.label, one.peak_score) for one in chosen(made, 4)}
    assert best == {("cat", 0.95), ("dog", 0.9), ("rain", 0.6), ("dog", 0.8)}
    times = [one.start for one in chosen(made, 99)]
    assert times == sorted(times) and len(times) == 6
    assert chosen(made, 0) == ()


def test_general_classes_and_silence_are_no_reason_to_look_closer():
    labels = audioset.classes()
    dog = HeardEvent("Dog", 0.0, 5.0, 1.0, 0.99)
    later = HeardEvent("Dog", 10.0, 12.0, 11.0, 0.8)
    bark = HeardEvent("Bark", 0.5, 1.5, 1.0, 0.6)
    quiet, rain = HeardEvent("Silence", 6.0, 8.0, 7.0, 1.0), HeardEvent("Rain", 0.0, 5.0, 1.0, 0.7)
    found = [dog, bark, rain, quiet, later]
    assert most_exact(found, labels) == (bark, rain, later)
    assert most_exact([dog, quiet], labels) == (dog,)
    assert most_exact(found, ("Dog", "Bark", "Rain", "Silence")) == tuple(found)
