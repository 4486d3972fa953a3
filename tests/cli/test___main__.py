"""``python -m xaiaudio.cli`` is the command ``xaiaudio``."""

import runpy
import sys

import pytest

import xaiaudio as xa


@pytest.mark.slow
@pytest.mark.parametrize(("words", "status"), [(["--version"], 0), (["no-such-command"], 2)])
def test_the_package_is_a_command_that_ends_with_its_status(capsys, monkeypatch, words, status):
    monkeypatch.setattr(sys, "argv", ["xaiaudio", *words])
    with pytest.raises(SystemExit) as end:
        runpy.run_module("xaiaudio.cli", run_name="__main__")
    assert end.value.code == status
    said = capsys.readouterr()
    assert (said.out.strip() == f"xaiaudio {xa.__version__}") == (status == 0)
    assert ("no-such-command" in said.err) == (status == 2)
