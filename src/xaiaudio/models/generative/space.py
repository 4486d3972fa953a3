"""A small space for patches: what a generator works in, since patches have thousands of cells."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...frontend import LogMel
    from ...patches import Patches


@dataclass(frozen=True, eq=False)
class Space:
    """The directions in which patches differ most: their principal components.

    Attributes
    ----------
    mean : ndarray of float32, shape (cells,)
        The mean patch.
    basis : ndarray of float32, shape (dims, cells)
        Directions of length 1, the one of the largest variance first.
    scale : float
        What a coordinate of 1 stands for: coordinates have the mean square 1 over the patches
        that the space was made from.
    frontend : LogMel
        Of the patches.
    """

    mean: np.ndarray
    basis: np.ndarray
    scale: float
    frontend: LogMel

    @classmethod
    def fit(cls, patches: Patches | ArrayLike, frontend: LogMel, dims: int = 64) -> Space:
        """Find the space of some patches.

        Parameters
        ----------
        patches : array_like of float, shape (n, frames, bands)
            Other ones than those that a generator will learn from, or else the space itself
            remembers a little of them.
        frontend : LogMel
        dims : int
            Less than n.

        Returns
        -------
        Space

        Raises
        ------
        XaiAudioError
            If there are too few patches, or all are the same.

        Examples
        --------
        >>> import numpy as np, xaiaudio as xa
        >>> from xaiaudio.models.generative import Space
        >>> patches = np.random.default_rng(0).normal(size=(20, 96, 64))
        >>> space = Space.fit(patches, xa.LogMel.vggish(), dims=8)
        >>> space.encode(patches).shape, space.decode(np.zeros((1, 8))).shape
        ((20, 8), (1, 96, 64))
        """
        rows = _rows(patches, frontend)
        if not 1 <= dims < len(rows):
            raise XaiAudioError(
                f"{len(rows)} patches have fewer than {dims} directions in which they differ: "
                "give more patches or take a smaller dims."
            )
        mean = rows.mean(axis=0)
        _, sizes, basis = np.linalg.svd(rows - mean, full_matrices=False)
        scale = float(np.sqrt(np.square(sizes[:dims]).sum() / len(rows) / dims))
        if scale < 1e-6:
            raise XaiAudioError("All patches are the same: there is no direction to learn.")
        # The sign of a direction is arbitrary: its largest cell is above the mean.
        largest = np.abs(basis[:dims]).argmax(axis=1)
        signs = np.sign(basis[np.arange(dims), largest])[:, None]
        return cls(mean, (signs * basis[:dims]).astype(np.float32), scale, frontend)

    @property
    def dims(self) -> int:
        """Number of coordinates."""
        return len(self.basis)

    def encode(self, patches: Patches | ArrayLike) -> np.ndarray:
        """Return the coordinates of patches (n, frames, bands), float32 (n, dims)."""
        rows = _rows(patches, self.frontend) - self.mean
        return (rows @ self.basis.T / np.float32(self.scale)).astype(np.float32)

    def decode(self, latents: ArrayLike) -> np.ndarray:
        """Return the patches of coordinates (n, dims), float32 (n, frames, bands).

        No cell is below silence.
        """
        rows = self.mean + np.float32(self.scale) * (np.asarray(latents, np.float32) @ self.basis)
        rows = np.maximum(rows, np.float32(self.frontend.silence))
        return rows.reshape(-1, *self.frontend.patch_shape)

    def blurred(self, patches: Patches | ArrayLike) -> np.ndarray:
        """Return what the space keeps of patches: encoded and decoded, float32 of their shape."""
        return self.decode(self.encode(patches))

    def kept(self, patches: Patches | ArrayLike) -> float:
        """Return the share of the variance of patches (n, frames, bands) that the space keeps."""
        rows = _rows(patches, self.frontend) - self.mean
        inside = self.scale * self.encode(patches)
        return float(np.square(inside).sum() / np.square(rows).sum())


def _rows(patches, frontend) -> np.ndarray:
    cells = np.asarray(patches, np.float32)
    if cells.ndim != 3 or cells.shape[1:] != frontend.patch_shape:
        raise XaiAudioError(
            f"The patches have the shape {cells.shape}, but the front end makes (n, "
            f"{frontend.frames}, {frontend.bands})."
        )
    if not np.isfinite(cells).all():
        raise XaiAudioError("The patches hold NaN or infinity.")
    return cells.reshape(len(cells), -1)
