"""An Explainer is a method with its options: the same maps as by the front door."""

import dataclasses

import numpy as np
import pytest

import xaiaudio as xa
from xaiaudio.explainers import registry


@pytest.fixture
def trained_method(monkeypatch):
    """A method that learns the mean of its clips' waves and lays it over every cell."""
    monkeypatch.setattr(registry, "_METHODS", dict(registry._all()))

    @dataclasses.dataclass(frozen=True)
    class Options:
        """Options of the learner."""

        scale: float = 1.0
        pair: tuple = (1, 2)

    def fit(model, clips, options):
        return {"mean": np.mean([clip.mean() for clip in clips])[None]}

    @registry.register("learner", options=Options, summary="", paper="", fit=fit)
    def learner(model, patches, targets, options, weights):
        return np.full(patches.shape, options.scale * weights["mean"][0])


@pytest.mark.parametrize("options", [{}, {"mask": 0.5, "stride": 0.25}])
def test_the_maps_are_those_of_explain(small, patches, options):
    explainer = xa.Explainer("occlusion", **options)
    expected = xa.explain(small, patches, "dog", "occlusion", **options)
    np.testing.assert_array_equal(explainer(small, patches, "dog").maps, expected.maps)
    several = explainer.classes(small, patches, ["dog", "cat"])
    np.testing.assert_allclose(several["dog"].maps, expected.maps, atol=1e-6)
    assert list(several) == ["dog", "cat"]


def test_it_is_a_value():
    one = xa.Explainer("lime", samples=50)
    assert one == xa.Explainer("lime", samples=50) != xa.Explainer("lime")
    assert one.replace(samples=256) == xa.Explainer("lime")
    assert one.with_seed(3).settings["seed"] == 3 and one.seeded and one.takes("samples")
    plain = xa.Explainer("gradcam")
    assert not plain.seeded and plain.with_seed(3) is plain
    assert xa.Explainer.of("lime") == xa.Explainer("lime") and xa.Explainer.of(one) is one
    with pytest.raises(dataclasses.FrozenInstanceError):
        one.name = "other"


@pytest.mark.parametrize(
    "given, words",
    [
        (("nosuch", {}), "No method is called 'nosuch': there are"),
        (("GradCamm", {}), r"'GradCamm' \(did you mean 'gradcam'\?\)"),
        (("lime", {"sample": 9}), r"'sample' \(did you mean 'samples'\?\)"),
        (("lime", {"nosuch": 1}), "no option 'nosuch'"),
        (("lime", {"upsample": "cubic"}), "upsample is 'cubic'"),
    ],
)
def test_what_is_wrong_is_said_before_any_work(given, words):
    with pytest.raises(xa.XaiAudioError, match=words):
        xa.Explainer(given[0], **given[1])


def test_a_trained_method_is_an_explainer_with_weights(tmp_path, small, patches, trained_method):
    clips = [np.array([1.0, 3.0]), np.array([4.0])]
    learner = xa.Explainer.fit("learner", small, clips, scale=2.0)
    assert learner(small, patches).maps == pytest.approx(6)
    again = xa.Explainer.load(learner.save(tmp_path / "learner.npz"))
    assert again == learner and again(small, patches).maps == pytest.approx(6)
    assert learner.replace(scale=1.0)(small, patches).maps == pytest.approx(3)
    with pytest.raises(xa.XaiAudioError, match="has to be trained first"):
        xa.Explainer("learner")(small, patches)
    with pytest.raises(xa.XaiAudioError, match="occlusion is not trained"):
        xa.Explainer.fit("occlusion", small, clips)


def test_what_was_learnt_is_part_of_the_value(small, trained_method):
    clips = [np.array([1.0, 3.0]), np.array([4.0])]
    one, same, other = (
        xa.Explainer.fit("learner", small, some) for some in (clips, clips, clips[:1])
    )
    assert one == same and hash(one) == hash(same) and one.weights_sum
    assert one != other != xa.Explainer("learner") and not xa.Explainer("learner").weights_sum
    with pytest.raises(ValueError, match="read-only"):
        one.weights["mean"][0] = 7


def test_a_file_of_another_kind_is_refused(tmp_path):
    np.savez(tmp_path / "other.npz", about=np.array("{}"))
    with pytest.raises(xa.XaiAudioError, match="not an explainer"):
        xa.Explainer.load(tmp_path / "other.npz")


@pytest.mark.slow
def test_an_explanation_knows_where_its_patches_lie(tmp_path, small):
    wave = np.random.default_rng(0).normal(0, 0.1, 16_000).astype("float32")
    patches = small.frontend(wave, overlap=0.5)
    result = xa.explain(small, patches[2:4], "dog", "gradcam")
    assert result.starts.tolist() == patches.starts[2:4].tolist()
    np.testing.assert_array_equal(result.times(1), patches.times(3))
    np.testing.assert_array_equal(result[1].times(), patches.times(3))
    assert result.length == patches.length and result.frontend == patches.frontend
    again = xa.Explanation.load(result.save(tmp_path / "maps.npz"))
    assert again.starts.tolist() == result.starts.tolist() and again.length == result.length
    bare = xa.explain(small, patches.values, "dog", "gradcam")
    assert bare.starts is None and bare.times()[0] == small.frontend.times()[0]


def test_patches_of_another_front_end_are_refused(small):
    other = dataclasses.replace(small.frontend, offset=0.5)
    patches = other(np.random.default_rng(0).normal(0, 0.1, 16_000).astype("float32"))
    with pytest.raises(xa.XaiAudioError, match="another front end"):
        xa.explain(small, patches)
