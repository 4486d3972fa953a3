"""Prototypes of parts, on maps of a small network whose cells do not see everything."""

import keras
import numpy as np
import pytest
from design_contract import check_contract, check_places

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.frontend import LogMel
from xaiaudio.models import Backbone
from xaiaudio.models.designs import grounds, matching, protoconcepts, protopnet
from xaiaudio.models.designs.audioprotopnet import apart
from xaiaudio.models.designs.evidence import Place
from xaiaudio.models.designs.lessons import lessons
from xaiaudio.models.training import fitting, remembered
from xaiaudio.models.training.fitting import Settings

DESIGNS = ("protopnet", "audioprotopnet", "protoconcepts")


def seeing_backbone(seed=0):
    """Two convolutions; time and frequency are kept to the end."""
    layers = keras.layers
    init = keras.initializers.HeNormal(seed=seed)
    patch = layers.Input((96, 64, 1))
    x = layers.Conv2D(6, 5, 4, padding="same", activation="relu", kernel_initializer=init)(patch)
    x = layers.Conv2D(
        8, (3, 7), (2, 2), padding="same", activation="relu", kernel_initializer=init, name="last"
    )(x)
    x = layers.GlobalAveragePooling2D(name="embedding")(x)
    return Backbone("seeing", keras.Model(patch, x), LogMel.vggish(), "test")


@pytest.fixture(scope="module")
def taught(clips):
    base, (train, test) = seeing_backbone(), clips.split(5)
    options = {"per_class": 2, "progress": False}
    made = {name: xa.models.train_design(name, train, base, **options) for name in DESIGNS}
    return made, train, test


def _patches_of(train, model):
    """All patches that the prototypes could have been put on."""
    taught = lessons(train, model.frontend, seed=0)
    return taught, taught.patches[~taught.validation]


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
def test_the_contract(taught, tmp_path, name):
    models, train, test = taught
    patches = np.asarray(models[name].frontend(test[0].load()))
    check_contract(models[name], patches, tmp_path)
    check_places(models[name], train)


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
def test_it_learns(taught, name):
    models, _, test = taught
    # Six clips, and a backbone that knows nothing: twice what chance has.
    assert xa.models.test(models[name], test).clip_accuracy > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS[:2])
