"""How much of a logit arrives at the input, and how much would without biases."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import keras
import numpy as np

from ...errors import XaiAudioError
from .propagation import relevance
from .report import Relevance

#: The two networks that are compared.
AS_IT_IS, BARE = "as it is", "without biases"


@dataclass(frozen=True)
class Conservation:
    """The relevance of some inputs by some composites, and what is lost of it.

    Attributes
    ----------
    reports : dict of str to Relevance
        By each composite, in the network as it is, with the account of each layer.
    bare : dict of str to Relevance
        The same in the network without biases, of its own highest logits.
    """

    reports: dict[str, Relevance]
    bare: dict[str, Relevance]

    @property
    def shares(self) -> dict[str, dict[str, np.ndarray]]:
        """What arrives, as a share of the logit (n,), by network and composite."""
        return {
            title: {name: report.arrived for name, report in reports.items()}
            for title, reports in ((AS_IT_IS, self.reports), (BARE, self.bare))
        }

    @property
    def losses(self) -> dict[str, dict[str, float]]:
        """The largest distance of a share from 1, by network and composite."""
        return {
            title: {name: float(np.abs(share - 1).max()) for name, share in shares.items()}
            for title, shares in self.shares.items()
        }


def conservation(
    network, inputs, targets, composites: Mapping[str, object], *, low=None, high=None
) -> Conservation:
    """Share out the same logits by several composites, with biases and without.

    Biases take relevance with them. In the network without them nothing but the rules can lose
    any, so the two together tell what was lost to what.

    Parameters
    ----------
    network, inputs, targets, low, high
        As in :func:`relevance`.
    composites : mapping of str to composite
        What each one is called, and what :func:`composite` takes.

    Returns
    -------
    Conservation

    Raises
    ------
    XaiAudioError
        As :func:`relevance` and :func:`without_biases` do.

    Examples
    --------
    >>> import keras, numpy as np
    >>> keras.utils.set_random_seed(1)
    >>> x = keras.Input((6,))
    >>> hidden = keras.layers.Dense(4, activation="relu", bias_initializer="ones")(x)
    >>> network = keras.Model(x, keras.layers.Dense(2)(hidden))
    >>> account = conservation(network, np.ones((3, 6)), [0, 1, 1], {"all": "epsilon"})
    >>> bool(account.losses["without biases"]["all"] < 0.001)
    True
    """
    plain = without_biases(network)
    own = np.asarray(plain(np.asarray(inputs, np.float32), training=False)).argmax(axis=1)

    def by_each(one, targets):
        return {
            name: relevance(one, inputs, targets, spec, low=low, high=high, report=True)
            for name, spec in composites.items()
        }

    return Conservation(by_each(network, targets), by_each(plain, own))


def without_biases(network) -> keras.Model:
    """Return a copy of a network in which all biases are zero.

    Raises
    ------
    XaiAudioError
        For a layer with a shift that is more than a bias, such as a batch normalisation.
    """
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    for layer in copy.layers:
        if isinstance(layer, (keras.layers.BatchNormalization, keras.layers.Normalization)):
            raise XaiAudioError(
                f"Layer {layer.name!r} shifts what it is given, which is a bias too: fold it into "
                "the layer before it first."
            )
        holder = getattr(layer, "cell", layer)
        if getattr(holder, "use_bias", False):
            holder.bias.assign(0 * holder.bias)
    return copy
