"""With two threads as with one, a training gives the same weights each time."""

import os
import subprocess
import sys

import pytest

# In a process of its own: how many threads there are is settled when TensorFlow begins.
TWICE = """
import sys
import numpy as np, tensorflow as tf
tf.config.threading.set_intra_op_parallelism_threads(2)
tf.config.threading.set_inter_op_parallelism_threads(2)
import xaiaudio as xa
from tones import tiny_backbone
from xaiaudio.models.training.tables import PatchTable

name, options = sys.argv[1], eval(sys.argv[2])
rng, labels = np.random.default_rng(0), ("one", "two")
patches = rng.normal(size=(160, 96, 64)).astype("float32")
table = PatchTable(
    patches, np.arange(160), tuple(map(str, range(160))), labels * 80, labels
)
made = []
for _ in range(2):
    model = xa.models.train_design(
        name, table, tiny_backbone(), progress=False, epochs=6, **options
    )
    made.append(b"".join(weight.tobytes() for weight in model.network.get_weights()))
assert len(made[0]) > 1000
assert made[0] == made[1], f"{name}: other weights the second time"
"""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "options"), [("local", {}), ("apnet", {}), ("attention", {"layers": 1})]
)
def test_two_trainings_give_the_same_bytes(name, options):
    threads = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
    about = {key: value for key, value in os.environ.items() if key not in threads}
    about["PYTHONPATH"] = os.pathsep.join(sys.path)
    ran = subprocess.run(
        [sys.executable, "-c", TWICE, name, repr(options)],
        env=about, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-800:]
