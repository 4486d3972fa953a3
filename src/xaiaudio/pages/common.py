"""What the pages share that the commands write: their style, and pictures that lie inside them."""

from __future__ import annotations

import base64
import html
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..files import whole

if TYPE_CHECKING:
    from ..types import PathLike

STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --page: #fff; --soft: #5a5a5a; --line: #d9d9d9;
  --bar: #0072b2; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #ececec; --page: #17191c; --soft: #a9adb3; --line: #3a3f45; --bar: #56b4e9; }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink);
  font: 1rem/1.5 system-ui, sans-serif; }
main { max-width: 58rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; line-height: 1.2; overflow-wrap: anywhere; margin: .5rem 0; }
h2 { font-size: 1.25rem; margin: 0 0 .5rem; }
section { border-top: 1px solid var(--line); padding: 1.25rem 0; }
.answer { font-size: 1.15rem; }
.paper, footer, figcaption { color: var(--soft); font-size: .875rem; overflow-wrap: anywhere; }
img { display: block; width: 100%; max-width: 46rem; height: auto; margin: .75rem auto;
  background: #fff; border-radius: 6px; padding: 4px; }
figure { margin: 0 0 1rem; }
audio { width: 100%; display: block; }
.players { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); }
table { border-collapse: collapse; width: 100%; max-width: 36rem; }
caption { text-align: left; color: var(--soft); font-size: .875rem; }
th { text-align: left; font-weight: normal; padding: .2rem .75rem .2rem 0; width: 10rem; }
td:last-child { width: 4rem; text-align: right; }
.bar { display: block; height: .9rem; background: var(--bar); border-radius: 2px; min-width: 1px; }
"""


def picture(png: bytes, alt: str) -> str:
    """Return a picture that lies inside the page, and says in words what it shows."""
    source = base64.b64encode(png).decode()
    return f'<img src="data:image/png;base64,{source}" alt="{html.escape(alt, quote=True)}">'


def write_each(contents: Mapping[str, bytes], folder: PathLike) -> list[Path]:
    """Write files, given by their names, into a folder: each whole or not at all."""
    folder = Path(folder)
    for name, content in contents.items():
        with whole(folder / name) as partial:
            folder.mkdir(parents=True, exist_ok=True)
            partial.write_bytes(content)
    return [folder / name for name in contents]
