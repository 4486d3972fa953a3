import pytest
import tensorflow as tf


@pytest.fixture
def eager():
    """Many small networks: compiling each would take longer than all the rest."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)
