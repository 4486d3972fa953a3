"""Regions against their definition: a flood fill, cell by cell."""

import dataclasses

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.explainers.masking import clip_map
from xaiaudio.explainers.regions import regions

KEEP = 0.07


@pytest.fixture(scope="module")
def result():
    model = xa.load_model("lite")
    wave = np.random.default_rng(1).normal(0, 0.1, 40_000).astype("float32")
    patches = model.frontend(wave, overlap=0.5)
    found = xa.explain(model, patches, "Rain", "gradcam")
    maps = np.random.default_rng(2).normal(size=found.maps.shape).astype("float32")
    maps[:, :, 1:] += maps[:, :, :-1]  # regions of more than one cell
    return dataclasses.replace(found, maps=maps)


def flooded(relevance, keep):
    """Grow each region from its first cell, neighbour by neighbour."""
    count = round(keep * relevance.size)
    strongest = sorted(np.ndindex(relevance.shape), key=lambda cell: -relevance[cell])[:count]
    left = {cell for cell in strongest if relevance[cell] > 0}
    while left:
        region, edge = set(), {min(left)}
        while edge:
            region |= edge
            left -= edge
            edge = {
                (frame + by, band + up)
                for frame, band in edge
                for by, up in ((1, 0), (-1, 0), (0, 1), (0, -1))
            } & left
        yield sorted(region)


@pytest.mark.slow
def test_regions_are_the_neighbouring_cells_of_the_strongest(result):
    relevance, frontend = clip_map(result), result.frontend
    whole = sum(value for value in relevance.ravel().tolist() if value > 0)
    edges = frontend.band_edges()
    expected = []
    for region in flooded(relevance, KEEP):
        frames, bands = zip(*region, strict=True)
        total = sum(float(relevance[cell]) for cell in region)
        times = [
            (frame * frontend.hop + (frontend.window - frontend.hop) / 2) / frontend.sample_rate
            for frame in (min(frames), max(frames) + 1)
        ]
        box = (*times, edges[min(bands)], edges[max(bands) + 1])
        expected.append((*box, total / len(region), total / whole, len(region)))
    found = [
        (one.start, one.end, one.low, one.high, one.relevance, one.share, one.cells)
        for one in regions(result, keep=KEEP, least=0)
    ]
    assert len(found) == len(expected) > 20
    np.testing.assert_allclose(sorted(found), sorted(expected), rtol=1e-5)
    shares = [row[5] for row in found]
    assert shares == pytest.approx(sorted(shares, reverse=True), abs=1e-6)


@pytest.mark.slow
def test_their_cells_are_those_that_are_kept(result):
    wave = np.random.default_rng(1).normal(0, 0.1, 40_000).astype("float32")
    heard = xa.listen(result, wave, keep=KEEP)
    assert sum(one.cells for one in result.regions(KEEP, least=0)) == heard.mask.sum()


@pytest.mark.slow
def test_small_regions_are_left_out(result):
    every = result.regions(KEEP, least=0)
    border = every[len(every) // 2].share
    assert result.regions(KEEP, least=border) == [one for one in every if one.share >= border]


@pytest.mark.slow
def test_nothing_that_speaks_for_it_is_no_region(result):
    assert dataclasses.replace(result, maps=-np.abs(result.maps)).regions() == []


def test_several_classes_have_regions_of_their_own(result):
    targets = np.array([0, 1] * len(result))[: len(result)]
    both = dataclasses.replace(result, targets=targets)
    found = both.regions(KEEP, least=0)
    assert {one.label for one in found} == set(result.labels[:2])
    alone = result[targets == 1].regions(KEEP, least=0)
    mine = [one for one in found if one.label == result.labels[1]]
    assert [(one.start, one.low) for one in mine] == [(one.start, one.low) for one in alone]


@pytest.mark.slow
def test_padding_is_no_region_and_no_row():
    model = xa.load_model("lite")
    wave = np.random.default_rng(1).normal(0, 0.1, 8_000).astype("float32")
    result = xa.explain(model, model.frontend(wave, pad=True), "Rain", "occlusion")
    assert all(one.end <= 0.55 for one in result.regions())
    heard = xa.listen(result, wave, keep=0.1)
    assert sum(one.cells for one in result.regions(0.1, least=0)) == heard.mask.sum()
    assert len(result.table()["patch"]) == int((~result.padding).sum()) * model.frontend.bands


@pytest.mark.parametrize("wrong", [{"keep": 0}, {"keep": None}, {"least": 2}, {"least": "much"}])
def test_a_share_that_is_none_is_refused(result, wrong):
    with pytest.raises(xa.XaiAudioError, match=next(iter(wrong))):
        result.regions(**wrong)


@pytest.mark.slow
def test_patches_from_nowhere_have_no_regions_but_cells():
    model = xa.load_model("lite")
    result = xa.explain(model, np.zeros((2, 96, 64), "float32"), "Rain", "gradcam")
    with pytest.raises(xa.XaiAudioError, match="where its patches lie"):
        result.regions()
    assert len(result.table()["relevance"]) == 2 * 96 * 64


def test_the_table_has_every_cell_in_its_place(result):
    table = result.table("noise.wav")
    assert {len(column) for column in table.values()} == {result.maps.size}
    rows = [dict(zip(table, row, strict=True)) for row in zip(*table.values(), strict=True)]
    places = np.random.default_rng(0).integers(0, result.maps.size, 50)
    edges = result.frontend.band_edges()
    for row, place in ((rows[place], place) for place in places):
        patch, frame, band = np.unravel_index(place, result.maps.shape)
        times = result.times(patch)
        assert row == {
            "file": "noise.wav",
            "class": "Rain",
            "method": "gradcam",
            "patch": patch,
            "start_s": times[frame],
            "end_s": times[frame + 1],
            "low_hz": edges[band],
            "high_hz": edges[band + 1],
            "relevance": result.maps[patch, frame, band],
            "unit": "",
        }


@pytest.mark.oracle
def test_pandas_takes_it(result):
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(result.table())
    assert frame.groupby("patch")["relevance"].sum().to_numpy() == pytest.approx(
        result.maps.sum((1, 2)), rel=1e-3
    )
