"""Who made each clip of ESC-10 and ESC-50, and under which licence."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from ..errors import XaiAudioError

# "- [1-100032-A.ogg]: clip derived from TITLE (http://PAGE) by AUTHOR [LICENCE]". Titles and
# authors may hold any brackets: the page's address and the line's end tell the parts apart.
_LINE = re.compile(
    r"^- \[(?P<clip>[^\]]+)\.\w+\]:\s+clip derived from .* "
    r"\((?P<source>https?://\S+)\) by (?P<author>.+) \[(?P<licence>[^\[\]]+)\]\s*$"
)


@dataclass(frozen=True)
class Attribution:
    """Licence, author and page of origin of one clip."""

    licence: str
    author: str = ""
    source: str = ""


def read(path: Path) -> dict[str, Attribution]:
    """Read ESC-10's ``ATTRIBUTION.txt`` or ESC-50's ``LICENSE``.

    Parameters
    ----------
    path : Path
        May be missing: then nothing is known of any clip.

    Returns
    -------
    dict of str to Attribution
        Keyed by the clip's name, ``fold-source-take``.

    Raises
    ------
    XaiAudioError
        If the file is there but cannot be read.
    """
    if not path.is_file():
        return {}
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise XaiAudioError(f"Could not read {path}: {error.strerror or error}.") from error
    found = (_LINE.match(line) for line in lines)
    return {
        line["clip"]: Attribution(
            line["licence"].replace("CC-", "CC ", 1), line["author"], line["source"]
        )
        for line in found
        if line
    }
