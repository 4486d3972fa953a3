"""LogMel against tf.signal, and its cells against seconds and hertz."""

import cmath
import json
import math
import os
from pathlib import Path

import librosa
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from xaiaudio.audio import load_audio
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel

RATE = 16_000
TIME = np.arange(5 * RATE) / RATE
NOISE = np.random.default_rng(1).uniform(-1, 1, 5 * RATE)
WAVES = {
    "noise": NOISE,
    "quiet noise": 1e-4 * NOISE,
    "loud noise": 8 * NOISE,
    "sine": np.sin(2 * np.pi * 1000 * TIME),
    "loud sine": 8 * np.sin(2 * np.pi * 440 * TIME),
    "silence": np.zeros(5 * RATE),
    "constant": np.ones(5 * RATE),
    "click": (np.arange(5 * RATE) == 31_234).astype(float),
    "one patch": NOISE[:15_600],
}
FRONTENDS = {
    "vggish": LogMel.vggish(),
    "yamnet": LogMel.yamnet(),
    "other": LogMel(
        sample_rate=22_050, window=1024, hop=256, fft=2048, bands=80, fmin=0.0, fmax=11_025.0
    ),
    "coarse": LogMel(sample_rate=8000, window=200, hop=80, fft=256, bands=20, fmin=50, fmax=4000),
}


def reference(frontend, wave, precision="float32"):
    """The spectrogram as the Hub modules compute it, by tf.signal's own functions."""
    import tensorflow as tf

    with tf.device("cpu"):
        spectrum = tf.abs(
            tf.signal.stft(
                tf.constant(wave, precision), frontend.window, frontend.hop, frontend.fft
            )
        )
        weights = tf.signal.linear_to_mel_weight_matrix(
            frontend.bands,
            frontend.fft // 2 + 1,
            frontend.sample_rate,
            float(frontend.fmin),
            float(frontend.fmax),
            dtype=tf.as_dtype(precision),
        )
        return tf.math.log(spectrum @ weights + frontend.offset).numpy()


@pytest.mark.slow
@pytest.mark.parametrize("frontend", FRONTENDS.values(), ids=FRONTENDS)
@pytest.mark.parametrize("name", WAVES)
def test_equals_tf_signal(frontend, name):
    wave = WAVES[name].astype(np.float32)
    rows, expected = frontend.spectrogram(wave), reference(frontend, wave)
    assert rows.shape == expected.shape
    assert rows.dtype == np.float32
    tolerance = 1e-4
    if frontend.window != 400:
        # Beside a pure tone, single precision itself is not as precise as that.
        tolerance += np.abs(expected - reference(frontend, wave, "float64")).max()
    np.testing.assert_allclose(rows, expected, rtol=0, atol=tolerance)


def test_window_and_weights_are_those_of_tf_signal():
    import tensorflow as tf

    # All bands of an impulse see the window's value at its place.
    frontend = LogMel(hop=1, offset=1e-6)
    wave = np.zeros(800, np.float32)
    wave[399] = 1
    heights = np.exp(frontend.spectrogram(wave)[:400, 30][::-1]) - 1e-6
    hann = tf.signal.hann_window(400).numpy()
    np.testing.assert_allclose(heights / heights.max(), hann, atol=1e-6)
    weights = tf.signal.linear_to_mel_weight_matrix(64, 257, 16_000, 125.0, 7500.0).numpy()
    np.testing.assert_allclose(frontend.mel_matrix(), weights, atol=1e-5)
    assert frontend.mel_matrix().dtype == np.float64
    assert not LogMel(fmin=0.0).mel_matrix()[0].any()


@pytest.mark.slow
@pytest.mark.parametrize("fold", [1, 5])
def test_equals_tf_signal_on_recordings(fold):
    folder = os.environ.get("XAIAUDIO_ESC10")
    if not folder:
        pytest.skip("XAIAUDIO_ESC10 is not set")
    files = sorted(Path(folder).glob(f"*/{fold}-*"))[::4]
    assert len(files) == 20
    for file in files:
        wave = load_audio(file)
        for frontend in (LogMel.vggish(), LogMel.yamnet()):
            expected = reference(frontend, wave)
            np.testing.assert_allclose(frontend.spectrogram(wave), expected, rtol=0, atol=1e-4)


def test_five_seconds_give_498_rows_and_17_patches():
    wave = NOISE.astype(np.float32)
    assert LogMel.vggish().spectrogram(wave).shape == (498, 64)
    assert LogMel.vggish(overlap=0.75)(wave).shape == (17, 96, 64)
    assert LogMel.vggish()(wave).shape == (5, 96, 64)
    assert LogMel.yamnet()(wave).shape == (9, 96, 64)


