"""Types that many signatures share; read by type checkers and people, never while it runs."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeAlias

#: What a file or folder is given as.
PathLike: TypeAlias = "str | os.PathLike[str]"

#: Classes to explain: one for all patches, one each, or None for the predicted ones.
Targets: TypeAlias = "str | int | Sequence[str | int] | None"