def test_a_prototype_is_a_place_of_its_class(taught, name):
    models, train, _ = taught
    model = models[name]
    known, patches = _patches_of(train, model)
    distances = matching.distance_maps(model, patches)
    targets = known.targets[~known.validation]
    names = np.array(known.names)[known.clip[~known.validation]]
    starts = known.first[~known.validation]
    fields = matching._fields(model)
    edges = model.frontend.band_edges()
    for part, evidence in enumerate(model.parts):
        own = model.labels[part // 2]
        assert evidence.label == own
        best = distances[..., part].reshape(len(patches), -1)
        number, cell = np.unravel_index(best.argmin(), best.shape)
        assert best[number, cell] <= 1e-6
        assert model.labels[targets[number]] == own
        place = evidence.places[0]
        zeros = np.argwhere(best <= best[number, cell] + 1e-6)
        found = []
        for number, cell in zeros:  # several places may be the very same
            (one, two), (low, high) = fields.of(cell)
            times = model.frontend.frame_times(int(starts[number]))
            found.append((names[number], times[one], times[two], edges[low], edges[high]))
        wanted = (place.start, place.end, place.low, place.high)
        assert any(
            clip == place.clip and np.allclose(rest, wanted, atol=1e-6) for clip, *rest in found
        )


@pytest.mark.slow
def test_evidence_only_adds(taught):
    models, _, test = taught
    model = models["audioprotopnet"]
    owner = np.arange(len(model.parts)) // 2
    for part, label in enumerate(owner):
        assert (np.delete(model.weights[part], label) == 0).all()
    assert (model.weights >= 0).all() and model.weights.max() > 0
    assert (model.contributions(np.asarray(model.frontend(test[0].load()))) >= 0).all()
    assert not model.bias.any()


@pytest.mark.slow
def test_members_of_a_ball_count_the_same(taught):
    models, train, _ = taught
    model = models["protoconcepts"]
    _, patches = _patches_of(train, model)
    inside, numbers = matching.members(model, patches), model.activations(patches)
    for part, evidence in enumerate(model.parts):
        assert len(evidence.places) == len({place.clip for place in evidence.places}) >= 2
        assert inside[:, part].sum() >= len(evidence.places)
        # Equal but for the last digit: vectors of numbers have another logarithm than one by one.
        assert np.ptp(numbers[inside[:, part], part]) <= 1e-6
        assert (numbers[~inside[:, part], part] < numbers[inside[:, part], part].min()).all()
    radii = model.logits_network.get_layer("parts").radii.numpy()
    larger = matching.members(model, patches, radii * 2)
    assert not (inside & ~larger).any() and larger.sum() > inside.sum()


@pytest.mark.slow
def test_balls_grown_anew_are_as_trained_and_others_have_the_same_centres(taught):
    models, train, test = taught
    base, model = seeing_backbone(), models["protoconcepts"]
    patches = np.asarray(model.frontend(test[0].load()))
    again = protoconcepts.grown(model, train, base, members=5, progress=False)
    points = protoconcepts.grown(model, train, base, radius=0.0, progress=False)
    assert again.options == model.options and points.options == {**model.options, "radius": 0.0}
    layer, same, other = (one.logits_network.get_layer("parts") for one in (model, again, points))
    np.testing.assert_allclose(same.radii.numpy(), layer.radii.numpy(), rtol=1e-4)
    np.testing.assert_allclose(again.logits(patches), model.logits(patches), atol=1e-2)
    assert not other.radii.numpy().any()
    np.testing.assert_array_equal(other.prototypes.numpy(), layer.prototypes.numpy())
    assert not np.allclose(points.weights, model.weights)
    with pytest.raises(XaiAudioError, match="design 'protopnet'"):
        protoconcepts.grown(models["protopnet"], train, base)


@pytest.mark.slow
def test_balls_begin_with_the_training_of_points(clips, monkeypatch):
    train, _ = clips.split(5)
    base = seeing_backbone()
    known = lessons(train, base.frontend.with_overlap(0.5), seed=0)
    settings, done, ends = Settings(3, 8, 3e-3), [], []
    real = fitting.train
    monkeypatch.setattr(fitting, "train", lambda *a, **k: (done.append(1), real(*a, **k))[1])
    # Balls trained for themselves, points, and balls that take what the points were trained to.
    for ball, kept in ((True, {}), (False, {}), (True, None)):
        if kept is not None:
            monkeypatch.setattr(remembered, "_TRAINED", kept)
        head = protopnet.head_of(known, base, protopnet.Options(per_class=2), ball=ball)
        head.draw(0)
        course = protopnet.fit(head, settings, False)
        ends.append(np.concatenate([w.numpy().ravel() for w in head.network.trainable_weights]))
        assert (remembered.BEFORE in course) == (kept is None)
    assert len(done) == 2
    np.testing.assert_allclose(ends[0], ends[1], atol=1e-6)
    np.testing.assert_array_equal(ends[1], ends[2])
    head.layer.radii.assign(np.ones(head.layer.count))
    with pytest.raises(XaiAudioError, match="radii"):
        protopnet.fit(head, settings, False)


@pytest.mark.slow
def test_a_second_projection_changes_nothing(clips):
    train, _ = clips.split(5)
    base = seeing_backbone()
    known = lessons(train, base.frontend.with_overlap(0.5), seed=0)
    head = protopnet.head_of(known, base, protopnet.Options(per_class=2))
    head.draw(0)
    head.layer.prototypes.assign(head.layer.prototypes.numpy() + 0.05)
    first = head.project()
    vectors = head.layer.prototypes.numpy()
    second = head.project()
    assert np.array_equal(head.layer.prototypes.numpy(), vectors)
    assert first.number.tolist() == second.number.tolist()
    assert (known.targets[first.number[:, 0]] == head.owner).all()
    assert not known.validation[first.number].any()


@pytest.mark.slow
def test_what_a_sound_is_like(taught):
    models, train, test = taught
    model = models["protopnet"]
    patch = np.asarray(model.frontend(test[0].load()))[0]
    found = matching.matches(model, patch, test[0].label, 4)
    added = model.contributions(patch[None])[0, :, model.index(test[0].label)]
    assert [one.added for one in found] == sorted(added.tolist(), reverse=True)[:4]
    maps = matching.similarity_maps(model, patch[None])[0]
    for one in found:
        assert one.similarity == pytest.approx(maps[..., one.part].max(), abs=1e-6)
        # What lies outside of the place does not count for it.
        changed = np.full_like(patch, patch.min() - 3)
        (start, end), (low, high) = one.frames, one.bands
        changed[start:end, low:high] = patch[start:end, low:high]
        there = matching.similarity_maps(model, changed[None])[0, ..., one.part]
        cell = np.unravel_index(maps[..., one.part].argmax(), there.shape)
        assert there[cell] == pytest.approx(one.similarity, abs=1e-4)
    seen = matching.view(model.parts[0].places[0], train, model.frontend)
    assert seen.cells.shape == (96, 64)
    place = model.parts[0].places[0]
    step = model.frontend.hop / model.frontend.sample_rate
    assert seen.start + seen.frames[0] * step == pytest.approx(place.start, abs=1e-6)
    assert seen.start + seen.frames[1] * step == pytest.approx(place.end, abs=1e-6)
    edges = model.frontend.band_edges()
    assert (edges[seen.bands[0]], edges[seen.bands[1]]) == pytest.approx((place.low, place.high))
    assert matching.distance_maps(model, patch[None][:0]).shape == (0, *maps.shape)
    for wrong in (99, -1):
        with pytest.raises(XaiAudioError, match="class"):
            matching.matches(model, patch, wrong)
    for wrong in (0, -1, 1.5, True):
        with pytest.raises(XaiAudioError, match="count is"):
            matching.matches(model, patch, test[0].label, wrong)
    with pytest.raises(XaiAudioError, match="NaN"):
        matching.matches(model, patch * np.nan, test[0].label)
    with pytest.raises(XaiAudioError, match="no balls"):
        matching.members(model, patch[None])
    with pytest.raises(XaiAudioError, match="not among these"):
        matching.view(Place("nobody", 0, 1), train, model.frontend)


def test_the_last_layer_that_sees_no_more_than_asked():
    base = seeing_backbone()
    found = grounds.feature_maps(base, 0.25)
    assert found.network.layers[-1].name == "last"
    widths = np.diff(found.fields.frames, axis=1)
    assert widths.max() == 13  # 5 + 2 * 4
    assert grounds.feature_maps(base, 0.1).network.output_shape == (None, 24, 16, 6)
    with pytest.raises(XaiAudioError, match="take a larger share"):
        grounds.feature_maps(base, 0.01)


def test_random_weights_are_others_of_the_same_size():
    base = seeing_backbone()
    one, two = (grounds.embedding(base, random=random).network for random in (False, True))
    for a, b in zip(one.get_weights(), two.get_weights(), strict=True):
        assert np.array_equal(np.sort(a.ravel()), np.sort(b.ravel()))
    assert not np.array_equal(one.get_weights()[0], two.get_weights()[0])


def test_right_angles_are_apart():
    assert float(apart(np.eye(3, dtype=np.float32)[None])) == pytest.approx(0, abs=1e-5)
    same = np.tile(np.eye(3, dtype=np.float32)[0], (1, 3, 1))
    assert float(apart(same)) == pytest.approx(np.sqrt(6) / 3, abs=1e-5)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (protopnet.Options, {"channels": 0}),
        (protopnet.Options, {"sees": 0}),
        (protoconcepts.Options, {"members": 0}),
        (protoconcepts.Options, {"radius": -1}),
    ],
)
def test_options_that_are_none(kind, options):
    with pytest.raises(XaiAudioError, match=next(iter(options))):
        kind(**options)
