"""Parts of sounds: what each adds, by remixes that the network hears."""

import itertools

import numpy as np
import pytest
from sound_functions import linear, sounds

import xaiaudio as xa
from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines.components import Components
from xaiaudio.explainers.parts import METHODS, asking, explain_parts_classes
from xaiaudio.models.hearing import hear

RATE = 16_000


@pytest.fixture(scope="module")
def lite():
    return xa.load_model("lite")


@pytest.fixture(scope="module")
def wave():
    rng = np.random.default_rng(0)
    swell = np.sin(np.linspace(0, 40, 30_000)) ** 2
    return (swell * rng.normal(0, 0.2, 30_000)).astype("float32")


@pytest.fixture(scope="module")
def parts(wave):
    return Components.in_time(wave, 5, fade=400)


def heard(model, waves, output="logits"):
    return np.concatenate([hear(model, one[None], output=output) for one in waves])


@pytest.mark.slow
@pytest.mark.parametrize("output", ["logits", "scores"])
def test_all_parts_are_answered_exactly_as_the_sound(lite, wave, parts, output):
    ask, asked = asking(lite, parts, output)
    assert asked == output
    rows = np.random.default_rng(1).integers(0, 2, (70, 5))
    rows[[0, 31, 69]] = 1
    answers = ask(rows)
    for row in (0, 31, 69):
        np.testing.assert_array_equal(answers[row], hear(lite, wave[None], output=output)[0])
    np.testing.assert_allclose(
        answers[:9], heard(lite, [parts.mix(row) for row in rows[:9]], output), atol=1e-4
    )


@pytest.mark.slow
def test_lime_of_all_coalitions_by_hand(lite, parts):
    from sklearn.linear_model import Ridge

    found = xa.explain_parts(lite, parts, "Rain", samples=32)
    rows = np.array(list(itertools.product((0, 1), repeat=5)))
    answers = heard(lite, [parts.mix(row) for row in rows])[:, lite.index("Rain")]
    closeness = np.exp(-8 * (1 - np.sqrt(rows.mean(axis=1))) ** 2)
    ridge = Ridge(alpha=1).fit(rows, answers, sample_weight=closeness)
    np.testing.assert_allclose(found.weights, ridge.coef_, atol=1e-3)
    assert found.report["r2"] == pytest.approx(ridge.score(rows, answers, closeness), abs=1e-3)
    assert found.report["samples"] == found.report["rows"] == 32
    assert found.report["stability"] == 1 and not found.errors.any()
    again = xa.explain_parts(lite, parts, "Rain", samples=32, seed=9)
    np.testing.assert_array_equal(again.weights, found.weights)


