"""Events at a known place: level, time, band, mask and what cannot be mixed."""

import dataclasses

import numpy as np
import pytest
from commands import sound

import xaiaudio as xa
from xaiaudio.datasets import Clip, ClipSet
from xaiaudio.datasets import mixtures as mixing
from xaiaudio.datasets.mixtures import CEILING, FADE, mix, mixtures

RATE = 16_000


def hiss(seconds=3.0, level=0.02, seed=0):
    return level * np.random.default_rng(seed).normal(size=round(seconds * RATE))


def tone(hertz=1000.0, seconds=2.0, level=0.1):
    return level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * RATE)) / RATE)


def bark(at=1.2, seconds=2.0):
    """A short burst in a very quiet recording."""
    wave = hiss(seconds, 0.0005, seed=3)
    start = round(at * RATE)
    wave[start : start + 3200] += tone(700, 0.2)
    return wave


def decibels(a, b):
    return 10 * np.log10(np.sum(np.square(a, dtype=float)) / np.sum(np.square(b, dtype=float)))


@pytest.mark.slow
@pytest.mark.parametrize("snr", [-20, -3.7, 0, 10, 40])
@pytest.mark.parametrize("band", [None, (500, 2000)])
def test_the_ratio_is_the_one_asked_for(snr, band):
    made = mix(bark(), hiss(), snr_db=snr, at=0.8, seconds=0.4, band=band)
    span = slice(round(0.8 * RATE), round(1.2 * RATE))
    assert decibels(made.event[span], made.background[span]) == pytest.approx(snr, abs=0.1)
    assert made.snr_db == pytest.approx(snr, abs=0.1)


def test_the_mixture_is_the_sum_of_its_stems_and_as_long_as_the_background():
    made = mix(bark(), hiss(2.7), snr_db=5, at=0.8, seconds=0.4)
    assert made.wave.shape == made.event.shape == made.background.shape == (43_200,)
    assert made.wave.dtype == np.float32
    np.testing.assert_array_equal(made.wave, made.event + made.background)
    np.testing.assert_array_equal(made.load(), made.wave)
    assert set(made.load_stems()) == {"event", "background"}


def test_the_event_lies_in_its_span_and_nowhere_else():
    made = mix(tone(), hiss(), snr_db=10, at=1.0, seconds=0.5)
    assert not made.event[:RATE].any() and not made.event[RATE + 8000 :].any()
    assert made.event[RATE + 4000 - 40 : RATE + 4000 + 40].any()
    # It fades: the first and the last millisecond are far below the middle.
    edges = np.abs([made.event[RATE : RATE + 16], made.event[RATE + 7984 : RATE + 8000]]).max()
    assert edges < 0.02 * np.abs(made.event).max()
    rows = np.flatnonzero(made.events.any(axis=1))
    # A frame of 25 ms sees the event as soon as it touches it.
    assert (rows[0] * 160 + 400) / RATE > 1.0 and rows[-1] * 160 / RATE < 1.5
    assert rows[0] * 160 / RATE < 1.0 + FADE and (rows[-1] * 160 + 400) / RATE > 1.5 - FADE


def test_a_loud_sum_is_turned_down_and_it_says_by_how_much():
    quiet = mix(tone(), hiss(), snr_db=0, at=0, seconds=0.5)
    assert quiet.scale == 1
    made = mix(tone(), hiss(level=0.2), snr_db=20, at=0, seconds=0.5)
    assert made.scale < 1
    assert np.abs(made.wave).max() == pytest.approx(CEILING, rel=1e-6)
    np.testing.assert_allclose(made.background, made.scale * hiss(level=0.2), rtol=1e-5)
    cut = round(made.cut * RATE)
    piece = tone()[cut : cut + 8000] * 10 ** (made.gain_db / 20) * made.scale
    middle = slice(1000, 7000)
    np.testing.assert_allclose(made.event[:8000][middle], piece[middle], atol=1e-5)


