"""Options of all designs: what is of the wrong kind is told before anything is read."""

import dataclasses

import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import registry

WRONG = ("x", None, -1, float("nan"), float("inf"), True, 2.5, [])
OPTIONS = [
    (design, field)
    for design in registry.known().values()
    for field in dataclasses.fields(design.options)
]


@pytest.mark.parametrize(("design", "field"), OPTIONS, ids=lambda one: one.name)
def test_values_of_the_wrong_kind_are_told(design, field):
    design.parse({field.name: field.default})
    kind = type(field.default)
    for wrong in WRONG:
        if type(wrong) is kind or (kind is float and wrong == 2.5):
            continue  # a number too large or small is the options' own matter
        if field.default is None and wrong in (None, 2.5):
            continue
        with pytest.raises(XaiAudioError, match=field.name):
            design.parse({field.name: wrong})


@pytest.mark.parametrize("name", sorted(registry.known()))
def test_each_design_has_an_overlap_below_one_and_a_seed_from_nought(name):
    for option in ({"overlap": 1.0}, {"overlap": -0.1}, {"seed": -1}, {"seed": 2**40}):
        with pytest.raises(XaiAudioError, match=next(iter(option))):
            registry.find(name).parse(option)
