"""What a network does not say of itself can be said on the command line."""

import keras
import numpy as np
import pytest
from commands import call, complaint

import xaiaudio as xa
from xaiaudio.cli.choices import about_network, load_network, read_front_end
from xaiaudio.errors import XaiAudioError

NOTHING = dict.fromkeys(
    ("labels", "ends_in", "activation", "repeat_channels", "sample_rate", "seconds")
)


@pytest.fixture
def saved(tmp_path):
    """Save a network of the layers given, with labels beside it."""

    def save(*layers):
        keras.utils.set_random_seed(0)
        network = keras.Sequential(layers)
        network.save(tmp_path / "mine.keras")
        classes = network.output_shape[-1]
        (tmp_path / "labels.txt").write_text("\n".join("abc"[:classes]))
        return network, tmp_path / "mine.keras", tmp_path / "labels.txt"

    return save


def loaded(path, labels, **given):
    return load_network(str(path), about_network(**{**NOTHING, "labels": labels, **given}))


def patches():
    return np.random.default_rng(0).normal(-1, 1.5, (4, 96, 64)).astype("float32")


def averaged(*more):
    return (
        keras.Input((96, 64, 1)),
        keras.layers.AveragePooling2D(16),
        keras.layers.Flatten(),
        *more,
    )


@pytest.mark.slow
def test_probabilities_that_the_layers_do_not_show(saved):
    layers = averaged(keras.layers.Dense(3, activation="softmax"), keras.layers.UnitNormalization())
    network, *files = saved(*layers)
    with pytest.raises(XaiAudioError, match="--ends-in probabilities"):
        loaded(*files)
    model = loaded(*files, ends_in="probabilities")
    wanted = network.predict(patches()[..., None], verbose=0)
    np.testing.assert_allclose(model.scores(patches()), wanted, rtol=1e-5)


@pytest.mark.slow
def test_logits_that_look_like_probabilities(saved):
    network, *files = saved(*averaged(keras.layers.Dense(3), keras.layers.ReLU(max_value=1.0)))
    with pytest.raises(XaiAudioError, match="--ends-in probabilities \\(or logits\\)"):
        loaded(*files)
    wanted = keras.ops.softmax(network.predict(patches()[..., None], verbose=0))
    model = loaded(*files, ends_in="logits")
    np.testing.assert_allclose(model.scores(patches()), wanted, rtol=1e-5)


@pytest.mark.slow
def test_logits_behind_which_sigmoids_belong(saved):
    network, *files = saved(*averaged(keras.layers.Dense(3)))
    wanted = keras.ops.sigmoid(network.predict(patches()[..., None], verbose=0))
    model = loaded(*files, activation="sigmoid")
    np.testing.assert_allclose(model.scores(patches()), wanted, rtol=1e-5)


@pytest.mark.slow
def test_two_channels(saved, capsys):
    layers = (keras.Input((96, 64, 2)), keras.layers.Flatten(), keras.layers.Dense(2))
    network, *files = saved(*layers)
    with pytest.raises(XaiAudioError, match="--repeat-channels"):
        loaded(*files)
    model = loaded(*files, repeat_channels=True)
    assert "2 channels" in capsys.readouterr().err
    both = np.stack([patches()] * 2, axis=-1)
    wanted = network.predict(both, verbose=0)
    np.testing.assert_allclose(model.logits(patches()), wanted, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("length", [8_000, None])
def test_a_network_of_samples(saved, length):
    layers = (
        *(keras.Input((length, 1)), keras.layers.Conv1D(4, 64, strides=32, activation="relu")),
        *(keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2, activation="softmax")),
    )
    network, *files = saved(*layers)
    with pytest.raises(XaiAudioError, match="--sample-rate 16000"):
        loaded(*files)
    about = {"sample_rate": 8_000, "seconds": None if length else 1.0}
    model = loaded(*files, **about)
    wave = np.random.default_rng(1).normal(0, 0.1, 8_000).astype("float32")
    assert (model.frontend.sample_rate, model.frontend.samples) == (8_000, 8_000)
    wanted = network.predict(wave[None, :, None], verbose=0)
    np.testing.assert_allclose(model.scores(model.frontend(wave)), wanted, rtol=1e-4)


@pytest.mark.slow
def test_what_is_said_of_another_kind_of_network(saved):
    _, *files = saved(*averaged(keras.layers.Dense(3)))
    with pytest.raises(XaiAudioError, match="takes log-mel patches: leave out sample_rate"):
        loaded(*files, sample_rate=16_000)
    layers = (keras.Input((8_000,)), keras.layers.Dense(2))
    _, *files = saved(*layers)
    with pytest.raises(XaiAudioError, match="takes samples: leave out channels"):
        loaded(*files, sample_rate=8_000, repeat_channels=True)


def test_another_end_is_no_choice(capsys):
    status, _, err = call(capsys, "explain", "a.wav", "--ends-in", "tears")
    assert status == 2 and "--ends-in" in err and "probabilities" in err


@pytest.mark.slow
def test_explaining_a_network_of_samples(saved, capsys, tmp_path):
    layers = (
        *(keras.Input((8_000, 1)), keras.layers.Conv1D(4, 64, strides=32, activation="relu")),
        *(keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2, activation="softmax")),
    )
    _, path, labels = saved(*layers)
    wave = tmp_path / "noise.wav"
    random = np.random.default_rng(1).normal(0, 0.1, 16_000).astype("float32")
    import soundfile

    soundfile.write(wave, random, 8_000)
    about = ("--model", path, "--labels", labels, "--out", tmp_path / "out")
    fast = ("-m", "occlusion", "--set", "occlusion.mask=0.5", "--set", "occlusion.stride=0.5")
    status, _, err = call(capsys, "explain", wave, *about, *fast)
    assert status == 1 and "--sample-rate 16000" in complaint(err)
    status, said, err = call(capsys, "explain", wave, *about, *fast, "--sample-rate", "8000")
    assert status == 0, err
    assert f"{wave}: " in said
    assert xa.Explanation.load(tmp_path / "out" / "noise-occlusion.npz").labels == ("a", "b")


def test_front_ends_in_files(tmp_path):
    path = tmp_path / "front.json"
    path.write_text('{"bands": 40, "frames": 50}', encoding="utf-8-sig")
    assert read_front_end(str(path)).patch_shape == (50, 40)
    path.write_text("[" * 100_000)
    with pytest.raises(XaiAudioError, match="it is no JSON"):
        read_front_end(str(path))
    for strange in ("/dev/zero", tmp_path):
        with pytest.raises(XaiAudioError, match="no small text file"):
            read_front_end(str(strange))
