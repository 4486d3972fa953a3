import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import layers
from small_networks import additive, classifier_of, convolutional, random_patches
from sound_functions import linear, sounds
from tf_keras_vis.utils.scores import CategoricalScore

from xaiaudio import XaiAudioError, explain, explain_classes
from xaiaudio.explainers.occlusion import Occlusion, Sweep
from xaiaudio.stft import analyse, rows_of, to_stft


def starts(length, mask, stride):
    """Return the positions as the docstring says, and the mask's size in cells."""
    size, step = max(1, round(mask * length)), max(1, round(stride * length))
    found, start = [], 0
    while start + size < length:
        found.append(start)
        start += step
    return [*found, length - size], size


def brute_force(predict, patch, mask, stride, fill):
    """One position after the other, one cell after the other: map (h, w, classes)."""
    h, w = patch.shape
    rows, height = starts(h, mask[0], stride[0])
    columns, width = starts(w, mask[1], stride[1])
    whole = predict(patch)
    total, count = np.zeros((h, w, len(whole))), np.zeros((h, w, 1))
    for top in rows:
        for left in columns:
            covered = patch.copy()
            covered[top : top + height, left : left + width] = fill
            total[top : top + height, left : left + width] += whole - predict(covered)
            count[top : top + height, left : left + width] += 1
    assert (count > 0).all()
    return total / count


@pytest.mark.slow
@pytest.mark.parametrize("output", [None, "logits", "scores"])
@pytest.mark.parametrize(
    "shape, mask, stride",
    [
        ((24, 16), (0.2, 0.2), (0.1, 0.1)),
        ((7, 31), (0.3, 0.2), (0.2, 0.15)),
        ((24, 16), (0.7, 0.8), (0.25, 0.4)),
        ((13, 5), (0.5, 0.5), (0.5, 0.5)),
        ((9, 9), (1.0, 1.0), (1.0, 0.3)),
        ((5, 4), (0.01, 0.3), (0.01, 0.3)),
    ],
)
def test_equals_brute_force(shape, mask, stride, output):
    classifier = classifier_of(convolutional(shape))
    patches = random_patches(2, shape)
    options = {"mask": mask, "stride": stride, "output": output}
    found = explain(classifier, patches, "dog", "occlusion", **options).maps
    ask = classifier.scores if output == "scores" else classifier.logits
    for patch, one in zip(patches, found, strict=True):
        expected = brute_force(lambda x: ask(x[None])[0], patch, mask, stride, patch.mean())
        np.testing.assert_allclose(one, expected[..., 1], atol=2e-6, rtol=1e-5)


def test_default_grid_of_a_vggish_patch():
    sweep = Sweep((96, 64), 0.2, 0.1)
    edges = sweep.boxes.edges[1:]
    assert sorted({tuple(e) for e in edges[:, :2].tolist()}) == [
        (s, s + 19) for s in (0, 10, 20, 30, 40, 50, 60, 70, 77)
    ]
    assert sorted({tuple(e) for e in edges[:, 2:].tolist()}) == [
        (s, s + 13) for s in (0, 6, 12, 18, 24, 30, 36, 42, 48, 51)
    ]
    assert len(edges) == 90


@pytest.mark.slow
@pytest.mark.parametrize("fill", ["mean", "silence", -2.5])
@pytest.mark.parametrize("shape", [(96, 64), (7, 31)])
def test_additive_network_has_a_closed_form(shape, fill):
    classifier, weights = additive(shape)
    patch = random_patches(1, shape)[0]
    # A mask of one cell: the drop is the cell's own weight times what it loses.
    lost = patch - {"mean": patch.mean(), "silence": np.log(0.01), -2.5: -2.5}[fill]
    mask = (1 / shape[0], 1 / shape[1])
    options = {"mask": mask, "stride": mask, "fill": fill, "output": "logits"}
    if shape == (7, 31):
        results = explain_classes(classifier, patch, method="occlusion", **options)
        for index, result in enumerate(results.values()):
            expected = weights[..., index] * lost
            np.testing.assert_allclose(result.maps[0], expected, atol=2e-4)
    # A larger one: what the mask covers in all, averaged over the masks on a cell.
    options |= {"mask": (0.4, 0.3), "stride": (0.3, 0.2)}
    found = explain(classifier, patch, "rain", "occlusion", **options).maps[0]
    expected = brute_force(
        lambda x: np.array([(weights[..., 2] * x).sum()], np.float64),
        patch.astype(np.float64),
        (0.4, 0.3),
        (0.3, 0.2),
        (patch - lost).ravel()[0],
    )
    np.testing.assert_allclose(found, expected[..., 0], atol=2e-3)


fractions = st.floats(0.01, 1)


