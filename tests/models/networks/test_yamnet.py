import os
from pathlib import Path

import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.models import backbone
from xaiaudio.models.networks import yamnet


def stored(network, **changes):
    """Arrays in the layout of the ``.npz`` file, from a network's weights."""
    arrays = {}
    for layer in network.layers:
        if layer.weights:
            kernel, bias = layer.get_weights()
            scope = layer.name.replace("_", "/", 1)
            if "depthwise" in scope:
                kernel = kernel[..., 0].transpose(2, 0, 1)
            elif "pointwise" in scope:
                kernel = kernel[0, 0].T
            else:
                kernel = kernel[:, :, 0].transpose(2, 0, 1)
            arrays[f"{scope}/kernel"], arrays[f"{scope}/bias"] = kernel, bias
    return {**arrays, **changes}


@pytest.mark.slow
def test_weights_from_a_file_or_its_folder(tmp_path):
    network = yamnet.network("relu6")
    np.savez(tmp_path / "yamnet.npz", **stored(network))
    patches = np.random.default_rng(0).normal(-2, 2, (2, 96, 64, 1)).astype(np.float32)
    for source in (tmp_path, tmp_path / "yamnet.npz"):
        found = backbone("yamnet", source)
        np.testing.assert_allclose(found.network(patches), network(patches), atol=1e-6)
        assert found.network.output_shape == (None, 1024)


def test_a_layer_of_another_shape_is_named(tmp_path):
    wrong = stored(yamnet.network(), **{"layer7/pointwise_conv/kernel": np.zeros((3, 3), "f4")})
    np.savez(tmp_path / "yamnet.npz", **wrong)
    with pytest.raises(XaiAudioError, match="layer7_pointwise_conv"):
        backbone("yamnet", tmp_path)


def test_files_that_are_no_weights(tmp_path):
    with pytest.raises(XaiAudioError, match="XAIAUDIO_YAMNET"):
        backbone("yamnet", tmp_path / "none.npz")
    (tmp_path / "a.npz").write_bytes(b"nonsense")
    with pytest.raises(XaiAudioError, match="no .npz of weights"):
        backbone("yamnet", tmp_path)
    np.savez(tmp_path / "a.npz", x=np.array([object()]))
    with pytest.raises(XaiAudioError, match="no .npz of weights"):
        backbone("yamnet", tmp_path)
    np.savez_compressed(tmp_path / "a.npz", x=np.random.default_rng(0).random(500))
    packed = bytearray((tmp_path / "a.npz").read_bytes())
    packed[200:300] = bytes(100)
    (tmp_path / "a.npz").write_bytes(packed)
    with pytest.raises(XaiAudioError, match="no .npz of weights"):
        backbone("yamnet", tmp_path)
    (tmp_path / "b.npz").write_bytes(b"")
    with pytest.raises(XaiAudioError, match="name one of them"):
        backbone("yamnet", tmp_path)


@pytest.mark.slow
@pytest.mark.skipif(
    not {"XAIAUDIO_YAMNET", "XAIAUDIO_ESC10"} <= os.environ.keys(),
    reason="the real weights and recordings are not here",
)
def test_scores_agree_with_the_network_for_phones():
    import tensorflow as tf

    from xaiaudio import datasets

    found = backbone("yamnet")
    kernel, bias = yamnet.read_npz(found.source)["fc"]
    (file,) = Path(found.source).parent.glob("*.tflite")
    phone = tf.lite.Interpreter(str(file), num_threads=2)
    phone.allocate_tensors()
    slot, answer = phone.get_input_details()[0], phone.get_output_details()[0]
    agreement = []
    for clip in list(datasets.load("esc10", progress=False))[::20]:
        wave = clip.load()[:15_600]
        phone.set_tensor(slot["index"], wave.reshape(slot["shape"]))
        phone.invoke()
        wanted = phone.get_tensor(answer["index"]).ravel()
        embedding = found.network(found.frontend(wave)[..., None]).numpy()
        given = 1 / (1 + np.exp(-(embedding[0] @ kernel + bias)))
        agreement.append(np.corrcoef(given, wanted)[0, 1])
    assert len(agreement) == 20
    assert np.median(agreement) >= 0.99
