import pytest
import soundfile
from long_sounds import network, stereo
from short_noise import recurrent_network

from xaiaudio.pages.long_sound import explain_long


@pytest.fixture(scope="session")
def recurrent():
    """A network without a convolution: class activation maps cannot treat it."""
    return recurrent_network()


@pytest.fixture(scope="session")
def listener():
    """A network with a convolution, for long sounds."""
    return network()


@pytest.fixture(scope="session")
def long_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "a & <b>.wav"
    soundfile.write(path, stereo(75, 8_000), 8_000)
    return path


@pytest.fixture(scope="session")
def long_page(long_file, listener):
    return explain_long(
        listener, long_file, long_file.name, threshold=0.34, top=2, methods=["gradcam"]
    )
