"""What a network says of the sounds that an explanation makes.

An explanation keeps a part of a sound because it speaks for a class. Whether the network still
hears the class in that part is another question, and the network answers it.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit, softmax

from ..errors import XaiAudioError
from ..models.heads import probabilities_of
from ..models.tags import THRESHOLD

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ..models.classifier import AudioClassifier
    from ..models.votes import ClipPrediction
    from .explanation import Explanation

#: The label of a sound without any patch that is no silence.
SILENCE = "silence"


@dataclass(frozen=True)
class Answer:
    """What a network says of one sound.

    Attributes
    ----------
    sound : str
        The sound's name, such as "kept".
    label : str
        The class that most patches were given, as `predict_clip` has it; "silence" for a sound
        that is silent.
    probability : float
        Of that class, the mean over the patches that are no silence; NaN for a silent sound.
    target : str
        The class explained; several are joined by "or". Empty if no class was asked for.
    target_probability : float
        Of the class explained, the largest if there are several; 0 for a silent sound.
    kept : bool
        Whether `label` is a class explained.

    Examples
    --------
    >>> from xaiaudio.explainers.answers import Answer
    >>> print(Answer("kept", "Dog bark", 0.71, "Rooster", 0.2, kept=False))
    The network hears Dog bark (probability 71%), not Rooster (20%).
    """

    sound: str
    label: str
    probability: float
    target: str
    target_probability: float
    kept: bool

    @property
    def silent(self) -> bool:
        """Whether the sound is silent: the network was not asked."""
        return bool(np.isnan(self.probability))

    def __str__(self) -> str:
        if self.silent:
            return "It is silent."
        heard = f"The network hears {self.label} (probability {self.probability:.0%})"
        if self.kept or not self.target:
            return f"{heard}."
        return f"{heard}, not {self.target} ({self.target_chance})."

    @property
    def target_chance(self) -> str:
        """The probability of the class explained, as it is written."""
        return percent(self.target_probability)

    @property
    def hears(self) -> str:
        """What the network hears."""
        return self.label


@dataclass(frozen=True)
class Several:
    """What a network that can hear several classes at once says of one sound.

    Attributes
    ----------
    sound : str
        The sound's name.
    probable : tuple of (str, float)
        Classes with their probabilities, the highest first: all that are heard, or else the two
        most probable. Empty for a silent sound. The highest probability of any patch that is no
        silence: of a scene, a mean would hide who sounds for a moment.
    heard : int
        How many of them are heard: their probability is above the threshold.
    target : str
        The class asked for; several are joined by "or". Empty if none was.
    target_probability : float
        Of the class asked for, the largest if there are several.
    kept : bool
        Whether a class asked for is heard.

    Examples
    --------
    >>> from xaiaudio.explainers.answers import Several
    >>> print(Several("scene", (("Dog bark", 0.91), ("Rain", 0.64)), heard=2))
    The network hears Dog bark (91%) and Rain (64%).
    >>> print(Several("scene", (("Dog bark", 0.31), ("Rain", 0.02)), heard=0))
    The network hears none of its classes; the most probable are Dog bark (31%) and Rain (2%).
    """

    sound: str
    probable: tuple[tuple[str, float], ...]
    heard: int
    target: str = ""
    target_probability: float = 0.0
    kept: bool = False

    @property
    def silent(self) -> bool:
        """Whether the sound is silent: the network was not asked."""
        return not self.probable

    @property
    def label(self) -> str:
        """The most probable class; "silence" for a sound that is silent."""
        return self.probable[0][0] if self.probable else SILENCE

    @property
    def probability(self) -> float:
        """Of the most probable class; NaN for a silent sound."""
        return self.probable[0][1] if self.probable else float("nan")

    @property
    def target_chance(self) -> str:
        """The probability of the class explained, as it is written."""
        return percent(self.target_probability)

    @property
    def hears(self) -> str:
        """What the network hears: all classes above the threshold."""
        if self.silent:
            return SILENCE
        return listed([label for label, _ in self.probable[: self.heard]])

    def __str__(self) -> str:
        if self.silent:
            return "It is silent."
        *most, last = [f"{label} ({percent(share)})" for label, share in self.probable]
        named = f"{', '.join(most)} and {last}" if most else last
        if not self.heard:
            are = "most probable are" if most else "most probable is"
            heard = f"The network hears none of its classes; the {are} {named}"
        else:
            heard = f"The network hears {named}"
        if self.kept or not self.target or any(label == self.target for label, _ in self.probable):
            return f"{heard}."
        return f"{heard}, not {self.target} ({percent(self.target_probability)})."


def listed(heard: Sequence[str]) -> str:
    """Write which classes a network hears that can hear several at once.

    Examples
    --------
    >>> from xaiaudio.explainers.answers import listed
    >>> listed(["Rain"]), listed(["Rain", "Dog bark"]), listed([])
    ('Rain', 'Rain and Dog bark', 'none of its classes')
    """
    *most, last = heard or ["none of its classes"]
    return f"{', '.join(most)} and {last}" if most else last


def percent(share: float) -> str:
    """Write a share in percent; a little is "below 1%", not 0%.

    Examples
    --------
    >>> from xaiaudio.explainers.answers import percent
    >>> percent(0.123), percent(0.004), percent(0.0)
    ('12%', 'below 1%', '0%')
    """
    return "below 1%" if 0 < share < 0.005 else f"{share:.0%}"


@dataclass(frozen=True)
class Answers(Mapping):
    """The answers to several sounds, by the sounds' names. A notebook shows them as a table.

    Examples
    --------
    >>> from xaiaudio.explainers.answers import Answer, Answers
    >>> answers = Answers((Answer("kept", "Rain", 0.9, "Rain", 0.9, True),))
    >>> answers["kept"].label, answers.verdict
    ('Rain', 'What is kept is still Rain for the network.')
    """

    rows: tuple[Answer | Several, ...]

    def __getitem__(self, sound: str) -> Answer | Several:
        for row in self.rows:
            if row.sound == sound:
                return row
        raise KeyError(sound)

    def __iter__(self) -> Iterator[str]:
        return (row.sound for row in self.rows)

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def verdict(self) -> str:
        """What the answer to *kept* says of the explanation, in a sentence."""
        kept = self["kept"]
        if kept.silent:
            return f"Nothing was kept: no part of the sound speaks for {kept.target}."
        if kept.kept:
            return f"What is kept is still {kept.target} for the network."
        return (
            f"What is kept speaks for {kept.target}, but alone it is {kept.hears} for the network."
        )

    def table(self) -> list[dict]:
        """Return a row for each sound: the fields of :class:`Answer`.

        Of a network that can hear several classes at once, the label is the most probable one.
        """
        names = [field.name for field in fields(Answer)]
        return [{name: getattr(row, name) for name in names} for row in self.rows]

    def __str__(self) -> str:
        width = max(map(len, self), default=0)
        return "\n".join(f"{row.sound:{width}}  {row}" for row in self.rows)

    def _repr_html_(self) -> str:
        head = "".join(
            f'<th scope="col">{name}</th>'
            for name in ("sound", "the network hears", "its probability", "the explained class's")
        )
        body = "".join(
            f'<tr><th scope="row">{html.escape(row.sound)}</th><td>{html.escape(row.hears)}</td>'
            f"<td>{'' if row.silent else f'{row.probability:.0%}'}</td>"
            f"<td>{row.target_chance}</td></tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def answers(
    model: AudioClassifier,
    sounds: Mapping[str, ArrayLike],
    targets: Sequence[str] = (),
    *,
    overlap: float | None = None,
    threshold: float = THRESHOLD,
) -> Answers:
    """Ask a network what it hears in sounds.

    Parameters
    ----------
    model : AudioClassifier
    sounds : mapping of str to array_like of float, shape (samples,)
        At the front end's rate. Those shorter than a patch are lengthened with silence.
    targets : sequence of str
        The classes that were explained; none if it is only asked what is heard.
    overlap : float, optional
        Of the patches; by default the front end's own.
    threshold : float
        Above which a class is heard, of a network that can hear several at once.

    Returns
    -------
    Answers
        In the order of the sounds.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.answers import answers
    >>> print(answers(xa.load_model("lite"), {"kept": np.zeros(16_000)}, ["Rain"])["kept"])
    It is silent.
    """
    return Answers(
        tuple(
            ask(model, name, wave, targets, overlap=overlap, threshold=threshold)
            for name, wave in sounds.items()
        )
    )


def ask(
    model: AudioClassifier,
    name: str,
    wave: ArrayLike,
    targets: Sequence[str] = (),
    *,
    overlap: float | None = None,
    threshold: float = THRESHOLD,
) -> Answer | Several:
    """Ask a network what it hears in one sound, in the way that its probabilities allow.

    Parameters
    ----------
    model : AudioClassifier
    name : str
        What the sound is called.
    wave : array_like of float, shape (samples,)
        At the front end's rate. One shorter than a patch is lengthened with silence.
    targets : sequence of str
        The classes asked for, if any.
    overlap : float, optional
        Of the patches; by default the front end's own.
    threshold : float
        Above which a class is heard, of a network that can hear several at once.

    Returns
    -------
    Answer or Several
        The second of a network that can hear several classes at once.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio.explainers.answers import ask
    >>> print(ask(xa.load_model("lite"), "nothing", np.zeros(16_000)))
    It is silent.
    """
    said = _predicted(model, wave, overlap)
    if one_of_all(model, wave, overlap):
        return _one(model, name, said, targets)
    return _several(model, name, said, targets, threshold)


def one_of_all(model: AudioClassifier, wave: ArrayLike, overlap: float | None = None) -> bool:
    """Tell whether a network's probabilities are of one class out of all, not of each by itself.

    Its last layer says so, or else which of the two makes its probabilities of its logits. Their
    sum does not: where one class is heard for certain, it is about 1 either way.
    """
    try:
        last = probabilities_of(model.network)
    except XaiAudioError:  # it takes samples: there is no graph of patches
        last = ""
    if last:
        return last == "softmax"
    patches = model.frontend(np.asarray(wave), overlap=overlap, pad=True)
    scores, logits = model.scores(patches), model.logits(patches)
    return bool(
        np.abs(softmax(logits, axis=1) - scores).max() < np.abs(expit(logits) - scores).max()
    )


def _predicted(model, wave, overlap) -> ClipPrediction:
    return model.predict_clip(np.asarray(wave), overlap, pad=True, silence=SILENCE)


def _wanted(model, targets) -> tuple[list[int], str]:
    """Return the numbers of the classes asked for, and how they are named together."""
    return [model.index(target) for target in targets], " or ".join(dict.fromkeys(targets))


def _one(model, name, said, targets) -> Answer:
    wanted, named = _wanted(model, targets)
    if not said.voted.any():
        return Answer(name, said.label, np.nan, named, 0.0, False)
    means = said.patch_scores[said.voted].mean(axis=0, dtype=np.float64)
    index = model.labels.index(said.label)
    of_target = float(means[wanted].max(initial=0.0))
    return Answer(name, said.label, float(means[index]), named, of_target, index in wanted)


def _several(model, name, said, targets, threshold) -> Several:
    wanted, named = _wanted(model, targets)
    if not said.voted.any():
        return Several(name, (), 0, named)
    most = said.patch_scores[said.voted].max(axis=0).astype(np.float64)
    count = int((most > threshold).sum())
    return Several(
        sound=name,
        probable=tuple(
            (model.labels[index], float(most[index]))
            for index in np.argsort(-most, kind="stable")[: count or 2]
        ),
        heard=count,
        target=named,
        target_probability=float(most[wanted].max(initial=0.0)),
        kept=bool((most[wanted] > threshold).any()),
    )


def overlap_of(result: Explanation) -> float | None:
    """Return how far the patches of an explanation overlap; None if they do not tell."""
    if result.starts is None or len(result.starts) < 2:
        return None
    steps, frames = np.diff(np.sort(result.starts)), result.maps.shape[1]
    regular = (steps == steps[0]).all() and 0 < steps[0] <= frames
    return float(1 - steps[0] / frames) if regular else None


def known(model: AudioClassifier | None, other: AudioClassifier | None) -> AudioClassifier:
    """Return the model to ask: the one given, or the one that was explained."""
    found = other if model is None else model
    if found is None:
        raise XaiAudioError(
            "This explanation does not know its network, as after loading: give it, "
            "check(..., model=model)."
        )
    return found
