"""Attacks on a small network: what they promise, and what they refuse."""

import keras
import numpy as np
import pytest

from xaiaudio import AudioClassifier, LogMel, XaiAudioError, load_model
from xaiaudio.evaluate.experiments import adversarial

FRONTEND = LogMel(bands=12, frames=20, overlap=0.75)


def sounds(*lengths):
    """Return noises of these lengths, the same ones whichever tests ran before."""
    random = np.random.default_rng(4)
    random.normal(size=50_000)  # what the network was made with
    return [random.normal(0, 0.1, length).astype("float32") for length in lengths]


def network(seed=2):
    keras.utils.set_random_seed(seed)
    patch = keras.Input((20, 12, 1))
    x = keras.layers.Conv2D(6, 3, activation="relu")(patch)
    x = keras.layers.GlobalAveragePooling2D()(x)
    dense = keras.layers.Dense(3)
    made = keras.Model(patch, dense(x))
    # Noise is a cat, but not by far.
    noise = FRONTEND(np.random.default_rng(4).normal(0, 0.1, 50_000))
    kernel, _ = dense.get_weights()
    dense.set_weights([5 * kernel, np.zeros(3)])
    dense.set_weights([5 * kernel, np.array([0.5, 0, 0]) - made.predict(noise).mean(axis=0)])
    return made


SLOW_FIXTURES = ("found",)


@pytest.fixture(scope="module")
def model():
    return AudioClassifier.from_keras(network(), ("cat", "dog", "rain"), FRONTEND)


@pytest.fixture(scope="module")
def waves():
    return sounds(8_000, 12_345, 9_999)


@pytest.fixture(scope="module")
def targets(model, waves):
    """The second best class of each clip."""
    return [int(np.argsort(model.logits(FRONTEND(wave)).mean(axis=0))[1]) for wave in waves]


@pytest.fixture(scope="module")
def found(model, waves, targets):
    return adversarial.attack(model, waves, targets, level_db=-12, rounds=8)


@pytest.mark.slow
def test_it_fools_the_network_and_says_so_truly(model, waves, targets, found):
    assert found.success.all()
    for number, wave in enumerate(waves):
        changed = found.changed[number]
        assert changed.shape == wave.shape and changed.dtype == np.float32
        prediction = model.predict_clip(changed)
        assert prediction.label == model.labels[targets[number]]
        assert found.turned[number] == pytest.approx(prediction.shares[prediction.label])
        before = model.predict_clip(wave).label
        assert before == model.labels[found.answers[number]] != prediction.label


@pytest.mark.slow
def test_the_change_stays_below_its_level(waves, found):
    for wave, changed, level in zip(waves, found.changed, found.level_db, strict=True):
        change = changed.astype(float) - wave
        assert level == pytest.approx(
            10 * np.log10((change**2).sum() / (wave**2.0).sum()), abs=1e-3
        )
        assert level <= -12
        assert np.abs(changed).max() <= 1


@pytest.mark.slow
def test_once_it_works_it_gets_quieter(model, waves, targets, found):
    short = adversarial.attack(model, waves, targets, level_db=-12, rounds=1)
    both = (short.turned == 1) & (found.turned == 1)
    assert both.any()
    assert (found.level_db[both] < short.level_db[both] - 0.5).all()


@pytest.mark.slow
def test_noise_of_the_same_level_does_not_fool_it(model, waves, found):
    for wave, level, answer in zip(waves, found.level_db, found.answers, strict=True):
        noise = np.random.default_rng(len(wave)).normal(size=len(wave)).astype("float32")
        noise *= np.linalg.norm(wave) / np.linalg.norm(noise) * 10 ** (level / 20)
        assert model.predict_clip(wave + noise).label == model.labels[answer]


def test_clips_do_not_influence_each_other(model, waves, targets, found):
    for number in (0, 2):
        alone = adversarial.attack(model, waves[number], targets[number], level_db=-12, rounds=8)
        assert alone.turned[0] == pytest.approx(found.turned[number], abs=0.1)
        alike = np.corrcoef(alone.changes[0], found.changes[number])[0, 1]
        assert alike > 0.9


