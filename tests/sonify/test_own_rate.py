"""Kept and removed at a recording's own rate: they add up, and the network answers as before."""

import io

import numpy as np
import pytest
import soundfile
from commands import noise, sound

import xaiaudio as xa
from xaiaudio.audio import load_audio
from xaiaudio.datasets import events
from xaiaudio.explainers.masking import kept_and_removed
from xaiaudio.sonify.own_rate import at_own_rate, load_channels, split_at, wav

VGGISH = xa.LogMel.vggish()
OPTIONS = {"gradcam": {}, "occlusion": {"mask": 0.25, "stride": 0.25}}


def mask_of(frontend, frames=98, seed=0):
    return np.random.default_rng(seed).random((frames, frontend.bands))


@pytest.mark.slow
@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050, 44_100, 48_000, 96_000])
@pytest.mark.parametrize(
    "frontend", [VGGISH, xa.LogMel.librosa(frames=20)], ids=["plain", "centred"]
)
def test_they_add_up_and_an_open_mask_gives_back_what_is_heard(rate, frontend):
    samples = np.random.default_rng(1).normal(0, 0.2, (rate, 2)).astype("float32")
    frames = len(frontend.spectrogram(noise(1.0, rate=frontend.sample_rate)))
    kept, removed = split_at(samples, rate, mask_of(frontend, frames), frontend)
    assert np.abs(kept + removed - samples).max() <= 1e-6
    kept, _ = split_at(samples, rate, np.ones((frames, frontend.bands)), frontend)
    spectrum, whole = (np.abs(np.fft.rfft(each[:, 0])) for each in (kept, samples))
    hertz = np.arange(len(spectrum))  # of one second
    low, high = hertz < frontend.fmax - 200, hertz > frontend.fmax + 200
    assert np.sum((spectrum - whole)[low] ** 2) < 1e-4 * np.sum(whole[low] ** 2)
    assert np.sum(spectrum[high] ** 2) <= 1e-4 * np.sum(whole**2)


def test_at_the_networks_own_rate_it_is_the_usual_split_below_the_highest_frequency():
    wave, mask = noise(1.0), mask_of(VGGISH)
    ours, _ = split_at(wave[:, None], 16_000, mask, VGGISH)
    usual, _ = kept_and_removed(wave, mask, VGGISH)
    differ = np.abs(np.fft.rfft(ours[:, 0] - usual))
    assert differ[: int(VGGISH.fmax) - 100].max() < 0.05 * differ.max()
    every = xa.LogMel(bands=64, fmin=0, fmax=8000)
    ours, _ = split_at(wave[:, None], 16_000, mask, every)
    assert ours[:, 0] == pytest.approx(kept_and_removed(wave, mask, every)[0], abs=1e-6)


def test_a_click_is_kept_where_the_mask_is_open_and_removed_elsewhere():
    """The mask's frames lie where they lay, in seconds, at any rate."""
    mask = np.zeros((98, 64))
    mask[40:60] = 1  # the middles of its windows: 0.4125 to 0.6025 s
    for rate in (16_000, 22_050, 44_100):
        clicks = np.zeros((rate, 1), "float32")
        for second in (0.3, 0.5, 0.7):
            clicks[round(second * rate)] = 1
        kept, _ = split_at(clicks, rate, mask, VGGISH)
        power = [
            np.square(kept[round((second - 0.02) * rate) : round((second + 0.02) * rate)]).sum()
            for second in (0.3, 0.5, 0.7)
        ]
        assert power[0] < 1e-9 and power[2] < 1e-9
        assert power[1] == pytest.approx(min(1, 7500 / (rate / 2)), abs=0.03)


@pytest.mark.parametrize("kind", ["PCM_16", "PCM_24", "FLOAT"])
def test_a_file_is_read_as_it_is(tmp_path, kind):
    samples = np.random.default_rng(2).uniform(-0.9, 0.9, (5000, 3)).astype("float32")
    path = sound(tmp_path / "x.wav", samples, rate=44_100, subtype=kind)
    found, rate = load_channels(path)
    written, _ = soundfile.read(path, dtype="float32")
    assert rate == 44_100
    np.testing.assert_array_equal(found, written)