def test_a_band_keeps_the_event_within_it():
    made = mix(hiss(seed=1), hiss(seed=2), snr_db=20, at=1, seconds=1, band=(1000, 2000))
    power = np.abs(np.fft.rfft(made.event)) ** 2
    hertz = np.fft.rfftfreq(len(made.event), 1 / RATE)
    outside = power[(hertz < 1000 / 1.2) | (hertz > 2000 * 1.2)].sum()
    assert outside < 1e-5 * power.sum()
    inside = power[(hertz > 1000) & (hertz < 2000)]
    # All of the band passes alike: its two halves have the same share of a white noise.
    assert inside[: len(inside) // 2].sum() / inside.sum() == pytest.approx(0.5, abs=0.06)
    centres = made.frontend.band_centres()[np.flatnonzero(made.events.any(axis=0))]
    assert centres.min() > 1000 / 1.25 and centres.max() < 2000 * 1.25
    assert made.band == (1000.0, 2000.0)


def test_a_band_from_zero_and_up_to_half_the_rate_changes_nothing():
    whole = mix(hiss(seed=1), hiss(seed=2), snr_db=3, at=0, seconds=1)
    made = mix(hiss(seed=1), hiss(seed=2), snr_db=3, at=0, seconds=1, band=(0, 8000))
    np.testing.assert_allclose(made.event, whole.event, atol=1e-6)


def test_the_mask_is_the_synthetic_sets():
    from xaiaudio.datasets.events import event_mask

    for frontend in (None, xa.LogMel.yamnet()):
        made = mix(bark(), hiss(), snr_db=0, at=0.5, seconds=0.4, frontend=frontend)
        stems = (np.round(32_768 * stem).astype(np.int16) for stem in (made.event, made.background))
        expected = event_mask(*stems, frontend)
        # Whole numbers of 16 bit move a few cells across the border.
        assert (made.events != expected).mean() < 0.002
        assert expected.sum() > 30


@pytest.mark.slow
def test_every_cell_of_the_mask_is_louder_in_the_event():
    made = mix(bark(), hiss(), snr_db=0, at=0.5, seconds=0.4)
    magnitudes = [
        np.exp(made.frontend.spectrogram(stem).astype(float)) - made.frontend.offset
        for stem in (made.event, made.background)
    ]
    loudest = magnitudes[0].max()
    for row, band in np.ndindex(made.events.shape):
        event, rest = (part[row, band] for part in magnitudes)
        expected = event > rest and event > max(0.01, loudest / 100)
        if abs(event - rest) > 1e-4 * loudest and abs(event - max(0.01, loudest / 100)) > 1e-4:
            assert made.events[row, band] == expected


def test_a_quieter_event_has_fewer_cells():
    cells = [
        mix(bark(), hiss(), snr_db=snr, at=0.5, seconds=0.4).events.sum() for snr in (20, 0, -20)
    ]
    assert cells[0] > cells[1] > cells[2]
    assert mix(hiss(seed=1), hiss(), snr_db=-60, at=0.5, seconds=0.4).events.sum() == 0


def test_of_a_bark_the_bark_is_cut_whatever_the_seed():
    for seed in range(5):
        made = mix(bark(at=1.2), hiss(), snr_db=0, at=0, seconds=0.4, seed=seed)
        assert made.cut <= 1.2 and made.cut + 0.4 >= 1.4


def test_of_rain_the_seed_chooses_and_keeps_its_choice():
    rain = hiss(4, seed=7)
    cuts = [mix(rain, hiss(), snr_db=0, at=0, seconds=0.4, seed=seed).cut for seed in range(8)]
    assert len(set(cuts)) > 4 and max(cuts) - min(cuts) > 1
    assert cuts[3] == mix(rain, hiss(), snr_db=0, at=0, seconds=0.4, seed=3).cut


@pytest.mark.parametrize("rate", [8000, 11_025, 22_050, 44_100])
def test_files_of_any_rate_are_resampled(tmp_path, rate):
    wave = 0.1 * np.sin(2 * np.pi * 1000 * np.arange(2 * rate) / rate)
    clip = Clip(sound(tmp_path / "tone.wav", wave, rate=rate), "Tone", 2, "CC0")
    made = mix(clip, hiss(), snr_db=20, at=0.5, seconds=0.5)
    power = np.abs(np.fft.rfft(made.event))
    assert np.fft.rfftfreq(len(made.event), 1 / RATE)[power.argmax()] == pytest.approx(1000, abs=3)
    assert (made.label, made.other, made.group, made.fold) == ("Tone", None, "tone", 2)
    with pytest.raises(xa.XaiAudioError, match="mixed at 16000 Hz"):
        made.load(44_100)


GOOD = {"snr_db": 0, "at": 0.5, "seconds": 0.4}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"seconds": 3.0}, r"event is to last 3\.00 s, but its recording lasts 2\.00 s"),
        ({"at": 2.8}, r"lies from 2\.80 to 3\.20 s, but the background from 0 to 3\.00 s"),
        ({"at": -0.1}, r"lies from -0\.10"),
        ({"seconds": 0.01}, r"an event takes 0\.06 s at least"),
        ({"seconds": np.nan}, "seconds is nan"),
        ({"at": "now"}, "at is 'now'"),
        ({"snr_db": True}, "snr_db is True"),
        ({"snr_db": 100}, "from -60 to 60 dB"),
        ({"band": (2000, 1000)}, r"The band is \(2000, 1000\)"),
        ({"band": (100, 9000)}, "up to 8000"),
        ({"band": (-1, 1000)}, "lowest and highest"),
        ({"band": 1000}, "The band is 1000"),
        ({"band": (1, 2, 3)}, r"The band is \(1, 2, 3\)"),
    ],
)
def test_what_makes_no_sense(given, told):
    with pytest.raises(xa.XaiAudioError, match=told):
        mix(tone(), hiss(), **{**GOOD, **given})


