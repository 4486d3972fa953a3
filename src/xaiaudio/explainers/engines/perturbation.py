"""The one engine behind every method that hides parts of a patch and asks the network again.

A sweep is n patches times m masks. The engine walks through the n * m combinations in batches of
one fixed size; picking the patch, building the mask and filling what it hides happen inside the
same compiled graph as the network, so nothing is ever copied together in Python.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from functools import partial
from numbers import Real
from typing import ClassVar

import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ...models.caching import PerModel
from ...models.tracing import traced

# Large enough to keep the cores busy, small enough for a full-width VGGish in 1 GB.
BATCH = 64

OUTPUTS = ("scores", "logits")

_ENGINES = PerModel()


@dataclass(frozen=True)
class Boxes:
    """Rectangles, the same for all patches.

    Attributes
    ----------
    edges : ndarray of int, shape (m, 4)
        First and last-plus-one row, first and last-plus-one column that each mask hides.
    """

    edges: np.ndarray

    kind: ClassVar[str] = "boxes"
    specs: ClassVar[tuple] = (((None, 4), tf.int32),)

    def __len__(self) -> int:
        return len(self.edges)

    @property
    def arrays(self) -> tuple:
        """What the graph needs."""
        return (np.asarray(self.edges, np.int32),)

    @staticmethod
    def hidden(patch, mask, shape, edges):
        """Build the masks (batch, h, w) inside the graph: True is hidden."""
        top, bottom, left, right = tf.unstack(tf.gather(edges, mask)[..., None], axis=1)
        rows, columns = tf.range(shape[0]), tf.range(shape[1])
        inside_rows = (rows >= top) & (rows < bottom)
        inside_columns = (columns >= left) & (columns < right)
        return inside_rows[:, :, None] & inside_columns[:, None, :]


@dataclass(frozen=True)
class Coalitions:
    """Segments switched on and off.

    Attributes
    ----------
    segments : ndarray of int, shape (n, h, w) or (1, h, w)
        The segment of each cell, 0 to k - 1; each patch with its own or all with the same.
    present : ndarray of bool, shape (n, m, k) or (1, m, k)
        Which segments each coalition keeps.
    """

    segments: np.ndarray
    present: np.ndarray

    kind: ClassVar[str] = "coalitions"
    specs: ClassVar[tuple] = (
        ((None, None, None), tf.int32),
        ((None, None, None), tf.bool),
    )

    def __len__(self) -> int:
        return self.present.shape[1]

    @property
    def arrays(self) -> tuple:
        """What the graph needs."""
        return np.asarray(self.segments, np.int32), np.asarray(self.present, bool)

    @staticmethod
    def hidden(patch, mask, shape, segments, present):
        """Build the masks (batch, h, w) inside the graph: True is hidden."""
        # A single entry serves all patches.
        whose = tf.minimum(patch, tf.shape(present)[0] - 1)
        rows = tf.gather_nd(present, tf.stack([whose, mask], axis=1))
        cells = tf.gather(segments, tf.minimum(patch, tf.shape(segments)[0] - 1))
        cells += (tf.range(tf.shape(rows)[0]) * tf.shape(rows)[1])[:, None, None]
        return ~tf.gather(tf.reshape(rows, [-1]), cells)


@dataclass(frozen=True)
class Ranks:
    """Cells hidden in the order of their rank.

    Attributes
    ----------
    ranks : ndarray of int, shape (n, h, w)
        Of each patch's cells, from 0.
    bounds : ndarray of int, shape (m, 2)
        Each mask hides the ranks from the first number up to, but without, the second.
    """

    ranks: np.ndarray
    bounds: np.ndarray

    kind: ClassVar[str] = "ranks"
    specs: ClassVar[tuple] = (((None, None, None), tf.int32), ((None, 2), tf.int32))

    def __len__(self) -> int:
        return len(self.bounds)

    @property
    def arrays(self) -> tuple:
        """What the graph needs."""
        return np.asarray(self.ranks, np.int32), np.asarray(self.bounds, np.int32)

    @staticmethod
    def hidden(patch, mask, shape, ranks, bounds):
        """Build the masks (batch, h, w) inside the graph: True is hidden."""
        low, high = tf.unstack(tf.gather(bounds, mask)[:, None, None], axis=-1)
        cells = tf.gather(ranks, patch)
        return (cells >= low) & (cells < high)


class Engine:
    """A network that answers for masked patches, batch by batch.

    Parameters
    ----------
    forward : callable
        Takes a tensor (batch, h, w, ...) and returns (batch, classes). It is traced, once for
        each kind of mask and patch shape.
    batch : int
        Inputs a forward pass. The last pass of a sweep is filled up, so that the graph sees one
        shape only.

    Examples
    --------
    >>> import numpy as np, tensorflow as tf
    >>> engine = Engine(lambda x: tf.reduce_sum(x, axis=[1, 2])[:, None])
    >>> patches = np.ones((1, 2, 3), "float32")
    >>> engine(patches, np.zeros_like(patches), Boxes(np.array([[0, 2, 0, 1]]))).tolist()
    [[[4.0]]]
    """

    def __init__(self, forward, batch: int = BATCH):
        self.forward = forward
        self.batch = batch
        self._steps = {}

    def __call__(self, patches, fill, masks, *, progress=None) -> np.ndarray:
        """Ask the network about every patch under every mask.

        Parameters
        ----------
        patches, fill : ndarray of float, shape (n, h, w, ...)
            The inputs, and what stands in a cell that is hidden.
        masks : Boxes, Coalitions or Ranks
            m masks.
        progress : bool or None
            Show a progress bar on stderr; None shows one on a terminal only.

        Returns
        -------
        ndarray of float32, shape (n, m, classes)
        """
        patches = np.asarray(patches, np.float32)
        fill = np.broadcast_to(np.asarray(fill, np.float32), patches.shape)
        step = self._step(type(masks), patches.shape[1:])
        arguments = [tf.constant(array) for array in (patches, fill, *masks.arrays)]
        total = len(patches) * len(masks)
        answers = []
        with progress_bar(-(-total // self.batch), progress) as advance:
            for start in range(0, total, self.batch):
                answers.append(step(tf.constant(start), tf.constant(len(masks)), *arguments))
                advance()
        answers = np.concatenate([answer.numpy() for answer in answers])[:total]
        return answers.reshape(len(patches), len(masks), -1)

    def _step(self, masks: type, shape: tuple):
        """One forward pass as a compiled function of any number of patches and masks."""
        key = (masks.kind, shape)
        if key not in self._steps:
            scalar = tf.TensorSpec((), tf.int32)
            inputs = tf.TensorSpec((None, *shape), tf.float32)
            specs = [tf.TensorSpec(*spec) for spec in masks.specs]
            self._steps[key] = traced(
                partial(_masked_forward, self.forward, masks, self.batch, shape),
                [scalar, scalar, inputs, inputs, *specs],
            )
        return self._steps[key]


def _masked_forward(forward, masks, batch, shape, start, count, patches, fill, *arrays):
    """Run combinations start to start + batch: number i is patch i // count, mask i % count."""
    last = tf.shape(patches)[0] * count - 1
    index = tf.minimum(start + tf.range(batch), last)
    patch, mask = index // count, index % count
    hidden = masks.hidden(patch, mask, shape[:2], *arrays)
    hidden = tf.reshape(hidden, (batch, *shape[:2], *[1] * (len(shape) - 2)))
    return forward(tf.where(hidden, tf.gather(fill, patch), tf.gather(patches, patch)))


