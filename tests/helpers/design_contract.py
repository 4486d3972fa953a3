"""What every network that explains itself must keep to, whatever its family."""

import pickle
import warnings

import numpy as np

import xaiaudio as xa
from xaiaudio.models.designs.base import SelfExplaining


def check_complete(model, patches):
    """The parts and the bias sum to the logit, and the scores are its softmax, or sigmoid."""
    parts = model.contributions(patches)
    assert parts.shape == (len(patches), len(model.parts), len(model.labels))
    logits = model.logits(patches)
    total = parts.astype(float).sum(axis=1) + model.bias
    assert np.abs(total - logits).max() <= 1e-5 * max(1.0, np.abs(logits).max())
    if model.activation == "sigmoid":
        scores = 1 / (1 + np.exp(-logits))
    else:
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        scores = powers / powers.sum(axis=1, keepdims=True)
    assert np.allclose(model.scores(patches), scores, atol=1e-5)


def check_removal(model, patches):
    """Without a part the network's logits move by exactly what it added."""
    logits, parts = model.logits(patches), model.contributions(patches)
    strongest = int(np.abs(parts).sum(axis=(0, 2)).argmax())
    assert np.abs(parts[:, strongest]).max() > 0  # or this test would test nothing
    for part in {0, strongest, len(model.parts) - 1}:
        moved = logits - model.logits_without(patches, [part])
        tolerance = 1e-5 * max(1.0, np.abs(logits).max())
        assert np.abs(moved - parts[:, part]).max() <= tolerance
    nothing = model.logits_without(patches, range(len(model.parts)))
    assert np.allclose(nothing, model.bias, atol=1e-5)


def check_saving(model, patches, folder):
    """A file, and a pickle, give the same network with the same evidence."""
    again = xa.load_model(model.save(folder / "design.keras"))
    for other in (again, pickle.loads(pickle.dumps(model))):
        assert isinstance(other, SelfExplaining)
        about = (model.design, model.options, model.activation)
        assert (other.design, other.options, other.activation) == about
        assert np.array_equal(other.logits(patches), model.logits(patches))
        assert np.array_equal(other.contributions(patches), model.contributions(patches))
        for one, two in zip(other.parts, model.parts, strict=True):
            assert (one.name, one.label, one.places) == (two.name, two.label, two.places)
            for array in ("spectrum", "picture"):
                first, second = getattr(one, array), getattr(two, array)
                assert (first is None) == (second is None)
                assert first is None or np.allclose(first, second, atol=1e-6)


def check_methods(model, patches, methods=("occlusion", "saliency", "lime")):
    """Methods of the book explain it as any other network."""
    options = {"lime": {"samples": 60}}
    for method in methods:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", xa.XaiAudioWarning)
            found = xa.explain(model, patches, method=method, **options.get(method, {}))
        assert np.isfinite(found.maps).all()


def check_places(model, clips):
    """Places name clips that were learnt from, and their sound is that stretch of the clip."""
    rate = model.frontend.sample_rate
    by_name = {clip.name: clip for clip in clips}
    places = [place for part in model.parts for place in part.places]
    assert places
    for number, part in enumerate(model.parts):
        for place in part.places[:1]:
            whole = by_name[place.clip].load(rate)
            first, last = (round(time * rate) for time in (place.start, place.end))
            assert 0 <= place.start < place.end
            assert np.array_equal(model.sound(number, clips), whole[first:last])


def check_contract(model, patches, folder, methods=("occlusion", "saliency", "lime")):
    """All of it that needs no clips."""
    check_complete(model, patches)
    check_removal(model, patches)
    check_saving(model, patches, folder)
    check_methods(model, patches, methods)
