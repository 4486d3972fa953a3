"""What holds for each door through which somebody else's network comes in."""

import foreign
import numpy as np
import pytest
from commands import call, sound

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.evaluate.metrics.deletion import deletion
from xaiaudio.explainers import registry

DOORS = (
    *("function", "tflite", "tflite of-one", "onnx", "onnx of-one"),
    *("savedmodel", "savedmodel of-one"),
)
KERAS = ("keras", "h5")
CASES = [(door, what) for door in DOORS for what in ("patches", "sounds")]
CASES += [(door, "patches") for door in KERAS]


@pytest.fixture(scope="module")
def models(tmp_path_factory):
    """Open each network once."""
    made = {}

    def model(kind, what):
        if (kind, what) not in made:
            made[kind, what] = foreign.opened(kind, what, tmp_path_factory.mktemp("network"))
        return made[kind, what]

    return model


@pytest.fixture(params=CASES, ids=" ".join)
def case(request, models):
    """Return a classifier, and whether it takes patches or sounds."""
    return models(*request.param), request.param[1]


@pytest.mark.slow
def test_scores_are_those_of_the_plain_definition(case):
    model, what = case
    given = foreign.some(what, 5)
    logits = foreign.plain_logits(what, given)
    np.testing.assert_allclose(model.scores(given), foreign.softmax(logits), atol=1e-5)
    np.testing.assert_allclose(foreign.softmax(model.logits(given)), model.scores(given), atol=1e-5)
    assert model.labels == foreign.LABELS
    assert model.name == "small"


@pytest.mark.slow
def test_many_at_once_are_as_one_by_one(case):
    model, what = case
    given = foreign.some(what, 130, seed=1)
    apart = np.concatenate([model.scores(one[None]) for one in given])
    for count in (1, 3, 130):
        np.testing.assert_allclose(model.scores(given[:count]), apart[:count], atol=1e-6)
    assert model.scores(given[:0]).shape == (0, 3)


@pytest.mark.slow
def test_a_planted_cause_is_found_where_it_was_planted(case):
    model, what = case
    for method, options in {
        "occlusion": {"mask": 0.2, "stride": 0.1},
        "lime": {"samples": 64},
    }.items():
        if what == "patches":
            patches = foreign.some(what, 1)
            patches[(0, *foreign.CELLS)] += 5
            result = xa.explain(model, patches, "a", method, **options)
            strength = np.maximum(result.maps[0], 0)
            inside = strength[foreign.CELLS].mean() / strength.mean()
        else:
            patches = model.frontend(foreign.planted())
            result = xa.explain(model, patches, "a", method, **options)
            middles = (np.arange(model.frontend.frames) + 0.5) * model.frontend.hop
            heard = (middles > foreign.SAMPLES.start) & (middles < foreign.SAMPLES.stop)
            strength = np.maximum(result.maps[0], 0).sum(axis=1)
            inside = strength[heard].mean() / strength.mean()
        assert inside > 2
        assert result.labels[int(result.targets[0])] == "a"
        curve = deletion(model, result)
        assert np.isfinite(curve.area).all()
        assert curve.area[0] < curve.scores[0, 0]  # the score falls


@pytest.mark.slow
def test_all_methods_that_ask_give_maps(models):
    for kind, what in (("onnx", "patches"), ("tflite of-one", "sounds")):
        model = models(kind, what)
        wave = foreign.some("sounds", 1)[0]
        wave = wave if what == "sounds" else np.resize(wave, model.frontend.min_samples)
        patches = model.frontend(wave, sounds=True)
        for method in registry.asking():
            options = {"samples": 160} if xa.Explainer(method).takes("samples") else {}
            result = xa.explain(model, patches, 0, method, **options)
            assert np.isfinite(result.maps).all()


@pytest.mark.slow
def test_what_looks_inside_is_refused_and_says_what_works(case):
    model, what = case
    if not model.lacks:
        pytest.skip("a network of Keras")
    patches = foreign.some(what, 1)
    patches = model.frontend(patches[0]) if what == "sounds" else patches
    for method in ("saliency", "gradcam", "lrp"):
        with pytest.raises(XaiAudioError, match=f"{method} needs .* Keras graph.* use occlusion"):
            xa.explain(model, patches, 0, method)
    with pytest.raises(XaiAudioError, match="Methods that only ask"):
        model.network  # noqa: B018
    with pytest.raises(XaiAudioError, match="cannot be saved"):
        model.save("mine.keras")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tflite", "onnx", "savedmodel"])
