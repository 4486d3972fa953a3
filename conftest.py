"""Every test and every docstring example draws the same random numbers, whichever ran before it."""

import random

import numpy as np
import pytest


@pytest.fixture(autouse=True)
def seeded():
    """Start the global generators anew; Keras draws the seeds of its weights from the first."""
    random.seed(0)
    np.random.seed(0)  # noqa: NPY002 - what libraries draw from
