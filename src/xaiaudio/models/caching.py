"""Things that are made from a model once, and go when the model goes."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from typing import TypeVar

Made = TypeVar("Made")


class PerModel:
    """A cache of what was made from each model.

    Examples
    --------
    >>> class Model:
    ...     size = 3
    >>> model, cache = Model(), PerModel()
    >>> cache(model, "double", lambda alive: 2 * alive().size)
    6
    >>> cache(model, "double", lambda alive: 1 / 0)  # made once
    6
    """

    def __init__(self):
        self._made: weakref.WeakKeyDictionary = weakref.WeakKeyDictionary()

    def __call__(self, model: object, key: Hashable, make: Callable[..., Made]) -> Made:
        """Return what was made for `key`, or make it.

        Parameters
        ----------
        model : object
            That can be referred to weakly.
        key : hashable
            Tells apart the things made from one model.
        make : callable
            Given a weak reference to the model, called when needed. What it makes must not hold
            the model itself, or neither would ever be let go.
        """
        made = self._made.setdefault(model, {})
        if key not in made:
            made[key] = make(weakref.ref(model))
        return made[key]
