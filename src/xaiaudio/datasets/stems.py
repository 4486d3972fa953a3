"""Songs with their stems: files that hold the mix and the sounds that it was mixed from.

Such files (``.stem.mp4``, as MUSDB18 has them) hold five sounds side by side. Nothing is
downloaded: a folder of them is named by ``XAIAUDIO_STEMS``.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..audio import SAMPLE_RATE, load_audio
from ..errors import XaiAudioError
from ..files import expanded
from . import registry

if TYPE_CHECKING:
    from ..types import PathLike

#: What the sounds of a file are, after the mix, which is the first.
STEMS = ("drums", "bass", "other", "vocals")
ENDING = ".stem.mp4"
VARIABLE = registry.STEMS


@dataclass(frozen=True)
class Track:
    """A song with its stems.

    Attributes
    ----------
    path : Path
    """

    path: Path

    @property
    def name(self) -> str:
        """The file's name without its ending."""
        return self.path.name.removesuffix(ENDING)

    def load(self, sample_rate: int = SAMPLE_RATE) -> np.ndarray:
        """Return the mix, float32 (samples,)."""
        return load_audio(self.path, sample_rate=sample_rate, stream=0)

    def load_stems(self, sample_rate: int = SAMPLE_RATE) -> dict[str, np.ndarray]:
        """Return drums, bass, other and vocals, each float32 and as long as the mix.

        A mix that was mastered is not their sum: what they leave of it is a part of its own.

        Raises
        ------
        XaiAudioError
            If the file holds fewer sounds, or they are not of one length.
        """
        length = len(self.load(sample_rate))
        stems = {
            name: load_audio(self.path, sample_rate=sample_rate, stream=number)
            for number, name in enumerate(STEMS, start=1)
        }
        for name, stem in stems.items():
            if len(stem) != length:
                raise XaiAudioError(
                    f"In {self.path}, {name} has {len(stem)} samples and the mix {length}: stems "
                    "must be as long as their mix."
                )
        return stems


def tracks(folder: PathLike | None = None) -> list[Track]:
    """List the songs of a folder that come with their stems.

    Parameters
    ----------
    folder : str or path-like, optional
        By default the one that ``XAIAUDIO_STEMS`` names.

    Returns
    -------
    list of Track
        By name; empty if no folder is named.

    Raises
    ------
    XaiAudioError
        If there is no such folder, or no such file in it.

    Examples
    --------
    >>> from xaiaudio.datasets import stems
    >>> stems.tracks("songs")[0].load_stems().keys()  # doctest: +SKIP
    dict_keys(['drums', 'bass', 'other', 'vocals'])
    """
    place = os.environ.get(VARIABLE, "") if folder is None else folder
    if not place:
        return []
    root = expanded(place)
    if not root.is_dir():
        raise XaiAudioError(f"There is no folder {root}: name one with songs such as a{ENDING}.")
    found = sorted(path for path in root.iterdir() if path.name.endswith(ENDING))
    if not found:
        raise XaiAudioError(f"{root} holds no song with its stems, such as a{ENDING}.")
    return [Track(path) for path in found]
