"""Other ways to round: each is an environment of its own, and has results of its own."""

import subprocess
import sys

import numpy as np
import pytest

from xaiaudio.publishing import execute, project
from xaiaudio.publishing.rounding import ROUNDINGS


def test_each_way_is_an_environment_that_no_other_is(tmp_path):
    usual = execute._environment(tmp_path)
    made = []
    for variables in ROUNDINGS.values():
        assert all(isinstance(value, str) for value in variables.values())
        made.append(usual | variables)
        assert made[-1] != usual and all(made[-1] != other for other in made[:-1])


def test_one_thread_takes_the_place_of_the_usual_threads(tmp_path):
    usual = execute._environment(tmp_path)
    for name, value in ROUNDINGS["one-thread"].items():
        assert usual[name] == str(execute.THREADS) != value == "1"


def test_results_of_each_way_lie_apart_and_depend_on_it(ours):
    (page, *_) = ours.chapters()
    books = [project.Project(ours.root, rounding=name) for name in ("", *ROUNDINGS)]
    assert len({book.home for book in books}) == len({book.executed for book in books}) == 4
    assert len({project.chapter_key(book, page) for book in books}) == 4
    assert {book.baselines for book in books} == {ours.baselines}


SUM = """
import os
for name, value in {variables!r}.items():
    os.environ[name] = value
import numpy as np
rng = np.random.default_rng(0)
one, other = rng.standard_normal((2, 300, 300)).astype("f4")
np.save({path!r}, one @ other)
"""


@pytest.mark.slow
def test_a_product_is_rounded_otherwise_and_is_the_same_product(tmp_path):
    """It differs by rounding, and by no more, where the processor has both kinds."""
    made = {}
    for name, variables in {"": {}, **ROUNDINGS}.items():
        path = str(tmp_path / f"product-{name}.npy")
        code = SUM.format(variables=variables, path=path)
        subprocess.run([sys.executable, "-c", code], check=True)
        made[name] = np.load(path)
    for product in made.values():
        np.testing.assert_allclose(product, made[""], rtol=0, atol=1e-3)
    if not {"AVX2", "X86_V3"} & set(np.show_config("dicts")["SIMD Extensions"]["found"]):
        pytest.skip("this processor has one kind of instructions")
    assert (made["avx2"] != made["plain"]).any()
