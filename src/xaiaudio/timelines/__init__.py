"""Long sounds: what a network hears when, its events, and why it hears each."""

import typing as _typing

import lazy_loader as _lazy

__getattr__, __dir__, __all__ = _lazy.attach(
    __name__,
    submod_attrs={
        "explaining": ["ExplainedEvent", "chosen", "explain_events", "most_exact"],
        "finding": ["HeardEvent", "events"],
        "scored": ["FileFacts", "Timeline"],
        "scoring": ["timeline"],
    },
)

# What the lines above promise, for type checkers and editors.
if _typing.TYPE_CHECKING:
    from .explaining import ExplainedEvent as ExplainedEvent
    from .explaining import chosen as chosen
    from .explaining import explain_events as explain_events
    from .explaining import most_exact as most_exact
    from .finding import HeardEvent as HeardEvent
    from .finding import events as events
    from .scored import FileFacts as FileFacts
    from .scored import Timeline as Timeline
    from .scoring import timeline as timeline