@pytest.mark.slow
def test_more_clips_than_a_batch(model, waves, targets, monkeypatch):
    monkeypatch.setattr(adversarial, "BATCH", 2)
    found = adversarial.attack(model, waves, targets, level_db=-12, rounds=2)
    assert len(found) == 3 and (found.level_db <= -12).all()


@pytest.mark.slow
def test_silence_has_no_vote(model):
    """Most of the clip is digital silence, which no change reaches and which is a dog."""
    (noise,) = sounds(8_000)
    wave = np.pad(noise, (0, 16_000))
    found = adversarial.attack(model, [wave], "rain", level_db=-6, rounds=8)
    prediction = model.predict_clip(found.changed[0])
    silent = ~prediction.voted
    assert silent.sum() > len(silent) / 2
    logits = model.logits(FRONTEND(found.changed[0]))
    assert (logits[silent].argmax(axis=1) == 1).all()
    assert found.success[0] and model.labels[found.answers[0]] == "cat"
    turned = np.mean(logits[prediction.voted].argmax(axis=1) == 2)
    assert found.turned[0] == pytest.approx(turned) and turned > 0.5


@pytest.mark.slow
@pytest.mark.parametrize("more", [0, 5_000])
def test_clips_of_few_patches(more):
    """A second convolution cannot take no patch at all, which a round's last steps once gave it."""
    lite = load_model("lite")
    (wave,) = sounds(lite.frontend.min_samples + more)
    found = adversarial.attack(lite, [wave], "Rooster", level_db=-20, rounds=1, overlap=0.75)
    assert found.changed[0].shape == wave.shape and found.level_db[0] <= -20


def test_samples_stay_within_the_range(model):
    wave = np.clip(20 * sounds(8_000)[0], -1, 1)
    target = int(model.logits(FRONTEND(wave)).mean(axis=0).argmin())
    found = adversarial.attack(model, wave, target, level_db=-6, rounds=2)
    assert np.abs(found.changed[0]).max() <= 1
    assert np.abs(found.changes[0]).max() > 0.01


@pytest.mark.slow
def test_a_level_that_is_too_low_fools_nobody_and_is_kept(model, waves, targets):
    found = adversarial.attack(model, waves, targets, level_db=-90, rounds=2)
    assert not found.success.any()
    assert (found.level_db <= -90).all()


@pytest.mark.parametrize(
    "change, message",
    [
        ({"targets": "cow"}, "no class 'cow'"),
        ({"targets": [0, 1]}, "2 targets for 1 clips"),
        ({"waves": []}, "no sound"),
        ({"waves": [np.zeros(8_000, "float32")]}, "Clip 0 is silent"),
        ({"waves": [np.ones(100, "float32")]}, "Clip 0 cannot be used"),
        ({"waves": [np.ones(8_000, int)]}, "Clip 0 cannot be used"),
        ({"waves": [np.full(8_000, np.nan)]}, "Clip 0 cannot be used"),
        ({"level_db": 0}, "level_db"),
        ({"level_db": np.nan}, "level_db"),
        ({"rounds": 0}, "rounds"),
    ],
)
def test_bad_input(model, waves, change, message):
    given = {"waves": waves[:1], "targets": 0, **change}
    with pytest.raises(XaiAudioError, match=message):
        adversarial.attack(model, **given)


def test_a_clip_that_is_called_so_already(model, waves):
    label = model.predict_clip(waves[1]).label
    with pytest.raises(XaiAudioError, match="Clip 0 is called"):
        adversarial.attack(model, waves[1:2], label)


@pytest.mark.slow
def test_a_network_without_gradients(waves):
    patch = keras.Input((20, 12, 1))
    x = keras.layers.Lambda(lambda x: keras.ops.round(x) * 0 + keras.ops.sign(x))(patch)
    x = keras.ops.stop_gradient(x)
    x = keras.layers.Dense(3)(keras.layers.Flatten()(x))
    blind = AudioClassifier.from_keras(keras.Model(patch, x), ("a", "b", "c"), FRONTEND)
    other = 1 - int(blind.predict_clip(waves[0]).label == "b")
    with pytest.raises(XaiAudioError, match="gradient"):
        adversarial.attack(blind, waves[:1], other, rounds=1)


def test_level():
    assert adversarial.level([0.0], [1.0]) == -np.inf
    with pytest.raises(XaiAudioError, match="silent"):
        adversarial.level([1.0], [0.0])
