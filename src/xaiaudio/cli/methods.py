"""``xaiaudio methods``: who they are and what they take."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from .console import table

#: The rows of the table, as :func:`rows` makes them: read in no time, where the methods themselves
#: take the seconds that TensorFlow takes. `make format` writes the file.
LISTED = Path(__file__).with_name("methods.json")

_EPILOG = """\b
Examples:
  xaiaudio methods
  xaiaudio explain dog.wav --method scorecam
  xaiaudio explain dog.wav --method occlusion --set occlusion.mask=0.1

What is trained first is for Python: xaiaudio.Explainer.fit trains it. In Python,
xaiaudio.methods() returns the same as a dict."""


def add_to(app: typer.Typer) -> None:
    """Add the command."""
    app.command("methods", short_help="List the explanation methods.", epilog=_EPILOG)(methods)


def methods() -> None:
    """List the explanation methods, their options and where they come from."""
    rows = json.loads(LISTED.read_text(encoding="utf-8"))
    table(("method", "what it shows", "options", "needs", "paper"), rows)


def rows() -> list[list[str]]:
    """Return a row for each method that there is."""
    from ..explainers.registry import methods as known

    first = known(trained=True)
    return [
        [
            name,
            about["summary"],
            ", ".join(f"{option}={value}" for option, value in about["options"].items()) or "none",
            about["needs"] + (", and training first" if name in first else ""),
            about["paper"],
        ]
        for name, about in {**known(attention=True), **first}.items()
    ]