def test_the_files_add_up_to_the_recording(tmp_path):
    """To a millionth: far less than the last bit of 16."""
    loud = np.clip(np.random.default_rng(3).normal(0, 0.6, (44_100, 2)), -1, 1)
    path = sound(tmp_path / "x.wav", loud, rate=44_100, subtype="PCM_16")
    samples, rate = load_channels(path)
    parts = split_at(samples, rate, mask_of(VGGISH), VGGISH)
    assert max(np.abs(part).max() for part in parts) > 1  # which 16 bits would have clipped
    read = [soundfile.read(io.BytesIO(wav(part, rate)), dtype="float64") for part in parts]
    assert {found[1] for found in read} == {44_100}
    assert np.abs(read[0][0] + read[1][0] - samples).max() <= 1e-6 < 2**-15
    assert wav(parts[0], rate) == wav(parts[0], rate)


@pytest.fixture(scope="module")
def heard():
    """A barking dog at 44.1 kHz on two channels, and what the network at 16 kHz hears in it."""
    event, background = events.generate("Dog bark", 0, seed=1)
    import soxr

    high = soxr.resample((event + background) / 32768, 16_000, 44_100, quality="HQ")
    hiss = np.random.default_rng(0).normal(0, 0.002, (len(high), 2))
    return (high[:, None] * [0.9, 0.7] + hiss).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("method, channel", [("gradcam", None), ("occlusion", 1)])
def test_the_network_answers_as_it_does_to_the_usual_kept_sound(tmp_path, heard, method, channel):
    """Read back from the file: the same class, and its probability to 0.02."""
    model = xa.load_model("lite")
    path = sound(tmp_path / "dog.wav", heard, rate=44_100, subtype="FLOAT")
    wave = load_audio(path, channel=channel)
    result = xa.explain(model, model.frontend(wave), "Dog bark", method, **OPTIONS[method])
    usual = xa.listen(result, wave)
    own = at_own_rate(usual, *load_channels(path), model.frontend, channel=channel)
    for name in ("kept", "removed"):
        assert own.answers[name].label == usual.answers[name].label
        near = pytest.approx(usual.answers[name].target_probability, abs=0.02)
        assert own.answers[name].target_probability == near
    (tmp_path / "kept.wav").write_bytes(own.wav("kept"))
    again = load_audio(tmp_path / "kept.wav", channel=channel)
    assert np.abs(again - usual.kept).max() < 0.02
    assert (
        model.predict_clip(again, overlap=0).label
        == model.predict_clip(usual.kept, overlap=0).label
    )


@pytest.mark.slow
def test_another_recording_is_refused():
    model = xa.load_model("lite")
    wave = noise(2.0)
    heard = xa.listen(xa.explain(model, model.frontend(wave), "Rain", "gradcam"), wave)
    for wrong in (np.zeros((100, 1)), np.zeros(88_200)):
        with pytest.raises(xa.XaiAudioError, match="the sound lasts 2.00 s"):
            at_own_rate(heard, wrong, 44_100, model.frontend)


def test_sounds_of_several_rates_in_one_file_have_no_rate(tmp_path):
    pieces = b""
    for rate in (8_000, 16_000):
        buffer = io.BytesIO()
        soundfile.write(buffer, noise(0.5, rate=rate), rate, format="OGG", subtype="VORBIS")
        pieces += buffer.getvalue()
    (tmp_path / "x.ogg").write_bytes(pieces)
    with pytest.raises(xa.XaiAudioError, match="no rate of its own"):
        load_channels(tmp_path / "x.ogg")
    with pytest.raises(xa.XaiAudioError, match="Could not read"):
        load_channels(tmp_path / "missing.wav")
