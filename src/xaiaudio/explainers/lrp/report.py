"""What came of the relevance: the maps, and an account per layer."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LayerShare:
    """The account of one layer: what arrived at its output, and what became of it.

    Attributes
    ----------
    name, kind : str
        The layer, and its type.
    rule : str
        Empty where relevance is only passed or moved.
    arrived : ndarray of float32, shape (n,)
        Sum of the relevance of the layer's output.
    passed : ndarray of float32, shape (n,)
        Sum of what its inputs got.
    bias : ndarray of float32, shape (n,)
        What stayed with its bias.
    """

    name: str
    kind: str
    rule: str
    arrived: np.ndarray
    passed: np.ndarray
    bias: np.ndarray

    @property
    def rest(self) -> np.ndarray:
        """What was lost (or gained, if negative) otherwise: to epsilon, or to a rule that leaks."""
        return self.arrived - self.passed - self.bias


@dataclass(frozen=True)
class Relevance:
    """The result of relevance propagation.

    Attributes
    ----------
    inputs : ndarray of float32
        The relevance of each input value, in the shape of the inputs.
    logits : ndarray of float32, shape (n,)
        What was shared out: the logit of each target.
    layers : tuple of LayerShare
        From the input to the output; empty unless a report was asked for.
    """

    inputs: np.ndarray
    logits: np.ndarray
    layers: tuple[LayerShare, ...] = ()

    @property
    def arrived(self) -> np.ndarray:
        """The sum of each input's relevance as a share of the logit that was shared out, (n,)."""
        return self.inputs.reshape(len(self.inputs), -1).sum(axis=1) / self.logits

    def __str__(self) -> str:
        lines = [f"{'layer':24s} {'rule':12s} {'arrived':>10s} {'to inputs':>10s} {'to bias':>10s}"]
        for layer in reversed(self.layers):
            means = [float(part.mean()) for part in (layer.arrived, layer.passed, layer.bias)]
            numbers = " ".join(f"{mean:10.4g}" for mean in means)
            lines.append(f"{layer.name[:24]:24s} {layer.rule[:12]:12s} {numbers}")
        return "\n".join(lines) if self.layers else f"Relevance of {self.inputs.shape}"
