"""What the build tells the pages: ``{{ timings }}`` and the like, and ``{run-time}``.

Only the build knows these, so the source has placeholders for them.
"""

from __future__ import annotations

import csv
import io
import re

from . import metric, notebooks
from .baselines import recorded
from .execute import notebook_path, read_stamp
from .machine import count_cores
from .project import read_json

#: Where the table of all recorded numbers lies in the site.
NUMBERS = "_static/recorded-numbers.csv"

#: What the MathWorks example reports, as shares, and the recorded numbers that stand beside it.
EXAMPLE = (
    ("patches correct (%)", "testing-patch-accuracy", 0.8603),
    ("clips correct (%)", "testing-clip-accuracy", 0.925),
)


def fragments(project) -> dict:
    """Write what the build knows.

    Parameters
    ----------
    project : Project
        With all chapters executed.

    Returns
    -------
    dict of str to str
        MyST Markdown by the name of its placeholder.
    """
    chapters = [chapter.name for chapter in project.chapters()]
    stamps = {name: read_stamp(project, name) for name in chapters}
    return {
        "profile": project.profile,
        "machine": f"{count_cores()} cores",
        "profiles": _profiles(project),
        "accuracies": _accuracies(project),
        "timings": _timings(stamps),
        "versions": _versions(stamps),
        "numbers": _numbers(project, chapters),
    }


def fill_in(text, known, seconds=0.0) -> str:
    """Put what the build knows in the place of the placeholders.

    Parameters
    ----------
    text : str
    known : dict
        From :func:`fragments`.
    seconds : float
        How long this chapter ran.

    Returns
    -------
    str
    """
    text = text.replace("{run-time}", run_time(seconds))
    return re.sub(
        r"\{\{ *([a-z]+) *\}\}", lambda m: known[m[1]].strip() if m[1] in known else m[0], text
    )


def run_time(seconds) -> str:
    """Say a duration as one would say it.

    Examples
    --------
    >>> run_time(9), run_time(70), run_time(150)
    ('less than a minute', 'about a minute', 'about 2 minutes')
    """
    minutes = seconds / 60
    if minutes < 0.75:
        return "less than a minute"
    return "about a minute" if minutes < 1.5 else f"about {minutes:.0f} minutes"


def _timings(stamps) -> str:
    latest = max((stamp.get("build", "") for stamp in stamps.values()), default="")
    rows = [
        (
            f"{{doc}}`{name}`",
            f"{stamp.get('seconds', 0):.0f} s",
            stamp.get("finished", "") if stamp.get("build") == latest else "before",
        )
        for name, stamp in stamps.items()
    ]
    total = sum(stamp.get("seconds", 0) for stamp in stamps.values())
    peak = max((stamp.get("peak_mb", 0) for stamp in stamps.values()), default=0)
    note = (
        f"\nTogether {total / 60:.1f} minutes; chapters run side by side, so the build takes less. "
        f"It used at most {peak / 1024:.1f} GB of memory.\n"
    )
    return _table(("chapter", "run time", "executed (UTC)"), rows) + note


def _versions(stamps) -> str:
    found: dict[str, set[str]] = {}
    for stamp in stamps.values():
        for name, version in stamp.get("versions", {}).items():
            found.setdefault(name, set()).add(version)
    rows = [(name, ", ".join(sorted(versions))) for name, versions in found.items()]
    return _table(("software", "version"), rows)


def _measured(project) -> dict:
    """Return the recorded entries of every profile that was measured, by profile and name."""
    found: dict[str, dict] = {}
    for folder in sorted(project.baselines.parent.glob("*")):
        entries: dict[str, dict] = {}
        for path in sorted(folder.glob("*.json")):
            entries |= (read_json(path) or {}).get("entries", {})
        if entries:
            found[folder.name] = entries
    return found


def _profiles(project) -> str:
    from .profiles import PROFILES

    measured = _measured(project)
    rows = []
    for name, profile in PROFILES.items():
        runs = max((e["runs"] for e in measured.get(name, {}).values()), default=0)
        said = f"{len(measured[name])}, from {runs} runs" if runs else "none: not measured"
        rows.append((f"`{name}`", profile.summary, said))
    return _table(("profile", "what it is", "recorded values"), rows)


def _accuracies(project) -> str:
    from .profiles import PROFILES

    measured = _measured(project)
    rows = [
        (
            what,
            f"{100 * theirs:g}",
            *(_baseline(measured.get(p, {}).get(name), 100) for p in PROFILES),
        )
        for what, name, theirs in EXAMPLE
    ]
    return _table(("held-out fold", "MathWorks", *(f"`{name}`" for name in PROFILES)), rows)


def _numbers(project, chapters) -> str:
    """Say where all recorded numbers are."""
    count = len(numbers_csv(project, chapters).splitlines()) - 1
    return (
        f"{count} numbers stand in the text of the chapters. A table lists them all, of this run "
        "and of the baselines of every profile, with how far each may move: "
        f'<a href="{NUMBERS}" download>recorded-numbers.csv</a>.\n'
    )


def numbers_csv(project, chapters) -> str:
    """List all recorded numbers, of this run and of the baselines of every profile.

    Parameters
    ----------
    project : Project
        With all chapters executed.
    chapters : list of str

    Returns
    -------
    str
        CSV with a line for each number. Where only the form of a number is compared, its tolerance
        is empty.
    """
    measured = _measured(project)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    pairs = [f"{profile} {what}" for profile in measured for what in ("baseline", "tolerance")]
    table.writerow(["chapter", "number", "this run", *pairs])
    for chapter in chapters:
        for name, item in recorded(notebooks.read(notebook_path(project, chapter))).items():
            if not metric.is_number(item["value"]) or "/" in name:
                continue
            entries = [found.get(name, {}) for found in measured.values()]
            row = [entry.get(what, "") for entry in entries for what in ("value", "tolerance")]
            table.writerow([chapter, name, item["value"], *row])
    return text.getvalue()


def _baseline(entry, times=1) -> str:
    if not entry or not metric.is_number(entry["value"]):
        return ""
    tolerance = entry.get("tolerance")
    return _say(times * entry["value"]) + (f" ± {_say(times * tolerance)}" if tolerance else "")


def _say(value) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _table(head, rows) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join("| " + " | ".join(map(str, line)) + " |\n" for line in lines)
