"""What an archive's run has given so far: plain tables and arrays."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..wave_frontend import from_config
from . import plans, tables

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..frontend import LogMel
    from ..types import PathLike


@dataclass(frozen=True, eq=False)
class Results:
    """The clips of an archive that are explained.

    Attributes
    ----------
    out : Path
    settings : ArchiveSettings
    clips : dict of str to ndarray
        A row for each clip and method, in the order of the plan: ``file``, ``size``, ``sha256``,
        ``folder`` (that it lies in), ``seconds``, ``class`` (what the network calls it), ``score``,
        ``votes``, ``method``, ``explained`` (the class that the map speaks for), ``start`` (of the
        patch explained, in seconds), ``relevance`` (n, bands; the mean over time), ``warning``,
        ``unit`` and ``place``.
    bad : dict of str to ndarray
        ``file``, ``size``, ``reason`` and ``unit`` of the files that could not be explained. Last
        come folders that could not be read (their names end in ``/``), of the unit -1.
    planned : int
        Clips that the plan has.
    """

    out: Path
    settings: plans.ArchiveSettings
    clips: dict[str, np.ndarray]
    bad: dict[str, np.ndarray]
    planned: int

    def __repr__(self) -> str:
        files = len(self.clips["file"]) // max(1, len(self.settings.methods))
        return f"Results({files} clips explained, {len(self.bad['file'])} bad, of {self.planned})"

    @property
    def methods(self) -> list[str]:
        """The methods by name."""
        return list(self.settings.methods)

    @property
    def frontend(self) -> LogMel:
        """What made the patches: it knows the frequencies of the bands."""
        return from_config(dict(self.settings.frontend))

    def rows(self, method: str | None = None) -> dict[str, np.ndarray]:
        """Return the rows of one method; by default the first.

        Raises
        ------
        XaiAudioError
            If the archive was not explained by it.
        """
        method = self.methods[0] if method is None else method
        if method not in self.settings.methods:
            raise XaiAudioError(
                f"{self.out} was not explained by {method!r}, but by {', '.join(self.methods)}."
            )
        chosen = self.clips["method"] == method
        return {name: column[chosen] for name, column in self.clips.items()}

    def maps(self, method: str | None = None) -> Iterator[np.ndarray]:
        """Return the maps unit by unit, in the order of the rows: float32 (n, frames, bands)."""
        rows = self.rows(method)
        method = self.methods[0] if method is None else method
        for unit in np.unique(rows["unit"]):
            yield tables.read_maps(self.out, int(unit), method)


def read(out: PathLike) -> Results:
    """Read what a run has written so far; it may be running still.

    Parameters
    ----------
    out : path-like

    Returns
    -------
    Results

    Raises
    ------
    XaiAudioError
        If there is no archive, or a file is damaged.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> found = xa.corpus.read("explained")  # doctest: +SKIP
    >>> found.rows("gradcam")["class"]  # doctest: +SKIP
    """
    tables.check()
    planned = plans.load(out)
    units = sorted(tables.done(planned.out))
    clips = tables.read([tables.clips_file(planned.out, unit) for unit in units], tables.CLIPS)
    bad_files = [tables.bad_file(planned.out, unit) for unit in units]
    if tables.unreadable_file(planned.out).exists():
        bad_files.append(tables.unreadable_file(planned.out))
    bad = tables.read(bad_files, tables.BAD)
    return Results(planned.out, planned.settings, clips, bad, len(planned))
