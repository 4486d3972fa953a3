"""Explanations as sound: what a network listened to, what it left, and what it says of either.

Maps become sounds by the masks of :mod:`xaiaudio.explainers.masking`; parts of a sound are sounds
already.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from ..errors import XaiAudioError
from ..explainers.answers import answers, overlap_of, percent
from ..explainers.masking import clip_map, kept_and_removed, mask_from_map, split
from ..explainers.parts import PartsExplanation
from ..models.tags import THRESHOLD
from ..stft import to_stft
from .loudness import gain_to_match
from .player import player

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ..explainers.answers import Answers
    from ..explainers.explanation import Explanation
    from ..models.classifier import AudioClassifier

__all__ = ["Listening", "clip_map", "kept_and_removed", "listen", "mask_from_map", "to_stft"]

LOUDNESS = ("same", "matched")
_THREE = ("original", "kept", "removed")


@dataclass(frozen=True)
class Listening:
    """A clip, split into what an explanation keeps and what it leaves.

    A notebook shows it as players, with what the network says of each sound.

    Attributes
    ----------
    original, kept, removed : ndarray of float32, shape (samples,)
        ``kept + removed`` is ``original``.
    mask : ndarray of float32, shape (T, bands), or None
        What the mel cells were multiplied by; None where parts of the sound were explained.
    sample_rate : int
        In hertz.
    method, target : str
        `target` is the class explained, or a list of them if it changes from patch to patch.
    targets : tuple of str
        The classes explained.
    parts : dict of str to ndarray of float32, shape (samples,)
        The residual and the parts of the sound, where it was explained by parts.
    about : dict of str to str
        What is to say of each part.
    gains : dict of str to float
        By how many dB a sound is played louder than it is; those that are not named by none.
    model : AudioClassifier or None
        Who is asked what it hears in the sounds as they are played.
    overlap : float or None
        Of the patches that it is asked about.
    threshold : float
        Above which a class is heard, of a network that can hear several at once.
    """

    original: np.ndarray
    kept: np.ndarray
    removed: np.ndarray
    mask: np.ndarray | None
    sample_rate: int
    method: str
    target: str
    targets: tuple[str, ...] = ()
    parts: dict[str, np.ndarray] = field(default_factory=dict)
    about: dict[str, str] = field(default_factory=dict)
    gains: dict[str, float] = field(default_factory=dict)
    model: AudioClassifier | None = field(default=None, compare=False, repr=False)
    overlap: float | None = None
    threshold: float = THRESHOLD

    @property
    def energy_kept(self) -> float:
        """Energy of the kept sound as a share of the original's; 0 for silence."""
        whole = float(np.sum(np.square(self.original, dtype=np.float64)))
        return float(np.sum(np.square(self.kept, dtype=np.float64))) / whole if whole > 0 else 0.0

    @functools.cached_property
    def answers(self) -> Answers | None:
        """What the network says of each sound as it is played; None if it is not known."""
        if self.model is None:
            return None
        return answers(
            self.model,
            self.sounds(),
            self.targets,
            overlap=self.overlap,
            threshold=self.threshold,
        )

    def captions(self) -> dict[str, str]:
        """Return what is heard in each of the sounds, and what the network says of it."""
        what = f"{self.target} by {self.method}"
        texts = {
            "original": "Original: the whole clip.",
            "kept": f"Kept: what speaks for {what}, {percent(self.energy_kept)} of the energy.",
            "removed": f"Removed: the clip without what speaks for {what}.",
            **self.about,
        }
        for name, gain in self.gains.items():
            texts[name] += f" Played {abs(gain):.1f} dB {'louder' if gain >= 0 else 'softer'}."
        said = self.answers
        return texts if said is None else {name: f"{texts[name]} {said[name]}" for name in texts}

    def sounds(self) -> dict[str, np.ndarray]:
        """Return the sounds by name, as they are played."""
        plain = {
            "original": self.original,
            "kept": self.kept,
            "removed": self.removed,
            **self.parts,
        }
        gains = {name: np.float32(10 ** (gain / 20)) for name, gain in self.gains.items()}
        return {
            name: np.clip(wave * gains[name], -1, 1) if name in gains else wave
            for name, wave in plain.items()
        }

    def _repr_html_(self) -> str:
        captions = self.captions()
        listed = "".join(
            player(wave, self.sample_rate, captions[name]) for name, wave in self.sounds().items()
        )
        return f'<div class="xa-players">{listed}</div>'


