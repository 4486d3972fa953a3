"""A leaderboard whose network is asked in bfloat16: what is, and that it says so."""

import numpy as np
import pytest
from small_networks import classifier_of, convolutional, random_patches

from xaiaudio.evaluate.benchmark.leaderboard import leaderboard
from xaiaudio.evaluate.benchmark.samples import Cases
from xaiaudio.explainers.engines import precision
from xaiaudio.pages.leaderboard import page


@pytest.mark.slow
@pytest.mark.parametrize("able", [True, False])
def test_numbers_are_settled_once_for_methods_and_measures(tmp_path, monkeypatch, able):
    monkeypatch.setattr(precision, "has_bfloat16", lambda: able)
    model = classifier_of(convolutional((24, 16)))
    patches, names = random_patches(3, (24, 16)), tuple("abc")
    cases = Cases(patches, model.scores(patches).argmax(axis=1), None, names, "made up")
    measures, options = ("deletion", "MuFidelity"), {"lime": {"precision": "float32"}}

    def measured(numbers):
        return leaderboard(
            model,
            cases,
            ["scorecam", "occlusion", "lime", "gradcam"],
            measures,
            options=options,
            precision=numbers,
            cache=tmp_path,
            progress=False,
        )

    exact, found = measured("float32"), measured("auto")
    assert exact.precision == "float32"
    assert found.precision == ("bfloat16" if able else "float32")
    for name in ("scorecam", "occlusion"):
        assert found.row(name).settings["precision"] == found.precision
    assert found.row("lime").settings["precision"] == "float32"  # as it was told
    moved = [
        np.abs(found.row(name).values[one] - exact.row(name).values[one]).max()
        for name in ("occlusion", "gradcam")
        for one in measures
    ]
    assert (0 < max(moved) < 0.05) if able else max(moved) == 0
    text = page(found, b"")
    assert ("bfloat16" in text) == able
