"""The text of a small book, and what writes it to a folder."""

import io
import shutil
import textwrap
from pathlib import Path

from bs4 import BeautifulSoup
from rich.console import Console

ROOT = Path(__file__).parents[2]

HEAD = """\
---
jupytext:
  text_representation:
    extension: .md
    format_name: myst
kernelspec:
  display_name: Python 3
  language: python
  name: python3
{more}---

# {title}

```{{code-cell}} ipython3
:tags: [parameters]

profile = "mini"
seed = 7
```

"""

WELCOME = """\
```{code-cell} ipython3
import os

from xaiaudio.publishing.record import number

number("answer", 42.5 + seed, tolerance=0.001)
number("where", profile)
number("threads", int(os.environ["OMP_NUM_THREADS"]), timing=True)
```

The answer is {glue:text}`answer:.2f` under {glue:text}`where`. It took {run-time}.
See [the maps](maps.md).
"""

MAPS = """\
```{code-cell} ipython3
---
mystnb:
  figure:
    name: fig-blob
    caption: A blob, with $x^2$.
  image:
    alt: A bright blob right of the middle.
---
import base64

import numpy as np
from IPython.display import HTML
from matplotlib.figure import Figure

rng = np.random.default_rng(seed)
x, y = np.meshgrid(np.linspace(-1, 1, 64), np.linspace(-1, 1, 96))
blob = np.exp(-4 * ((x - 0.5) ** 2 + (y - 0.1) ** 2))
blob = np.maximum(blob + 0.02 * rng.standard_normal(blob.shape) - 0.2, 0)
fig = Figure(figsize=(3, 2))
fig.subplots().imshow(blob.T, origin="lower")
fig.data = {"map": blob, "labels": ["a", "b"]}
fig
```

{numref}`fig-blob` shows it; the answer was {glue:text}`welcome.md::answer:.1f`.

```{code-cell} ipython3
:tags: [remove-input]

sound = base64.b64encode(b"ID3" + bytes(range(256)) * 9).decode()
HTML(f'<audio controls src="data:audio/mpeg;base64,{sound}"></audio>')
```
"""

PLAIN = """\
# Plain

Words, and {doc}`maps`. Made on {{ machine }} with {{ profile }}.

{{ timings }}

{{ versions }}

{{ numbers }}
"""


def chapter(title, body, more=""):
    """Write the text of a chapter."""
    return HEAD.format(title=title, more=more) + textwrap.dedent(body)


def make_book(root, **chapters):
    """Write a book; the first page is its root."""
    (root / "book").mkdir(parents=True)
    for name, text in chapters.items():
        (root / "book" / f"{name}.md").write_text(text, encoding="utf-8")
    first, *others = chapters
    toc = f"format: jb-book\nroot: {first}\n"
    if others:
        toc += "parts:\n  - caption: Part\n    chapters:\n"
        toc += "".join(f"      - file: {name}\n" for name in others)
    (root / "_toc.yml").write_text(toc, encoding="utf-8")
    (root / "book" / "references.bib").touch()
    shutil.copy(ROOT / "_config.yml", root / "_config.yml")
    shutil.copytree(ROOT / "book" / "_static", root / "book" / "_static")
    return root


def quiet():
    """Return a console whose text can be read."""
    return Console(record=True, file=io.StringIO(), width=300)


def page(root, name):
    """Read a rendered page."""
    return BeautifulSoup((root / f"_build/html/{name}.html").read_text(), "html.parser")
