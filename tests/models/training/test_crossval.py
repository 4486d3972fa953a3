import numpy as np
import pytest

from xaiaudio import models
from xaiaudio.datasets import ClipSet
from xaiaudio.errors import XaiAudioError
from xaiaudio.models import cross_validate, transfer

QUICK = {"epochs": 4, "batch_size": 16, "learning_rate": 0.01}


@pytest.mark.slow
@pytest.mark.parametrize("freeze", [False, True])
def test_each_fold_is_what_a_run_of_its_own_gives(clips, backbone, freeze):
    few = ClipSet("few", tuple(clip for clip in clips if clip.fold <= 2), clips.labels)
    options = {**QUICK} if freeze else {**QUICK, "progress": False}
    results = cross_validate(backbone, few, freeze=freeze, **options)
    assert len(results) == 2
    for fold, result in enumerate(results, 1):
        train, test = few.split(fold)
        model = transfer(backbone, train, freeze=freeze, **{**QUICK, "progress": False})
        expected = models.test(model, test)
        assert result.names == expected.names
        np.testing.assert_array_equal(result.true, expected.true)
        for a, b in zip(result.patch_scores, expected.patch_scores, strict=True):
            np.testing.assert_allclose(a, b, atol=1e-4)


def test_a_set_without_folds(clips, backbone):
    with pytest.raises(XaiAudioError, match="folds"):
        cross_validate(backbone, clips.split(5)[1], freeze=True)
