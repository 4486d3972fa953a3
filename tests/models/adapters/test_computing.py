"""The list of operations: TensorFlow's own word for what each of them takes and does."""

import pytest
from tensorflow.core.framework import types_pb2
from tensorflow.python.framework import op_def_registry

from xaiaudio.models.adapters import computing

COMPUTED = ("ARITHMETIC", "SHAPES", "LAYERS", "SIGNALS")
GROUPS = {name: getattr(computing, f"_{name}").split() for name in (*COMPUTED, "DRAWS", "FLOW")}


def definition(name):
    return op_def_registry.get(name)


def test_each_is_listed_once_and_tensorflow_knows_it():
    listed = [name for names in GROUPS.values() for name in names]
    assert len(listed) == len(set(listed)) == len(computing.COMPUTING)
    assert set(listed) == computing.COMPUTING
    assert all(definition(name) for name in listed)


@pytest.mark.parametrize("group", GROUPS)
def test_none_takes_or_gives_text(group):
    """Without text there is no name of a file, no address, no line to print, no code."""
    for name in GROUPS[group]:
        about = definition(name)
        kinds = [one.type for one in (*about.input_arg, *about.output_arg)]
        assert types_pb2.DT_STRING not in kinds, name


@pytest.mark.parametrize("group", COMPUTED)
def test_what_only_computes_keeps_nothing(group):
    # TensorFlow takes these two for stateful: one may end the run, one leaves numbers unset.
    stateful = [name for name in GROUPS[group] if definition(name).is_stateful]
    assert set(stateful) <= {"CheckNumerics", "Empty"}


def test_only_what_leads_on_calls_functions():
    """Calls are looked at in turn: those that are given a function have to be known as such."""
    calling = {
        name
        for name in computing.COMPUTING
        if any(attr.type in ("func", "list(func)") for attr in definition(name).attr)
    }
    assert calling <= set(GROUPS["FLOW"])
    assert {"PartitionedCall", "While", "StatelessIf", "Case"} <= calling


@pytest.mark.parametrize(
    "name",
    ["ReadFile", "WriteFile", "MatchingFiles", "PyFunc", "EagerPyFunc", "PrintV2", "Print", "Save"]
    + ["SaveV2", "RestoreV2", "MergeV2Checkpoints", "DecodeRaw", "HashTableV2", "LookupTableFindV2"]
    + ["IteratorV2", "TFRecordDataset", "Send", "Recv", "XlaLaunch", "Lambda"],
)
def test_what_reaches_out_is_not_in_it(name):
    assert name not in computing.COMPUTING
