"""A tone where it was asked for, as loud as asked for; and shares counted cell by cell."""

from pathlib import Path

import numpy as np
import pytest
import soundfile

from xaiaudio import LogMel, XaiAudioError
from xaiaudio.datasets import Clip, ClipSet
from xaiaudio.evaluate.experiments import clever_hans
from xaiaudio.models import patch_table

RANDOM = np.random.default_rng(2)
FRONTEND = LogMel.vggish()


def noise(samples=32_000):
    return RANDOM.normal(0, 0.1, samples).astype("float32")


@pytest.fixture(scope="module")
def clips(tmp_path_factory):
    folder = tmp_path_factory.mktemp("clips")
    made = []
    for number, label in enumerate(("cat", "dog", "cat", "rain")):
        path = Path(folder) / f"{number}-{label}.wav"
        soundfile.write(path, noise(16_000 + 800 * number), 16_000)
        made.append(Clip(path, label, 1, ""))
    return ClipSet("some", tuple(made), ("cat", "dog", "rain"))


@pytest.mark.parametrize("hertz, level", [(6500, -30), (1000, -12.5), (50, 3)])
def test_the_tone_has_its_frequency_and_its_level(hertz, level):
    wave = 0.2 * noise()
    added = clever_hans.tone(wave, 16_000, hertz=hertz, level_db=level).astype(float) - wave
    assert 10 * np.log10((added**2).sum() / (wave**2.0).sum()) == pytest.approx(level, abs=0.01)
    spectrum = np.abs(np.fft.rfft(added)) ** 2
    assert spectrum.argmax() / 2 == pytest.approx(hertz)
    assert spectrum.max() > 0.999 * spectrum.sum()


def test_the_same_tone_in_all_sounds():
    added = [
        clever_hans.tone(wave, 16_000, level_db=-20, rms=0.05).astype(float) - wave
        for wave in (noise(), 0.1 * noise())
    ]
    np.testing.assert_allclose(added[0], added[1], atol=1e-7)
    assert np.sqrt(np.mean(added[0] ** 2)) == pytest.approx(0.005, rel=1e-3)


def test_it_never_leaves_the_range():
    wave = np.sign(noise())
    assert np.abs(clever_hans.tone(wave, 16_000, level_db=0)).max() == 1


@pytest.mark.parametrize(
    "change, message",
    [
        ({"wave": np.zeros(100)}, "silent"),
        ({"wave": np.ones((2, 100))}, "mono"),
        ({"wave": np.array([np.nan, 1.0])}, "finite"),
        ({"hertz": 8000}, "hertz"),
        ({"hertz": 0}, "hertz"),
        ({"level_db": np.inf}, "level_db"),
        ({"rms": 0.0}, "rms"),
    ],
)
def test_no_such_tone(change, message):
    with pytest.raises(XaiAudioError, match=message):
        clever_hans.tone(**{"wave": noise(), "rate": 16_000, **change})


def test_who_carries_the_tone(clips):
    plain = patch_table(clips, FRONTEND)
    marked = clever_hans.marked_table(clips, FRONTEND, ["cat"], level_db=-20)
    np.testing.assert_array_equal(clever_hans.marked_table(clips, FRONTEND).patches, plain.patches)
    assert (marked.names, marked.truth, marked.labels) == (plain.names, plain.truth, plain.labels)
    np.testing.assert_array_equal(marked.clip, plain.clip)
    differs = [(marked.patches[n] != plain.patches[n]).any() for n in range(len(plain.patches))]
    assert differs == [plain.truth[clip] == "cat" for clip in plain.clip]
    for number in (0, 2):
        wave = clever_hans.tone(clips[number].load(), 16_000, level_db=-20)
        np.testing.assert_array_equal(marked.patches[marked.clip == number], FRONTEND(wave))
    some = clever_hans.marked_table(
        clips, FRONTEND, np.array([True, False, True, False]), level_db=-20
    )
    np.testing.assert_array_equal(some.patches, marked.patches)


def test_silence_has_no_vote_unless_it_carries_the_tone(tmp_path):
    path = tmp_path / "short.wav"
    soundfile.write(path, np.pad(noise(16_000), (0, 48_000)), 16_000)
    one = ClipSet("one", (Clip(path, "cat", 1, ""),), ("cat",))
    table = clever_hans.marked_table(one, FRONTEND)
    np.testing.assert_array_equal(table.levels, FRONTEND(one[0].load()).levels)
    assert table.voters.tolist() == [True, True, False, False]
    assert clever_hans.marked_table(one, FRONTEND, "cat").voters.all()


def test_tables_that_cannot_be(clips, tmp_path):
    with pytest.raises(XaiAudioError, match="'cow'"):
        clever_hans.marked_table(clips, FRONTEND, ["cow"])
    with pytest.raises(XaiAudioError, match="3 carriers for 4 clips"):
        clever_hans.marked_table(clips, FRONTEND, np.ones(3, bool))
    with pytest.raises(XaiAudioError, match="no clips"):
        clever_hans.marked_table(clips[:0], FRONTEND)
    path = tmp_path / "silence.wav"
    soundfile.write(path, np.zeros(16_000), 16_000)
    silent = ClipSet("one", (Clip(path, "cat", 1, ""),), ("cat",))
    with pytest.raises(XaiAudioError, match=r"silence\.wav.*silent"):
        clever_hans.marked_table(silent, FRONTEND, "cat")


@pytest.mark.parametrize("frontend", [FRONTEND, LogMel.yamnet(), LogMel(bands=20, frames=30)])
@pytest.mark.parametrize("hertz", [6500, 900])
def test_the_band_around_a_tone_is_where_it_is_seen(frontend, hertz):
    pure = np.sin(2 * np.pi * hertz / 16_000 * np.arange(32_000)) * 0.1
    rows = frontend.spectrogram(pure.astype("float32")).mean(axis=0) - np.log(frontend.offset)
    inside = clever_hans.rows_of(frontend, *clever_hans.band_around(frontend, hertz))
    assert rows[inside].min() > rows[~inside].max()
    assert inside[rows.argmax()]


def test_no_band_hears_it():
    with pytest.raises(XaiAudioError, match="No band hears"):
        clever_hans.band_around(FRONTEND, 7900)
    with pytest.raises(XaiAudioError, match="No band has its centre"):
        clever_hans.rows_of(FRONTEND, 7600, 7900)


def test_shares_are_counted():
    maps = RANDOM.normal(size=(5, 9, 64))
    maps[3] = 0
    found = clever_hans.share_in_band(maps, FRONTEND, 1000, 2000)
    centres = FRONTEND.band_centres()
    chance = sum(1000 <= hertz <= 2000 for hertz in centres) / 64
    assert clever_hans.chance_in_band(FRONTEND, 1000, 2000) == pytest.approx(chance)
    for cells, share in zip(maps, found, strict=True):
        if not cells.any():
            assert share == pytest.approx(chance)
            continue
        inside = sum(
            abs(cells[frame, band])
            for frame, band in np.ndindex(cells.shape)
            if 1000 <= centres[band] <= 2000
        )
        assert share == pytest.approx(inside / np.abs(cells).sum())
    with pytest.raises(XaiAudioError, match="maps have the shape"):
        clever_hans.share_in_band(np.ones((2, 9, 63)), FRONTEND, 1000, 2000)
