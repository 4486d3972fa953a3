import pytest
from small_networks import classifier_of, convolutional, random_patches


@pytest.fixture(scope="session")
def small():
    """A classifier of 24 x 16 patches."""
    return classifier_of(convolutional((24, 16)))


@pytest.fixture(scope="session")
def patches():
    return random_patches(3, (24, 16))
