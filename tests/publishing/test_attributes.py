"""The attributes of a class are told one by one, each with its type."""

import pytest

from xaiaudio.publishing.attributes import one_by_one

DOCSTRING = """\
A mixture.

Parameters
----------
low, high : float

Attributes
----------
event, background : ndarray
    What it was mixed from,
    as loud as in the mixture.
wave : ndarray
    The sum.
at, seconds, gain : float

Examples
--------
>>> a, b = 1, 2
"""


def test_several_attributes_of_one_line_become_one_each():
    told = one_by_one(DOCSTRING.splitlines())
    text = ["    What it was mixed from,", "    as loud as in the mixture."]
    begin = told.index("event : ndarray")
    assert told[begin : begin + 6] == ["event : ndarray", *text, "background : ndarray", *text]
    assert told[begin + 6 :][:5] == [
        "wave : ndarray",
        "    The sum.",
        "at : float",
        "seconds : float",
        "gain : float",
    ]


def test_other_sections_stay_as_they_are():
    told = one_by_one(DOCSTRING.splitlines())
    assert "low, high : float" in told
    assert ">>> a, b = 1, 2" in told
    plain = ["Compute, and return.", "", "Returns", "-------", "a, b : float"]
    assert one_by_one(plain) == plain


@pytest.mark.slow
@pytest.mark.parametrize("name", ["datasets.mixtures.Mixture", "evaluate.metrics.registry.Measure"])
def test_sphinx_tells_each_attribute_with_its_type(name):
    import importlib
    import inspect

    pytest.importorskip("sphinx")
    from sphinx.ext.napoleon import Config, NumpyDocstring

    module, thing = name.rsplit(".", 1)
    lines = inspect.getdoc(getattr(importlib.import_module(f"xaiaudio.{module}"), thing))
    told = str(
        NumpyDocstring(one_by_one(lines.splitlines()), Config(napoleon_use_ivar=True), what="class")
    )
    # A field names one thing: with two words before the colon, the first passes for a type.
    fields = [line.split(":")[1] for line in told.splitlines() if line.startswith(":ivar ")]
    assert fields and all(len(field.split()) == 2 for field in fields), fields
