"""Sounds on a page: HTML players with the sound inside."""

from __future__ import annotations

import base64
import functools
import html
from typing import TYPE_CHECKING

import numpy as np
import soxr

from ..audio import encode_audio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from IPython.display import HTML
    from numpy.typing import ArrayLike

# Rates an MP3 can have; other sounds are resampled to the next one for the page.
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)

#: Script of every page with players: when one starts to play, the others stop.
ONE_AT_A_TIME = """document.addEventListener("play", (event) => {
  for (const other of document.querySelectorAll("audio")) {
    if (other !== event.target) other.pause();
  }
}, true);
"""


def player(
    wave: ArrayLike,
    sample_rate: int,
    caption: str,
    *,
    about: str | None = None,
    folded: tuple[str, str] | None = None,
) -> str:
    """Return HTML with a player for a sound: an MP3 inside the page, decoded only on demand.

    Parameters
    ----------
    wave : array_like of float, shape (samples,)
        In [-1, 1].
    sample_rate : int
        In hertz.
    caption : str
        Text below the player.
    about : str, optional
        What is heard, for screen readers and as a tooltip; by default the caption.
    folded : (str, str), optional
        A question below the caption, and the answer that it opens. For those who want to listen
        before they read.

    Returns
    -------
    str
        About 8 kB per second at 16 kHz.

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.sonify.player import player
    >>> player(np.zeros(16_000), 16_000, "Silence")[:27]
    '<figure class="xa-player"><'
    """
    about = html.escape(caption if about is None else about, quote=True)
    source = base64.b64encode(mp3(wave, sample_rate)).decode()
    more = ""
    if folded is not None:
        asked, answer = map(html.escape, folded)
        more = f"<details><summary>{asked}</summary>{answer}</details>"
    return (
        f'<figure class="xa-player"><audio controls preload="none" title="{about}" '
        f'aria-label="{about}" src="data:audio/mpeg;base64,{source}"></audio>'
        f"<figcaption>{html.escape(caption)}{more}</figcaption></figure>"
    )


def players(sounds: Mapping[str, ArrayLike], sample_rate: int = 16_000) -> HTML:
    """Return players for several sounds, for a notebook to show.

    Parameters
    ----------
    sounds : mapping of str to array_like of float, shape (samples,)
        Caption to sound, in [-1, 1].
    sample_rate : int
        In hertz.

    Returns
    -------
    IPython.display.HTML

    Examples
    --------
    >>> import numpy as np
    >>> from xaiaudio.sonify.player import players
    >>> players({"Silence": np.zeros(16_000)}).data.count("<audio ")
    1
    """
    from IPython.display import HTML

    listed = "".join(player(wave, sample_rate, caption) for caption, wave in sounds.items())
    return HTML(f'<div class="xa-players">{listed}</div>')


def mp3(wave: ArrayLike, sample_rate: int) -> bytes:
    """Return a sound as an MP3, resampled if an MP3 cannot have its rate.

    A page shows some sounds several times, and its folder holds them as files: the last ones are
    not encoded again.
    """
    return _encoded(np.asarray(wave, np.float32).tobytes(), sample_rate)


@functools.lru_cache(maxsize=16)
def _encoded(samples: bytes, sample_rate: int) -> bytes:
    wave = np.frombuffer(samples, np.float32)
    if sample_rate not in MP3_RATES:
        rate = next((rate for rate in MP3_RATES if rate > sample_rate), MP3_RATES[-1])
        wave = soxr.resample(wave, sample_rate, rate)
        sample_rate = rate
    return encode_audio(wave, sample_rate, ".mp3")