@pytest.mark.slow
@settings(deadline=None, max_examples=200)
@given(st.integers(1, 40), st.integers(1, 40), fractions, fractions, fractions, fractions)
def test_every_cell_is_covered_and_averaged(h, w, mask_h, mask_w, stride_h, stride_w):
    stride_h, stride_w = min(stride_h, mask_h), min(stride_w, mask_w)
    sweep = Sweep((h, w), (mask_h, mask_w), (stride_h, stride_w))
    boxes = sweep.boxes.edges[1:]
    assert (boxes[:, [0, 2]] >= 0).all()
    assert (boxes[:, 1] <= h).all()
    assert (boxes[:, 3] <= w).all()
    drops = np.random.default_rng(0).normal(size=len(boxes))
    total, count = np.zeros((h, w)), np.zeros((h, w))
    for drop, (top, bottom, left, right) in zip(drops, boxes, strict=True):
        total[top:bottom, left:right] += drop
        count[top:bottom, left:right] += 1
    assert count.min() >= 1
    found = sweep.maps(np.concatenate([[1.0], 1 - drops]))
    np.testing.assert_allclose(found, total / count, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("channels", [1, 3])
def test_in_the_manner_of_tf_keras_vis(channels):
    keras.utils.set_random_seed(1)
    inputs = keras.Input((10, 7, channels))
    x = layers.Conv2D(4, 3, activation="relu")(inputs)
    network = keras.Model(inputs, layers.Dense(3)(layers.Flatten()(x)))
    seeds = np.random.default_rng(0).normal(size=(2, 10, 7, channels)).astype("float32")
    occlusion = Occlusion(network)
    found = occlusion(CategoricalScore([2, 0]), seeds, mask=0.4, stride=0.2, fill=0.5)
    by_function = occlusion(
        lambda output: (output[0, 2], output[1, 0]), seeds, mask=0.4, stride=0.2, fill=0.5
    )
    assert found.shape == (2, 10, 7)
    np.testing.assert_allclose(found, by_function, atol=1e-6)
    single = occlusion(CategoricalScore(2), seeds[0], mask=0.4, stride=0.2, fill=0.5)
    np.testing.assert_allclose(single[0], found[0], atol=1e-6)

    def predict(patch):
        whole = np.where(np.isnan(patch)[..., None], 0.5, seeds[0])
        return network(whole[None], training=False).numpy()[0]

    expected = brute_force(predict, seeds[0, ..., 0], (0.4, 0.4), (0.2, 0.2), np.nan)
    np.testing.assert_allclose(found[0], expected[..., 2], atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("output", ["logits", "scores"])
def test_class_and_method_agree(small, patches, output):
    network = small.network if output == "scores" else small.logits_network
    found = Occlusion(network)(CategoricalScore([0]), patches[..., None])
    method = explain(small, patches, "cat", "occlusion", output=output).maps
    np.testing.assert_allclose(found, method, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"stride": 0.3}, "never be covered"),
        ({"mask": 0}, "mask is 0"),
        ({"mask": 1.5}, "mask is 1.5"),
        ({"mask": (0.5, 0.5, 0.5)}, "mask is"),
        ({"mask": "big"}, "mask is 'big'"),
        ({"stride": float("nan")}, "stride is nan"),
        ({"stride": None}, "stride is None"),
        ({"fill": "noise"}, "fill is 'noise'"),
        ({"output": "loss"}, "output is 'loss'"),
        ({"msk": 0.2}, "no option 'msk'"),
    ],
)
def test_wrong_options(small, patches, options, message):
    with pytest.raises(XaiAudioError, match=message):
        explain(small, patches, method="occlusion", **options)


@pytest.mark.slow
def test_class_refuses_what_it_cannot_cover():
    inputs = keras.Input((5,))
    with pytest.raises(XaiAudioError, match=r"\(n, h, w"):
        Occlusion(keras.Model(inputs, layers.Dense(2)(inputs)))(
            CategoricalScore(0), np.ones((1, 5))
        )
    two = keras.Model(inputs, [layers.Dense(2)(inputs), layers.Dense(2)(inputs)])
    with pytest.raises(XaiAudioError, match="one input and one output"):
        Occlusion(two)


@pytest.mark.slow
def test_a_function_of_sounds_has_its_energy_as_the_map():
    """<s, filtered s> is the energy of s that the filter lets pass, bin by bin."""
    wave = sounds(1)[0]
    classifier = linear(wave, 0 * wave)
    segments, frontend = classifier.frontend(wave), classifier.frontend
    options = {"mask": (0.3, 0.25), "stride": (0.2, 0.25)}
    found = explain(
        classifier, segments, 0, "occlusion", **options, fill="silence", output="logits"
    )
    # A bin of the transform stands for itself and its mirror image.
    energy = np.abs(analyse(wave, frontend)) ** 2 / frontend.fft
    energy[:, 1:-1] *= 2
    assert energy.sum() == pytest.approx(wave.astype(float) @ wave, rel=1e-6)
    rows = rows_of(len(wave), frontend.frames, frontend)
    sweep = Sweep(frontend.patch_shape, *options.values())
    lost = []
    for top, bottom, left, right in sweep.boxes.edges:
        hidden = np.zeros(frontend.patch_shape)
        hidden[top:bottom, left:right] = 1
        lost.append((energy * to_stft(hidden, frontend)[rows]).sum())
    expected = sweep.maps(-np.array(lost)[None, None])[0]
    assert np.abs(expected).max() > 10
    np.testing.assert_allclose(found.maps, expected, atol=1e-3)


@pytest.mark.slow
def test_what_fills_a_sound_is_the_level_that_its_loud_cells_come_down_to():
    wave = sounds(1)[0]
    classifier = linear(wave, 0 * wave)
    segments = classifier.frontend(wave)
    options = {"targets": 0, "method": "occlusion", "output": "logits"}
    silence, mean = (
        explain(classifier, segments, fill=fill, **options).maps for fill in ("silence", "mean")
    )
    assert mean.mean() == pytest.approx(0.35 * silence.mean(), rel=0.5)
    highest = explain(classifier, segments, fill=float(segments.values.max()), **options).maps
    np.testing.assert_array_equal(highest, 0 * mean)
