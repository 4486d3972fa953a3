import gc
import weakref

import pytest

from xaiaudio.models.caching import PerModel


class Model:
    size = 3


def test_made_once_for_each_model_and_key():
    cache, made = PerModel(), []
    one, other = Model(), Model()

    def make(alive):
        made.append(alive())
        return alive().size

    assert [cache(model, key, make) for model in (one, other, one) for key in "aa"] == [3] * 6
    assert made == [one, other]
    cache(one, "b", make)
    assert made == [one, other, one]


@pytest.mark.slow
def test_nothing_keeps_a_model_alive():
    cache, model = PerModel(), Model()
    cache(model, "key", lambda alive: lambda: alive().size)
    gone = weakref.ref(model)
    del model
    gc.collect()
    assert gone() is None
