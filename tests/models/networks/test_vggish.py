"""VGGish: which variables of the module become which weights, and from where."""

import hub_modules
import keras
import numpy as np
import pytest
import tensorflow as tf

from xaiaudio.frontend import LogMel
from xaiaudio.models import backbone
from xaiaudio.models.networks import hub, vggish


@pytest.fixture(scope="module", params=[False, True], ids=["linear end", "ReLU end"])
def saved_vggish(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("vggish")
    module = hub_modules.VGGish(last_relu=request.param)
    tf.saved_model.save(module, str(folder))
    return folder, module, request.param


@pytest.mark.slow
def test_vggish_at_full_size(saved_vggish, monkeypatch):
    folder, module, last_relu = saved_vggish
    monkeypatch.setenv("XAIAUDIO_VGGISH", str(folder))
    found = backbone("vggish")
    assert found.source == str(folder) and found.frontend == LogMel.vggish()
    assert sum(np.prod(w.shape) for w in found.network.weights) == 72_141_184
    hub_modules.assert_same(
        found.network,
        found.frontend,
        hub_modules.sound(),
        module(tf.constant(hub_modules.sound())).numpy(),
    )
    layers = found.network.layers
    assert [la.name for la in layers if isinstance(la, keras.layers.Conv2D)] == [
        *("conv1", "conv2", "conv3_1", "conv3_2", "conv4_1", "conv4_2")
    ]
    assert isinstance(layers[-1], keras.layers.ReLU) == last_relu


def test_the_variables_are_those_of_the_module_in_its_order():
    slots = vggish.twin().slots
    wanted = [
        (f"vggish/{scope}/{part}", shape if part == "weights" else shape[-1:])
        for scope, shape in hub_modules.VGGISH
        for part in ("weights", "biases")
    ]
    assert [(slot.name, tuple(slot.shape)) for slot in slots] == wanted
    assert sum(np.prod(slot.shape) for slot in slots) == 72_141_184
    layers = [slot.layer for slot in slots[::2]]
    assert layers == [scope.split("/")[-1] for scope, _ in hub_modules.VGGISH]
    assert len(set(layers)) == len(layers)


def test_weights_come_to_the_layers_that_they_are_called_after(monkeypatch):
    """VGGish's own code on a plan of a few filters, against TensorFlow's operations by hand."""
    plan = (("conv1", 2), None, ("conv2/conv2_1", 3), ("conv2/conv2_2", 2), None, None, None)
    monkeypatch.setattr(vggish, "_CONVOLUTIONS", plan)
    monkeypatch.setattr(vggish, "_DENSE", (("fc1/fc1_1", 5), ("fc2", 4)))
    rng = np.random.default_rng(0)
    shapes = {"conv1": (3, 3, 1, 2), "conv2/conv2_1": (3, 3, 2, 3), "conv2/conv2_2": (3, 3, 3, 2)}
    shapes |= {"fc1/fc1_1": (6 * 4 * 2, 5), "fc2": (5, 4)}
    arrays = {}
    for scope, shape in shapes.items():
        arrays[f"vggish/{scope}/weights"] = rng.normal(size=shape).astype("float32")
        arrays[f"vggish/{scope}/biases"] = rng.normal(size=shape[-1:]).astype("float32")
    network = vggish._build(arrays)
    x = given = rng.normal(size=(2, 96, 64, 1)).astype("float32")
    for scope in ("conv1", None, "conv2/conv2_1", "conv2/conv2_2", None, None, None):
        if scope is None:
            x = tf.nn.max_pool2d(x, 2, 2, "SAME")
        else:
            kernel, bias = (arrays[f"vggish/{scope}/{part}"] for part in ("weights", "biases"))
            x = tf.nn.relu(tf.nn.conv2d(x, kernel, 1, "SAME") + bias)
    x = np.asarray(x).reshape(2, -1)
    x = np.maximum(x @ arrays["vggish/fc1/fc1_1/weights"] + arrays["vggish/fc1/fc1_1/biases"], 0)
    x = x @ arrays["vggish/fc2/weights"] + arrays["vggish/fc2/biases"]
    np.testing.assert_allclose(network(given), x, rtol=1e-4, atol=1e-3)
    assert x.min() < 0  # linear at its end


@pytest.mark.parametrize(
    "given, named, wanted",
    [(None, None, vggish.ADDRESS), (None, "/there", "/there"), ("/here", "/there", "/here")],
)
def test_what_is_given_comes_before_what_is_named_and_both_before_the_address(
    monkeypatch, given, named, wanted
):
    monkeypatch.delenv("XAIAUDIO_VGGISH", raising=False)
    if named:
        monkeypatch.setenv("XAIAUDIO_VGGISH", named)
    monkeypatch.setattr(hub, "fetch", lambda source, variable: (source, variable))
    monkeypatch.setattr(hub, "twin_of", lambda module, twin, source: (module, source))
    (module, source), told, attribution = vggish.load(given)
    assert module == (wanted, "XAIAUDIO_VGGISH")
    assert source == told == wanted
    assert "Apache-2.0" in attribution
