"""The numbers every figure showed, how far they may move, and whether they moved further.

``tests/baselines/PROFILE/CHAPTER.json`` has one line for each recorded value: the value of seed 0,
the largest distance between runs with different seeds (``spread``) and how many ``runs`` that was
measured on, the same of runs with seed 0 that round differently (``rounding``, ``roundings``), and
the ``tolerance`` that follows from the larger one; :mod:`.metric` says how. Where rounding alone
moves a value as far as another seed does, ``compare`` says that only its form is compared. Of a
value that was measured once, whose spread is not known, only its kind is.
:mod:`.measuring` makes the entries. Those made before rounding was measured have no ``rounding``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from . import metric, notebooks
from .execute import notebook_path
from .project import read_json, write_text

if TYPE_CHECKING:
    from .project import Project

#: The recorded course of the training tells one retrained network from another: a processor that
#: rounds otherwise ends with other weights, as another seed does. Where it rounds alike, the curve
#: is the same to the last recorded digit. With the instructions of another processor it was 1e-3
#: apart, and four values of the book were outside their tolerance.
FINGERPRINT = ("retraining", "fig-retraining-curves/loss")
LAST = 20  # steps at the end of the course, where small differences have grown
SAME = 1e-5

#: Of the values that depend on the network, the share that may lie outside their tolerance if the
#: network is another one. Three networks of three seeds, each compared with tolerances measured on
#: the two others, left a sixth outside.
MOST = 0.4


@dataclass(frozen=True)
class Difference:
    """A recorded value that is not what the baseline says.

    Attributes
    ----------
    chapter, name : str
    what : str
        One line: which rule, how far apart, how far allowed.
    entry : dict or None
        The line of the baseline.
    value
        What was recorded now; None if it is gone.
    """

    chapter: str
    name: str
    what: str
    entry: dict | None = None
    value: object = None

    def __str__(self):
        return f"{self.chapter}: {self.name}: {self.what}"


def recorded(notebook) -> dict:
    """Return all recorded values of an executed notebook by name.

    Parameters
    ----------
    notebook : NotebookNode

    Returns
    -------
    dict of str to dict
        ``{"value": ..., "timing": bool, "declared": float}``; the parts of a figure are called
        ``figure/part``.
    """
    values = {}
    for record in notebooks.records(notebook):
        if record["kind"] == "figure":
            for part, value in record["data"].items():
                values[f"{record['name']}/{part}"] = {"value": value}
        else:
            values[record["name"]] = {
                "value": record["value"],
                "timing": record.get("timing", False),
                "declared": record.get("tolerance", 0.0),
            }
    return values


def compare(chapter, baseline, values) -> list[Difference]:
    """Compare what a chapter recorded with its baseline.

    Parameters
    ----------
    chapter : str
    baseline : dict
        From :func:`xaiaudio.publishing.measuring.measure`.
    values : dict
        From :func:`recorded`.

    Returns
    -------
    list of Difference
        Empty if nothing moved further than it may.
    """
    found = []
    for name, entry in baseline.items():
        if name not in values:
            found.append(Difference(chapter, name, "is no longer recorded", entry))
            continue
        value = values[name]["value"]
        what = _difference(entry, value)
        if what:
            found.append(Difference(chapter, name, what, entry, value))
    for name in values:
        if name not in baseline:
            new = values[name]["value"]
            found.append(Difference(chapter, name, "has no baseline yet", None, new))
    return found


def _difference(entry, value) -> str:
    """Say how a value differs from its baseline; empty if it does not."""
    old = entry["value"]
    rule = entry.get("compare", "")
    if rule.startswith("never"):
        return ""
    if _sort(old) != _sort(value):
        return f"was {_sort(old)}, is {_sort(value)}"
    if rule.startswith("kind"):
        return ""
    if rule.startswith("form"):
        return "; ".join(_form(entry, old, value)) if metric.is_array(old) else ""
    if metric.is_number(old):
        apart = abs(value - old)
        if apart <= entry["tolerance"]:
            return ""
        return f"was {old:.6g}, is {value:.6g}: {apart:.3g} apart, {entry['tolerance']:.3g} allowed"
    if metric.is_array(old):
        return _array_difference(entry, old, value)
    return "" if old == value else f"was {_brief(old)}, is {_brief(value)}"


def _array_difference(entry, old, new):
    said = _form(entry, old, new)
    if old["shape"] == new["shape"]:
        for rule, apart in metric.distances(old, new).items():
            allowed = entry["tolerance"][rule]
            if apart > allowed:
                said.append(f"{rule} {apart:.3g} apart, {allowed:.3g} allowed")
    return "; ".join(said)


def _form(entry, old, new) -> list[str]:
    """Say what is wrong with an array whatever its values are."""
    if old["shape"] != new["shape"]:
        return [f"had shape {tuple(old['shape'])}, has {tuple(new['shape'])}"]
    said = []
    if new.get("not_finite", 0) > old.get("not_finite", 0):
        said.append(f"{new['not_finite']} values are not finite")
    if entry.get("negative") is False and metric.is_negative(new):
        said.append(f"was nowhere negative, goes down to {new['min']:.3g}")
    return said


def _sort(value) -> str:
    if metric.is_number(value):
        return "a number"
    if metric.is_array(value):
        return "an array"
    if isinstance(value, dict):
        return "texts"
    return "nothing" if value is None else type(value).__name__


def _brief(value) -> str:
    text = json.dumps(value["values"] if isinstance(value, dict) else value, ensure_ascii=False)
    return text if len(text) <= 60 else text[:57] + "..."


def check(project, chapters) -> list[Difference]:
    """Compare a whole executed book with the baselines of its profile.

    Parameters
    ----------
    project : Project
    chapters : list of str

    Returns
    -------
    list of Difference
    """
    found = []
    for chapter in chapters:
        values = recorded(notebooks.read(notebook_path(project, chapter)))
        entries = load(project, chapter)
        if entries is None:
            if values:
                found.append(Difference(chapter, "the chapter", "has no baselines yet"))
            continue
        found += compare(chapter, entries, values)
    pages = [page.name for page in project.pages()] if project.only else chapters
    for path in sorted(project.baselines.glob("*.json")):
        if path.stem not in pages:
            found.append(Difference(path.stem, "the chapter", f"is gone, {path.name} is not"))
    return found


def sort_out(project, differences) -> tuple[list[Difference], list[Difference]]:
    """Tell what is broken from what another network explains.

    Where the training went as it did for a chapter's baseline, every difference is a fault. Where
    it went otherwise, the values that depend on the network are another network's: single ones may
    lie outside their tolerance, but not more than `MOST` of them, and their form must be right.

    Parameters
    ----------
    project : Project
    differences : list of Difference
        From :func:`check`.

    Returns
    -------
    broken, drifted : list of Difference
    """
    others = _of_another_network(project) if differences else []
    hanging = {}
    for chapter in others:
        entries = load(project, chapter) or {}
        if any(map(_varies, entries.values())):
            hanging[chapter] = len(entries)
    drifted = [d for d in differences if d.chapter in hanging and not _is_form(d)]
    if len(drifted) > MOST * sum(hanging.values()):
        return differences, []
    return [d for d in differences if d not in drifted], drifted


def _of_another_network(project) -> list[str]:
    """Return the chapters whose baselines are of another network than the one trained here.

    Chapters are measured anew one by one, on whatever machine is at hand: each baseline says which
    network it is of. Those made before it did are of the network of the chapter on training.
    """
    now, usual = course(project), _last((load(project, FINGERPRINT[0]) or {}).get(FINGERPRINT[1]))
    if now is None:
        return []
    courses = {
        path.stem: (read_json(path) or {}).get("network", usual)
        for path in project.baselines.glob("*.json")
    }
    return [chapter for chapter, old in courses.items() if old and not _same(old, now)]


def course(project) -> list[float] | None:
    """Return the end of the course of the training in this build; None if it was not run."""
    chapter, name = FINGERPRINT
    if not notebook_path(project, chapter).is_file():
        return None
    return _last(recorded(notebooks.read(notebook_path(project, chapter))).get(name))


def _last(entry) -> list[float] | None:
    value = entry and entry["value"]
    return metric.values_of(value)[-LAST:].tolist() if metric.is_array(value) else None


def _same(old, new) -> bool:
    """Whether two courses of training are the same to the last recorded digit."""
    return len(old) == len(new) and np.ptp([old, new], axis=0).max() <= SAME * max(map(abs, old))


def _varies(entry) -> bool:
    """Whether a value was another one with another seed."""
    spread = entry.get("spread", 0.0)
    if isinstance(spread, dict):
        return any(apart > metric.FLOORS[rule] for rule, apart in spread.items())
    return spread > 0 or entry.get("compare", "").startswith(("kind", "form"))


def _is_form(difference) -> bool:
    """Whether a value has become another kind of thing, or an array of another shape."""
    if difference.entry is None or difference.value is None:
        return False
    old, new = difference.entry["value"], difference.value
    if _sort(old) != _sort(new):
        return True
    return metric.is_array(old) and old["shape"] != new["shape"]


def load(project: Project, chapter: str) -> dict | None:
    """Read the baseline of a chapter; None if there is none."""
    return (read_json(project.baselines / f"{chapter}.json") or {}).get("entries")


def save(project, chapter, entries, seeds, network=None) -> Path:
    """Write the baseline of a chapter, one line a value, so that changes can be read in a diff.

    `network` is the :func:`course` of the training that its values are of, where it is known.
    """
    lines = ",\n".join(
        f"  {json.dumps(name, ensure_ascii=False)}: "
        f"{json.dumps(entry, ensure_ascii=False, separators=(',', ':'))}"
        for name, entry in entries.items()
    )
    head = {"chapter": chapter, "profile": project.profile, "seeds": list(seeds)}
    if network:
        head["network"] = network
    text = json.dumps(head, ensure_ascii=False)[:-1] + f', "entries": {{\n{lines}\n}}}}\n'
    return write_text(project.baselines / f"{chapter}.json", text)
