"""Packages that only archives need."""

import subprocess
import sys

import pytest

import xaiaudio as xa
from xaiaudio.corpus import extra


def test_without_the_extra_it_is_said(monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(xa.XaiAudioError, match=r"pip install 'xaiaudio\[corpus\]'"):
        extra.needed("distributed")


def test_what_is_there_is_given():
    import json.decoder

    assert extra.needed("json.decoder") is json.decoder


def test_the_package_is_named_not_the_module_in_it():
    with pytest.raises(xa.XaiAudioError, match="Archives need nosuchpackage, which is not"):
        extra.needed("nosuchpackage.parquet")


@pytest.mark.slow
def test_the_package_needs_none_of_it():
    code = "import sys, xaiaudio as xa; xa.corpus.plan; xa.corpus.run; "
    code += "print({'dask', 'distributed', 'pyarrow', 'zarr', 'tensorflow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == "set()", done
