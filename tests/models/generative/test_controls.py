import numpy as np
import pytest

from xaiaudio import XaiAudioError
from xaiaudio.models.generative import faithful, without_memory


def test_the_perfect_denoiser_is_the_mean_over_what_it_may_have_been():
    rng = np.random.default_rng(0)
    latents, noisy, time = rng.normal(size=(7, 3)), rng.normal(size=(4, 3)), 0.4
    for row, found in zip(noisy, faithful(latents, noisy, time), strict=True):
        # Bayes: each second as likely before, noise of the deviation 1 - time around time * second.
        chances = [np.exp(-0.5 * sum(((row - time * one) / (1 - time)) ** 2)) for one in latents]
        wanted = sum(c * one for c, one in zip(chances, latents, strict=True)) / sum(chances)
        np.testing.assert_allclose(found, wanted)


def test_its_way_ends_at_training_seconds():
    rng = np.random.default_rng(1)
    latents, point = rng.normal(0, 2, (9, 5)), rng.normal(size=(30, 5))
    for step in range(40):
        point = point + (faithful(latents, point, step / 40) - point) / (40 - step)
    distance = np.linalg.norm(point[:, None] - latents, axis=2).min(axis=1)
    assert distance.max() < 1e-3


def test_draws_have_the_mean_of_their_class_and_the_common_covariance():
    rng = np.random.default_rng(2)
    targets = np.arange(60) % 2
    latents = rng.normal(size=(60, 3)) * [3, 1, 0.2] + targets[:, None] * 5
    wanted = np.zeros(20_000, int)
    drawn = without_memory(latents, targets, wanted)
    np.testing.assert_allclose(drawn.mean(axis=0), latents[targets == 0].mean(axis=0), atol=0.1)
    inside = np.concatenate(
        [latents[targets == k] - latents[targets == k].mean(axis=0) for k in (0, 1)]
    )
    np.testing.assert_allclose(
        np.cov(drawn.T, bias=True), inside.T @ inside / len(inside), rtol=0.1, atol=0.05
    )


def test_a_class_without_a_second_is_refused():
    with pytest.raises(XaiAudioError, match="not among the targets"):
        without_memory(np.eye(4), np.array([0, 0, 2, 2]), np.array([0, 1]))
