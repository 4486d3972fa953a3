"""The list of measures does not depend on what was imported before."""

import subprocess
import sys

import pytest

from xaiaudio.evaluate.metrics import registry

ORDER = (
    *("AD", "AI", "AG", "FF", "Fid-In", "deletion", "insertion", "MuFidelity"),
    *("mass", "rank", "pointing", "sparseness", "complexity", "mask-mean"),
    *("seeds", "destroyed", "sensitivity", "time"),
)


def test_the_columns_have_an_order():
    known = registry.measures()
    assert tuple(name for name in known if name in ORDER) == ORDER
    # A new measure stands in the panel of its family, where its file does.
    families = {measure.family: place for place, measure in enumerate(known.values())}
    order = [
        (families[measure.family], registry._place(measure), place)
        for place, measure in enumerate(known.values())
    ]
    assert order == sorted(order)


@pytest.mark.slow
@pytest.mark.parametrize("first", ["localisation", "cost"])
def test_whichever_file_was_imported_first(first):
    code = (
        f"import xaiaudio.evaluate.metrics.{first}\n"
        "from xaiaudio.evaluate.metrics import registry\n"
        "print(*registry.measures())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == list(registry.measures())
