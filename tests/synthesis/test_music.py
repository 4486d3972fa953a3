import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.synthesis import dsp
from xaiaudio.synthesis.music import STEMS, Piece, play


def chroma(wave):
    """Energy of the twelve pitch classes, C first, by one Fourier transform."""
    power = np.abs(np.fft.rfft(wave * np.hanning(len(wave)))) ** 2
    hertz = np.fft.rfftfreq(len(wave), 1 / dsp.RATE)
    inside = (hertz > 100) & (hertz < 1500)
    pitch = np.round(12 * np.log2(hertz[inside] / 440) + 69).astype(int) % 12
    return np.bincount(pitch, power[inside], minlength=12)


def onsets(wave, step=0.0125):
    """Times at which the sound gets louder at once."""
    size = int(step * dsp.RATE)
    level = np.abs(wave[: len(wave) // size * size]).reshape(-1, size).max(axis=1)
    rise = np.diff(level, prepend=0)
    return np.flatnonzero(rise > 0.35 * rise.max()) * step


def test_stems_sum_to_the_mix_exactly_and_stay_within_full_scale():
    for seed in range(6):
        rng = np.random.default_rng(seed)
        piece = Piece(
            tempo=rng.uniform(60, 180),
            dissonance=rng.random(),
            density=rng.random(),
            articulation=rng.random(),
            gains=tuple(rng.uniform(-12, 12, 4).tolist()),
            seed=seed,
        )
        stems = play(piece)
        assert tuple(stems) == STEMS
        parts = np.stack(list(stems.values()))
        assert parts.dtype == np.float32 and parts.shape == (4, 64_000)
        assert np.array_equal(parts * 32768, np.round(parts * 32768))
        mix = parts.sum(axis=0)
        assert np.array_equal(mix, parts[::-1].sum(axis=0))  # in any order
        assert 0.1 < np.abs(mix).max() <= 0.9


def test_gains_are_those_of_the_mix():
    plain, louder = play(Piece()), play(Piece(gains=(0.0, -6.0, 0.0, 3.0)))
    for stem, gain in zip(STEMS, (0, -6, 0, 3), strict=True):
        change = 20 * np.log10(dsp.rms(louder[stem]) / dsp.rms(plain[stem]))
        assert change == pytest.approx(gain, abs=0.05)


@pytest.mark.parametrize("mode, third, other", [("major", 4, 3), ("minor", 3, 4)])
@pytest.mark.parametrize("tonic", [57, 60, 63])
def test_the_third_is_that_of_the_mode(mode, third, other, tonic):
    first_bar = play(Piece(mode=mode, tonic=tonic, tempo=60.0))["chords"]
    found = np.roll(chroma(first_bar), -(tonic % 12))
    assert found[third] > 20 * found[other]


def test_bass_and_lead_say_nothing_of_the_mode():
    major, minor = play(Piece(mode="major")), play(Piece(mode="minor"))
    for stem in ("drums", "bass", "lead"):
        np.testing.assert_array_equal(major[stem], minor[stem])
    assert not np.array_equal(major["chords"], minor["chords"])


@pytest.mark.parametrize(
    "change, stem",
    [({"dissonance": 1.0}, "chords"), ({"articulation": 0.0}, "lead"), ({"density": 1.0}, "drums")],
)
def test_a_parameter_is_heard_in_one_stem(change, stem):
    before, after = play(Piece()), play(Piece(**change))
    for name in STEMS:
        assert np.array_equal(before[name], after[name]) == (name != stem)


def test_dissonance_adds_notes_beside_the_chords():
    levels = []
    for dissonance in (0.0, 0.5, 1.0):
        found = chroma(play(Piece(dissonance=dissonance, tempo=60.0))["chords"])
        levels.append(found[1] / found[0])
    assert levels[0] < 0.01 and levels[0] < levels[1] < levels[2]


def test_legato_notes_last_longer():
    shares = [
        (np.abs(play(Piece(articulation=value))["lead"]) > 0.003).mean() for value in (0, 0.5, 1)
    ]
    assert shares[0] < 0.4 < shares[1] < shares[2]


def test_density_is_the_number_of_ticks():
    counts = []
    for density in (0.0, 0.25, 0.5, 1.0):
        drums = play(Piece(density=density, tempo=60.0))["drums"]
        high = dsp.filtered(drums, dsp.high_pass(6000, 8))
        counts.append(len(onsets(high)))
    assert counts == sorted(counts) and counts[-1] > 2 * counts[1]


@pytest.mark.parametrize("tempo", [84.0, 112.0, 136.0])
def test_the_tempo_is_that_of_the_beats(tempo):
    """The period of the loudness of all instruments together, from its autocorrelation."""
    mix = np.sum(list(play(Piece(tempo=tempo, seconds=12.0)).values()), axis=0)
    size = 160
    power = np.square(mix[: len(mix) // size * size], dtype=float).reshape(-1, size).mean(axis=1)
    rise = np.maximum(np.diff(np.log(power + 1e-6)), 0)
    rise -= rise.mean()
    alike = np.correlate(rise, rise, "full")[len(rise) - 1 :]
    # Two beats, from kick to kick: no shorter time repeats as well within this range.
    low, high = 0.85 * 12_000 / tempo, 1.15 * 12_000 / tempo
    lags = np.arange(int(low), int(high))
    assert lags[np.argmax(alike[lags])] == pytest.approx(12_000 / tempo, rel=0.02)


@pytest.mark.slow
def test_librosa_hears_the_beat():
    librosa = pytest.importorskip("librosa")
    right = 0
    tempi = (84.0, 96.0, 108.0, 120.0, 132.0)
    for tempo in tempi:
        stems = play(Piece(tempo=tempo, seconds=12.0))
        mix = np.sum(list(stems.values()), axis=0)
        found = float(np.squeeze(librosa.feature.tempo(y=mix, sr=dsp.RATE)))
        # Half and double the tempo are beats, too.
        right += min(abs(found / tempo / factor - 1) for factor in (0.5, 1, 2)) < 0.05
    assert right >= 4


def test_other_numbers_other_pieces():
    one, same, other = play(Piece(seed=1)), play(Piece(seed=1)), play(Piece(seed=2))
    for stem in STEMS:
        np.testing.assert_array_equal(one[stem], same[stem])
    assert not np.array_equal(one["lead"], other["lead"])


@pytest.mark.parametrize(
    "given, told",
    [
        ({"mode": "dorian"}, "mode is 'dorian'"),
        ({"tempo": 10.0}, "tempo is 10.0: it must be from 40 to 240"),
        ({"density": 1.5}, "density is 1.5"),
        ({"tempo": "fast"}, "tempo is 'fast'"),
        ({"seed": -1}, "seed is -1"),
        ({"seconds": 0.0}, "seconds is 0.0"),
        ({"gains": (0.0, 0.0)}, "four numbers"),
    ],
)
def test_pieces_that_make_no_sense(given, told):
    with pytest.raises(XaiAudioError, match=told):
        Piece(**given)
