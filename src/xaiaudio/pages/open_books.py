"""The books of a speech model: a card of the model, and one of its data, filled in from a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from .card import table_of_facts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..datasets.base import ClipSet
    from ..models.speech.corpus import Pools, Strings
    from ..models.speech.training import Model


@dataclass(frozen=True)
class Sheet:
    """A card: a title and facts in parts. A notebook shows it as tables.

    Attributes
    ----------
    title : str
    parts : dict of str to dict of str to str
        By heading: names and what is true of them, plain text.
    """

    title: str
    parts: Mapping[str, Mapping[str, str]]

    def markdown(self) -> str:
        """Return it as Markdown in which no text can be markup."""
        return table_of_facts(self.title, self.parts, html=False)

    def _repr_html_(self) -> str:
        return table_of_facts(self.title, self.parts, html=True)


def model_card(model: Model, results: Mapping[str, str], limits: Sequence[str] = ()) -> Sheet:
    """Return what has to be said of a model: what it is, how it was made, how well it does.

    After M. Mitchell and others, "Model cards for model reporting", FAT* 2019.

    Parameters
    ----------
    model : Model
    results : mapping of str to str
        What was measured, and the value with its unit.
    limits : sequence of str
        What it is not for.

    Returns
    -------
    Sheet
    """
    network = model.network
    course = {
        f"loss of the {name} after the last epoch": f"{values[-1]:.3f}"
        for name, values in model.course.items()
        if values
    }
    return Sheet(
        "Model card",
        {
            "What it is": {
                "kind": "encoder-decoder transformer that writes digits from sound",
                "weights": f"{network.count_params():,}",
                "input": "3.2 s of sound at 8 kHz, as 320 frames of 40 mel bands",
                "output": "digits, and the times at which they begin",
            },
            "How it was made": {
                name.replace("_", " "): _said(value) for name, value in asdict(model.recipe).items()
            }
            | {"seconds of training": f"{model.seconds:.0f}"}
            | course,
            "How well it does": dict(results),
            "What it is not for": {str(k): text for k, text in enumerate(limits, 1)},
        },
    )


def data_card(clips: ClipSet, pools: Pools, strings: Strings) -> Sheet:
    """Return what has to be said of the data that a model learnt from.

    After T. Gebru and others, "Datasheets for datasets", Communications of the ACM 64, 2021.

    Parameters
    ----------
    clips : ClipSet
        The recordings of single digits.
    pools : Pools
        Their words in three parts.
    strings : Strings
        What was put together of the first part.

    Returns
    -------
    Sheet
    """
    parts = {"train": pools.train, "familiar": pools.familiar, "strangers": pools.strangers}
    first, last = strings.onsets, strings.ends
    spoken = float((last - first)[last == last].sum())
    digits = [digit for said in strings.digits for digit in said]
    return Sheet(
        "Data card",
        {
            "Recordings": {
                "set": clips.name,
                "licence": ", ".join(sorted({clip.licence for clip in clips})),
                "by": ", ".join(sorted({clip.author for clip in clips})),
                "clips": f"{len(clips):,}",
            },
            "Words": {
                name: f"{len(words):,} of {len({word.speaker for word in words})} voices"
                for name, words in parts.items()
            },
            "Strings to learn from": {
                "strings": f"{len(strings):,}",
                "digits": f"{len(digits):,}",
                "seconds of speech": f"{spoken:,.0f}",
                "rarest and most frequent digit": " and ".join(
                    f"{count:,}" for count in sorted(map(digits.count, range(10)))[::9]
                ),
                "voices": ", ".join(sorted({*strings.speakers})),
            },
        },
    )


def _said(value) -> str:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or "nothing"
    return str(value) if value != "" else "nothing"
