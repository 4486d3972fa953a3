"""The garbage collector rests during imports, and is back afterwards."""

import gc

import pytest

from xaiaudio import collector


@pytest.mark.slow
def test_it_rests_within_and_runs_afterwards():
    before = gc.get_freeze_count()
    try:
        with collector.paused():
            assert not gc.isenabled()
        assert gc.isenabled() and gc.get_freeze_count() > before
    finally:
        gc.unfreeze()


def test_whoever_switched_it_off_finds_it_off():
    gc.disable()
    try:
        with collector.paused():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
        gc.unfreeze()


def test_a_failing_import_switches_it_on_again():
    with pytest.raises(ImportError), collector.paused():
        raise ImportError
    assert gc.isenabled()
