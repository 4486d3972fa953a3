"""Every test and every docstring example draws the same random numbers, whichever ran before it."""

import random

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def seeded():
    """Start the global generators anew; Keras draws the seeds of its weights from the first."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - what libraries draw from


# Fixtures of several files that take seconds.
SLOW_FIXTURES = {"built", "interpreter"}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Whoever waits for a fixture that takes seconds is slow; a file names its own."""
    for item in items:
        own = getattr(getattr(item, "module", None), "SLOW_FIXTURES", ())
        if SLOW_FIXTURES.union(own).intersection(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