def test_what_does_not_fit_is_said_in_one_line(kind, tmp_path):
    def load(**about):
        given = {"labels": foreign.LABELS, "frontend": foreign.PATCHES, **about}
        if kind != "tflite":
            given.setdefault("output_name", "scores")
        return xa.load_model(path, **given)

    foreign.opened(kind, "patches", tmp_path)
    path = next(tmp_path.glob("small*"))
    for about, message in (
        ({"labels": None}, "does not know its labels: give them with --labels"),
        ({"labels": ("a", "b")}, r"but \(2, 2\) is needed.* knows 3 classes.* 2 labels: give 3"),
        ({"labels": ("a", "b", "b")}, "there twice"),
        ({"frontend": None}, "give the front end that it was trained with"),
        ({"frontend": xa.LogMel(frames=25, bands=16)}, r"makes patches of \(25, 16\)"),
        ({"frontend": None, "sample_rate": 8_000}, "24, 16.* no waveforms|shape"),
        ({"output_name": "logits"}, "has no output 'logits'.*0: "),
        ({"output_name": 7}, "has no output 7"),
        ({"outputs": "logits"}, "probabilities already"),
        ({"span": (0.1, 0.2)}, "one answer for a whole segment"),
        ({"pool": "median"}, "pool is 'median'"),
    ):
        with pytest.raises(XaiAudioError, match=message) as raised:
            load(**about)
        assert "\n" not in str(raised.value)
        assert len(str(raised.value)) < 400


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tflite", "onnx", "savedmodel"])
@pytest.mark.parametrize("content", [b"", b"garbage " * 40, None])
def test_a_broken_file_is_said_in_one_line(kind, content, tmp_path):
    foreign.opened(kind, "patches", tmp_path)
    path = next(tmp_path.glob("small*"))
    file = path / "saved_model.pb" if path.is_dir() else path
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2] if content is None else content)
    with pytest.raises(XaiAudioError, match="damaged|cannot read") as raised:
        xa.load_model(path, labels=foreign.LABELS, frontend=foreign.PATCHES)
    assert "\n" not in str(raised.value)


@pytest.mark.slow
def test_an_output_is_chosen_by_name_or_number(tmp_path):
    foreign.opened("onnx", "patches", tmp_path)
    path = tmp_path / "small.onnx"
    with pytest.raises(XaiAudioError, match=r"2 outputs: say .*0: scores \(any, 3\); 1: cells"):
        xa.load_model(path, labels=foreign.LABELS, frontend=foreign.PATCHES)
    for name in ("scores", 0, "0"):
        model = xa.load_model(
            path, labels=foreign.LABELS, frontend=foreign.PATCHES, output_name=name
        )
        assert model.scores(foreign.some("patches")).shape == (4, 3)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["tflite", "onnx", "savedmodel"])
def test_the_command_line_takes_it(kind, tmp_path, capsys):
    foreign.opened(kind, "sounds", tmp_path)
    path = next(tmp_path.glob("small*"))
    (tmp_path / "labels.txt").write_text("a\nb\nc\n")
    wave = sound(tmp_path / "burst.wav", foreign.planted(), rate=8_000, subtype="FLOAT")
    more = [] if kind == "tflite" else ["--output-name", "scores"]
    given = (wave, "--model", path, "--labels", tmp_path / "labels.txt", "--sample-rate", 8_000)
    out = ("--out", tmp_path / "out", "-m", "occlusion", "--mixer", "none")
    status, told, errors = call(capsys, "explain", *given, *more, *out)
    assert status == 0, errors
    assert "burst.wav: a" in told
    with np.load(tmp_path / "out" / "burst-occlusion.npz") as saved:
        assert saved["maps"].shape == (1, *foreign.SOUNDS.patch_shape)
    status, _, errors = call(capsys, "explain", *given, *more, *out[:2], "-m", "saliency")
    assert status == 1
    assert "saliency needs layers with gradients" in errors
    assert "Traceback" not in errors
