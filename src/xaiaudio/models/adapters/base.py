"""A network of another library, opened: what it takes, what it gives, and how to ask it."""

from __future__ import annotations

import dataclasses
import operator
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError, meant

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Port:
    """An input or an output of a network.

    Attributes
    ----------
    name : str
    shape : tuple of int or None
        None where the network leaves a size open.
    """

    name: str
    shape: tuple[int | None, ...]

    def __str__(self) -> str:
        return f"{self.name} ({', '.join('any' if n is None else str(n) for n in self.shape)})"


@dataclass(frozen=True)
class ForeignNetwork:
    """A network that Keras did not make: it is called with an array, and answers with one.

    Make one with :func:`.open_network`. Several can be called one after the other, in a function
    for :meth:`.AudioClassifier.from_function`.

    Attributes
    ----------
    name : str
    kind : str
        ``"a TFLite file"``, ``"an ONNX file"`` or ``"a SavedModel"``.
    input : Port
    outputs : tuple of Port
    run : callable
        Takes a float array of the input's shape, and returns the arrays of all outputs.
    output : int
        The number of the output that a call returns.
    """

    name: str
    kind: str
    input: Port
    outputs: tuple[Port, ...]
    run: Callable
    output: int = 0

    def with_output(self, output: str | int | None) -> ForeignNetwork:
        """Return the same network with one of its outputs chosen.

        Parameters
        ----------
        output : str, int or None
            Its name or number; None for the only one there is.

        Returns
        -------
        ForeignNetwork

        Raises
        ------
        XaiAudioError
            If there is no such output, or none is named of several; the message lists them.
        """
        names = [port.name for port in self.outputs]
        if output is None and len(names) == 1:
            return dataclasses.replace(self, output=0)
        if isinstance(output, str) and output not in names and output.isdecimal():
            output = int(output)  # from the command line
        if isinstance(output, str) and names.count(output) == 1:
            return dataclasses.replace(self, output=names.index(output))
        if output in range(len(names)) and not isinstance(output, bool):
            return dataclasses.replace(self, output=operator.index(output))  # type: ignore[arg-type]
        listed = "; ".join(f"{n}: {port}" for n, port in enumerate(self.outputs))
        if output is None:
            said = f"{self.name} has {len(names)} outputs: say which one with output_name "
            raise XaiAudioError(f"{said}(--output-name), its name or number: {listed}.")
        raise XaiAudioError(
            f"{self.name} has no output {output!r}{meant(str(output), names)}: there are {listed}."
        )

    def __call__(self, array: ArrayLike) -> np.ndarray:
        """Return the chosen output for an array.

        Parameters
        ----------
        array : array_like of float
            Of the input's shape. Where the network takes a fixed number at once, it may have any:
            the network is asked again and again. It may also have one axis more in front.

        Returns
        -------
        ndarray of float32
            What was asked piece by piece is put together again along the first axis.

        Raises
        ------
        XaiAudioError
            If the array does not fit.
        """
        array, shape = np.asarray(array, np.float32), self.input.shape
        if array.ndim == len(shape) + 1 and _match(array.shape[1:], shape):
            return _stacked([self._once(one) for one in array])
        if array.ndim != len(shape) or not _match(array.shape[1:], shape[1:]):
            raise XaiAudioError(
                f"{self.name} takes {self.input}, and got an array of the shape {array.shape}."
            )
        size = shape[0] if shape else None
        if size in (None, len(array)):
            return self._once(array)
        return self._in_pieces(array, size)

    def _once(self, array) -> np.ndarray:
        return np.asarray(self.run(array)[self.output], np.float32)

    def _in_pieces(self, array, size) -> np.ndarray:
        """Ask about `size` rows at a time; the last ones are filled up with a copy of the last."""
        short = -len(array) % size
        filled = np.concatenate([array, array[-1:].repeat(short, axis=0)]) if short else array
        found = []
        for start in range(0, len(array), size):
            one = np.atleast_1d(self._once(filled[start : start + size]))
            # One input at a time: some leave out the first axis, and rows are then frames.
            found.append(one if len(one) == size else one[None])
        return _joined(found)[: len(array)]


def _stacked(found) -> np.ndarray:
    return np.stack(found) if found else np.zeros((0, 0), np.float32)


def _joined(found) -> np.ndarray:
    return np.concatenate(found) if found else np.zeros((0, 0), np.float32)


def _match(sizes, wanted) -> bool:
    return len(sizes) == len(wanted) and all(
        size in (None, number) for number, size in zip(sizes, wanted, strict=True)
    )


def one_input(name: str, ports) -> Port:
    """Return the only input of a network, or say what it takes."""
    if len(ports) == 1 and ports[0].shape:
        return ports[0]
    if len(ports) == 1:
        raise XaiAudioError(
            f"{name} does not say of which shape {ports[0].name} is: save it with the shape of its "
            "input (None for the number), or call it in a function, AudioClassifier.from_function."
        )
    listed = "".join(f", {port}" for port in ports)
    raise XaiAudioError(
        f"{name} takes {len(ports)} inputs{listed}: one is needed, the sound "
        "or its log-mel patch. Give the others in a function of your own, see "
        "AudioClassifier.from_function."
    )


def takes_any_batch(network: ForeignNetwork) -> bool:
    """Tell whether a network answers for two inputs at once what it answers for each.

    Parameters
    ----------
    network : ForeignNetwork
        Its `run` is tried with two of what it takes one of.

    Returns
    -------
    bool
    """
    shape = network.input.shape
    if len(shape) < 2 or shape[0] != 1 or None in shape:
        return False
    pair = np.random.default_rng(0).normal(0, 0.5, (2, *shape[1:])).astype(np.float32)
    try:
        both, each = network.run(pair), [network.run(one[None]) for one in pair]
    except (ValueError, RuntimeError, XaiAudioError):
        return False
    for number, found in enumerate(both):
        apart = [np.asarray(one[number]) for one in each]
        if any(one.shape[:1] != (1,) for one in apart) or np.shape(found)[:1] != (2,):
            return False
        if not np.allclose(found, np.concatenate(apart), rtol=1e-4, atol=1e-5):
            return False
    return True
