import numpy as np
import pytest
from lime.lime_image import LimeImageExplainer
from small_networks import additive, classifier_of, convolutional, random_patches
from sound_functions import linear, sounds

from xaiaudio import XaiAudioError, XaiAudioWarning, explain, explain_classes
from xaiaudio.explainers.engines import segments
from xaiaudio.explainers.engines.components import Components
from xaiaudio.explainers.lime import Options, growing, weigh


def original(ask, patch, numbers, label, *, samples, seed, features=100000, fill=None):
    """Ask the lime package itself and paint its weights."""
    explanation = LimeImageExplainer(random_state=seed).explain_instance(
        patch,
        lambda images: ask(np.asarray(images).mean(axis=-1)),
        labels=(label,),
        hide_color=fill,
        top_labels=None,
        num_features=features,
        num_samples=samples,
        segmentation_fn=lambda _: numbers,
    )
    painted = np.zeros(patch.shape)
    for number, weight in explanation.local_exp[label]:
        painted[numbers == number] = weight
    return painted


@pytest.mark.slow
@pytest.mark.parametrize(
    "options, theirs",
    [
        ({}, {}),
        ({"output": "logits"}, {}),
        ({"output": "scores"}, {}),
        ({"seed": 7}, {"seed": 7}),
        ({"fill": -1.5}, {"fill": -1.5}),
        ({"fill": "silence"}, {"fill": np.log(0.01)}),
        ({"features": 10}, {"features": 10}),
        ({"features": 3}, {"features": 3}),
    ],
)
def test_grid_equals_the_lime_package(small, patches, options, theirs):
    found = explain(
        small, patches, "dog", "lime", grid=(5, 4), samples=150, draws="independent", **options
    )
    numbers = segments.grid((24, 16), 5, 4)
    ask = small.scores if options.get("output") == "scores" else small.logits
    for patch, one in zip(patches, found.maps, strict=True):
        expected = original(ask, patch, numbers, 1, **{"samples": 150, "seed": 0} | theirs)
        assert np.abs(expected).max() > 1e-3
        np.testing.assert_allclose(one, expected, atol=2e-5)


@pytest.mark.slow
@pytest.mark.parametrize("output", ["logits", "scores"])
def test_superpixels_equal_the_lime_package(small, patches, output):
    options = {"segments": "superpixels", "grid": (4, 5), "samples": 120, "output": output}
    options["draws"] = "independent"
    found = explain_classes(small, patches, method="lime", **options)
    counts = set()
    for index, result in enumerate(found.values()):
        for patch, one in zip(patches, result.maps, strict=True):
            numbers = segments.superpixels(patch, 20)
            counts.add(numbers.max())
            ask = getattr(small, output)
            expected = original(ask, patch, numbers, index, samples=120, seed=0)
            np.testing.assert_allclose(one, expected, atol=2e-5)
    assert len(counts) > 1, "patches with different numbers of segments are the point of this"


@pytest.mark.slow
@pytest.mark.parametrize("shape, grid", [((24, 16), (4, 4)), ((7, 31), (2, 5)), ((96, 64), (7, 7))])
def test_additive_network_is_recovered(shape, grid):
    classifier, weights = additive(shape)
    patch = random_patches(1, shape)[0]
    found = explain_classes(
        classifier, patch, method="lime", grid=grid, samples=4000, fill=-1.0, output="logits"
    )
    numbers = segments.grid(shape, *grid)
    for index, result in enumerate(found.values()):
        gains = (weights[..., index] * (patch + 1)).astype(np.float64)
        for number in range(numbers.max() + 1):
            value = result.maps[0][numbers == number]
            assert np.ptp(value) == 0
            assert value[0] == pytest.approx(gains[numbers == number].sum(), rel=0.02, abs=0.3)


@pytest.mark.slow
def test_few_segments_are_asked_about_exhaustively():
    classifier, weights = additive((8, 6))
    patch = random_patches(1, (8, 6))[0]
    options = {"method": "lime", "grid": (2, 3), "fill": 0, "output": "logits"}
    found = explain(classifier, patch, "cat", samples=1000, **options)
    again = explain(classifier, patch, "cat", samples=1000, seed=99, **options)
    np.testing.assert_array_equal(found.maps, again.maps)
    numbers = segments.grid((8, 6), 2, 3)
    gains = [(weights[..., 0] * patch)[numbers == number].sum() for number in range(6)]
    np.testing.assert_allclose(
        [found.maps[0][numbers == number][0] for number in range(6)], gains, rtol=0.02, atol=0.02
    )


