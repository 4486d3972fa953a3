"""The scores of a file that is read in blocks are those of the whole sound."""

import av
import numpy as np
import pytest
import soundfile
from long_sounds import SMALL, network, stereo
from sound_functions import linear

from xaiaudio import LogMel, load_audio
from xaiaudio.errors import XaiAudioError, XaiAudioWarning
from xaiaudio.timelines import timeline


@pytest.fixture(scope="module")
def small():
    return network()


def aac(path, wave, rate):
    with av.open(str(path), "w") as out:
        stream = out.add_stream("aac", rate=rate, layout="stereo")
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(wave.T), format="fltp", layout="stereo"
        )
        frame.sample_rate = rate
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            out.mux(packet)
    return path


FILES = {
    "cd.wav": (44_100, "PCM_16"),
    "field.wav": (48_000, "PCM_24"),
    "phone.wav": (8_000, "PCM_16"),
    "same.wav": (16_000, "FLOAT"),
    "x.flac": (44_100, "PCM_24"),
    "x.ogg": (44_100, "VORBIS"),
    "x.mp3": (44_100, "MPEG_LAYER_III"),
    "x.m4a": (44_100, None),
}


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder, made = tmp_path_factory.mktemp("long"), {}
    for name, (rate, kind) in FILES.items():
        wave = stereo(4.37, rate)
        made[name] = folder / name
        if kind is None:
            aac(made[name], wave, rate)
        else:
            soundfile.write(made[name], wave, rate, subtype=kind)
    return made


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FILES))
@pytest.mark.parametrize(("block", "batch"), [(0.05, 3), (0.7, 1), (60.0, 128)])
def test_scores_are_those_of_the_whole_sound(files, small, name, block, batch):
    found = timeline(small, files[name], block=block, batch=batch)
    wave = load_audio(files[name])
    patches = small.frontend(wave)
    np.testing.assert_allclose(found.scores, small.scores(patches), atol=1e-5)
    np.testing.assert_allclose(found.levels, patches.levels, atol=1e-6)
    places = np.array([patches.times(k)[[0, -1]] for k in range(len(patches))])
    np.testing.assert_allclose(np.stack([found.starts, found.ends], axis=1), places, atol=1e-9)
    assert found.file.name == name and found.file.channels == 2 and not found.file.missing
    assert found.file.sample_rate == FILES[name][0]
    assert found.file.seconds == pytest.approx(len(wave) / 16_000)
    step = small.frontend.patch_hop * small.frontend.hop
    plain = [np.abs(wave[k * step : (k + 1) * step]).max() for k in range(len(patches))]
    np.testing.assert_allclose(found.peaks, plain, atol=1e-5)


