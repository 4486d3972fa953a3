"""Patches of a sound that comes in blocks are those of the whole sound."""

import itertools

import numpy as np
import pytest
import soundfile
from long_sounds import SMALL

from xaiaudio import LogMel
from xaiaudio.timelines.framing import loudest_of, needs_loudest, patches_of
from xaiaudio.wave_frontend import WaveFrontend

WAVE = np.random.default_rng(0).normal(0, 0.1, 20_000).astype("float32")
FRONTENDS = {
    "plain": SMALL,
    "centred": LogMel.librosa(
        sample_rate=16_000, fft=512, hop=200, bands=16, frames=20, top_db=None
    ),
    "reflected": LogMel.librosa(
        sample_rate=16_000, fft=512, bands=16, frames=20, pad_mode="reflect", top_db=None
    ),
    "samples": WaveFrontend.of(16_000, seconds=0.1, overlap=0.4),
}


@pytest.mark.slow
def test_no_more_than_a_block_is_in_memory(tmp_path):
    import tracemalloc

    from xaiaudio.streaming import Blocks

    def most(seconds):
        soundfile.write(tmp_path / "x.wav", np.zeros((seconds * 8_000, 2)), 8_000)
        tracemalloc.start()
        for _ in patches_of(Blocks(tmp_path / "x.wav", 8_000, block=2.0), SMALL, batch=16):
            pass
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak

    assert most(240) < 1.1 * most(60)


def in_blocks(wave, sizes):
    """Cut a sound into blocks, whose sizes come again and again."""
    start = 0
    for size in itertools.cycle(sizes):
        if start >= len(wave):
            return
        yield wave[start : start + size]
        start += size


@pytest.mark.parametrize("name", list(FRONTENDS))
@pytest.mark.parametrize(("sizes", "batch"), [((1, 700, 3), 1), ((20_000,), 4), ((333,), 128)])
def test_put_together_they_are_the_patches_of_the_whole_sound(name, sizes, batch):
    frontend = FRONTENDS[name]
    whole = frontend(WAVE)
    parts = list(patches_of(in_blocks(WAVE, sizes), frontend, batch=batch))
    found = [patches for patches, _ in parts]
    np.testing.assert_allclose(np.concatenate(found), whole, atol=1e-5)
    np.testing.assert_array_equal(np.concatenate([one.starts for one in found]), whole.starts)
    np.testing.assert_allclose(np.concatenate([one.levels for one in found]), whole.levels)
    assert whole.starts[-1] + frontend.frames <= found[-1].length <= whole.length and all(
        len(one) <= batch for one in found
    )


def test_each_batch_brings_the_samples_it_was_made_of():
    step = SMALL.patch_hop * SMALL.hop
    for number, (patches, wave) in enumerate(patches_of(in_blocks(WAVE, [500]), SMALL, batch=2)):
        assert len(patches) == 2 or len(wave) < step + SMALL.min_samples + step
        begin = 2 * number * step
        np.testing.assert_array_equal(wave, WAVE[begin : begin + len(wave)])


@pytest.mark.parametrize("name", list(FRONTENDS))
def test_a_sound_shorter_than_a_patch_gives_none(name):
    frontend = FRONTENDS[name]
    short = WAVE[: frontend.min_samples - 1]
    assert list(patches_of([short], frontend)) == []
    assert list(patches_of([], frontend)) == []
    (one,) = patches_of([WAVE[: frontend.min_samples]], frontend)
    assert len(one[0]) == 1


@pytest.mark.parametrize("centred", [False, True])
@pytest.mark.parametrize("sizes", [(20_000,), (100, 1_300)])
def test_decibels_below_the_loudest_cell_of_the_whole_sound(centred, sizes):
    frontend = LogMel.librosa(
        sample_rate=16_000, fft=512, hop=200, bands=16, frames=20, ref="max", centred=centred
    )
    assert needs_loudest(frontend)
    wave = WAVE.copy()
    wave[5_000:5_500] *= 8  # other patches hear nothing of it
    loudest = loudest_of(in_blocks(wave, sizes), frontend)
    found = patches_of(in_blocks(wave, sizes), frontend, batch=2, loudest=loudest)
    whole = frontend(wave)
    np.testing.assert_allclose(np.concatenate([one for one, _ in found]), whole, atol=1e-4)
    alone = np.concatenate([one for one, _ in patches_of([wave[:4_500]], frontend)])
    assert np.abs(alone - whole[: len(alone)]).max() > 3  # it matters


def test_who_needs_the_loudest_cell():
    about = {"sample_rate": 16_000, "fft": 512, "bands": 16, "frames": 20}
    assert not needs_loudest(SMALL)
    assert needs_loudest(LogMel.librosa(**about))
    assert not needs_loudest(LogMel.librosa(**about, top_db=None))
    assert needs_loudest(LogMel.librosa(**about, ref="max"))


def test_silence_and_nothing_have_no_loudest_cell():
    assert loudest_of([], SMALL) == loudest_of([np.zeros(5_000, "float32")], SMALL) == 0
