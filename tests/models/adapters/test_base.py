"""A network of another library, asked with arrays."""

import numpy as np
import pytest

from xaiaudio.errors import XaiAudioError
from xaiaudio.models.adapters.base import ForeignNetwork, Port, one_input, takes_any_batch


def network(shape, run):
    return ForeignNetwork("net", "a test", Port("x", shape), (Port("y", (None,)),), run)


def test_a_fixed_number_is_asked_again_and_again():
    sizes = []

    def run(array):
        sizes.append(len(array))
        return [array.sum(axis=1, keepdims=True)]

    given = np.random.default_rng(0).normal(size=(5, 3)).astype("float32")
    np.testing.assert_array_equal(network((2, 3), run)(given), given.sum(axis=1, keepdims=True))
    assert sizes == [2, 2, 2]


def test_a_network_without_a_number_is_asked_one_by_one():
    found = network((3,), lambda one: [np.outer(one, one)])(np.ones((4, 3)))
    assert found.shape == (4, 3, 3)
    framed = network((1, 3), lambda one: [np.ones((7, 2))])(np.ones((4, 3)))
    assert framed.shape == (4, 7, 2)


def test_what_does_not_fit_is_refused():
    with pytest.raises(XaiAudioError, match=r"takes x \(any, 3\), and got .* \(4, 5\)"):
        network((None, 3), lambda one: [one])(np.ones((4, 5)))


def several(*names):
    """Return a network whose outputs are the input, and so many times the input."""
    ports = tuple(Port(name, (None, 3)) for name in names)
    return ForeignNetwork(
        "net", "a test", Port("x", (None, 3)), ports, lambda x: [k * x for k in range(len(names))]
    )


def test_an_output_is_chosen_by_its_name_or_its_number():
    net, given = several("none", "once", "twice"), np.ones((2, 3))
    for output, factor in (("twice", 2), (2, 2), ("1", 1), (np.int64(1), 1), ("none", 0)):
        np.testing.assert_array_equal(net.with_output(output)(given), factor * given)
    assert several("only").with_output(None).output == 0
    # A name counts before a number.
    assert several("a", "0").with_output("0").output == 1


@pytest.mark.parametrize(
    "output, message",
    [
        (None, r"3 outputs: say which one .*--output-name.*0: none \(any, 3\); 1: once"),
        ("onse", r"no output 'onse' .did you mean 'once'.*: there are 0: none"),
        (3, "no output 3"),
        (-1, "no output -1"),
        (True, "no output True"),
        ("3", "no output 3"),
    ],
)
def test_an_output_that_there_is_not(output, message):
    with pytest.raises(XaiAudioError, match=message):
        several("none", "once", "twice").with_output(output)


def test_two_outputs_of_one_name_are_told_apart_by_number_only():
    net = several("same", "same")
    assert net.with_output(1).output == 1
    with pytest.raises(XaiAudioError, match="no output 'same'"):
        net.with_output("same")


def test_one_answer_for_one_input_may_be_a_single_number():
    found = network((1, 3), lambda one: [one.sum()])(np.arange(6).reshape(2, 3))
    assert found.tolist() == [3, 12]


def test_nothing_asked_is_nothing_answered():
    for shape in ((1, 3), (2, 3), (3,)):
        assert len(network(shape, lambda one: [one])(np.zeros((0, 3)))) == 0


def test_the_only_input_is_what_a_network_takes():
    one, two = Port("sound", (1, None)), Port("state", (2,))
    assert one_input("net", [one]) is one
    with pytest.raises(XaiAudioError, match=r"2 inputs, sound \(1, any\), state \(2\): one is"):
        one_input("net", [one, two])
    with pytest.raises(XaiAudioError, match="does not say of which shape x is"):
        one_input("net", [Port("x", ())])


@pytest.mark.parametrize(
    "shape, run, wanted",
    [
        ((1, 3), lambda x: [2 * x, x.sum(axis=1)], True),
        ((1, 3), lambda x: [2 * x, x * x.sum()], False),  # one of the outputs mixes them
        ((1, 3), lambda x: [x.sum(axis=1, keepdims=True)[0]], False),  # forgets the second
        ((1, 3), lambda x: [np.outer(x[0], x[0])], False),
        ((1, 3), lambda x: [x.reshape(1, 3)], False),  # raises for two
        ((1, None), lambda x: [x], False),
        ((2, 3), lambda x: [x], False),
        ((1,), lambda x: [x], False),
    ],
)
def test_whether_any_number_may_be_asked_at_once(shape, run, wanted):
    assert takes_any_batch(network(shape, run)) is wanted