FRONTENDS = {
    "librosa": LogMel.librosa(sample_rate=16_000, fft=512, hop=200, bands=16, frames=20),
    "reflect": LogMel.librosa(
        sample_rate=16_000, fft=512, bands=16, frames=20, ref="max", pad_mode="reflect", overlap=0.4
    ),
    "open": LogMel.librosa(sample_rate=16_000, fft=512, hop=200, bands=16, frames=20, top_db=None),
    "sparse": LogMel(frames=24, bands=16, overlap=0.0),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", list(FRONTENDS))
@pytest.mark.parametrize("batch", [2, 50])
def test_front_ends_of_other_people(files, name, batch):
    model = network(FRONTENDS[name])
    found = timeline(model, files["field.wav"], block=0.31, batch=batch)
    expected = model.scores(model.frontend(load_audio(files["field.wav"])))
    np.testing.assert_allclose(found.scores, expected, atol=1e-5)


@pytest.mark.slow
def test_a_network_of_samples(files):
    rng = np.random.default_rng(0)
    model = linear(*rng.normal(0, 0.05, (3, 8_000)))
    found = timeline(model, files["cd.wav"], overlap=0.3, block=0.4, batch=2)
    patches = model.frontend(load_audio(files["cd.wav"], sample_rate=8_000), overlap=0.3)
    np.testing.assert_allclose(found.scores, model.scores(patches), atol=1e-5)
    assert found.exclusive


@pytest.mark.slow
def test_what_the_last_layer_is_decides_how_many_classes_there_can_be(files, small):
    assert timeline(small, files["phone.wav"]).exclusive
    assert not timeline(network(SMALL, "sigmoid"), files["phone.wav"]).exclusive


@pytest.mark.slow
def test_a_span_of_the_file(files, small):
    found = timeline(small, files["field.wav"], start=1.0, end=2.5, block=0.3)
    wave, rate = soundfile.read(files["field.wav"], dtype="float32")
    soundfile.write(files["field.wav"].with_name("cut.wav"), wave[48_000:120_000], rate, "FLOAT")
    expected = timeline(small, files["field.wav"].with_name("cut.wav"))
    np.testing.assert_allclose(found.scores, expected.scores, atol=1e-5)
    np.testing.assert_allclose(found.starts, expected.starts + 1.0)
    assert (found.file.start, found.file.end) == (1.0, pytest.approx(2.5))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("span", "message"),
    [
        ((5.0, None), r"lasts 4\.4 s: there is nothing from 5\.0 s on"),
        ((90.0, None), r"there is nothing from 1:30\.0 on"),
        ((2.0, 1.0), "the end must come later"),
        ((-1.0, None), "give 0 or more"),
        ((1.0, 1.1), r"lasts 0\.10 s, but one patch takes 0\.26 s"),
    ],
)
def test_spans_that_hold_nothing_are_refused(files, small, span, message):
    with pytest.raises(XaiAudioError, match=message):
        timeline(small, files["cd.wav"], start=span[0], end=span[1])


@pytest.mark.slow
def test_samples_that_are_no_numbers_are_refused_with_their_time(tmp_path, small):
    wave = stereo(3, 16_000)
    wave[40_000, 0] = np.nan
    soundfile.write(tmp_path / "x.wav", wave, 16_000, "FLOAT")
    with pytest.raises(XaiAudioError, match=r"NaN or infinite samples, the first at 2\.500 s"):
        timeline(small, tmp_path / "x.wav", block=0.3)
    assert len(timeline(small, tmp_path / "x.wav", end=2.4))


@pytest.mark.slow
def test_a_file_that_was_cut_off_is_read_as_far_as_it_goes(files, small, tmp_path):
    data = files["cd.wav"].read_bytes()
    (tmp_path / "cut.wav").write_bytes(data[: len(data) // 2])
    with pytest.warns(XaiAudioWarning, match=r"it holds 2\.18 s of the 4\.37 s"):
        found = timeline(small, tmp_path / "cut.wav")
    assert found.file.missing and found.ends[-1] < 2.2
    whole = timeline(small, files["cd.wav"])
    np.testing.assert_allclose(found.scores, whole.scores[: len(found)], atol=1e-5)


@pytest.mark.slow
def test_a_damaged_flac_is_read_on_behind_the_damage(files, small, tmp_path):
    data = bytearray(files["x.flac"].read_bytes())
    middle = len(data) // 2
    data[middle : middle + 2000] = bytes(2000)
    (tmp_path / "torn.flac").write_bytes(data)
    with pytest.warns(XaiAudioWarning, match="is incomplete"):
        found = timeline(small, tmp_path / "torn.flac", block=0.2)
    with pytest.warns(XaiAudioWarning):
        wave = load_audio(tmp_path / "torn.flac")
    np.testing.assert_allclose(found.scores, small.scores(small.frontend(wave)), atol=1e-5)


def test_silence_has_scores_and_is_marked_as_silent(tmp_path, small):
    soundfile.write(tmp_path / "x.wav", np.zeros(48_000), 16_000)
    assert timeline(small, tmp_path / "x.wav").silent.all()
