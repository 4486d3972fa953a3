"""Every attribution method treats a network that explains itself, or says what it cannot treat."""

import warnings

import numpy as np
import pytest
from tones import tiny_backbone

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError, XaiAudioWarning
from xaiaudio.models import train_design

QUICK = {
    "lime": {"samples": 40},
    "slime": {"samples": 40},
    "shapley": {"samples": 150},
    "rise": {"samples": 40},
    "smoothgrad": {"samples": 3},
    "integrated-gradients": {"steps": 4},
}


@pytest.fixture(scope="module")
def model(clips):
    return train_design("pecmae", clips, tiny_backbone(), per_class=2, progress=False)


@pytest.mark.slow
@pytest.mark.parametrize("method", sorted(xa.methods()))
def test_a_method_explains_it_or_says_why_not(model, clips, method):
    patches = model.frontend(clips[0].load(), overlap=0.9, sounds=True)[:2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XaiAudioWarning)
        try:
            found = xa.explain(model, patches, method=method, **QUICK.get(method, {}))
        except XaiAudioError as error:
            assert len(str(error).splitlines()) <= 2
            assert any(layer.name in str(error) for layer in model.network.layers), error
        else:
            assert found.maps.shape == (2, 96, 64) and np.isfinite(found.maps).all()


@pytest.mark.slow
def test_every_measure_takes_it(model, clips):
    cases = xa.evaluate.cases_of(model, clips, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XaiAudioWarning)
        board = xa.evaluate.leaderboard(model, cases, ["saliency", "occlusion"], progress=False)
    # Without events of known place, the measures of places have nothing to say; and these methods
    # draw nothing, so that seeds change nothing.
    blind = {measure.name for measure in board.measures if "truth" in measure.takes} | {"seeds"}
    told = [measure.name for measure in board.measures if measure.name not in blind]
    assert len(told) >= 5
    for row in board.methods:
        assert not row.error
        empty = [name for name in told if not np.isfinite(board.mean(row.name, name))]
        assert not empty, (row.name, empty)