@pytest.mark.parametrize(
    ("event", "background", "told"),
    [
        (np.zeros(32_000), hiss(), "event is silent"),
        (tone(level=1e-5), hiss(), "event is silent"),
        (tone(), np.zeros(48_000), "background is silent"),
        (tone(), np.r_[np.zeros(24_000), hiss(1.5)], "background is silent"),
        (np.zeros(0), hiss(), r"shape \(0,\)"),
        (tone(), hiss()[None], r"shape \(1, 48000\)"),
        (np.ones(32_000, np.int16), hiss(), "event is int16"),
        (tone(), np.r_[np.nan, hiss()], "background holds NaN"),
    ],
)
def test_what_cannot_be_mixed(event, background, told):
    with pytest.raises(xa.XaiAudioError, match=told):
        mix(event, background, **GOOD)


def test_an_event_with_nothing_in_the_band():
    with pytest.raises(xa.XaiAudioError, match="event is silent in this band"):
        mix(tone(1000), hiss(), **GOOD, band=(5000, 6000))


@pytest.fixture
def clips(tmp_path):
    """Three classes of unlike sounds; the second half of one class is silence."""
    waves = {"Bark": bark, "Rain": lambda: hiss(2.5, seed=8), "Beep": lambda: tone(2000, 2.2)}
    waves["Beep"] = lambda: np.r_[tone(2000, 1.2), np.zeros(RATE)]
    made = [
        Clip(sound(tmp_path / f"{label}-{number}.wav", make()), label, number + 1, "CC0")
        for label, make in waves.items()
        for number in range(3)
    ]
    return ClipSet("made up", tuple(made), ("Bark", "Rain", "Beep", "Never"))


@pytest.mark.slow
def test_a_benchmark_has_every_event_at_every_ratio(clips):
    made = mixtures(clips, snrs=(10, 0, -10), per_class=2, seconds=0.3, seed=4)
    assert len(made) == 18 and made.counts() == {"Bark": 6, "Rain": 6, "Beep": 6, "Never": 0}
    assert [one.snr_db for one in made[:3]] == pytest.approx([10, 0, -10], abs=0.1)
    for start in range(0, 18, 3):
        part = made[start : start + 3]
        assert len({(one.group, one.at, one.cut, one.other) for one in part}) == 1
        assert part[0].other != part[0].label
        quieter = [one.events.sum() for one in part]
        assert quieter == sorted(quieter, reverse=True)
    assert len({one.group for one in made}) == 6
    assert len({one.name for one in made}) == 18


def test_a_mixture_is_owed_to_both_recordings(clips):
    known = [
        dataclasses.replace(clip, licence="CC BY", author=f"author of {clip.name}")
        for clip in clips
    ]
    made = mixtures(ClipSet(clips.name, tuple(known), clips.labels), snrs=(0,), per_class=1)
    for one in made:
        event, _, rest = one.name.partition(" over ")
        other = rest.partition(", ")[0]
        assert one.licence == "CC BY"
        assert one.author == f"author of {event} and author of {other}"
        assert one.source == ""
    half = [dataclasses.replace(known[0], licence="CC0", label="Rain"), *known[3:]]
    one = mix(half[0], hiss(), snr_db=0, at=0.8, seconds=0.4)
    assert (one.licence, one.author) == ("", "")
    one = mix(half[0], half[1], snr_db=0, at=0.8, seconds=0.4)
    assert one.licence == "CC0 and CC BY"


@pytest.mark.slow
def test_a_benchmark_follows_its_seed(clips):
    first, again, other = (mixtures(clips, snrs=(0,), per_class=3, seed=s) for s in (1, 1, 2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.wave, b.wave)
    assert [one.at for one in first] != [one.at for one in other]


def test_backgrounds_that_end_in_silence_are_used_where_they_sound(clips):
    made = mixtures(clips.of("Bark", "Beep"), snrs=(0,), per_class=3, seconds=0.3, seed=2)
    beeps = [one for one in made if one.other == "Beep"]
    assert beeps and all(one.at < 1.2 for one in beeps)


@pytest.mark.slow
def test_benchmarks_that_cannot_be_made(clips, tmp_path):
    with pytest.raises(xa.XaiAudioError, match="clips of 1 classes"):
        mixtures(clips.of("Rain"))
    with pytest.raises(xa.XaiAudioError, match="per_class is 0"):
        mixtures(clips, per_class=0)
    with pytest.raises(xa.XaiAudioError, match="no signal-to-noise ratio"):
        mixtures(clips, snrs=())
    with pytest.raises(xa.XaiAudioError, match=r"Bark-\d over .*: The event is to last 2\.40 s"):
        mixtures(clips, seconds=2.4)
    silent = Clip(sound(tmp_path / "none.wav", np.zeros(48_000)), "Never", 1, "CC0")
    both = ClipSet("half", (*clips.of("Bark"), silent), clips.labels)
    with pytest.raises(xa.XaiAudioError, match=r"No background was found for Bark-\d"):
        mixtures(both)


def test_the_module_is_reachable():
    assert xa.datasets.mixtures is mixing
