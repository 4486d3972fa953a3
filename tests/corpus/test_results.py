"""What a run has given so far: rows and maps of each method, in the order of the plan."""

import numpy as np
import pytest
from small_archives import ASKED

import xaiaudio as xa


@pytest.mark.slow
def test_rows_of_a_method_are_its_own(whole):
    assert whole.methods == ASKED["methods"]
    assert repr(whole) == "Results(9 clips explained, 3 bad, of 12)"
    for method in whole.methods:
        rows = whole.rows(method)
        assert set(rows["method"]) == {method} and len(rows["file"]) == 9
    np.testing.assert_array_equal(whole.rows()["start"], whole.rows("gradcam")["start"])
    with pytest.raises(xa.XaiAudioError, match="not explained by 'lime', but by gradcam, input"):
        whole.rows("lime")


@pytest.mark.slow
def test_maps_come_unit_by_unit_in_the_order_of_the_rows(whole):
    rows, place = whole.rows("gradcam"), 0
    for maps in whole.maps():
        here = slice(place, place + len(maps))
        assert len(set(rows["unit"][here])) == 1
        assert rows["place"][here].tolist() == list(range(len(maps)))
        np.testing.assert_allclose(rows["relevance"][here], maps.mean(axis=1), rtol=1e-4, atol=1e-7)
        place += len(maps)
    assert place == 9
    with pytest.raises(xa.XaiAudioError, match="not explained by 'lime'"):
        next(whole.maps("lime"))


@pytest.mark.slow
def test_the_front_end_is_that_of_the_network(whole):
    assert whole.frontend == xa.load_model("lite").frontend


def test_a_plan_of_which_nothing_is_done_has_no_rows(sounds, tmp_path):
    xa.corpus.plan(sounds, tmp_path / "out", **ASKED)
    found = xa.corpus.read(tmp_path / "out")
    assert repr(found) == "Results(0 clips explained, 0 bad, of 12)"
    assert list(found.maps()) == [] and not len(found.rows()["file"])
