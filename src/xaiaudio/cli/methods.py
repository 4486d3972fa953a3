"""``xaiaudio methods``: who they are and what they take."""

from __future__ import annotations

import typer

from .console import start_tensorflow, table

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
    start_tensorflow()
    from ..explainers.registry import methods as known

    first = known(trained=True)
    rows = [
        (
            name,
            about["summary"],
            ", ".join(f"{option}={value}" for option, value in about["options"].items()) or "none",
            about["needs"] + (", and training first" if name in first else ""),
            about["paper"],
        )
        for name, about in {**known(), **first}.items()
    ]
    table(("method", "what it shows", "options", "needs", "paper"), rows)
