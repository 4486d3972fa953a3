"""Make the baselines: how far recorded values move with the seed, and with rounding alone."""

from __future__ import annotations

from dataclasses import replace

from ..errors import XaiAudioError
from . import baselines, execute, metric, notebooks
from .rounding import ROUNDINGS

#: Spread of a map's pattern beyond which its baseline says little; the user is told.
LOOSE = 0.25

_CHAOTIC = "form: rounding alone moves it as far as the seed does"


def measure(runs, roundings=(), known=None) -> dict:
    """Make the baseline of a chapter out of runs with different seeds and of differing rounding.

    Parameters
    ----------
    runs : list of dict
        From :func:`xaiaudio.publishing.baselines.recorded`, seed 0 first.
    roundings : list of dict
        The same of runs with seed 0 that round otherwise than the first of `runs`.
    known : dict, optional
        Entries whose values and spreads over seeds stay as they are. Then `runs` is the run of
        seed 0 alone, that the `roundings` are compared with.

    Returns
    -------
    dict of str to dict
        The entries.

    Raises
    ------
    XaiAudioError
        If a value is recorded that `known` lacks.
    """
    if known is not None and (new := [name for name in runs[0] if name not in known]):
        raise XaiAudioError(
            f"{new[0]} has no baseline yet, and one run shows no spread: use SEEDS=2 or more."
        )
    return {
        name: _entry(
            [run[name] for run in runs if name in run],
            [run[name]["value"] for run in (runs[0], *roundings) if name in run],
            len(runs),
            None if known is None else known[name],
        )
        for name in runs[0]
    }


def _entry(items, rounded, runs, known):
    """Make one entry; `rounded` are the values of seed 0, this machine's own rounding first."""
    declared = items[0].get("declared", 0.0)
    entry = _of_seeds([item["value"] for item in items], runs) if known is None else dict(known)
    if items[0].get("timing"):
        return {
            **{key: entry[key] for key in ("value", "runs")},
            "compare": "never: it belongs to the machine",
        }
    if len(rounded) > 1:
        entry["roundings"] = len(rounded)
    entry.pop("rounding", None)
    if entry.get("compare") == _CHAOTIC:
        del entry["compare"]
    if entry.get("compare", "").startswith("kind"):
        return entry
    if all(map(metric.is_number, [entry["value"], *rounded])):
        return _number(entry, rounded, declared)
    if all(map(metric.is_array, [entry["value"], *rounded])):
        return _array(entry, rounded)
    if any(value != rounded[0] for value in rounded):
        entry["compare"] = "kind: it varies with rounding"
    return entry


def _of_seeds(values, runs):
    """Return value and spread over seeds."""
    entry = {"value": values[0], "runs": runs}
    if all(map(metric.is_number, values)):
        return {**entry, "spread": metric.number_spread(values)}
    if all(map(metric.is_array, values)):
        if any(value["shape"] != values[0]["shape"] for value in values):
            return {**entry, "compare": "kind: its shape varies with the seed"}
        entry["spread"] = metric.array_spread(values)
        if not any(map(metric.is_negative, values)):
            entry["negative"] = False
        return entry
    if any(value != values[0] for value in values):
        return {**entry, "compare": "kind: it varies with the seed"}
    return {**entry, "compare": "exact"}


def _number(entry, rounded, declared):
    whole = isinstance(entry["value"], int) and all(isinstance(value, int) for value in rounded)
    least = metric.number_least(entry["value"], declared, whole=whole)
    spread, rounding = entry["spread"], metric.number_spread(rounded)
    if len(rounded) > 1:
        entry["rounding"] = rounding
    entry["tolerance"] = metric.number_tolerance(max(spread, rounding), least)
    if rounding >= spread and metric.FACTOR * rounding > least * (1 + 1e-6):
        entry["compare"] = _CHAOTIC
    return entry


def _array(entry, rounded):
    if any(value["shape"] != rounded[0]["shape"] for value in rounded):
        return {**entry, "compare": "kind: its shape varies with rounding"}
    spread, rounding = entry["spread"], metric.array_spread(rounded)
    if len(rounded) > 1:
        entry["rounding"] = rounding
    larger = {rule: max(spread[rule], rounding[rule]) for rule in spread}
    entry["tolerance"] = metric.array_tolerance(larger, entry["value"])
    if any(map(metric.is_negative, rounded)):
        entry.pop("negative", None)
    # As far as a tolerance may go at most, rounding would cross it now and then.
    if any(metric.FACTOR * rounding[rule] > metric.CAPS[rule] for rule in rounding):
        entry["compare"] = _CHAOTIC
    return entry


def renew(project, seeds=3, roundings=0, *, workers=None, console=None) -> list[str]:
    """Run the book with several seeds and roundings, and write the baselines anew.

    Parameters
    ----------
    project : Project
        With seed 0.
    seeds : int
        How many runs, with seeds 0, 1, ... With 1, the values and their spreads over seeds stay as
        they are, and rounding is measured on top of them.
    roundings : int
        How many more runs, with seed 0 and other rounding each. They explain the network that the
        run of seed 0 trained.

    Returns
    -------
    list of str
        Values whose baseline says little, because they change much with the seed or with rounding.

    Raises
    ------
    XaiAudioError
        For too few runs, more roundings than there are, or if a chapter fails.
    """
    if not 0 <= roundings <= len(ROUNDINGS):
        raise XaiAudioError(f"ROUNDINGS={roundings}: there are {len(ROUNDINGS)}.")
    if seeds < 1 or seeds + roundings < 2:
        raise XaiAudioError("A spread needs at least two runs: use SEEDS=2 or more.")
    runs = [replace(project, seed=seed) for seed in range(seeds)]
    rounded = [replace(project, rounding=name) for name in list(ROUNDINGS)[:roundings]]
    for run in [*runs, *rounded]:
        if console:
            console.print(f"Rounding {run.rounding}:" if run.rounding else f"Seed {run.seed}:")
        execute.execute(run, workers=workers, console=console)
    loose = []
    for chapter in [chapter.name for chapter in project.chapters()]:
        entries = _write(project, chapter, runs, rounded)
        loose += [f"{chapter}: {name}" for name, entry in entries.items() if is_loose(entry)]
    pages = [page.name for page in (project.pages() if project.only else project.chapters())]
    for path in project.baselines.glob("*.json"):
        if path.stem not in pages:
            path.unlink()
    return loose


def _write(project, chapter, runs, rounded) -> dict:
    """Write the baseline of one chapter and return its entries."""
    values, others = (
        [baselines.recorded(notebooks.read(execute.notebook_path(run, chapter))) for run in part]
        for part in (runs, rounded)
    )
    path = project.baselines / f"{chapter}.json"
    if not values[0]:
        path.unlink(missing_ok=True)
        return {}
    known = (baselines.read_json(path) or {}) if len(runs) == 1 else None
    entries = measure(values, others, known and known.get("entries"))
    seeds = known["seeds"] if known else range(len(runs))
    network = known.get("network") if known else baselines.course(runs[0])
    baselines.save(project, chapter, entries, seeds, network)
    return entries


def is_loose(entry) -> bool:
    """Tell whether a baseline says little because the value changes much from run to run."""
    spread = entry.get("spread")
    if entry.get("compare", "").startswith(("kind", "form")):
        return True
    return isinstance(spread, dict) and spread["pattern"] > LOOSE
