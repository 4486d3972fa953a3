"""The regression test: it passes what only the seed changes, and fails what a mistake changes."""

import dataclasses
import json

import keras
import numpy as np
import pytest
from bs4 import BeautifulSoup
from recorded_values import blobs, differences, jittered, recorded
from small_book import quiet

import xaiaudio as xa
from xaiaudio import plots, publishing
from xaiaudio.errors import XaiAudioError
from xaiaudio.explainers import cam, registry
from xaiaudio.publishing import baselines, measuring, metric, project


def test_the_same_is_no_difference():
    run = recorded(map=np.eye(20), n=3, share=0.5, label="Rain", labels=["a", "b"], flag=True)
    assert differences([run, run, run], run) == {}


def test_counts_that_do_not_vary_are_exact():
    runs = [recorded(clips=400, sizes=np.array([40, 40]))] * 3
    found = differences(runs, recorded(clips=399, sizes=np.array([40, 41])))
    assert set(found) == {"clips", "sizes"}


def test_a_chapter_can_let_more_through():
    runs = [{"accuracy": {"value": 95.0, "declared": 2.5}}] * 3
    assert differences(runs, recorded(accuracy=93.0)) == {}
    assert differences(runs, recorded(accuracy=92.0))


def test_times_are_not_compared():
    runs = [{"seconds": {"value": 1.0, "timing": True}}] * 2
    assert differences(runs, recorded(seconds=99.0)) == {}


def test_texts_are_exact_unless_the_seed_changes_them():
    same = [recorded(label="Rain", labels=["a", "b"])] * 2
    assert set(differences(same, recorded(label="Wind", labels=["b", "a"]))) == {"label", "labels"}
    varying = [recorded(label="Rain"), recorded(label="Wind")]
    assert differences(varying, recorded(label="Sea")) == {}
    assert "was str, is a number" in differences(varying, recorded(label=1))["label"]


def test_new_and_lost_values_are_differences():
    found = differences([recorded(old=1)] * 2, recorded(new=1))
    assert found == {"old": "is no longer recorded", "new": "has no baseline yet"}


