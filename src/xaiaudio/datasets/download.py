"""Fetch a file: whole or not at all, and not for ever."""

from __future__ import annotations

import time
from pathlib import Path

from .. import cache
from ..errors import XaiAudioError
from ..files import whole
from ..progress import bar

# Bytes that must come in within so many seconds, or the download is given up.
LEAST = 60_000
PATIENCE = 60.0
_CHUNK = 1 << 16

_ROOM = "Make room, or name another cache folder in XAIAUDIO_HOME."


def download(url: str, path: Path, *, title: str, advice: str, progress: bool = True) -> Path:
    """Fetch a file from an address.

    Parameters
    ----------
    url : str
    path : Path
        Where it is put; its folder must be there.
    title : str
        For the progress bar.
    advice : str
        What else can be done, for the messages.
    progress : bool
        Show a bar.

    Returns
    -------
    Path

    Raises
    ------
    XaiAudioError
        If there is no connection, no such file, or fewer than 60 kB come in within a minute.
    """
    import requests
    import urllib3

    try:
        with requests.get(url, stream=True, timeout=30) as answer:
            answer.raise_for_status()
            promised = int(answer.headers.get("Content-Length") or 0) or None
            with whole(path, advice=_ROOM) as partial, open(partial, "wb") as file:
                with bar(promised, progress, title, size=True) as step:
                    for data in _pieces(answer):
                        file.write(data)
                        step(len(data))
                if promised and "Content-Encoding" not in answer.headers:
                    _check_length(file.tell(), promised)
    except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError) as error:
        raise XaiAudioError(
            f"Could not download {url} ({_reason(error)}): check the network and try again. "
            f"{advice}"
        ) from error
    return path


def pinned(
    address: str, name: str, sha256: str, *, what: str, advice: str, progress: bool = True
) -> Path:
    """Return a network's file that never changes: fetched once, and checked byte for byte.

    Parameters
    ----------
    address : str
    name : str
        Of the file in the cache.
    sha256 : str
        The sum that it must have, in hexadecimal.
    what : str
        What it is, for the bar and the messages, such as "the music tagger".
    advice : str
        What else can be done, for the messages.
    progress : bool
        Show a bar.

    Returns
    -------
    Path
        In the cache.

    Raises
    ------
    XaiAudioError
        If it cannot be had, or is another file. Nothing is left of it then.
    """
    path = cache.home() / "networks" / name
    if path.exists() and cache.sum_of(path) == sha256:
        return path
    with cache.lock(path.with_suffix(".lock")):
        if path.exists() and cache.sum_of(path) == sha256:
            return path  # fetched by somebody else while we waited
        download(address, path, title=f"Fetching {what}", advice=advice, progress=progress)
        if cache.sum_of(path) != sha256:
            path.unlink()
            raise XaiAudioError(
                f"What {address} sent is not {what} (another SHA-256 sum), and is removed: try "
                f"again. {advice}"
            )
    return path


def _pieces(answer):
    """Yield what comes in, as it comes; complain if it comes too slowly."""
    pace = Pace()
    while data := answer.raw.read1(_CHUNK, decode_content=True):
        yield data
        pace.got(len(data))


class Slow(ValueError):
    """The server sends next to nothing."""


class Pace:
    """Counts what comes in, and complains if it comes too slowly."""

    def __init__(self):
        self.began, self.count = time.monotonic(), 0

    def got(self, count: int) -> None:
        """Count some more bytes; raise `Slow` if there were too few for too long."""
        self.count += count
        passed = time.monotonic() - self.began
        if passed > PATIENCE:
            if self.count < LEAST:
                raise Slow(f"only {self.count} bytes within {passed:.0f} s")
            self.began, self.count = self.began + passed, 0


def _check_length(got: int, promised: int) -> None:
    if got != promised:
        raise Slow(f"it ended after {got} of {promised} bytes")


def _reason(error) -> str:
    """Put a failed download into a few words."""
    if isinstance(error, Slow):
        return str(error)
    if getattr(error, "response", None) is not None:
        return f"status {error.response.status_code}"
    late = ("ConnectTimeout", "ReadTimeout", "ReadTimeoutError")
    return "no answer" if type(error).__name__ in late else "no connection"
