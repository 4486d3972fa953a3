import heard_tones
import pytest


@pytest.fixture(scope="session")
def tones():
    return heard_tones.Tones.of(8)


@pytest.fixture(scope="session")
def listener(tones):
    """A classifier that has learnt the tones."""
    return heard_tones.listener(tones)
