"""Sounds on a page, each with what a network hears in that very sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..explainers.answers import ask
from .player import player

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike

    from ..explainers.answers import Answer, Several
    from ..models.classifier import AudioClassifier

#: What opens an answer that is folded away.
QUESTION = "What does the network hear?"


@dataclass(frozen=True, eq=False)
class Answered:
    """Sounds, and what a network says of each. A notebook shows players with the answers.

    Attributes
    ----------
    sounds : dict of str to ndarray of float32, shape (samples,)
        By their names.
    answers : dict of str to Answer or Several
        What the network says, by the same names.
    sample_rate : int
        In hertz.
    asked_of : dict of str to str
        What the network was asked about where it is not the sound itself.
    folded : bool
        Whether the answers are folded away until a reader opens them.
    """

    sounds: dict[str, np.ndarray]
    answers: dict[str, Answer | Several]
    sample_rate: int
    asked_of: dict[str, str] = field(default_factory=dict)
    folded: bool = False

    def said(self) -> dict[str, str]:
        """Return what the network says of each sound, in a sentence."""
        return {
            name: f"Asked about {self.asked_of[name]}, {text[0].lower()}{text[1:]}"
            if name in self.asked_of
            else text
            for name, text in ((name, str(answer)) for name, answer in self.answers.items())
        }

    def captions(self) -> dict[str, str]:
        """Return a caption for each sound: its name, and what the network says of it."""
        return {
            name: f"{name if name.endswith(tuple('.?!:')) else f'{name}.'} {text}"
            for name, text in self.said().items()
        }

    def _repr_html_(self) -> str:
        said, captions = self.said(), self.captions()
        listed = "".join(
            player(wave, self.sample_rate, name, folded=(QUESTION, said[name]))
            if self.folded
            else player(wave, self.sample_rate, captions[name])
            for name, wave in self.sounds.items()
        )
        return f'<div class="xa-players">{listed}</div>'


def answered(
    model: AudioClassifier,
    sounds: Mapping[str, ArrayLike],
    targets: str | Sequence[str] | Mapping[str, str] | None = None,
    *,
    overlap: float | None = None,
    threshold: float = 0.5,
    heard: Mapping[str, ArrayLike] | None = None,
    whole: str = "the pair",
    folded: bool = False,
) -> Answered:
    """Return players for several sounds, and under each what a network hears in that very sound.

    A sound is what it is, whatever it was kept for: the network may hear another class in a
    prototype, or in the part of a sound that speaks for a class. The caption says so.

    Parameters
    ----------
    model : AudioClassifier
        Who is asked. Of a network that can hear several classes at once (sigmoids, not a softmax)
        all that it hears are named, or else the two most probable.
    sounds : mapping of str to array_like of float, shape (samples,)
        What each is, and the sound in [-1, 1], at the rate of the model's front end. For the
        network, those shorter than a patch are lengthened with silence; the players have none.
    targets : str, sequence of str or mapping of str to str, optional
        The class that each sound is to be: one for all, several of which each will do, or by the
        names of the sounds. Where another class is heard, the caption says so. Of a sound without
        any it says only what the network hears.
    overlap : float, optional
        Of the patches that the network is asked about; by default the front end's own.
    threshold : float
        Above which a class is heard where several can be.
    heard : mapping of str to array_like of float, optional
        What the network is asked about in place of the sound of that name, such as the pair that
        it is one side of. The caption says so.
    whole : str
        What `heard` is called.
    folded : bool
        Fold the answers away, for those who want to listen first.

    Returns
    -------
    Answered

    Raises
    ------
    XaiAudioError
        For an unknown class, and where `targets` or `heard` name a sound that is not there.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> from xaiaudio import sonify
    >>> shown = sonify.answered(xa.load_model("lite"), {"Nothing": np.zeros(16_000)}, "Rain")
    >>> shown.captions()
    {'Nothing': 'Nothing. It is silent.'}
    """
    sounds = {str(name): np.asarray(wave, np.float32) for name, wave in sounds.items()}
    heard = dict(heard or {})
    of_each = targets if isinstance(targets, Mapping) else dict.fromkeys(sounds, targets)
    for what, names in (("targets", of_each), ("heard", heard)):
        if strange := [name for name in names if name not in sounds]:
            raise XaiAudioError(
                f"{what} has {strange[0]!r}, which is none of the sounds: {', '.join(sounds)}."
            )
    return Answered(
        sounds=sounds,
        answers={
            name: ask(
                model,
                name,
                heard.get(name, wave),
                _classes(of_each.get(name)),
                overlap=overlap,
                threshold=threshold,
            )
            for name, wave in sounds.items()
        },
        sample_rate=model.frontend.sample_rate,
        asked_of=dict.fromkeys(heard, whole),
        folded=folded,
    )


def _classes(targets) -> list[str]:
    if targets is None:
        return []
    return [targets] if isinstance(targets, str) else list(targets)
