"""What a network says of each class in a sound: against plain loops over patches and moments."""

import keras
import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.models.networks import audioset
from xaiaudio.models.tags import ClipTags

RANDOM = np.random.default_rng(0)


def tags_of(scores, voted=None, threshold=0.5, labels=None):
    scores = np.asarray(scores, np.float32)
    starts = np.arange(len(scores)) * 0.48
    voted = np.ones(len(scores), bool) if voted is None else np.asarray(voted)
    labels = labels or tuple("abcdefghij"[: scores.shape[1]])
    return ClipTags(labels, scores, voted, starts, starts + 0.96, threshold)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_the_highest_score_where_and_for_how_long(seed):
    random = np.random.default_rng(seed)
    scores, voted = random.random((7, 4)), random.random(7) < 0.7
    voted[2] = True
    tags = tags_of(scores, voted, threshold=0.6)
    # Moment by moment: who is nearest answers.
    step = 0.001
    moments = np.arange(step / 2, 6 * 0.48 + 0.96, step)
    middles = np.arange(7) * 0.48 + 0.48
    for tag in tags:
        column = tags.labels.index(tag.label)
        best = max((k for k in range(7) if voted[k]), key=lambda k: tags.patch_scores[k, column])
        assert tag.score == tags.patch_scores[best, column]
        assert (tag.start, tag.end) == pytest.approx((0.48 * best, 0.48 * best + 0.96))
        lasts = 0.0
        for moment in moments:
            nearest = min(range(7), key=lambda k: abs(middles[k] - moment))
            lasts += step * (voted[nearest] and tags.patch_scores[nearest, column] > 0.6)
        assert tag.seconds == pytest.approx(lasts, abs=0.01)
        assert tag.heard == (tag.score > 0.6)
    assert [tag.score for tag in tags] == sorted((tag.score for tag in tags), reverse=True)
    assert [tag.label for tag in tags.heard] == [tag.label for tag in tags if tag.heard]
    assert tags.quiet == (~voted).sum() and len(tags.table()) == 4


def test_a_class_that_is_always_heard_is_heard_for_the_whole_sound():
    tags = tags_of([[0.9, 0.1]] * 5)
    assert tags[0].seconds == pytest.approx(4 * 0.48 + 0.96) and tags[1].seconds == 0
    alone = tags_of([[0.9]])
    assert alone[0].seconds == pytest.approx(0.96)


def of_audioset(**scores):
    """Tags of one patch, given the scores of some classes by the first word of their names."""
    labels = audioset.classes()
    row = np.full(521, 0.01, np.float32)
    for name, score in scores.items():
        row[next(k for k, one in enumerate(labels) if one.split()[0].strip(",") == name)] = score
    return tags_of(row[None], labels=labels)


def test_general_classes_and_silence_step_back():
    tags = of_audioset(Animal=0.96, Domestic=0.95, Dog=0.94, Bark=0.6, Rain=0.7, Silence=0.99)
    assert [tag.label for tag in tags.top()] == ["Rain", "Bark"]
    assert [tag.label for tag in tags.top(1)] == ["Rain"]
    told = {tag.label: tag.exact for tag in tags.heard}
    assert told == {
        **dict.fromkeys(("Animal", "Domestic animals, pets", "Dog"), "Bark"),
        **dict.fromkeys(("Rain", "Bark", "Silence"), ""),
    }
    # A more exact class that is not heard takes nobody's place.
    without = of_audioset(Animal=0.96, Dog=0.94, Bark=0.49)
    assert [tag.label for tag in without.top()] == ["Dog"]


def test_where_nothing_is_heard_the_most_probable_class_is_taken():
    tags = of_audioset(Animal=0.45, Dog=0.44, Silence=0.48)
    assert [tag.label for tag in tags.top()] == ["Dog"]
    unsure = of_audioset(Animal=0.45, Dog=0.2)
    assert [tag.label for tag in unsure.top()] == ["Animal"]


def test_labels_of_ones_own_have_no_general_classes():
    tags = tags_of([[0.9, 0.8, 0.7]], labels=("Animal", "Dog", "Silence"))
    assert [tag.label for tag in tags.top()] == ["Animal", "Dog"] and not tags[0].exact


@pytest.fixture(scope="module")
def both():
    """A network of two tones, each heard by itself."""
    patch = keras.Input((12, 8, 1))
    low = keras.layers.GlobalAveragePooling2D()(keras.layers.Cropping2D(((0, 0), (0, 4)))(patch))
    high = keras.layers.GlobalAveragePooling2D()(keras.layers.Cropping2D(((0, 0), (4, 0)))(patch))
    logits = keras.layers.Rescaling(3.0, 9.0)(keras.layers.Concatenate()([low, high]))
    network = keras.Model(patch, keras.layers.Activation("sigmoid")(logits))
    return xa.AudioClassifier.from_keras(
        network, ["Low", "High"], xa.LogMel(frames=12, bands=8), name="both"
    )


def test_a_clip_is_cut_and_asked_as_predict_clip_does(both):
    wave = np.concatenate([RANDOM.normal(0, 0.1, 8000), np.zeros(8000)]).astype("float32")
    tags = both.tag_clip(wave, overlap=0.5)
    said = both.predict_clip(wave, overlap=0.5)
    np.testing.assert_array_equal(tags.patch_scores, said.patch_scores)
    np.testing.assert_array_equal(tags.voted, said.voted)
    patches = both.frontend(wave, overlap=0.5)
    for number in range(len(patches)):
        edges = patches.times(number)
        assert (tags.starts[number], tags.ends[number]) == pytest.approx((edges[0], edges[-1]))


def test_a_sound_that_was_lengthened_ends_where_it_ends(both):
    wave = RANDOM.normal(0, 0.1, 1600).astype("float32")
    (tag, _) = both.tag_clip(wave, pad=True)
    assert tag.end == pytest.approx(0.1) and tag.seconds <= 0.1


def test_what_cannot_be_tagged(both):
    with pytest.raises(xa.XaiAudioError, match="The sound is silent"):
        both.tag_clip(np.zeros(16_000, "float32"))
    with pytest.raises(xa.XaiAudioError, match="threshold is 2"):
        both.tag_clip(RANDOM.normal(0, 0.1, 16_000).astype("float32"), threshold=2)
