"""The rules: how one linear layer shares the relevance of its outputs among its inputs.

Every rule is a handful of *shares*. A share runs the layer on chosen inputs with chosen weights and
gives each input what it contributed, as a part of the whole. The contributions are found with one
vector-Jacobian product, so that a rule costs about as much as a backward pass.

Bach et al. 2015, "On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise
Relevance Propagation"; Montavon et al. 2019, "Layer-Wise Relevance Propagation: An Overview".
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import tensorflow as tf

from ...errors import XaiAudioError

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


#: What keeps a division from blowing up where contributions cancel.
EPSILON = 1e-6


class Passed(NamedTuple):
    """What a layer handed on.

    Attributes
    ----------
    inputs : list of tensor
        The relevance of each of its inputs, in their shapes.
    bias : tensor or float
        What stayed with its bias: one number per example, or 0.
    """

    inputs: list
    bias: Any = 0.0


@dataclass(frozen=True)
class Linear:
    """A layer without its activation: ``apply(x, kernel) + bias``.

    Attributes
    ----------
    apply : callable
        ``(x, kernel) -> z``, linear in both.
    kernel : tensor
    bias : tensor or float
        In a shape that fits z.
    """

    apply: Callable
    kernel: object
    bias: object = 0.0


@dataclass(frozen=True)
class Situation:
    """Where a rule is applied.

    Attributes
    ----------
    inputs : tensor
        What the layer was given.
    support : tensor
        1 where an input stands for something, 0 where it is the zero of a padding layer.
    low, high : tensor or None
        The smallest and largest values that the inputs can have, for layers that see the network's
        own input.
    positive : bool
        True if no input can be negative, which saves half of the work.
    """

    inputs: object
    support: object = None
    low: object = None
    high: object = None
    positive: bool = False


def divided(relevance, total, epsilon=EPSILON):
    """Return relevance / (total + epsilon * sign(total)), with sign(0) = +1; x / 0 is 0."""
    if epsilon:
        total = total + tf.where(total >= 0, epsilon, -epsilon)
    return tf.math.divide_no_nan(relevance, total)


def shared(linear, terms, bias, relevance, epsilon=EPSILON) -> Passed:
    """Share relevance in proportion to what each input contributes to a sum.

    Parameters
    ----------
    linear : Linear
    terms : list of (tensor, tensor)
        Inputs and kernels: the sum is ``apply(x, kernel)`` over all of them, and `bias`.
    bias : tensor or float
    relevance : tensor
        Of the outputs.
    epsilon : float
        See :func:`divided`.
    """
    points = [x for x, _ in terms]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(points)
        total = tf.add_n([linear.apply(x, kernel) for x, kernel in terms])
    rates = divided(relevance, total + bias, epsilon)
    gradients = tape.gradient(total, points, output_gradients=rates)
    inputs = tf.add_n([x * gradient for x, gradient in zip(points, gradients, strict=True)])
    return Passed([inputs], per_example(bias * rates) if tf.is_tensor(bias) else 0.0)


def per_example(values):
    """Sum over everything but the batch."""
    return tf.reduce_sum(tf.reshape(values, (tf.shape(values)[0], -1)), axis=1)


def _above(x):
    return tf.maximum(x, 0.0)


def _below(x):
    return tf.minimum(x, 0.0)


def _not_negative(name, value) -> None:
    if not 0 <= value < math.inf:
        raise XaiAudioError(f"{name} is {value!r}: it must not be negative.")


class Rule:
    """One way to share relevance. Call it with a `Linear`, a `Situation` and a relevance."""

    name: ClassVar[str]

    def __call__(self, linear: Linear, situation: Situation, relevance) -> Passed:
        """Return what the inputs and the bias get."""
        raise TypeError(f"{type(self).__name__} is not a rule by itself.")

    def __str__(self) -> str:
        if self == type(self)():
            return self.name
        rule: Any = self  # the rules, its subclasses, are dataclasses
        given = [getattr(rule, field.name) for field in fields(rule)]
        numbers = ", ".join("" if value is None else f"{value:g}" for value in given)
        return f"{self.name}({numbers})"


@dataclass(frozen=True)
class Epsilon(Rule):
    """Each input gets what it contributed: x * W^T (R / (z + epsilon * sign z)).

    Attributes
    ----------
    epsilon : float
        Keeps the division apart from zero, and takes a little relevance.
    """

    epsilon: float = EPSILON
    name: ClassVar[str] = "epsilon"

    def __post_init__(self):
        _not_negative("epsilon", self.epsilon)

    def __call__(self, linear, situation, relevance):
        """Return what the inputs and the bias get."""
        terms = [(situation.inputs, linear.kernel)]
        return shared(linear, terms, linear.bias, relevance, self.epsilon)


@dataclass(frozen=True)
class Zero(Epsilon):
    """As epsilon, with epsilon 0; an output of exactly 0 hands nothing on."""

    epsilon: ClassVar[float] = 0.0  # type: ignore[misc]
    name: ClassVar[str] = "0"


@dataclass(frozen=True)
class Gamma(Rule):
    """As epsilon, with the positive weights strengthened: W + gamma * max(W, 0), bias too.

    Attributes
    ----------
    gamma : float
    signed : bool
        False is the rule as published, for inputs that are not negative. True strengthens what
        agrees in sign with the output, whatever the signs of inputs and weights; for inputs that
        are not negative and outputs that are positive, both are the same.
    """

    gamma: float = 0.25
    signed: bool = False
    name: ClassVar[str] = "gamma"

    def __post_init__(self):
        _not_negative("gamma", self.gamma)

    def __call__(self, linear, situation, relevance):
        """Return what the inputs and the bias get."""
        up, up_bias = self._more(linear.kernel, _above), self._more(linear.bias, _above)
        if not self.signed:
            return shared(linear, [(situation.inputs, up)], up_bias, relevance)
        down, down_bias = self._more(linear.kernel, _below), self._more(linear.bias, _below)
        x = situation.inputs
        outputs = linear.apply(x, linear.kernel) + linear.bias
        risen = tf.where(outputs > 0, relevance, 0.0)
        fallen = tf.where(outputs < 0, relevance, 0.0)
        first = shared(linear, [(_above(x), up), (_below(x), down)], up_bias, risen)
        second = shared(linear, [(_above(x), down), (_below(x), up)], down_bias, fallen)
        return Passed([first.inputs[0] + second.inputs[0]], first.bias + second.bias)

    def _more(self, weights, part):
        return weights + self.gamma * part(weights)


@dataclass(frozen=True)
class AlphaBeta(Rule):
    """Positive contributions share alpha times the relevance, negative ones minus beta times it.

    Attributes
    ----------
    alpha, beta : float
        alpha - beta must be 1.
    """

    alpha: float = 2.0
    beta: float = 1.0
    name: ClassVar[str] = "alpha-beta"

    def __post_init__(self):
        if abs(self.alpha - self.beta - 1) > 1e-6 or self.beta < 0:
            raise XaiAudioError(
                f"alpha {self.alpha:g} and beta {self.beta:g} do not fit: beta must not be "
                "negative and alpha must be 1 more."
            )

    def __call__(self, linear, situation, relevance):
        """Return what the inputs and the bias get."""
        above, below = _above(linear.kernel), _below(linear.kernel)
        terms = self._terms(situation, above, below)
        found = shared(linear, terms, _above(linear.bias), relevance)
        if not self.beta:
            return found
        terms = self._terms(situation, below, above)
        against = shared(linear, terms, _below(linear.bias), relevance)
        inputs = self.alpha * found.inputs[0] - self.beta * against.inputs[0]
        return Passed([inputs], self.alpha * found.bias - self.beta * against.bias)

    @staticmethod
    def _terms(situation, with_positive, with_negative):
        x = situation.inputs
        if situation.positive:
            return [(x, with_positive)]
        return [(_above(x), with_positive), (_below(x), with_negative)]


@dataclass(frozen=True)
class ZPlus(AlphaBeta):
    """Only positive contributions count: alpha 1, beta 0."""

    alpha: ClassVar[float] = 1.0  # type: ignore[misc]
    beta: ClassVar[float] = 0.0  # type: ignore[misc]
    name: ClassVar[str] = "z+"


@dataclass(frozen=True)
class Flat(Rule):
    """All inputs that an output sees get the same, whatever they are."""

    name: ClassVar[str] = "flat"

    def __call__(self, linear, situation, relevance):
        """Return what the inputs and the bias get."""
        return shared(linear, [(situation.support, tf.ones_like(linear.kernel))], 0.0, relevance)


@dataclass(frozen=True)
class WSquare(Rule):
    """Inputs share by their squared weights, whatever they are."""

    name: ClassVar[str] = "w2"

    def __call__(self, linear, situation, relevance):
        """Return what the inputs and the bias get."""
        return shared(linear, [(situation.support, linear.kernel**2)], 0.0, relevance)


@dataclass(frozen=True)
class Box(Rule):
    """For inputs between two bounds: x W - low * max(W, 0) - high * min(W, 0).

    Attributes
    ----------
    low, high : float or None
        The bounds of the network's input. None takes what :func:`relevance` was given, or each
        input's own smallest and largest value.
    """

    low: float | None = None
    high: float | None = None
    name: ClassVar[str] = "box"

    def __post_init__(self):
        if None not in (self.low, self.high) and self.low >= self.high:
            raise XaiAudioError(
                f"The box is {self.low:g} to {self.high:g}: low must be below high."
            )

    def __call__(self, linear, situation, relevance):
        """Return what the inputs and the bias get."""
        # A bias is the same with and without the bounds: it cancels.
        terms = [
            (situation.inputs, linear.kernel),
            (-situation.low, _above(linear.kernel)),
            (-situation.high, _below(linear.kernel)),
        ]
        return shared(linear, terms, 0.0, relevance)


RULES = {rule.name: rule for rule in (Zero, Epsilon, Gamma, AlphaBeta, ZPlus, Flat, WSquare, Box)}

_TEXT = re.compile(r"([a-z0-9+-]+?)(?:\((.*)\))?", re.DOTALL)


def rule(spec) -> Rule:
    """Read a rule from its text; a rule is returned as it is.

    Parameters
    ----------
    spec : str or Rule
        ``"epsilon"``, ``"gamma(0.1)"``, ``"alpha-beta(2, 1)"``, ``"box(-4.6, 3)"``...

    Raises
    ------
    XaiAudioError
        If there is no such rule, or it does not take these numbers.

    Examples
    --------
    >>> rule("gamma(0.1)")
    Gamma(gamma=0.1, signed=False)
    """
    if isinstance(spec, Rule):
        return spec
    match = _TEXT.fullmatch(spec.strip()) if isinstance(spec, str) else None
    if match is None or match[1] not in RULES:
        raise XaiAudioError(f"No rule is called {spec!r}: there are {', '.join(RULES)}.")
    kind = RULES[match[1]]
    try:
        # An empty place keeps its default: box(, 3) gives the upper bound only.
        texts = (match[2] or "").split(",") if (match[2] or "").strip() else []
        names = [field.name for field in fields(kind)]
        pairs = zip(names[: len(texts)], texts, strict=True)
        numbers: dict[str, Any] = {name: float(text) for name, text in pairs if text.strip()}
    except ValueError:
        numbers = {"": math.nan}
    if not all(math.isfinite(number) for number in numbers.values()):
        known = ", ".join(field.name for field in fields(kind)) or "no numbers"
        raise XaiAudioError(f"The rule {spec!r} cannot be read: {match[1]} takes {known}.")
    return kind(**numbers)