@pytest.mark.slow
def test_one_segment_and_mixed_numbers_of_coalitions(small):
    flat = random_patches(2, (24, 16))
    flat[1] = -3.0
    one = explain(small, flat, "cat", "lime", grid=(1, 1))
    assert np.ptp(one.maps[0]) == 0
    # Two and many coalitions in one sweep must not disturb each other.
    both = explain(small, flat, "cat", "lime", segments="superpixels", grid=(3, 3), samples=40)
    for index in range(2):
        alone = explain(
            small, flat[index], "cat", "lime", segments="superpixels", grid=(3, 3), samples=40
        )
        np.testing.assert_allclose(both.maps[index], alone.maps[0], atol=1e-5)


@pytest.mark.parametrize(
    "options, message",
    [
        ({"segments": "circles"}, "segments is 'circles'"),
        ({"grid": 7}, "grid is 7"),
        ({"grid": (0, 3)}, "grid is"),
        ({"grid": (3.5, 3)}, "grid is"),
        ({"grid": (25, 3)}, "cannot be cut"),
        ({"samples": 1}, "samples is 1"),
        ({"samples": "many"}, "samples is 'many'"),
        ({"features": 0}, "features is 0"),
        ({"kernel_width": 0}, "kernel_width is 0"),
        ({"seed": -1}, "seed is -1"),
        ({"draws": "complement"}, r"did you mean 'complements'"),
        ({"fill": "loud"}, "'silence', 'segment', 'noise', a number, or 16 numbers, one a band"),
        ({"fill": (1.0, 2.0)}, "fill is"),
        ({"output": "loss"}, "output is 'loss'"),
    ],
)
def test_wrong_options(small, patches, options, message):
    with pytest.raises(XaiAudioError, match=message):
        explain(small, patches, method="lime", **options)


@pytest.mark.slow
def test_odd_shapes():
    classifier = classifier_of(convolutional((7, 31)))
    patch = random_patches(1, (7, 31))[0]
    found = explain(
        classifier, patch, "rain", "lime", grid=(3, 8), samples=200, draws="independent"
    )
    numbers = segments.grid((7, 31), 3, 8)
    expected = original(classifier.logits, patch, numbers, 2, samples=200, seed=0)
    np.testing.assert_allclose(found.maps[0], expected, atol=2e-5)


@pytest.mark.slow
def test_more_than_63_segments_are_sampled_too():
    model, _ = additive((16, 12))
    patches = random_patches(1, (16, 12))
    found = explain(model, patches, "cat", "lime", grid=(16, 12), fill=0.0, samples=50)
    assert len(np.unique(found.maps)) > 64


@pytest.mark.slow
def test_components_that_are_segments_have_the_weights_of_the_map(small, patches):
    numbers = segments.grid((24, 16), 4, 3)
    options = Options(grid=(4, 3), samples=150, fill=-1.5)
    found = explain(small, patches, "dog", "lime", grid=(4, 3), samples=150, fill=-1.5).maps
    parts = [Components.of_patch(patch, numbers, -1.5) for patch in patches]
    weights = weigh(small, parts, np.ones((3, 1), int), options)
    np.testing.assert_allclose(weights[:, 0][:, numbers], found, atol=1e-4)


@pytest.mark.slow
def test_gains_of_components_are_recovered():
    classifier, weights = additive((8, 6))
    patch = random_patches(1, (8, 6))[0]
    rng = np.random.default_rng(3)
    parts = Components(patch, rng.normal(size=(5, 8, 6)), "abcde")
    found = weigh(classifier, [parts], np.array([[2, 0]]), Options(samples=4000, output="logits"))
    for row, target in zip(found[0], (2, 0), strict=True):
        gains = (parts.parts * weights[..., target]).sum(axis=(1, 2))
        np.testing.assert_allclose(row, gains, rtol=0.02, atol=0.02)
    with pytest.raises(XaiAudioError, match=r"different numbers of parts: \[5, 2\]"):
        two = Components(patch, parts.parts[:2], "ab")
        weigh(classifier, [parts, two], np.zeros((2, 1), int), Options())