@pytest.mark.slow
def test_shapley_of_all_orders_by_hand(lite, parts):
    found = xa.explain_parts(lite, parts, "Rain", "shapley")
    rows = np.array(list(itertools.product((0, 1), repeat=5)))
    answers = heard(lite, [parts.mix(row) for row in rows])[:, lite.index("Rain")]
    table = {tuple(row): answer for row, answer in zip(rows.tolist(), answers, strict=True)}
    gains = np.zeros((120, 5))
    for number, order in enumerate(itertools.permutations(range(5))):
        row = [0] * 5
        for part in order:
            before = table[tuple(row)]
            row[part] = 1
            gains[number, part] = table[tuple(row)] - before
    np.testing.assert_allclose(found.weights, gains.mean(axis=0), atol=1e-4)
    whole = hear(lite, parts.whole[None], output="logits")[0, lite.index("Rain")]
    assert found.report["none"] + found.report["total"] == pytest.approx(whole, abs=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("method, settings", [
    ("lime", {"samples": 400, "draws": "orthogonal"}),
    ("lime", {"samples": 400, "draws": "independent"}),
    ("shapley", {"samples": 400}),
])  # fmt: skip
def test_gains_of_many_parts_are_recovered(method, settings):
    wave, first, second = sounds(3)
    classifier = linear(first, second)
    parts = Components.in_time(wave, 12)
    found = explain_parts_classes(classifier, parts, [1, 0], method, **settings)
    assert list(found) == ["class 1", "class 0"]
    for result, direction in zip(found.values(), (second, first), strict=True):
        gains = parts.parts @ direction
        np.testing.assert_allclose(result.weights, gains, rtol=0.05, atol=0.05)
        assert result.report["r2"] > 0.99 and result.report["samples"] == 400
        assert result.options["samples"] == 400 and "grid" not in result.options
        alone = xa.explain_parts(classifier, parts, result.target, method, **settings)
        np.testing.assert_allclose(result.weights, alone.weights, atol=1e-6)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_what_is_kept_and_removed_is_the_sound(lite, wave, parts, method):
    found = xa.explain_parts(lite, parts, method=method)
    assert found.target == found.scores.argmax()
    np.testing.assert_array_equal(found.scores, hear(lite, wave[None])[0])
    assert found.target_label == lite.labels[found.target]
    for count in (None, 1, 2):
        np.testing.assert_allclose(found.kept(count) + found.removed(count), wave, atol=1e-6)
        chosen = found.chosen(count)
        assert chosen.sum() == min(count or 5, (found.weights > 0).sum())
        np.testing.assert_array_equal(found.removed(count), parts.mix(~chosen))
    assert (np.diff(found.weights[found.order]) <= 0).all()
    table = found.table()
    assert [row["part"] for row in table] == list(parts.names)
    assert [row["weight"] for row in table] == found.weights.tolist()
    assert sum(row["energy"] for row in table) == pytest.approx(1, abs=0.05)  # fades
    assert all(set(row) == {"part", "weight", "error", "energy"} for row in table)


@pytest.mark.slow
def test_errors_of_drawn_weights(lite, wave):
    parts = Components.in_time(wave, 12)
    found = xa.explain_parts(lite, parts, "Rain", samples=64, draws="independent")
    assert (found.errors > 0).all() and 0 < found.report["stability"] < 1
    assert all(row["error"] > 0 for row in found.table())


@pytest.mark.slow
@pytest.mark.parametrize(
    "method, options, message",
    [
        ("lyme", {}, r"No method for parts is called 'lyme' \(did you mean 'lime'"),
        ("occlusion", {}, "there are lime, shapley"),
        ("lime", {"grid": (3, 3)}, "grid is no option here: the components settle"),
        ("lime", {"sample": 3}, r"no option 'sample' \(did you mean 'samples'"),
        ("shapley", {"features": 3}, "no option 'features'"),
        ("lime", {"output": "loss"}, "output is 'loss'"),
    ],
)
def test_wrong_options(lite, parts, method, options, message):
    with pytest.raises(XaiAudioError, match=message):
        xa.explain_parts(lite, parts, "Rain", method, **options)


def test_parts_of_a_patch_are_no_sound(lite):
    patch = Components.of_patch(np.zeros((96, 64)), np.zeros((96, 64), int), -4.6)
    with pytest.raises(XaiAudioError, match="parts of a patch"):
        xa.explain_parts(lite, patch)
    with pytest.raises(XaiAudioError, match="nosuch"):
        xa.explain_parts(lite, Components.in_time(np.ones(9000), 2), "nosuch")


@pytest.mark.slow
def test_every_part_can_be_heard_whatever_the_parts_are_called(lite, wave):
    stems = [wave / 2, wave / 3, wave / 4, wave / 5]
    named = Components.of_sources(wave, stems, ["a (2)", "a", "a", "kept"])
    sounds = xa.explain_parts(lite, named, "Rain").sounds()
    assert len(sounds) == 4 + len(stems)
    for found, expected in zip(list(sounds.values())[4:], stems, strict=True):
        np.testing.assert_array_equal(found, expected)


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
def test_silence_speaks_for_nothing(lite, method):
    found = xa.explain_parts(lite, Components.in_time(np.zeros(20_000), 3), "Rain", method)
    assert not found.weights.any() and not found.chosen().any()
    assert np.isnan(found.report["r2"])


def test_a_sound_is_no_parts_of_one(lite, wave):
    with pytest.raises(XaiAudioError, match="no parts of a sound, but ndarray: give Components"):
        xa.explain_parts(lite, wave, "Rain")


@pytest.mark.slow
@pytest.mark.parametrize("count", [-1, 1.5, "all"])
def test_a_number_of_parts_to_keep_is_one(lite, parts, count):
    found = xa.explain_parts(lite, parts, "Rain")
    with pytest.raises(XaiAudioError, match=f"count is {count!r}"):
        found.kept(count)
    assert not found.kept(0).any()


@pytest.mark.slow
def test_a_coalition_names_every_part(lite, parts):
    ask, _ = asking(lite, parts)
    with pytest.raises(XaiAudioError, match=r"shape \(1, 4\), but \(m, 5\) is needed"):
        ask(np.ones((1, 4)))