@pytest.mark.parametrize(
    ("overlap", "hop"), [(0.0, 96), (0.25, 72), (0.5, 48), (0.75, 24), (0.99, 1), (0.9999, 1)]
)
def test_overlap_is_a_whole_number_of_frames(overlap, hop):
    frontend = LogMel(overlap=overlap)
    rows = np.arange(300)[:, None] + np.zeros(64)
    patches = frontend.cut(rows)
    assert frontend.patch_hop == hop
    assert len(patches) == 1 + (300 - 96) // hop
    assert (patches[:, 0, 0] == hop * np.arange(len(patches))).all()
    assert (np.diff(patches[:, :, 0], axis=1) == 1).all()


def test_cut_takes_anything_with_rows():
    frontend = LogMel(overlap=0.5)
    mask = np.random.default_rng(0).random((500, 64, 2)) < 0.5
    patches = frontend.cut(mask)
    assert patches.dtype == bool
    assert patches.shape == (9, 96, 64, 2)
    assert (patches[3] == mask[3 * 48 : 3 * 48 + 96]).all()
    assert frontend.cut(mask[:95]).shape == (0, 96, 64, 2)
    patches[:] = False  # a copy: the rows stay as they were
    assert mask.any()


def test_patches_are_the_rows_of_the_spectrogram():
    frontend = LogMel.vggish(overlap=0.75)
    rows = frontend.spectrogram(NOISE)
    assert (frontend(NOISE) == frontend.cut(rows)).all()


def test_long_sounds_are_transformed_in_pieces_without_seams():
    frontend = LogMel(hop=16)
    wave = np.random.default_rng(2).uniform(-1, 1, 16 * 5000).astype(np.float32)
    whole = frontend.spectrogram(wave)
    part = frontend.spectrogram(wave[16 * 4000 : 16 * 4500])
    np.testing.assert_allclose(whole[4000 : 4000 + len(part)], part, atol=1e-5)


def test_one_sample_decides_about_a_patch():
    frontend = LogMel.vggish()
    assert frontend.min_samples == 15_600
    assert frontend(np.zeros(15_600)).shape == (1, 96, 64)
    with pytest.raises(XaiAudioError, match=r"lasts 0\.975 s.*pad=True"):
        frontend(np.zeros(15_599))


def test_padding_adds_silence_after_the_sound():
    frontend = LogMel.vggish()
    short = NOISE[:8000]
    patches = frontend(short, pad=True)
    assert patches.shape == (1, 96, 64)
    assert (patches == frontend(np.concatenate([short, np.zeros(7600)]))).all()
    np.testing.assert_allclose(patches[0, 51:], np.log(0.01), rtol=1e-6)
    assert (frontend(NOISE, pad=True) == frontend(NOISE)).all()


def test_cells_lie_where_a_click_is_heard():
    frontend = LogMel.vggish(overlap=0.75)
    wave = np.zeros(5 * RATE)
    wave[31_234] = 1
    patches = frontend(wave)
    for patch in (5, 6, 7, 8):
        edges = frontend.times(patch)
        loudest = patches[patch, :, 40].argmax()
        assert edges[loudest] <= 31_234 / RATE <= edges[loudest + 1]


def test_cells_lie_where_a_tone_is_heard():
    frontend = LogMel.vggish()
    edges = frontend.band_edges()
    for band in (20, 40, 63):
        tone = np.sin(2 * np.pi * frontend.band_centres()[band] * TIME)
        assert frontend(tone).values[0].mean(axis=0).argmax() == band
        assert edges[band] < frontend.band_centres()[band] < edges[band + 1]
    assert len(edges) == 65
    assert 125 < edges[0] < edges[-1] < 7500


def test_times_of_patches():
    frontend = LogMel.vggish(overlap=0.75)
    assert frontend.times().shape == (97,)
    assert np.allclose(np.diff(frontend.times()), 0.01)
    assert frontend.times()[0] == pytest.approx(0.0075)  # the first window's middle is at 12.5 ms
    assert frontend.times(4)[0] == pytest.approx(frontend.times()[0] + 4 * frontend.hop_seconds)
    assert frontend.hop_seconds == pytest.approx(0.24)
    assert frontend.patch_seconds == pytest.approx(0.96)


