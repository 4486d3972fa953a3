"""Prototypes of parts, on maps of a small network whose cells do not see everything."""

import numpy as np
import pytest
from design_contract import check_contract, check_places
from tones import seeing_backbone

import xaiaudio as xa
from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import matching, protopnet
from xaiaudio.models.designs.lessons import lessons
from xaiaudio.models.training import fitting, remembered
from xaiaudio.models.training.fitting import Settings

DESIGNS = ("protopnet", "audioprotopnet", "protoconcepts")


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
def test_the_contract(taught_prototypes, tmp_path, name):
    models, train, test = taught_prototypes
    patches = np.asarray(models[name].frontend(test[0].load()))
    check_contract(models[name], patches, tmp_path)
    check_places(models[name], train)


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS)
def test_it_learns(taught_prototypes, name):
    models, _, test = taught_prototypes
    # Six clips, and a backbone that knows nothing: twice what chance has.
    assert xa.models.test(models[name], test).clip_accuracy > 0.6


@pytest.mark.slow
@pytest.mark.parametrize("name", DESIGNS[:2])
def test_a_prototype_is_a_place_of_its_class(taught_prototypes, name):
    models, train, _ = taught_prototypes
    model = models[name]
    known = lessons(train, model.frontend, seed=0)
    patches = known.patches[~known.validation]  # all that they could have been put on
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


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (protopnet.Options, {"channels": 0}),
        (protopnet.Options, {"sees": 0}),
    ],
)
def test_options_that_are_none(kind, options):
    with pytest.raises(XaiAudioError, match=next(iter(options))):
        kind(**options)
