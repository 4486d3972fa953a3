"""Fetch a file: whole or not at all, and not for ever."""

from __future__ import annotations

import time
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Pinned:
    """A network's file that never changes: fetched once, and checked byte for byte.

    Attributes
    ----------
    address : str
    name : str
        Of the file in the cache.
    sha256 : str
        The sum that it must have, in hexadecimal.
    what : str
        What it is, for the bar and the messages, such as "the music tagger".
    variable : str
        Environment variable that names a copy of one's own.
    """

    address: str
    name: str
    sha256: str
    what: str
    variable: str

    def fetch(self, address: str | None = None, *, progress: bool = True) -> Path:
        """Return the file, fetched unless it is in the cache.

        Parameters
        ----------
        address : str, optional
            To fetch it from instead.
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
        address = self.address if address is None else address
        advice = f"Or fetch it yourself and name it in the environment variable {self.variable}."
        path = cache.home() / "networks" / self.name
        if self._is_at(path):
            return path
        with cache.lock(path.with_suffix(".lock")):
            if self._is_at(path):
                return path  # fetched by somebody else while we waited
            title = f"Fetching {self.what}"
            download(address, path, title=title, advice=advice, progress=progress)
            if not self._is_at(path):
                path.unlink()
                raise XaiAudioError(
                    f"What {address} sent is not {self.what} (another SHA-256 sum), and is "
                    f"removed: try again. {advice}"
                )
        return path

    def _is_at(self, path: Path) -> bool:
        return path.exists() and cache.sum_of(path) == self.sha256


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
