"""Networks of PyTorch behind a function: their answers, and maps that captum makes of them."""

import importlib

import numpy as np
import pytest
from small_networks import LABELS, frontend

import xaiaudio as xa

pytestmark = pytest.mark.oracle

SHAPE = (20, 10)


@pytest.fixture
def torch():
    return importlib.import_module("torch")


@pytest.fixture
def network(torch):
    """From patches (n, frames, bands) to logits, in evaluation mode."""
    torch.manual_seed(0)
    parts = torch.nn
    convolution = parts.Conv2d(1, 4, 3, padding=1)
    layers = (parts.Unflatten(1, (1, SHAPE[0])), convolution, parts.Tanh(), parts.Flatten())
    return parts.Sequential(*layers, parts.Linear(4 * SHAPE[0] * SHAPE[1], 3)).eval()


def some(count=2):
    return np.random.default_rng(3).normal(size=(count, *SHAPE)).astype("float32")


def test_of_patches(torch, network):
    model = xa.AudioClassifier.from_function(
        lambda patches: network(torch.from_numpy(patches)),
        LABELS,
        frontend=frontend(*SHAPE),
        outputs="logits",
    )
    expected = network(torch.from_numpy(some(5)))
    assert expected.requires_grad
    np.testing.assert_allclose(model.logits(some(5)), expected.detach(), atol=1e-5)
    softmax = expected.softmax(1).detach()
    np.testing.assert_allclose(model.scores(some(5)), softmax, atol=1e-5)


@pytest.mark.parametrize("kind", ["float64", "float16", "bfloat16"])
def test_of_sounds_in_other_numbers(torch, kind):
    kind = getattr(torch, kind)
    layers = (torch.nn.Unflatten(1, (1, 2_000)), torch.nn.Conv1d(1, 3, 64, 32))
    network = torch.nn.Sequential(*layers, torch.nn.AdaptiveMaxPool1d(1), torch.nn.Flatten())
    network = network.to(kind)
    model = xa.AudioClassifier.from_function(
        lambda waves: network(torch.from_numpy(waves).to(kind)),
        LABELS,
        8_000,
        seconds=0.25,
        outputs="sigmoid",
    )
    waves = np.random.default_rng(0).normal(0, 0.1, (3, 2_000)).astype("float32")
    expected = network(torch.from_numpy(waves).to(kind)).detach().double()
    assert model.logits(waves).dtype == np.float32
    np.testing.assert_allclose(model.logits(waves), expected, rtol=1e-6)
    np.testing.assert_allclose(model.scores(waves), expected.sigmoid(), rtol=1e-5)


@pytest.mark.parametrize("mask, stride", [((4, 2), (4, 2)), ((4, 4), (2, 2)), ((2, 3), (2, 1))])
def test_captum_has_the_same_occlusion(torch, network, mask, stride):
    """Where whole steps fill the patch: at the edge captum's mask shrinks, and ours moves back."""
    model = xa.AudioClassifier.from_function(
        lambda patches: network(torch.from_numpy(patches)),
        LABELS,
        frontend=frontend(*SHAPE),
        outputs="logits",
    )
    patches, targets = some(), np.array([2, 1])
    found = xa.explain(
        model,
        patches,
        targets,
        "occlusion",
        mask=tuple(np.divide(mask, SHAPE)),
        stride=tuple(np.divide(stride, SHAPE)),
        fill=-0.3,
    ).maps
    other = importlib.import_module("captum.attr").Occlusion(network)
    expected = other.attribute(
        torch.from_numpy(patches),
        sliding_window_shapes=mask,
        strides=stride,
        baselines=-0.3,
        target=torch.from_numpy(targets),
    )
    np.testing.assert_allclose(found, expected.detach(), atol=1e-5)
    assert np.ptp(found) > 0.01
