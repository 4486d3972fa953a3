"""Which rule for which layer: the composites of the literature, and a user's own.

A composite is a mapping from layers to rules. The keys are names of layers, names of layer types
(``"Conv2D"``), or ``FIRST`` for the layers that see the network's input. A name goes before
``FIRST``, and that before a type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import XaiAudioError
from . import rules

#: Key for every layer between the input and the first weights, those included.
FIRST = "<first>"

DENSE = ("Dense", "EinsumDense", "MultiHeadAttention")
CONVOLUTIONS = tuple(
    f"{kind}{axes}D" for kind in ("Conv", "DepthwiseConv", "SeparableConv") for axes in (1, 2)
)
_DENSE_EPSILON = dict.fromkeys(DENSE, "epsilon")

#: The composites by name, as a user would write them.
COMPOSITES = {
    "epsilon-plus": {**dict.fromkeys(CONVOLUTIONS, "z+"), **_DENSE_EPSILON},
    "epsilon-plus-flat": {FIRST: "flat", **dict.fromkeys(CONVOLUTIONS, "z+"), **_DENSE_EPSILON},
    "epsilon-gamma-box": {FIRST: "box", **dict.fromkeys(CONVOLUTIONS, "gamma"), **_DENSE_EPSILON},
}


@dataclass(frozen=True)
class Composite:
    """Rules for the layers of a network.

    Attributes
    ----------
    name : str
        A name of ``COMPOSITES``, a rule's text, or ``"custom"``.
    mapping : tuple of (str, Rule)
        Which rule for which layer.
    default : Rule
        For layers that the mapping does not speak of, and for averages and sums.
    """

    name: str
    mapping: tuple[tuple[str, rules.Rule], ...]
    default: rules.Rule = rules.Epsilon()

    def rule_for(self, layer, first: bool) -> rules.Rule:
        """Return the rule of a layer; `first` says that it sees the network's input."""
        mapping = dict(self.mapping)
        types = [kind.__name__ for kind in type(layer).__mro__]
        keys = [layer.name, *([FIRST] if first else []), *types]
        return next((mapping[key] for key in keys if key in mapping), self.default)

    def check(self, layers) -> None:
        """Raise unless every key is the name or the type of one of `layers`."""
        known = {FIRST}
        for layer in layers:
            known |= {layer.name, *(kind.__name__ for kind in type(layer).__mro__)}
        if self.name != "custom":
            return
        for key, _ in self.mapping:
            if key not in known:
                raise XaiAudioError(
                    f"The composite speaks of {key!r}, but the network has no layer of that name "
                    f"or type. Its layers: {', '.join(layer.name for layer in layers)}."
                )


def composite(spec) -> Composite:
    """Read a composite.

    Parameters
    ----------
    spec : str, Rule, mapping or Composite
        A name of ``COMPOSITES``, one rule for all layers with weights, or a mapping from
        layers (name, type or ``FIRST``) to rules.

    Raises
    ------
    XaiAudioError
        If it is none of these.

    Examples
    --------
    >>> composite("epsilon-plus").name
    'epsilon-plus'
    >>> composite({"Conv2D": "gamma(0.1)", FIRST: "flat"}).default
    Epsilon(epsilon=1e-06)
    """
    if isinstance(spec, Composite):
        return spec
    if isinstance(spec, Mapping):
        return Composite("custom", _pairs(spec))
    if isinstance(spec, str) and spec in COMPOSITES:
        return Composite(spec, _pairs(COMPOSITES[spec]))
    try:
        rule = rules.rule(spec)
    except XaiAudioError as error:
        raise XaiAudioError(
            f"No composite is called {spec!r}: there are {', '.join(COMPOSITES)}, one rule for all "
            f"layers ({', '.join(rules.RULES)}), or a mapping from layers to rules."
        ) from error
    if isinstance(rule, rules.Epsilon):
        # Averages and sums too: epsilon 0 is then exactly input times gradient.
        return Composite(str(rule), (), rule)
    weighted = dict.fromkeys((*DENSE, *CONVOLUTIONS), rule)
    return Composite(str(rule), _pairs(weighted))


def _pairs(spec) -> tuple[tuple[str, rules.Rule], ...]:
    named = {
        key if isinstance(key, str) else getattr(key, "__name__", repr(key)): rules.rule(value)
        for key, value in spec.items()
    }
    return tuple(named.items())


def text(spec) -> str | dict[str, str]:
    """Return a composite as plain text, or as a plain dict, for a file.

    Examples
    --------
    >>> text({"Dense": rules.Gamma(0.1)})
    {'Dense': 'gamma(0.1, 0)'}
    """
    read = composite(spec)
    return {key: str(rule) for key, rule in read.mapping} if read.name == "custom" else read.name
