"""What is changed in an input before a network is asked again: cells hidden, parts turned down.

A mask returns the next input, inside the compiled graph of the engine in `perturbation`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import tensorflow as tf

if TYPE_CHECKING:
    from collections.abc import Callable


class Hiding:
    """What all masks have in common that hide cells of patches: these take the fill's values.

    A subclass says which cells: ``hidden(patch, mask, shape, *arrays)`` gets the numbers of the
    patches and of the masks, both (batch,), the shape (h, w), and what its `arrays` hold, and
    returns a tensor of bool (batch, h, w).
    """

    of_cells: ClassVar[bool] = True
    hidden: ClassVar[Callable]

    @classmethod
    def inputs(
        cls,
        patch: tf.Tensor,
        mask: tf.Tensor,
        patches: tf.Tensor,
        fill: tf.Tensor,
        *arrays: tf.Tensor,
    ) -> tf.Tensor:
        """Build the next inputs (batch, h, w, ...) inside the graph."""
        shape = patches.shape[1:]
        hidden = cls.hidden(patch, mask, shape[:2], *arrays)
        hidden = tf.reshape(hidden, (-1, *shape[:2], *[1] * (len(shape) - 2)))
        return tf.where(hidden, tf.gather(fill, patch), tf.gather(patches, patch))


@dataclass(frozen=True)
class Boxes(Hiding):
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
    def hidden(patch: tf.Tensor, mask: tf.Tensor, shape: tf.Tensor, edges: tf.Tensor) -> tf.Tensor:
        """Build the masks (batch, h, w) inside the graph: True is hidden."""
        top, bottom, left, right = tf.unstack(tf.gather(edges, mask)[..., None], axis=1)
        rows, columns = tf.range(shape[0]), tf.range(shape[1])
        inside_rows = (rows >= top) & (rows < bottom)
        inside_columns = (columns >= left) & (columns < right)
        return inside_rows[:, :, None] & inside_columns[:, None, :]


@dataclass(frozen=True)
class Coalitions(Hiding):
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
    def hidden(
        patch: tf.Tensor, mask: tf.Tensor, shape: tf.Tensor, segments: tf.Tensor, present: tf.Tensor
    ) -> tf.Tensor:
        """Build the masks (batch, h, w) inside the graph: True is hidden."""
        # A single entry serves all patches.
        whose = tf.minimum(patch, tf.shape(present)[0] - 1)
        rows = tf.gather_nd(present, tf.stack([whose, mask], axis=1))
        cells = tf.gather(segments, tf.minimum(patch, tf.shape(segments)[0] - 1))
        cells += (tf.range(tf.shape(rows)[0]) * tf.shape(rows)[1])[:, None, None]
        return ~tf.gather(tf.reshape(rows, [-1]), cells)


@dataclass(frozen=True)
class Ranks(Hiding):
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
    def hidden(
        patch: tf.Tensor, mask: tf.Tensor, shape: tf.Tensor, ranks: tf.Tensor, bounds: tf.Tensor
    ) -> tf.Tensor:
        """Build the masks (batch, h, w) inside the graph: True is hidden."""
        low, high = tf.unstack(tf.gather(bounds, mask)[:, None, None], axis=-1)
        cells = tf.gather(ranks, patch)
        return (cells >= low) & (cells < high)


@dataclass(frozen=True)
class Mixtures:
    """Parts of inputs, each as loud as its weight says; what lies in no part always stays.

    The mixture is the input without what is turned down, so that weights of 1 give back the input
    itself, bit for bit.

    Attributes
    ----------
    parts : ndarray of float, shape (n, k, ...)
        Of n inputs (...), patches or waveforms, see :class:`.components.Components`.
    weights : ndarray of float, shape (n, m, k) or (1, m, k)
        m mixtures, for each input its own or for all the same.
    """

    parts: np.ndarray
    weights: np.ndarray

    kind: ClassVar[str] = "mixtures"
    of_cells: ClassVar[bool] = False
    specs: ClassVar[tuple] = ((None, tf.float32), ((None, None, None), tf.float32))

    def __len__(self) -> int:
        return self.weights.shape[1]

    @property
    def arrays(self) -> tuple:
        """What the graph needs."""
        return np.asarray(self.parts, np.float32), np.asarray(self.weights, np.float32)

    @staticmethod
    def inputs(
        whole: tf.Tensor, mask: tf.Tensor, wholes: tf.Tensor, parts: tf.Tensor, weights: tf.Tensor
    ) -> tf.Tensor:
        """Build the next inputs (batch, ...) inside the graph."""
        lost = 1 - tf.gather_nd(
            weights, tf.stack([tf.minimum(whole, tf.shape(weights)[0] - 1), mask], axis=1)
        )
        size = int(np.prod(wholes.shape[1:]))
        flat = tf.reshape(parts, (tf.shape(wholes)[0], -1, size))

        def add(number, gone):
            # Parts are not copied for every mixture: those of one input at a time take part.
            mine = tf.where((whole == number)[:, None], lost, 0.0)
            return number + 1, gone + mine @ flat[number]

        first = (whole[0], tf.zeros((tf.shape(whole)[0], size)))
        gone = tf.while_loop(lambda number, _: number <= whole[-1], add, first)[1]
        return tf.gather(wholes, whole) - tf.reshape(gone, (-1, *wholes.shape[1:]))


@dataclass(frozen=True)
class Soft:
    """Coarse grids of points between which patches fade, the same for all patches.

    Attributes
    ----------
    points : ndarray of float, shape (m, a, b)
        How much of a patch stays at each point of a grid, 0 to 1; in between it is interpolated, in
        both directions.
    shifts : ndarray of float, shape (m, 2)
        Where the patch begins in each grid, in frames and bands from its first point.
    steps : pair of float
        Frames and bands from one point to the next. The grid has to reach beyond the patch.
    """

    points: np.ndarray
    shifts: np.ndarray
    steps: tuple[float, float]

    kind: ClassVar[str] = "soft"
    of_cells: ClassVar[bool] = True
    specs: ClassVar[tuple] = (
        ((None, None, None), tf.float32),
        ((None, 2), tf.float32),
        ((2,), tf.float32),
    )

    def __len__(self) -> int:
        return len(self.points)

    @property
    def arrays(self) -> tuple:
        """What the graph needs."""
        return tuple(np.asarray(one, np.float32) for one in (self.points, self.shifts, self.steps))

    def cells(self, shape: tuple[int, int], first: int, last: int) -> np.ndarray:
        """Return how much of each cell of a patch (h, w) some of the masks keep.

        Parameters
        ----------
        shape : pair of int
        first, last : int
            Masks from the first number up to, but without, the last.

        Returns
        -------
        ndarray of float32, shape (last - first, h, w)
        """
        return self._kept(tf.range(first, last), shape, *map(tf.constant, self.arrays)).numpy()

    @staticmethod
    def _kept(mask, shape, points, shifts, steps):
        """Build how much each cell keeps (batch, h, w): a product along either axis."""
        chosen, shift = tf.gather(points, mask), tf.gather(shifts, mask)

        def along(axis):  # the share of each point in each row or column: tents
            places = (tf.range(shape[axis], dtype=tf.float32) + shift[:, axis, None]) / steps[axis]
            numbers = tf.range(tf.shape(points)[axis + 1])
            return tf.nn.relu(1 - tf.abs(places[..., None] - tf.cast(numbers, tf.float32)))

        return along(0) @ chosen @ tf.linalg.matrix_transpose(along(1))

    @classmethod
    def inputs(
        cls,
        patch: tf.Tensor,
        mask: tf.Tensor,
        patches: tf.Tensor,
        fill: tf.Tensor,
        *arrays: tf.Tensor,
    ) -> tf.Tensor:
        """Build the next inputs (batch, h, w, ...) inside the graph."""
        shape = patches.shape[1:]
        gone = 1 - cls._kept(mask, shape[:2], *arrays)
        gone = tf.reshape(gone, (-1, *shape[:2], *[1] * (len(shape) - 2)))
        whole = tf.gather(patches, patch)
        return whole - gone * (whole - tf.gather(fill, patch))


@dataclass(frozen=True)
class Stretched:
    """Maps of each patch that it is multiplied by, one after the other.

    A map is stretched to the patch, corner to corner and linear in between, and scaled so that its
    lowest cell is 0 and its highest 1.

    Attributes
    ----------
    maps : ndarray of float, shape (n, a, b, m)
        m maps of each patch.
    """

    maps: np.ndarray

    kind: ClassVar[str] = "stretched"
    of_cells: ClassVar[bool] = False
    specs: ClassVar[tuple] = (((None, None, None, None), tf.float32),)

    def __len__(self) -> int:
        return self.maps.shape[-1]

    @property
    def arrays(self) -> tuple:
        """What the graph needs: each map in one piece."""
        return (np.ascontiguousarray(np.moveaxis(self.maps, -1, 1), np.float32),)

    @staticmethod
    def inputs(patch: tf.Tensor, mask: tf.Tensor, patches: tf.Tensor, maps: tf.Tensor) -> tf.Tensor:
        """Build the next inputs (batch, h, w, ...) inside the graph."""
        chosen = tf.gather_nd(maps, tf.stack([patch, mask], axis=1))
        shape, sizes = patches.shape[1:], tf.shape(maps)[2:]

        def along(axis):  # the share of each point in each row or column: tents
            last = tf.cast(sizes[axis] - 1, tf.float32)
            places = tf.linspace(0.0, last, shape[axis])
            numbers = tf.range(sizes[axis])
            return tf.nn.relu(1 - tf.abs(places[:, None] - tf.cast(numbers, tf.float32)))

        kept = tf.einsum("ha,nab,wb->nhw", along(0), chosen, along(1))
        kept -= tf.reduce_min(kept, axis=(1, 2), keepdims=True)
        kept /= tf.reduce_max(kept, axis=(1, 2), keepdims=True) + 1e-7
        kept = tf.reshape(kept, (-1, *shape[:2], *[1] * (len(shape) - 2)))
        return tf.gather(patches, patch) * kept
