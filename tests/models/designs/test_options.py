"""Options that all designs with prototypes take: what makes no sense is told by its name."""

import dataclasses

import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.designs import registry
from xaiaudio.models.designs.options import SOURCES, PrototypeOptions


@pytest.mark.parametrize(
    ("wrong", "needed"),
    [
        ({"seed": -1}, "from 0 on"),
        ({"seed": True}, "from 0 on"),
        ({"seed": 0.5}, "from 0 on"),
        ({"per_class": 0}, "from 1 on"),
        ({"per_class": 2.0}, "from 1 on"),
        ({"overlap": 1.0}, "from 0 to below 1"),
        ({"overlap": -0.1}, "from 0 to below 1"),
        ({"overlap": float("nan")}, "from 0 to below 1"),
        ({"prototypes": "learnt"}, "one of trained, random"),
    ],
)
def test_what_makes_no_sense(wrong, needed):
    ((name, value),) = wrong.items()
    with pytest.raises(XaiAudioError, match=f"{name} is {value!r}: .*{needed}"):
        PrototypeOptions(**wrong)


@pytest.mark.parametrize("right", [{"overlap": 0}, {"overlap": 0.99}, {"seed": 7, "per_class": 1}])
@pytest.mark.parametrize("source", SOURCES)
def test_what_makes_sense_is_kept(right, source):
    options = dataclasses.asdict(PrototypeOptions(prototypes=source, **right))
    assert options == {
        **{"seed": 0, "overlap": 0.5, "per_class": 5, "random_backbone": False},
        **right,
        "prototypes": source,
    }


def test_they_are_what_designs_with_prototypes_of_a_backbone_take():
    own = {field.name for field in dataclasses.fields(PrototypeOptions)}
    takers = {
        name for name, one in registry.known().items() if issubclass(one.options, PrototypeOptions)
    }
    assert {"pecmae", "protopnet", "audioprotopnet", "protoconcepts"} <= takers
    for name in takers:
        assert own <= {field.name for field in dataclasses.fields(registry.find(name).options)}
        with pytest.raises(XaiAudioError, match="prototypes is 'none'"):
            registry.find(name).parse({"prototypes": "none"})
