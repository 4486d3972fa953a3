"""Segments switched on and off: each patch gets its own weights, whatever shares a design."""

from dataclasses import dataclass

import numpy as np
import pytest
from small_networks import additive, random_patches

from xaiaudio import XaiAudioError
from xaiaudio.explainers.engines import switching
from xaiaudio.explainers.engines.designs import Design
from xaiaudio.explainers.engines.perturbation import engine_of
from xaiaudio.explainers.engines.surrogate import Fit
from xaiaudio.explainers.engines.switching import SegmentOptions, Solver

SHAPE = (6, 4)


def one_by_one(count, options):
    """All parts, then all but one, for each part."""
    present = np.ones((count + 1, count), np.int8)
    present[1:] -= np.eye(count, dtype=np.int8)
    return Design(present, np.arange(count + 1))


def drops(design, answers, options):
    """By how much the answer falls without each part."""
    weights = (answers[:1] - answers[1:]).T.astype(np.float64)
    k = len(weights)
    return Fit(weights, answers[0], np.ones(k), np.zeros_like(weights), 1.0)


def report(design, fit, options):
    return {"samples": np.full(len(fit.weights), len(design))}


SOLVER = Solver(one_by_one, drops, report)


@pytest.mark.slow
def test_weights_of_segments_are_painted_where_they_lie():
    """Of an additive network the fall is the sum of what the segment's cells add."""
    model, gains = additive(SHAPE)
    patches, targets = random_patches(2, SHAPE), np.array([[0, 2], [1, 1]])
    options = SegmentOptions(grid=(3, 2), fill=0.5)
    maps, told = switching.solved(model, patches, targets, options, SOLVER)
    segments = switching.segments_of(patches, options)
    assert maps.shape == (2, 2, *SHAPE) and told["samples"].tolist() == [[7, 7], [7, 7]]
    for n, k in np.ndindex(2, 2):
        for segment in range(6):
            cells = segments[n] == segment
            wanted = ((patches[n] - 0.5) * gains[..., targets[n, k]])[cells].sum()
            np.testing.assert_allclose(maps[n, k][cells], wanted, atol=1e-4)


def test_superpixels_are_numbered_from_0_without_gaps():
    patches = random_patches(3, (24, 16))
    segments = switching.segments_of(patches, SegmentOptions(segments="superpixels", grid=(3, 3)))
    assert segments.shape == patches.shape
    counts = switching.counts_of(segments)
    for numbers, count in zip(segments, counts, strict=True):
        assert np.unique(numbers).tolist() == list(range(count))


def test_inputs_with_as_many_parts_share_one_design():
    drawn = switching.drawn([3, 5, 3], None, SOLVER)
    assert drawn[0] is drawn[2] and [len(design) for design in drawn] == [4, 6, 4]


@pytest.mark.slow
def test_patches_with_other_numbers_of_segments_are_asked_and_fitted_alone():
    model, gains = additive(SHAPE)
    patches, targets = random_patches(3, SHAPE), np.array([[0], [1], [2]])
    segments = np.zeros((3, *SHAPE), int)
    segments[0, 3:], segments[1, :, 2:], segments[1, 3:] = 1, 1, 2
    segments[2, :, 1:] = 1
    options = SegmentOptions(fill=0.0)
    chosen = switching.drawn(switching.counts_of(segments), options, SOLVER)
    answers = switching.ask(model, patches, segments, chosen, options)
    fits = switching.fitted(chosen, answers, targets, options, SOLVER)
    maps = switching.painted(fits, segments)
    assert [fit.weights.shape for fit in fits] == [(1, 2), (1, 3), (1, 2)]
    for n in range(3):
        for segment in range(segments[n].max() + 1):
            cells = segments[n] == segment
            wanted = (patches[n] * gains[..., n])[cells].sum()
            np.testing.assert_allclose(maps[n, 0][cells], wanted, atol=1e-4)


def test_reports_are_stacked_by_name():
    fits = [drops(None, np.ones((4, 2)), None)] * 3
    designs = [one_by_one(3, None)] * 3
    assert switching.reported(designs, fits, None, SOLVER)["samples"].shape == (3, 2)


def test_answers_that_are_not_finite_are_refused():
    designs = [one_by_one(2, None)]
    answers = np.zeros((1, 3, 2))
    answers[0, 1, 1] = np.inf
    switching.fitted(designs, answers, np.array([[0]]), None, SOLVER)  # nobody asked about it
    with pytest.raises(XaiAudioError, match="NaN or infinity where parts were hidden"):
        switching.fitted(designs, answers, np.array([[1]]), None, SOLVER)


@dataclass
class Drawn:
    grid: object = (2, 3)
    samples: object = 16
    seed: object = 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"grid": 3},
        {"grid": (0, 2)},
        {"grid": (2, 2.5)},
        {"grid": (1, 2, 3)},
        {"samples": 1},
        {"samples": 2.0},
        {"seed": -1},
        {"seed": 2**32},
        {"seed": 0.5},
    ],
)
def test_options_that_make_no_sense_are_named(wrong):
    switching.check_drawn(Drawn())
    switching.check_drawn(Drawn((np.int64(2), 3), np.int32(2), 2**32 - 1))
    with pytest.raises(XaiAudioError, match=next(iter(wrong))):
        switching.check_drawn(Drawn(**wrong))
    with pytest.raises(XaiAudioError, match=next(iter(wrong))):
        SegmentOptions(**wrong)


def test_other_segments_are_refused_with_those_there_are():
    with pytest.raises(XaiAudioError, match="'circles'.*grid.*superpixels"):
        SegmentOptions(segments="circles")


def test_a_coalition_that_was_drawn_twice_is_asked_about_once(monkeypatch):
    model, _ = additive(SHAPE)
    patches, options = random_patches(3, SHAPE), SegmentOptions(grid=(2, 1), fill=0.5)
    segments, asked = switching.segments_of(patches, options), []

    def make(classifier, output, precision):
        engine = engine_of(classifier, output, precision)
        return lambda inputs, fill, masks: asked.append(len(masks)) or engine(inputs, fill, masks)

    monkeypatch.setattr(switching.coalitions, "engine_of", make)
    long = Design(np.array([[1, 1], [0, 1], [1, 1], [1, 0], [0, 1]], np.int8), np.arange(5))
    short = long.first(2)
    found = switching.ask(model, patches, segments, [long, short, long], options)
    assert found.shape == (3, 5, len(model.labels)) and asked == [3]
    for number, design in enumerate((long, short, long)):
        patch, cells, answers = patches[number], segments[number], found[number]
        for answer, row in zip(answers, design.present, strict=False):
            alone = model.logits(np.where(row[cells] == 1, patch, 0.5)[None])[0]
            np.testing.assert_allclose(answer, alone, atol=1e-5)
