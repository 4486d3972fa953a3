"""The one kind of error that a user can cause and mend."""

import difflib
import re
from collections.abc import Iterable

# Names shorter than this are in too many others.
_SHORT = 3


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


def meant(name: object, known: Iterable[str], most: int = 1) -> str:
    """Ask, for an error message, whether a name that is nearly alike was meant.

    Of names that hold it, those come first that hold it as a word. Without one, close spellings of
    a name are taken, or else of a word in it.

    Examples
    --------
    >>> meant("GradCam", ["gradcam", "lime"])
    " (did you mean 'gradcam'?)"
    >>> meant("dog", ["Hot dog stand", "Dog bark", "Dogma", "Rain"], most=3)
    " (did you mean 'Dog bark', 'Hot dog stand' or 'Dogma'?)"
    >>> meant("nothing like it", ["gradcam", "lime"])
    ''
    """
    if not isinstance(name, str):
        return ""
    names = {folded(one): one for one in known}
    near = list(dict.fromkeys(_near(folded(name), sorted(names, key=len), most)))[:most]
    *others, last = [repr(names[one]) for one in near] or [""]
    listed = f"{', '.join(others)} or {last}" if others else last
    return f" (did you mean {listed}?)" if listed else ""


def _near(name: str, names: list[str], most: int) -> list[str]:
    if len(name) >= _SHORT:
        holding = [one for one in names if name in one]
        holding.sort(key=lambda one: re.search(rf"\b{re.escape(name)}\b", one) is None)
        if holding:
            return holding
    close = difflib.get_close_matches(name, names, most)
    words = {word: one for one in reversed(names) for word in re.findall(r"\w+", one)}
    return close or [words[word] for word in difflib.get_close_matches(name, words, most, 0.75)]