def engine_of(classifier, output: str = "scores") -> Engine:
    """Return the classifier's engine; it is built once and goes when the classifier goes.

    Parameters
    ----------
    classifier : AudioClassifier
    output : {"scores", "logits"}
        What the engine answers with.
    """
    if output not in OUTPUTS:
        raise XaiAudioError(f"output is {output!r}: it must be one of {OUTPUTS}.")

    def make(alive):
        return Engine(lambda patches: alive().forward(output == "logits")(patches))

    return _ENGINES(classifier, output, make)


def filling(patches, fill, silence: float | None = None, name: str = "fill") -> np.ndarray:
    """Return what stands in hidden cells, one value a patch (and channel, where it has some).

    Parameters
    ----------
    patches : ndarray of float, shape (n, h, w, ...)
    fill : {"mean", "silence"} or float
        The patch's own mean, the value that silence has, or a number.
    silence : float, optional
        Needed for ``"silence"``: the log of the frontend's offset.
    name : str
        What the caller's user knows `fill` by, for the error.

    Returns
    -------
    ndarray of float32, shape (n, h, w, ...)
        Read-only, as it repeats one value.
    """
    if isinstance(fill, str) and fill == "mean":
        values = patches.mean(axis=(1, 2), keepdims=True, dtype=np.float64)
    elif isinstance(fill, str) and fill == "silence" and silence is not None:
        values = silence
    elif isinstance(fill, Real) and np.isfinite(fill):
        values = fill
    else:
        known = "'mean' or" if silence is None else "'mean', 'silence' or"
        raise XaiAudioError(f"{name} is {fill!r}: it must be {known} a number.")
    return np.broadcast_to(np.asarray(values, np.float32), patches.shape)


def silence_of(classifier) -> float:
    """Return the value of a patch cell in which nothing sounds."""
    return float(np.log(classifier.frontend.offset))


@contextlib.contextmanager
def progress_bar(steps: int, wanted: bool | None):
    """Yield a function to call after every step; it moves a bar if one is wanted."""
    from rich.console import Console
    from rich.progress import Progress

    console = Console(stderr=True, force_terminal=wanted or None)
    if wanted is False or (wanted is None and not console.is_terminal):
        yield lambda: None
        return
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Asking the network", total=steps)
        yield lambda: progress.advance(task)
