"""Concept activation vectors against their definition, on random networks, and on planted ones."""

import numpy as np
import pytest
import soundfile
from small_networks import classifier_of, convolutional, random_patches

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.datasets import folders
from xaiaudio.models.training.tables import patch_table
from xaiaudio.probes import concept_vectors, concepts, significance
from xaiaudio.probes.concept_sounds import Concept, Sounds, from_clips, made
from xaiaudio.probes.planted import small_backbone
from xaiaudio.probes.sensitivities import sensitivities
from xaiaudio.synthesis import dsp

RATE = 16_000
LABELS = ("low", "any", "high")
WHISTLE = Concept(
    "a tone of 3 kHz",
    change=lambda rng, wave: (
        wave + 0.5 * dsp.rms(wave) * np.sin(2 * np.pi * 3000 * np.arange(len(wave)) / dsp.RATE)
    ),
)


@pytest.mark.slow
def test_random_concepts_are_found_at_the_stated_rate():
    model = classifier_of(convolutional((8, 6)))
    asked, targets = random_patches(60, (8, 6), seed=5), np.arange(60) % 3
    slopes = sensitivities(model, ["last"], asked, targets)["last"].gradients
    nulls, draws, size = 300, 20, 2
    patches = random_patches(nulls * draws * size * 2, (8, 6), seed=6)
    values = sensitivities(model, ["last"], patches, np.zeros(len(patches), int))["last"].values
    sets = values.reshape(nulls, 2, draws, size, -1)
    p, least = [], 0.5 + 3 * np.sqrt(0.25 / (2 * draws * size))
    for concept, random in sets:
        told = concept_vectors.vectors(concept, random)
        assert told.accuracy < least  # and no layer is said to hold them
        rising, falling, _ = concept_vectors.answers(told, slopes, targets, np.arange(3))
        p.append([significance.sign_flips(one) for one in rising - falling])
    p = np.array(p)
    for level in (0.05, 0.2):
        rate, error = (p < level).mean(axis=0), np.sqrt(level * (1 - level) / nulls)
        assert (rate < level + 3 * error).all()
        assert (rate > level - 3 * error).all()
    corrected = np.array([significance.holm(row) for row in p])
    assert (corrected < 0.05).any(axis=1).mean() < 0.05 + 3 * np.sqrt(0.05 * 0.95 / nulls)


def write_clips(folder, count, seed):
    """Write noises, a folder for each label: low, high, and of any colour."""
    rng = np.random.default_rng(seed)
    for label, centre in zip(LABELS, (500, 0, 4500), strict=True):
        (folder / label).mkdir(parents=True)
        for number in range(count):
            middle = centre * rng.uniform(0.8, 1.25) or dsp.log_uniform(rng, 300, 6000)
            gain = dsp.bumps([middle], [600], [1.0])
            wave = 0.05 * dsp.noise(rng, RATE, gain) + 0.01 * dsp.noise(rng, RATE)
            soundfile.write(folder / label / f"{label}-{seed}-{number:02d}.wav", wave, RATE)
    return folders.read(folder)


SLOW_FIXTURES = ("results",)


@pytest.fixture(scope="module")
def sets(tmp_path_factory):
    place = tmp_path_factory.mktemp("sounds")
    return write_clips(place / "train", 28, 0), write_clips(place / "test", 8, 1)


@pytest.fixture(scope="module")
def sounds(sets):
    every = from_clips(sets[0], xa.LogMel.vggish(), seed=0)
    return every[:42], every[42:]


def learn(train, carrier):
    """Train a small network; a whistle is in all clips of one class."""
    frontend = xa.LogMel.vggish()

    def change(number, wave):
        marked = train[number].label == carrier
        return WHISTLE.change(None, wave).astype("float32") if marked else wave

    return xa.models.transfer(
        small_backbone(frontend),
        patch_table(train, frontend, change=change),
        epochs=25,
        batch_size=24,
        learning_rate=3e-3,
        halve_every=10,
        overlap=0,
        progress=False,
    )


@pytest.fixture(scope="module")
def networks(sets):
    return {name: learn(sets[0], name) for name in ("any", None)}


