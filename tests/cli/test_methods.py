"""``xaiaudio methods``: the table is what the methods say of themselves."""

import json
import re

from commands import call

import xaiaudio as xa
from xaiaudio.cli import methods


def test_methods_lists_them_all(capsys):
    status, out, _ = call(capsys, "methods")
    assert status == 0
    for name in {**xa.methods(), **xa.methods(trained=True)}:
        assert name in out
    assert "samples=" in out and "components=100" in out


def test_the_table_of_methods_is_what_they_say_of_themselves():
    assert json.loads(methods.LISTED.read_text(encoding="utf-8")) == methods.rows()  # make format


def test_a_method_that_is_trained_first_says_so_and_options_are_named():
    known = {row[0]: row for row in methods.rows()}
    for name, about in xa.methods().items():
        assert known[name][1] == about["summary"] and known[name][3] == about["needs"]
        options = {option: str(value) for option, value in about["options"].items()}
        parts = re.split(", (?=[a-z_]+=)", known[name][2]) if options else []
        assert dict(part.split("=", 1) for part in parts) == options
        assert (known[name][2] == "none") == (not options)
    for name in xa.methods(trained=True):
        assert known[name][3].endswith(", and training first")
