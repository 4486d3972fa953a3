"""The one kind of error that a user can cause and mend."""

import difflib
from collections.abc import Iterable


class XaiAudioError(Exception):
    """Something a user can put right: the message says what, where and how.

    Every message is one or two lines. The command line prints it and exits with status 1;
    anything else that is raised is a bug.
    """


class DamagedError(XaiAudioError):
    """Something stored is not what was written: it can be deleted and made anew."""


class XaiAudioWarning(UserWarning):
    """Something that a user should know of a result that they get: one line."""


def folded(name: str) -> str:
    """Return a name in the form in which upper and lower case are the same."""
    return name.strip().casefold()


def meant(name: object, known: Iterable[str]) -> str:
    """Ask, for an error message, whether a name that is nearly alike was meant.

    Examples
    --------
    >>> meant("GradCam", ["gradcam", "lime"])
    " (did you mean 'gradcam'?)"
    >>> meant("nothing like it", ["gradcam", "lime"])
    ''
    """
    names = {folded(one): one for one in known}
    near = difflib.get_close_matches(folded(name), names, 1) if isinstance(name, str) else []
    return f" (did you mean {names[near[0]]!r}?)" if near else ""