def listen(
    result: Explanation | PartsExplanation,
    wave: ArrayLike | None = None,
    *,
    keep: float | None = None,
    how: str = "mean",
    soften: float = 0.0,
    loudness: str = "same",
    model: AudioClassifier | None = None,
    overlap: float | None = None,
    threshold: float = THRESHOLD,
) -> Listening:
    """Make an explanation audible: the original, what it keeps and what it removes.

    Parameters
    ----------
    result : Explanation or PartsExplanation
        Of patches of `wave`; sound that lies in none of them is never kept. Or of parts of a sound:
        the parts that speak for the class are kept, and each part can be heard.
    wave : array_like of float, shape (samples,)
        The sound that the patches were made from, mono. Parts know theirs.
    keep : float, optional
        Share of the cells to keep; None weighs each by its relevance. See
        :func:`.explainers.masking.mask_from_map`. Cells of padding do not count. Of maps only.
    how : {"mean", "max"}
        How overlapping patches are joined, see :func:`.explainers.masking.clip_map`.
    soften : float
        By how many cells the mask is blurred, see :func:`.explainers.masking.mask_from_map`.
    loudness : {"same", "matched"}
        All at the gain of the original, or each as loud as it, as far as it does not clip. The
        caption states the gain.
    model : AudioClassifier, optional
        Who says what it hears in each sound; by default the network that was explained.
    overlap : float, optional
        Of the patches that it is asked about; by default as those explained.
    threshold : float
        Above which a class is heard, of a network that can hear several at once.

    Returns
    -------
    Listening

    Raises
    ------
    XaiAudioError
        If the patches are not in this sound, or it is not mono and finite.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> model = xa.load_model("lite")
    >>> wave = np.sin(np.arange(48_000) / 5).astype("float32")
    >>> heard = xa.listen(xa.explain(model, model.frontend(wave), "Rain"), wave)
    >>> bool(np.allclose(heard.kept + heard.removed, wave, atol=1e-6))
    True
    >>> list(heard.answers)
    ['original', 'kept', 'removed']
    """
    if loudness not in LOUDNESS:
        raise XaiAudioError(f"loudness is {loudness!r}: it must be one of {LOUDNESS}.")
    about: dict[str, str] = {}
    mask = None
    if isinstance(result, PartsExplanation):
        sounds, about = _of_parts(result, wave, keep), _about(result)
        rate, targets, cut_at = result.sample_rate, [result.target_label], result.overlap
    elif wave is None:
        raise XaiAudioError("The sound is missing: listen(result, wave).")
    else:
        cut = split(result, wave, keep=keep, how=how, soften=soften)
        sounds, mask, cut_at = cut.sounds(), cut.mask, overlap_of(result)
        rate, targets = result.frontend.sample_rate, list(dict.fromkeys(result.target_labels))
    original, kept, removed, *_ = sounds.values()
    gains = {}
    if loudness == "matched":
        gains = {
            name: gain_to_match(sound, original, rate)
            for name, sound in sounds.items()
            if name != "original"
        }
    return Listening(
        original=original,
        kept=kept,
        removed=removed,
        mask=mask,
        sample_rate=rate,
        method=result.method,
        target=" or ".join(targets),
        targets=tuple(targets),
        parts={name: sound for name, sound in sounds.items() if name not in _THREE},
        about=about,
        gains=gains,
        model=result.model if model is None else model,
        overlap=cut_at if overlap is None else overlap,
        threshold=threshold,
    )


def _of_parts(result, wave, keep) -> dict[str, np.ndarray]:
    if keep is not None:
        raise XaiAudioError(
            "keep is a share of cells: of parts, all that speak for the class stay."
        )
    result.check_sound(wave)
    return result.sounds()


def _about(result) -> dict[str, str]:
    """Say what each part of a sound is."""
    unit = "logit" if result.output == "logits" else "probability"
    texts = {"residual": "Residual: what lies in no part."}
    for name, row in zip(result.part_names, result.table(), strict=True):
        texts[name] = (
            f"{row['part'].capitalize()}: {percent(row['energy'])} of the energy, "
            f"{row['weight']:+.2g} to the {unit}."
        )
    return texts