@pytest.mark.slow
def test_growing_gives_the_maps_of_each_number_of_samples(small, patches):
    options = Options(grid=(3, 2), seed=2)
    numbers = (20, 50, 200)  # the last of them asks about all 64 coalitions
    found = growing(small, patches, np.ones((3, 1), int), options, numbers)
    for maps, samples in zip(found[:, :, 0], numbers, strict=True):
        alone = explain(small, patches, "dog", "lime", grid=(3, 2), seed=2, samples=samples)
        np.testing.assert_allclose(maps, alone.maps, atol=1e-6)


@pytest.mark.slow
def test_gains_of_the_parts_of_a_sound_are_recovered():
    wave, first, second = sounds(3)
    classifier = linear(first, second)
    parts = Components.grid(wave, classifier.frontend, 3, 2)
    found = weigh(
        classifier, [parts], np.array([[1, 0]]), Options(samples=4000, output="logits", seed=3)
    )
    for row, direction in zip(found[0], (second, first), strict=True):
        gains = parts.parts @ direction
        assert np.abs(gains).max() > 1
        np.testing.assert_allclose(row, gains, rtol=0.02, atol=0.05)


@pytest.mark.slow
def test_segments_of_a_sound_weigh_what_their_filters_take_away():
    wave = sounds(1)[0]
    classifier = linear(wave, 0 * wave)
    options = {"grid": (3, 2), "samples": 4000, "fill": "silence", "output": "logits"}
    found = explain(classifier, classifier.frontend(wave), 0, "lime", **options).maps[0]
    numbers = segments.grid(classifier.frontend.patch_shape, 3, 2)
    for number, part in enumerate(Components.of_cells(wave, classifier.frontend, numbers).parts):
        assert found[numbers == number] == pytest.approx(part @ wave, rel=0.02, abs=0.05)


REPORT = ("samples", "rows", "kernel_width", "alpha", "total_weight", "r2", "stability")


@pytest.mark.slow
@pytest.mark.parametrize("draws", ["orthogonal", "complements", "independent"])
def test_the_report_by_the_lime_package(small, patches, draws):
    found = explain(small, patches, "dog", "lime", grid=(5, 4), samples=100, draws=draws)
    assert tuple(found.report) == REPORT
    assert (found.report["samples"] == 100).all() and (found.report["rows"] <= 100).all()
    assert (found.report["kernel_width"] == 0.25).all() and (found.report["alpha"] == 1).all()
    stability = found.report["stability"]
    assert ((stability > 0.2) & (stability < 1)).all() and np.ptp(stability) > 0
    if draws == "independent":
        score = (
            LimeImageExplainer(random_state=0)
            .explain_instance(
                patches[1],
                lambda images: small.logits(np.asarray(images).mean(axis=-1)),
                labels=(1,),
                top_labels=None,
                num_samples=100,
                segmentation_fn=lambda _: segments.grid((24, 16), 5, 4),
            )
            .score
        )
        assert found.report["r2"][1] == pytest.approx(score, abs=1e-4)


def test_the_report_of_all_coalitions_has_no_chance_in_it(small, patches):
    found = explain(small, patches, "dog", "lime", grid=(2, 3), samples=200)
    assert (found.report["samples"] == 64).all() and (found.report["rows"] == 64).all()
    np.testing.assert_array_equal(found.report["stability"], 1)
    present = np.array([[number >> bit & 1 for bit in range(6)] for number in range(64)])
    closeness = np.exp(-8 * (1 - np.sqrt(present.mean(axis=1))) ** 2)
    np.testing.assert_allclose(found.report["total_weight"], closeness.sum() * 200 / 64)


@pytest.mark.slow
def test_a_network_that_never_changes_its_answer_has_no_fit():
    classifier, _ = additive((8, 6))
    patch = random_patches(1, (8, 6))[0]
    with pytest.warns(XaiAudioWarning, match="nothing distinguishes"):
        found = explain(classifier, patch * 0, "cat", "lime", grid=(3, 4), samples=50)
    assert np.isnan(found.report["r2"]).all() and np.isnan(found.report["stability"]).all()
    assert not found.maps.any()


@pytest.mark.slow
def test_patches_and_classes_together_are_what_they_are_alone(small, patches):
    options = {"segments": "superpixels", "grid": (4, 5), "samples": 90, "features": None}
    together = explain_classes(small, patches, method="lime", **options)
    for label, result in together.items():
        for number, patch in enumerate(patches):
            alone = explain(small, patch, label, "lime", **options)
            np.testing.assert_allclose(result.maps[number], alone.maps[0], atol=1e-5)
            for name in REPORT:
                assert result.report[name][number] == pytest.approx(alone.report[name][0], abs=1e-3)
