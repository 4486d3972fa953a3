"""A card of an explanation: what was asked, of what, how, what came out, and what was not shown.

Nothing on a card is typed. Each entry is read from the network, the clips or the leaderboard.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...errors import XaiAudioError
from .card_entries import Entries
from .findings import Finding, findings

if TYPE_CHECKING:
    from ...models.classifier import AudioClassifier
    from ...models.training.testing import TestResult
    from ...types import PathLike
    from .board import Leaderboard
    from .samples import Cases


@dataclass(frozen=True)
class Card:
    """What is to be told with an explanation, so that others can judge and repeat it.

    Attributes
    ----------
    title : str
    model, data : dict of str to str
        What the network is, and the clips, by the names of the entries.
    clips : tuple of dict
        Of each clip measured on: ``clip`` (its name or fingerprint), ``class``, ``fold``,
        ``licence``, ``author``, ``source``.
    methods : dict of str to dict
        Row to the method's name, summary, needs, paper and all its options.
    run : dict of str to str
        Seed, versions, and how many recordings the intervals are over.
    findings : tuple of Finding
    silent : tuple of (str, str, str)
        Method, measure, and why there is no answer.
    not_shown : tuple of str
        What this run leaves open.
    again : str
        How to run it once more; empty if unknown.
    """

    title: str
    model: Mapping[str, str]
    data: Mapping[str, str]
    clips: tuple[Mapping[str, str], ...]
    methods: Mapping[str, Mapping[str, str]]
    run: Mapping[str, str]
    findings: tuple[Finding, ...]
    silent: tuple[tuple[str, str, str], ...] = ()
    not_shown: tuple[str, ...] = ()
    again: str = ""

    def finding(self, method: str, measure: str) -> Finding:
        """Return what a measure says of a method.

        Raises
        ------
        XaiAudioError
            If it says nothing.
        """
        for one in self.findings:
            if (one.method, one.measure) == (method, measure):
                return one
        raise XaiAudioError(f"The card has no answer of {measure!r} for {method!r}.")


def card(
    model: AudioClassifier,
    cases: Cases,
    board: Leaderboard,
    *,
    file: PathLike | None = None,
    tested: TestResult | None = None,
    again: str = "",
    hide_names: bool = False,
) -> Card:
    """Fill in the card of the methods of a leaderboard.

    Parameters
    ----------
    model : AudioClassifier
        The network that was explained.
    cases : Cases
        What the leaderboard was measured on.
    board : Leaderboard
    file : path-like, optional
        Where the network lies, for its name and its SHA-256 sum.
    tested : TestResult, optional
        How the network does on held-out clips (:func:`xaiaudio.models.test`). Without, what its
        history says.
    again : str
        The command or the code that made the run.
    hide_names : bool
        True names no clip, author, source or path of a clip. Each clip has a fingerprint instead:
        the beginning of the SHA-256 sum of its file, by which whoever has the file finds it.

    Returns
    -------
    Card
        To be written by :func:`xaiaudio.pages.card.write`.

    Raises
    ------
    XaiAudioError
        If the leaderboard is of another network or of other clips, or a file cannot be read.

    References
    ----------
    Mitchell et al. 2019, Model cards for model reporting; Gebru et al. 2021, Datasheets for
    datasets: the idea of a page of fixed questions. The questions here are ours.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> book = xa.profile("mini")  # doctest: +SKIP
    >>> model = book.classifier()  # doctest: +SKIP
    >>> cases = xa.evaluate.cases_of(model, book.split()[1], 20)  # doctest: +SKIP
    >>> board = xa.evaluate.leaderboard(model, cases, ["gradcam"])  # doctest: +SKIP
    >>> print(xa.evaluate.card(model, cases, board).not_shown[0])  # doctest: +SKIP
    """
    _check(model, cases, board)
    filled = Entries(model, cases, board, hide_names)
    return Card(
        title=f"{', '.join(filled.rows)}: maps of {model.name} on {cases.dataset}",
        model=filled.model_facts(file, tested),
        data=filled.data_facts(),
        clips=filled.clip_facts(),
        methods={name: filled.method_facts(name) for name in filled.rows},
        run=filled.run_facts(),
        findings=tuple(findings(board)),
        silent=tuple(filled.silent()),
        not_shown=tuple(filled.not_shown(tested)),
        again=again,
    )


def _check(model, cases, board) -> None:
    mine = (model.name, cases.dataset, len(cases), cases.groups)
    its = (board.network, board.dataset, board.cases, board.groups)
    whats = ("another network", "another set", "other clips", "other recordings")
    for what, one, other in zip(whats, mine, its, strict=True):
        if one != other:
            raise XaiAudioError(
                f"The leaderboard is of {what}: give the network and the cases that it was "
                "measured on."
            )
    if not any(not row.reference for row in board.rows):
        raise XaiAudioError("The leaderboard has no method, so that there is nothing to report.")
