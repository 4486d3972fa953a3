import heard_tones
import pytest

import xaiaudio as xa


@pytest.fixture(scope="session")
def tones():
    return heard_tones.Tones.of(8)


@pytest.fixture(scope="session")
def listener(tones):
    """A classifier that has learnt the tones."""
    return heard_tones.listener(tones)


@pytest.fixture(scope="session")
def interpreter(listener, tones):
    """Listen to Interpret, trained for that classifier."""
    return xa.Explainer.fit("l2i", listener, tones, **heard_tones.QUICK)


@pytest.fixture(scope="session")
def wave():
    return heard_tones.Tone("low-90", "low").load()
