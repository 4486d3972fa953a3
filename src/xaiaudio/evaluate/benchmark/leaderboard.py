"""The leaderboard: every method by every measure, computed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...explainers import registry
from ...explainers.base import Explainer
from ...explainers.engines.precision import PRECISIONS, precision_of
from ...models.tokens import attends
from ...progress import bar
from ..metrics.registry import find
from .board import Leaderboard
from .context import FEW, REFERENCES, Context, Reference, explain_cases
from .row_cache import RowCache
from .rows import Row
from .samples import Cases, cases_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ...datasets.base import ClipSet
    from ...models.classifier import AudioClassifier
    from ...types import PathLike


def leaderboard(
    model: AudioClassifier,
    clips: ClipSet | Cases,
    methods: Sequence[str | Explainer] | Mapping[str, str | Explainer] | None = None,
    measures: Sequence[str] | None = None,
    *,
    limit: int = 80,
    options: Mapping[str, dict] | None = None,
    references: Sequence[str] = REFERENCES,
    few: int = FEW,
    seed: int = 0,
    precision: str = "float32",
    cache: PathLike | None = None,
    progress: bool | None = None,
) -> Leaderboard:
    """Measure methods on a network and clips.

    Parameters
    ----------
    model : AudioClassifier
    clips : ClipSet or Cases
        One patch of each is explained, see `cases_of`.
    methods : sequence of str or Explainer, or dict of str to either, optional
        By default all of :func:`xaiaudio.methods`; those for transformers where the network has
        attention. What is trained first is given as an `Explainer`
        that was (`Explainer.fit`). A dict names the rows. A method that cannot treat the network,
        or has not been trained for it, gets a row that says why.
    measures : sequence of str, optional
        By default all of `xaiaudio.evaluate.measures`.
    limit : int
        Most clips to take.
    options : dict of str to dict, optional
        Method to its options, for methods that are given by name.
    references : sequence of {"chance", "uniform", "centre", "energy", "oracle"}
        Rows to compare with. The oracle needs clips whose events are known, and is left out else.
    few : int
        Clips for the measures that explain again and again (sanity, stability).
    seed : int
        Decides what is left to chance.
    precision : {"float32", "auto", "bfloat16"}
        Numbers in which the network is asked about many changed patches, by the methods that are
        given by name and by the measures. ``"auto"`` takes bfloat16, about twice as fast, where the
        processor has it and neither logits nor probabilities of these patches change by more than
        a bound, see :func:`.precision.precision_of`; the leaderboard says what was taken.
    cache : path-like, optional
        Folder for finished rows: an interrupted run goes on from there. A row counts as finished
        only if network, clips, options, measures and the package's own code are the same.
    progress : bool, optional
        Show a progress bar on stderr; None shows one on a terminal only.

    Returns
    -------
    Leaderboard

    Raises
    ------
    XaiAudioError
        For an unknown method, option, measure or class, or clips that cannot be used.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> book = xa.profile("mini")  # doctest: +SKIP
    >>> board = xa.evaluate.leaderboard(book.classifier(), book.split()[1])  # doctest: +SKIP
    >>> board.best("deletion")  # doctest: +SKIP
    'occlusion'
    """
    columns = find(measures)
    cases = clips if isinstance(clips, Cases) else cases_of(model, clips, limit)
    if methods is None:
        methods = tuple(registry.methods(attention=attends(model)))
    precision = _settled(model, precision, cases)
    options = _with_precision(methods, options or {}, precision)
    wanted = _rows(methods, options, references, known=cases.truth is not None)
    store = RowCache(cache, model, cases, columns, few, seed, precision) if cache else None
    rows: list[Row] = []
    shared: dict = {}
    with bar(len(wanted), progress, "Measuring") as step:
        for name, entry in wanted.items():
            step(0, name)
            row = store.find(entry) if store else None
            if row is None:
                about = {"seed": seed, "few": few, "shared": shared, "precision": precision}
                row = _measured(model, cases, entry, columns, about)
                if store:
                    store.keep(entry, row)
            rows.append(replace(row, name=name, method=entry.name, settings=_settings(entry, seed)))
            step()
    return Leaderboard(
        network=model.name,
        dataset=cases.dataset,
        cases=len(cases),
        left_out=cases.left_out,
        measures=columns,
        rows=tuple(rows),
        groups=cases.groups,
        unusable=cases.unusable,
        seed=seed,
        precision=precision,
    )


def _settled(model, precision, cases) -> str:
    """Return the numbers that suit all that is asked about the cases."""
    outputs = ("logits", "scores") if model.has_logits else ("scores",)
    asked = {precision_of(model, precision, np.asarray(cases.patches), one) for one in outputs}
    return min(asked, key=PRECISIONS.index)


def _settings(entry, seed) -> dict:
    """Return all options of a row, the seed of its maps, and the sum of what it learnt."""
    if isinstance(entry, Reference):
        return {"seed": seed} if entry.seeded else {}
    told = {**entry.with_seed(seed).settings, "upsample": entry.upsample}
    if entry.weights:
        told["SHA-256 of its weights"] = entry.weights_sum
    return told


def _with_precision(methods, options, precision) -> dict[str, dict]:
    """Return the options of methods that are given by name, with the precision where they have."""
    given = methods.values() if isinstance(methods, Mapping) else methods
    able = {one for one in given if isinstance(one, str) and Explainer(one).takes("precision")}
    added = {name: {"precision": precision, **options.get(name, {})} for name in sorted(able)}
    return {**options, **added}


def _rows(methods, options, references, known) -> dict[str, Explainer | Reference]:
    """Return what to measure by the names of the rows; without known events, no oracle."""
    given = methods if isinstance(methods, Mapping) else _named(methods)
    explainers = {
        name: Explainer(one, **options.get(one, {})) if isinstance(one, str) else one
        for name, one in given.items()
    }
    wrong = [name for name in references if name not in REFERENCES]
    if wrong:
        raise XaiAudioError(f"No reference is called {wrong[0]!r}: there are {REFERENCES}.")
    kept = {name: Reference(name) for name in references if known or name != "oracle"}
    taken = [name for name in explainers if name in kept]
    if taken:
        raise XaiAudioError(f"{taken[0]!r} is the name of a reference: name the row otherwise.")
    return {**explainers, **kept}


def _named(methods) -> dict[str, str | Explainer]:
    """Name the rows after their methods; the same name twice counts once."""
    found: dict[str, str | Explainer] = {}
    for one in methods:
        name = one.name if isinstance(one, Explainer) else one
        if name in found and not (isinstance(one, str) and one == found[name]):
            raise XaiAudioError(
                f"Two rows would be called {name!r}: give a dict of names and explainers."
            )
        found[name] = one
    return found


def _measured(model, cases, entry, columns, about) -> Row:
    """Make a row; what the method cannot do becomes its text."""
    reference, seed = isinstance(entry, Reference), about["seed"]
    try:
        # The first call compiles, which is no part of what a map takes.
        explain_cases(entry, model, cases.part([0]), seed)
        result = explain_cases(entry, model, cases, seed)
    except XaiAudioError as error:
        return Row(entry.name, reference, {}, error=str(error))
    context = Context(model, cases, entry, result, **about)
    values, notes = {}, {}
    for one in columns:
        try:
            values[one.name] = one.values(context)
        except XaiAudioError as error:
            values[one.name], notes[one.name] = context.missing(), str(error)
    seconds = result.seconds / len(cases)
    return Row(entry.name, reference, values, seconds, notes=notes)