MISTAKES = {
    "transposed": lambda m: m.T,
    "transposed, then stretched to the old shape": lambda m: np.resize(m.T, m.shape),
    "upside down": lambda m: m[:, ::-1],
    "reversed in time": lambda m: m[::-1],
    "moved by a sixth": lambda m: np.roll(m, 16, axis=0),
    "without its ReLU": lambda m: m - 0.1,
    "sign turned": lambda m: -m,
    "half as large": lambda m: m / 2,
    "clipped": lambda m: np.minimum(m, 0.5),
    "normalised": lambda m: m / m.max(),
    "silent": lambda m: 0 * m,
    "one patch only": lambda m: m[:48],
    "not a number": lambda m: np.where(m == m.max(), np.nan, m),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", [(96, 64), (64, 64)], ids=["patch", "square"])
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_in_a_map_are_found(mistake, shape):
    runs = [recorded(map=blobs(seed, shape)) for seed in range(3)]
    assert differences(runs, recorded(map=blobs(7, shape))) == {}
    assert "map" in differences(runs, recorded(map=MISTAKES[mistake](blobs(0, shape))))


# Rounding: runs of seed 0 on another processor, or as if.


@pytest.mark.slow
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_found_also_where_rounding_was_measured(mistake):
    seeds = [recorded(map=blobs(seed)) for seed in range(2)]
    rounded = [recorded(map=jittered(blobs(0), 0.02, seed)) for seed in range(2)]
    entries = measuring.measure(seeds, rounded)
    assert "compare" not in entries["map"]
    assert not baselines.compare("page", entries, recorded(map=jittered(blobs(0), 0.02, 9)))
    wrong = recorded(map=MISTAKES[mistake](jittered(blobs(0), 0.02, 9)))
    assert baselines.compare("page", entries, wrong)


# The same through a real network and the real methods.


def network(seed):
    keras.utils.set_random_seed(1)
    layers = keras.layers
    x = inputs = keras.Input((24, 16, 1))
    x = layers.Conv2D(4, 3, padding="same", activation="relu")(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.Conv2D(6, 3, padding="same", activation="relu", bias_initializer="normal")(x)
    x = layers.Flatten()(x)
    outputs = layers.Dense(3, activation="softmax")(x)
    model = keras.Model(inputs, outputs)
    # Another seed gives other weights, as much as another training run would.
    rng = np.random.default_rng(seed)
    model.set_weights([w * (1 + 0.02 * rng.standard_normal(w.shape)) for w in model.get_weights()])
    frontend = xa.LogMel(frames=24, bands=16)
    return xa.AudioClassifier.from_keras(model, ("cat", "dog", "rain"), frontend)


PATCHES = np.random.default_rng(3).normal(size=(2, 24, 16)).astype("float32")


def figure_of(seed, method="gradcam"):
    result = xa.explain(network(seed), PATCHES, "dog", method=method)
    return recorded(**plots.plot(result).data)


ROUNDED = [PATCHES, *(jittered(PATCHES, 1e-6, seed).astype("float32") for seed in (1, 2))]


def rounded_figures(method):
    """Return the figure as two other processors would make it: of inputs a part in 10^6 apart."""
    made = [xa.explain(network(0), patches, "dog", method=method) for patches in ROUNDED[1:]]
    return [recorded(**plots.plot(result).data) for result in made]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gradcam", "occlusion", "saliency", "lrp"])
def test_scaled_and_transposed_maps_fail_where_jitter_does_not(method, monkeypatch):
    entries = measuring.measure([figure_of(s, method) for s in range(2)], rounded_figures(method))
    third = xa.explain(network(0), jittered(PATCHES, 1e-6, 9).astype("float32"), "dog", method)
    assert not baselines.compare("page", entries, recorded(**plots.plot(third).data))
    assert "compare" not in entries["maps"]
    whole = registry.find(method)
    for wrong in (
        lambda maps: np.ascontiguousarray(np.swapaxes(maps, -1, -2)).reshape(maps.shape),
        lambda maps: 3 * maps,
        lambda maps: -maps,
    ):

        def broken(*arguments, wrong=wrong):
            return wrong(whole.function(*arguments))

        monkeypatch.setattr(
            registry, "find", lambda name, b=broken: dataclasses.replace(whole, function=b)
        )
        found = baselines.compare("page", entries, figure_of(0, method))
        monkeypatch.setattr(registry, "find", lambda name: whole)
        assert [d.name for d in found if d.name == "maps"]


@pytest.mark.slow
@pytest.mark.parametrize("method", ["gradcam", "occlusion"])
def test_a_transposed_method_fails_the_regression(method, monkeypatch):
    runs = [figure_of(seed, method) for seed in range(3)]
    assert differences(runs, figure_of(0, method)) == {}
    whole = registry.find(method)

    def transposed(*arguments):
        maps = whole.function(*arguments)
        turn = np.swapaxes(maps, -1, -2)
        return np.ascontiguousarray(turn).reshape(maps.shape)

    broken = dataclasses.replace(whole, function=transposed)
    monkeypatch.setattr(registry, "find", lambda name: broken)
    found = differences(runs, figure_of(0, method))
    assert "maps" in found and "patches" not in found
    assert "pattern" in found["maps"]


@pytest.mark.slow
def test_grad_cam_without_its_relu_fails_the_regression(monkeypatch):
    runs = [figure_of(seed) for seed in range(3)]

    def without_relu(classifier, patches, targets, options):
        view = cam.view_of(classifier.logits_network, options.layer)
        features, gradients = view(classifier.as_input(patches), targets)
        return (features * gradients.mean(axis=(1, 2), keepdims=True)).sum(axis=-1)

    broken = dataclasses.replace(registry.find("gradcam"), function=without_relu)
    monkeypatch.setattr(registry, "find", lambda name: broken)
    found = differences(runs, figure_of(0))
    assert "was nowhere negative" in found["maps"]


# Through executed chapters.


@pytest.fixture
def measured(book):
    """The small book with baselines of two runs."""
    console = quiet()
    loose = publishing.renew_baselines(root=book, seeds=2, workers=2, console=console)
    return book, loose


@pytest.mark.slow
def test_baselines_are_measured_kept_and_met(measured):
    book, loose = measured
    kept = json.loads((book / "tests/baselines/mini/welcome.json").read_text())
    assert kept["seeds"] == [0, 1] and kept["profile"] == "mini"
    answer = kept["entries"]["answer"]
    assert answer == {"value": 42.5, "runs": 2, "spread": 1.0, "tolerance": 2.0}
    assert kept["entries"]["threads"]["compare"].startswith("never")
    assert loose == []
    done = publishing.build(root=book, render=False, console=quiet())
    assert done.compared and done.executed == []

    # A value that moved: the build fails, and the report shows it.
    path = book / "tests/baselines/mini/maps.json"
    kept = json.loads(path.read_text())
    blob = kept["entries"]["fig-blob/map"]["value"]
    blob["values"] = np.asarray(blob["values"])[::-1].tolist()
    kept["entries"]["fig-blob/labels"]["value"]["values"] = ["a", "<script>alert(1)</script>"]
    path.write_text(json.dumps(kept))
    with pytest.raises(XaiAudioError) as caught:
        publishing.build(root=book, render=False, console=quiet())
    told = str(caught.value)
    assert "2 recorded values are not what they were" in told
    assert "maps: fig-blob/map: pattern" in told and "make baselines PROFILE=mini" in told
    page = (book / "_build/mini/regression.html").read_text()
    assert "<script>" not in page and "&lt;script&gt;" in page
    pictures = BeautifulSoup(page, "html.parser").find_all("img")
    assert len(pictures) == 3 and all(tag["alt"] for tag in pictures)

    # A chapter without baselines, and baselines without a chapter.
    path.rename(path.with_name("gone.json"))
    names = [chapter.name for chapter in project.find(root=book).chapters()]
    found = [str(d) for d in baselines.check(project.find(root=book), names)]
    assert "maps: the chapter: has no baselines yet" in found
    assert "gone: the chapter: is gone, gone.json is not" in found


@pytest.mark.slow
def test_one_chapter_alone_leaves_the_others_as_they_are(measured):
    book, _ = measured
    folder = book / "tests/baselines/mini"
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    (folder / "maps.json").unlink()
    options = {"root": book, "console": quiet(), "only": ["maps"]}
    publishing.renew_baselines(seeds=2, **options)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == kept
    done = publishing.build(**options)
    assert done.compared and done.page is None and list(done.seconds) == ["maps"]
    wrong = r"no chapter 'map' \(did you mean 'maps'\?\): it has welcome, maps"
    with pytest.raises(XaiAudioError, match=wrong):
        publishing.build(root=book, console=quiet(), only=["map"])


def test_a_profile_that_was_never_measured_is_not_compared(built):
    _, done, said = built
    assert not done.compared and "There are no baselines for the profile 'mini'" in said


def test_one_run_has_no_spread(built):
    with pytest.raises(XaiAudioError, match="at least two runs"):
        publishing.renew_baselines(root=built[0], seeds=1, console=quiet())
    with pytest.raises(XaiAudioError, match="ROUNDINGS=9: there are 3"):
        publishing.renew_baselines(root=built[0], roundings=9, console=quiet())


@pytest.mark.slow
def test_a_run_that_rounds_otherwise_has_its_own_environment_and_folder(measured):
    book, _ = measured
    before = json.loads((book / "tests/baselines/mini/welcome.json").read_text())
    options = {"root": book, "console": quiet(), "only": ["welcome"]}
    publishing.renew_baselines(seeds=1, roundings=3, **options)
    after = json.loads((book / "tests/baselines/mini/welcome.json").read_text())
    answer = after["entries"]["answer"]
    assert answer == before["entries"]["answer"] | {"rounding": 0.0, "roundings": 4}
    assert after["seeds"] == [0, 1]
    path = book / "_build/mini/rounding-one-thread/executed/welcome.ipynb"
    found = baselines.recorded(baselines.notebooks.read(path))
    assert found["threads"]["value"] == 1


def trained_book(tmp_path, monkeypatch, loss_now, maps_now):
    """Make a book in which `retraining` and `maps` depend on a network, and `labels` does not."""
    book = project.Project(tmp_path, "mini")
    loss = np.linspace(2.0, 0.1, 50)
    rng = np.random.default_rng(0)
    maps = {f"map-{n}": rng.random((6, 8)) for n in range(10)}
    baseline = {
        "retraining": [recorded(**{"fig-retraining-curves": {"loss": loss + d}}) for d in (0, 0.3)],
        "maps": [
            recorded(**{k: v + d * rng.random((6, 8)) for k, v in maps.items()}) for d in (0, 0.4)
        ],
        "labels": [recorded(clips=400), recorded(clips=400)],
    }
    for chapter, runs in baseline.items():
        baselines.save(book, chapter, measuring.measure(runs), range(2))
    now = {
        "retraining": recorded(**{"fig-retraining-curves": {"loss": loss + loss_now}}),
        "maps": recorded(**{**maps, **maps_now}),
        "labels": recorded(clips=400),
    }
    book.executed.mkdir(parents=True)
    for chapter in now:
        baselines.notebook_path(book, chapter).touch()
    monkeypatch.setattr(baselines.notebooks, "read", lambda path: path.stem)
    monkeypatch.setattr(baselines, "recorded", now.__getitem__)
    return book, now


def sorted_out(book):
    return baselines.sort_out(book, baselines.check(book, ["retraining", "maps", "labels"]))


WRONG = -np.ones((6, 8))


def test_with_the_same_network_every_difference_is_a_fault(tmp_path, monkeypatch):
    book, _ = trained_book(tmp_path, monkeypatch, 0.0, {"map-3": WRONG})
    broken, drifted = sorted_out(book)
    assert [d.name for d in broken] == ["map-3"] and not drifted


# A third of what the seeds differ by, and what another processor's rounding alone did.
@pytest.mark.parametrize("apart", [0.1, 1e-3])
def test_another_network_may_move_a_few_maps(apart, tmp_path, monkeypatch):
    loss = apart * np.sin(np.arange(50))
    book, _ = trained_book(tmp_path, monkeypatch, loss, {"map-3": WRONG})
    broken, drifted = sorted_out(book)
    assert not broken and [d.name for d in drifted] == ["map-3"]


def test_another_network_explains_no_wrong_shape(tmp_path, monkeypatch):
    book, _ = trained_book(tmp_path, monkeypatch, 0.1, {"map-3": np.ones((8, 6)), "map-4": WRONG})
    broken, drifted = sorted_out(book)
    assert [d.name for d in broken] == ["map-3"] and [d.name for d in drifted] == ["map-4"]


def test_another_network_explains_no_change_where_there_is_no_network(tmp_path, monkeypatch):
    book, now = trained_book(tmp_path, monkeypatch, 0.1, {})
    now["labels"] = recorded(clips=399)
    broken, _ = sorted_out(book)
    assert [d.name for d in broken] == ["clips"]


def test_each_chapter_says_which_network_its_baseline_is_of(tmp_path, monkeypatch):
    book, _ = trained_book(tmp_path, monkeypatch, 0.1, {"map-3": WRONG})
    assert not sorted_out(book)[0]  # of another network, as the chapter on training is
    entries = baselines.load(book, "maps")
    baselines.save(book, "maps", entries, range(2), baselines.course(book))
    broken, drifted = sorted_out(book)
    assert [d.name for d in broken] == ["map-3"] and not drifted


def test_a_new_baseline_says_which_network_it_is_of(tmp_path, monkeypatch):
    book, now = trained_book(tmp_path, monkeypatch, 0.1, {})
    measuring._write(book, "maps", [book, book], [])
    head = baselines.read_json(book.baselines / "maps.json")
    last = metric.values_of(now["retraining"]["fig-retraining-curves/loss"]["value"])[-20:]
    assert head["network"] == pytest.approx(last)
    # Measured for rounding only, it keeps its network.
    baselines.save(book, "maps", head["entries"], range(2), [1.0, 2.0])
    measuring._write(book, "maps", [book], [book])
    assert baselines.read_json(book.baselines / "maps.json")["network"] == [1.0, 2.0]


def test_another_network_does_not_excuse_a_method_that_is_wrong_everywhere(tmp_path, monkeypatch):
    wrong = {f"map-{n}": WRONG for n in range(10)}
    book, _ = trained_book(tmp_path, monkeypatch, 0.1, wrong)
    broken, drifted = sorted_out(book)
    assert len(broken) == 10 and not drifted
