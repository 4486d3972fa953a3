"""The account of a propagation: what arrived, what was passed on, and what is missing."""

import numpy as np
import pytest

from xaiaudio.explainers.lrp.report import LayerShare, Relevance


def share(name, arrived, passed, bias, rule="epsilon"):
    arrays = (np.array(values, "float32") for values in (arrived, passed, bias))
    return LayerShare(name, "Dense", rule, *arrays)


@pytest.fixture
def found():
    """Two inputs of 2 x 3 cells, whose logits are 4 and -2."""
    inputs = np.zeros((2, 2, 3), "float32")
    inputs[0, 0] = 1.0
    inputs[1, 1, 2] = -1.0
    layers = (
        share("low", [3.5, -1.5], [3.0, -1.0], [0.5, -0.25]),
        share("top", [4.0, -2.0], [3.5, -1.5], [0.5, -0.5], rule=""),
    )
    return Relevance(inputs, np.array([4.0, -2.0], "float32"), layers)


def test_the_rest_is_what_neither_inputs_nor_the_bias_got(found):
    low, top = found.layers
    np.testing.assert_array_equal(low.rest, [0, -0.25])
    np.testing.assert_array_equal(top.rest, [0, 0])


def test_what_arrived_is_a_share_of_the_logit_whatever_its_sign(found):
    np.testing.assert_array_equal(found.arrived, [0.75, 0.5])


def test_in_words_layers_stand_from_the_output_to_the_input_with_their_means(found):
    head, top, low = str(found).splitlines()
    assert head.split() == ["layer", "rule", "arrived", "to", "inputs", "to", "bias"]
    assert top.split() == ["top", "1", "1", "0"] and low.split() == ["low", "epsilon"] + [
        "1",
        "1",
        "0.125",
    ]
    assert len(top) == len(low) == len(head)


def test_without_a_report_the_shape_is_said(found):
    assert str(Relevance(found.inputs, found.logits)) == "Relevance of (2, 2, 3)"