def test_config_round_trip():
    frontend = LogMel(bands=40, fmax=8000.0, overlap=0.25)
    assert LogMel.from_config(frontend.to_config()) == frontend
    assert LogMel.yamnet().with_overlap(0.0).offset == 0.001
    with pytest.raises(XaiAudioError, match="no setting 'window_length'"):
        LogMel.from_config({"window_length": 400})


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@given(
    wave=hnp.arrays(
        st.sampled_from([np.float16, np.float32, np.float64]),
        st.integers(0, 20_000),
        elements=st.floats(-1, 1, width=16),
        fill=st.floats(allow_nan=False, allow_infinity=False, width=16),
    ),
    overlap=st.floats(0, 1, exclude_max=True),
    pad=st.booleans(),
)
def test_any_finite_wave_gives_finite_patches(wave, overlap, pad):
    frontend = LogMel.vggish(overlap=overlap)
    try:
        patches = frontend(wave, pad=pad)
    except XaiAudioError:
        assert len(wave) == 0 or (len(wave) < frontend.min_samples and not pad)
        return
    rows = max(96, 1 + (len(wave) - 400) // 160)
    assert patches.shape == (1 + (rows - 96) // frontend.patch_hop, 96, 64)
    assert np.isfinite(patches).all()
    assert patches.values.min() >= np.float32(np.log(np.float32(0.01)))


@pytest.mark.slow
@settings(max_examples=60, deadline=None)
@example({"offset": 3.4028235677973366e38})
@example({"offset": 1e-60})
@given(
    st.fixed_dictionaries(
        {},
        optional={
            "sample_rate": st.integers(-1, 100_000),
            "window": st.integers(-1, 2000),
            "hop": st.integers(-1, 1000),
            "fft": st.integers(-1, 4096),
            "bands": st.integers(-1, 300),
            "fmin": st.floats(-1, 20_000),
            "fmax": st.floats(allow_nan=True),
            "offset": st.floats(),
            "frames": st.integers(-1, 200),
            "overlap": st.floats(),
        },
    )
)
def test_any_settings_work_or_are_refused(values):
    try:
        frontend = LogMel(**values)
    except XaiAudioError:
        return
    wave = np.random.default_rng(0).uniform(-1, 1, min(frontend.min_samples, 50_000))
    patches = frontend(wave, pad=True)
    assert patches.shape == (1, frontend.frames, frontend.bands)
    assert np.isfinite(frontend(0 * wave, pad=True)).all()
    assert (np.diff(frontend.band_edges()) > 0).all()


# Other people's front ends.

OTHERS = {
    "librosa's defaults": LogMel.librosa(frames=20),
    "64 bands of 16 kHz": LogMel.librosa(sample_rate=16_000, fft=1024, hop=256, bands=64, frames=9),
    "against the loudest": LogMel.librosa(ref="max", pad_mode="reflect", bands=64, frames=11),
    "no floor": LogMel.librosa(top_db=None, amin=1e-6, ref=0.5, mel_scale="htk", frames=5),
    "htk, not normed": LogMel.librosa(
        mel_scale="htk", norm=None, fmin=20.0, fmax=8000.0, top_db=60.0
    ),
    "short odd windows": LogMel.librosa(fft=1024, window=601, hop=200, bands=40, frames=8),
    "magnitudes": LogMel.librosa(power=1, amin=1e-5, ref="max", bands=40, frames=6),
    "short windows, not centred": LogMel.librosa(
        fft=1024, window=601, hop=200, bands=40, frames=8, centred=False
    ),
}


def by_librosa(frontend, wave):
    """The spectrogram as librosa makes it."""
    bands = librosa.feature.melspectrogram(
        y=wave,
        sr=frontend.sample_rate,
        n_fft=frontend.fft,
        hop_length=frontend.hop,
        win_length=frontend.hann or frontend.window,
        center=frontend.centred,
        pad_mode=frontend.pad_mode,
        power=float(frontend.power),
        n_mels=frontend.bands,
        fmin=frontend.fmin,
        fmax=frontend.fmax,
        htk=frontend.mel_scale == "htk",
        norm=frontend.norm,
    )
    ref = np.max if frontend.ref == "max" else frontend.ref
    convert = librosa.power_to_db if frontend.power == 2 else librosa.amplitude_to_db
    return convert(bands, ref=ref, amin=frontend.amin, top_db=frontend.top_db).T


@pytest.mark.slow
@pytest.mark.parametrize("frontend", OTHERS.values(), ids=OTHERS)
@pytest.mark.parametrize("name", [name for name in WAVES if name != "constant"])
@pytest.mark.filterwarnings("ignore:Empty filters")
def test_equals_librosa(frontend, name):
    wave = WAVES[name].astype(np.float32)[:30_011]
    rows = frontend.spectrogram(wave)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, by_librosa(frontend, wave), rtol=0, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(25))
@pytest.mark.filterwarnings("ignore:Empty filters")
def test_equals_librosa_whatever_is_drawn(seed):
    rng = np.random.default_rng(seed)

    def one(*values):
        return values[rng.integers(len(values))]

    rate, fft = one(8_000, 16_000, 22_050, 44_100), one(256, 400, 1024)
    window = one(fft, fft // 2, fft - 1)
    frontend = LogMel.librosa(
        sample_rate=rate,
        fft=fft,
        window=window,
        hop=one(window // 4, window // 2, 160),
        bands=one(16, 40, 64),
        fmin=one(0.0, 60.0),
        fmax=one(rate / 2, rate / 3),
        power=one(1, 2),
        mel_scale=one("htk", "slaney"),
        norm=one(None, "slaney"),
        centred=one(True, False),
        pad_mode=one("constant", "reflect"),
        ref=one(1.0, 0.02, "max"),
        amin=one(1e-10, 1e-5),
        top_db=one(80.0, 50.0),
        frames=4,
    )
    time = np.arange(rate) / rate
    wave = 0.3 * np.sin(2 * np.pi * 700 * time) * np.exp(-3 * time)
    wave = (wave + rng.normal(0, 10 ** rng.uniform(-4, -1), rate)).astype(np.float32)
    np.testing.assert_allclose(
        frontend.spectrogram(wave), by_librosa(frontend, wave), rtol=0, atol=1e-4
    )


def test_librosas_defaults_are_its_defaults():
    wave = NOISE[:22_050].astype(np.float32)
    expected = librosa.power_to_db(librosa.feature.melspectrogram(y=wave, sr=22_050))
    np.testing.assert_allclose(LogMel.librosa().spectrogram(wave), expected.T, atol=1e-4)
    assert LogMel.librosa(sample_rate=16_000, fft=512).window == 512
    assert LogMel.librosa(sample_rate=16_000).fmax == 8000.0
    with pytest.raises(XaiAudioError, match="sample_rate is '16k'"):
        LogMel.librosa(sample_rate="16k")


def slow_rows(frontend, wave):
    """The definition, scaled."""
    return frontend.scale * plain_rows(frontend, wave)


def plain_rows(frontend, wave):
    """The definition cell by cell, in double precision, by the Fourier sum itself."""
    lead = frontend.samples_before
    before = after = [0.0] * frontend.window
    if frontend.pad_mode == "reflect":
        before = [wave[i] for i in range(frontend.window, 0, -1)]
        after = [wave[-2 - i] for i in range(frontend.window)]
    samples = [*before, *wave, *after]  # the sound begins at number `window`
    length = frontend.hann or frontend.window
    shape = [0.0] * frontend.window
    for i in range(length):
        shape[(frontend.window - length) // 2 + i] = 0.5 - 0.5 * math.cos(2 * math.pi * i / length)
    rows, frame = [], 0
    while True:
        first = frame * frontend.hop - lead
        middle = first + frontend.window - 1 if not frontend.centred else frame * frontend.hop - 1
        if middle >= len(wave):
            break
        part = [samples[frontend.window + first + i] * shape[i] for i in range(frontend.window)]
        bins = []
        for number in range(frontend.fft // 2 + 1):
            turn = -2j * math.pi * number / frontend.fft
            bins.append(abs(sum(x * cmath.exp(turn * i) for i, x in enumerate(part))))
        weights = frontend.mel_matrix()
        rows.append(
            [
                sum(weights[n, band] * bins[n] ** frontend.power for n in range(len(bins)))
                for band in range(frontend.bands)
            ]
        )
        frame += 1
    if not frontend.decibels:
        return np.array([[math.log(cell + frontend.offset) for cell in row] for row in rows])
    ref = max(map(max, rows)) if frontend.ref == "max" else frontend.ref
    factor = 10 if frontend.power == 2 else 20
    levels = [
        [factor * math.log10(max(cell, frontend.amin) / max(ref, frontend.amin)) for cell in row]
        for row in rows
    ]
    lowest = -math.inf if frontend.top_db is None else max(map(max, levels)) - frontend.top_db
    return np.array([[max(level, lowest) for level in row] for row in levels])


@pytest.mark.slow
@pytest.mark.parametrize(
    "options",
    [
        {},
        {"power": 2},
        {"centred": True},
        {"centred": True, "pad_mode": "reflect", "window": 39},
        {"decibels": True, "top_db": 12.0},
        {"decibels": True, "power": 2, "ref": "max", "centred": True},
        {"decibels": True, "ref": 0.3, "amin": 0.5, "top_db": None},
        {"triangles": "hertz", "mel_scale": "slaney", "norm": "slaney"},
        {"mel_scale": "slaney", "power": 2},
        {"scale": 0.3},
        {"hann": 27},
        {"decibels": True, "power": 2, "top_db": 12.0, "scale": 2.0},
    ],
)
def test_equals_the_plain_definition(options):
    small = {"sample_rate": 4000, "window": 40, "hop": 25, "fft": 48, "bands": 6}
    frontend = LogMel(**{**small, "fmin": 50.0, "fmax": 1900.0, **options})
    wave = np.random.default_rng(3).uniform(-1, 1, 190).astype(np.float32)
    np.testing.assert_allclose(frontend.spectrogram(wave), slow_rows(frontend, wave), atol=1e-4)


CENTRED = {name: frontend for name, frontend in OTHERS.items() if frontend.centred}


@pytest.mark.slow
@pytest.mark.parametrize("frontend", CENTRED.values(), ids=CENTRED)
def test_others_cells_lie_where_they_are_heard(frontend):
    rate = frontend.sample_rate
    wave = np.zeros(frontend.min_samples + 3 * frontend.hop)
    for place in (0, frontend.min_samples // 3, frontend.min_samples // 2):
        wave[:] = 0
        wave[place] = 1
        rows = frontend(wave).values[0]
        loudest = rows.mean(axis=1).argmax()
        edges = frontend.times()
        assert edges[loudest] - 1 / rate <= place / rate <= edges[loudest + 1] + 1 / rate
    band = frontend.bands // 2
    tone = np.sin(2 * np.pi * frontend.band_centres()[band] * np.arange(3 * rate) / rate)
    rows = frontend.spectrogram(tone)
    assert rows[len(rows) // 2].argmax() == band
    assert (
        frontend.band_edges()[band]
        < frontend.band_centres()[band]
        < frontend.band_edges()[band + 1]
    )


@pytest.mark.parametrize("frontend", OTHERS.values(), ids=OTHERS)
def test_one_sample_decides_about_a_patch_of_others(frontend):
    wave = np.random.default_rng(4).uniform(-1, 1, frontend.min_samples)
    assert np.shape(frontend(wave)) == (1, *frontend.patch_shape)
    with pytest.raises(XaiAudioError, match="pad=True"):
        frontend(wave[:-1])


@pytest.mark.parametrize("frontend", [*FRONTENDS.values(), *OTHERS.values()])
def test_silence_is_what_nothing_sounds_like(frontend):
    rows = frontend.spectrogram(np.zeros(2 * frontend.window))
    if frontend.ref == "max" and frontend.decibels:
        wave = np.zeros(20 * frontend.window)
        wave[: 9 * frontend.window] = NOISE[: 9 * frontend.window]
        rows = frontend.spectrogram(wave)[-1]
    np.testing.assert_allclose(rows, frontend.silence, rtol=1e-6)


@pytest.mark.parametrize("frontend", [*FRONTENDS.values(), *OTHERS.values()])
def test_expand_undoes_compress(frontend):
    sums = np.random.default_rng(5).uniform(0.1, 1.0, (7, frontend.bands))
    sums[0, 0] = 1.0
    np.testing.assert_allclose(frontend.expand(frontend.compress(sums)), sums, rtol=1e-7)


def test_options_of_others_are_stored_only_where_they_are_used():
    frontend = LogMel.librosa(ref="max", top_db=60.0, pad_mode="reflect")
    config = json.loads(json.dumps(frontend.to_config()))
    assert LogMel.from_config(config) == frontend
    # So files of VGGish's and YAMNet's front ends read as they did before there were others.
    assert set(LogMel.yamnet().to_config()) == {
        *("sample_rate", "window", "hop", "fft", "bands"),
        *("fmin", "fmax", "offset", "frames", "overlap"),
    }


def test_whole_numbers_that_were_made_floats_are_refused():
    wave = np.random.default_rng(0).normal(0, 3000, 20_000).astype("int16").astype("float32")
    with pytest.raises(XaiAudioError, match="divided by 32768"):
        LogMel.vggish()(wave)
    assert len(LogMel.vggish()(wave / 32_768)) == 1