@pytest.fixture(scope="module")
def results(sets, sounds, networks):
    beds, random = sounds
    shown = {"whistle": made(WHISTLE, beds.frontend, beds=beds), "nothing": beds}
    return {
        name: concepts.test(model, ["conv2", "embedding"], shown, random, sets[1])
        for name, model in networks.items()
    }


@pytest.mark.slow
def test_what_was_planted_is_found_and_nothing_where_it_was_not(results):
    place = results["any"].at("whistle", "embedding", "any")
    planted, honest = results["any"], results[None]
    assert planted.found[place] and planted.scores[place].mean() > 0.9
    assert not (honest.found[place] and honest.scores[place].mean() > 0.5)
    assert planted.effects[place] > 3 * abs(honest.effects[place])
    for result in results.values():
        assert not result.found[1].any()  # nothing added, nothing found


@pytest.mark.slow
def test_before_a_linear_layer_scores_are_0_or_1(results):
    scores = results["any"].scores
    assert set(np.unique(scores[:, 1])) <= {0.0, 1.0}
    assert len(np.unique(scores[:, 0])) > 2


@pytest.mark.slow
def test_exchanging_the_sets_turns_scores_round(sets, sounds, networks):
    beds, random = sounds
    whistles = made(WHISTLE, beds.frontend, beds=beds)
    asked = (networks["any"], ["conv2"])
    there = concepts.test(*asked, {"a": whistles}, random, sets[1])
    back = concepts.test(*asked, {"a": random}, whistles, sets[1])
    np.testing.assert_allclose(there.scores, 1 - back.scores - back.ties, atol=1e-12)
    np.testing.assert_allclose(there.p, back.p)
    np.testing.assert_allclose(there.effects, -back.effects, atol=1e-9)


@pytest.mark.slow
def test_the_table_says_what_the_arrays_say(results):
    result = results["any"]
    rows = result.table()
    assert len(rows) == 2 * 2 * 3
    row = next(
        one
        for one in rows
        if (one["concept"], one["layer"], one["class"]) == ("whistle", "conv2", "high")
    )
    place = result.at("whistle", "conv2", "high")
    assert row["score"] == pytest.approx(result.scores[place].mean())
    assert row["corrected"] == result.corrected[place] >= row["p"]
    assert row["low"] <= row["score"] <= row["high"]
    assert row["found"] == (row["held"] and row["corrected"] < 0.05)
    with pytest.raises(
        XaiAudioError, match=r"No class 'loud' was tested: there are any, high, low"
    ):
        result.at("whistle", "conv2", "loud")


@pytest.mark.slow
def test_what_cannot_be_tested_is_refused(sets, sounds, networks):
    (train, test), (beds, random), model = sets, sounds, networks[None]

    def ask(layers=("conv2",), concept=beds, others=random, clips=test, **options):
        return concepts.test(model, layers, {"mine": concept}, others, clips, **options)

    for wrong, message in (
        ({"layers": ["conv9"]}, r"no layer 'conv9' .*did you mean 'conv"),
        ({"layers": []}, "No layer is named"),
        ({"concept": beds[:12]}, "12 sounds of 'mine', but 20 draws"),
        ({"others": random[:3]}, "3 sounds of 'the random sounds'"),
        ({"draws": 10}, "draws is 10: 20 at least"),
        ({"level": 5}, "level is 5"),
        ({"concept": random}, "among the sounds of 'mine' and among the random ones"),
        ({"clips": train}, "is asked about too: ask about clips of another fold"),
    ):
        with pytest.raises(XaiAudioError, match=message):
            ask(**wrong)
    with pytest.raises(XaiAudioError, match="no concept to test"):
        concepts.test(model, ["conv2"], {}, random, test)
    other = Sounds(beds.waves, beds.names, xa.LogMel.yamnet())
    with pytest.raises(XaiAudioError, match="cut for another front end"):
        ask(concept=other)
    alike = Sounds(np.repeat(random.waves[:1], 42, axis=0), ("",) * 42, random.frontend)
    with pytest.raises(XaiAudioError, match="is the same for sounds of 'mine' and random ones"):
        ask(concept=alike, others=alike)
