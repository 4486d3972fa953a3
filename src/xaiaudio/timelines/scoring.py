"""Ask a network about a sound file of any length: read, cut and score block by block."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..clock import clock
from ..errors import XaiAudioError
from ..explainers.answers import one_of_all
from ..progress import bar
from ..streaming import BLOCK, Blocks
from .framing import BATCH, loudest_of, needs_loudest, patches_of
from .scored import FileFacts, Timeline

if TYPE_CHECKING:
    from ..frontend import LogMel
    from ..models.classifier import AudioClassifier
    from ..types import PathLike


def timeline(
    model: AudioClassifier,
    path: PathLike,
    *,
    overlap: float | None = None,
    start: float | None = None,
    end: float | None = None,
    channel: int | None = None,
    block: float = BLOCK,
    batch: int = BATCH,
    progress: bool | None = None,
) -> Timeline:
    """Return what a network says of a sound file, patch by patch.

    The file is read, resampled, cut and scored block by block, so that memory does not grow with
    its length but for the scores. They are those of ``model.scores(model.frontend(wave))`` of the
    whole sound, to 1e-5.

    Parameters
    ----------
    model : AudioClassifier
    path : str or path-like
        A sound file of any length.
    overlap : float, optional
        Share of a patch that the next one repeats; the front end's own by default.
    start, end : float, optional
        The seconds of the file to ask about. Patches are cut from `start` on.
    channel : int, optional
        The channel to take, counted from 0; by default the mean of all.
    block : float
        Seconds that are read at once.
    batch : int
        Patches that the network is asked about at once.
    progress : bool, optional
        Show a bar; by default on a terminal only.

    Returns
    -------
    Timeline

    Raises
    ------
    XaiAudioError
        As `xaiaudio.streaming.Blocks`, and if the sound is shorter than a patch.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.audio import save_audio
    >>> path = save_audio("tone.flac", np.zeros(160_000))  # doctest: +SKIP
    >>> xa.timelines.timeline(xa.load_model("lite"), path, overlap=0.5)  # doctest: +SKIP
    Timeline(19 patches from 0.01 s to 9.61 s, 10 classes)
    """
    frontend = model.frontend if overlap is None else model.frontend.with_overlap(overlap)

    def read() -> Blocks:
        return Blocks(
            path, frontend.sample_rate, start=start, end=end, block=block, channel=channel
        )

    loudest = loudest_of(read(), frontend) if needs_loudest(frontend) else None
    blocks = read()
    parts: dict[str, list] = {name: [] for name in ("first", "scores", "levels", "peaks")}
    expected = blocks.expected
    total = None if expected is None else round(expected)
    with bar(total, progress, "Listening", notebook=True) as step:
        for patches, wave in patches_of(blocks, frontend, batch=batch, loudest=loudest):
            parts["first"].append(patches.starts)
            parts["scores"].append(model.scores(patches))
            parts["levels"].append(patches.levels)
            parts["peaks"].append(_peaks(wave, frontend, len(patches)))
            step(done=round(blocks.seconds), text=clock(blocks.seconds, 0))
    if not parts["first"]:
        raise XaiAudioError(
            f"{path} lasts {clock(blocks.seconds, 2)}, but one patch takes "
            f"{frontend.min_samples / frontend.sample_rate:.2f} s: take a longer sound."
        )
    first, scores, levels, peaks = (np.concatenate(parts[name]) for name in parts)
    times = frontend.frame_times()[[0, -1]] + blocks.start
    hop = frontend.hop / frontend.sample_rate
    return Timeline(
        starts=times[0] + first * hop,
        ends=times[1] + first * hop,
        scores=scores,
        labels=model.labels,
        exclusive=one_of_all(model, np.zeros(frontend.min_samples, np.float32)),
        levels=levels,
        peaks=peaks,
        model=model.name,
        file=FileFacts(
            name=Path(path).name,
            sample_rate=blocks.file_rate,
            channels=blocks.channels,
            start=blocks.start,
            end=blocks.start + blocks.seconds,
            missing=blocks.missing,
        ),
    )


def _peaks(wave: np.ndarray, frontend: LogMel, count: int) -> np.ndarray:
    """Return the largest magnitude of the samples from each patch to the next, (count,)."""
    step = frontend.patch_hop * frontend.hop
    heights = np.abs(wave[: count * step])
    return np.maximum.reduceat(heights, np.arange(0, len(heights), step)[:count])
