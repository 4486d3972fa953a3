"""What an interpreter says of a whole sound: its components, their relevance, their sounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from ...errors import XaiAudioError
from ...frontend_settings import check_wave
from ...models.hearing import hear, voting
from ...stft import analyse, rows_of, synthesise
from ..engines.components import Components
from ..masking import laid_over
from ..parts import PartsExplanation
from .l2i import answers_of, chosen, relevance

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

    from ...frontend import LogMel
    from ...models.classifier import AudioClassifier
    from ..base import Explainer

_EPSILON = 1e-6


@dataclass(frozen=True, eq=False)
class Interpretation:
    """A sound as a sum of a dictionary's components, and how much each speaks for a class.

    Attributes
    ----------
    wave : ndarray of float32, shape (samples,)
    frontend : LogMel
    dictionary : ndarray of float32, shape (bins, K)
    activations : ndarray of float32, shape (T, K)
        Over the frames of the sound.
    relevance : ndarray of float32, shape (K,)
        In [-1, 1], see :func:`.l2i.relevance`.
    contributions : ndarray of float32, shape (K,)
        What each adds to the linear layer's logit: their sum is that logit.
    relevant : ndarray of int
        The components that are kept, the most relevant first. Empty if none speaks for the class.
    target : int
    labels : tuple of str
    """

    wave: np.ndarray
    frontend: LogMel
    dictionary: np.ndarray
    activations: np.ndarray
    relevance: np.ndarray
    contributions: np.ndarray
    relevant: np.ndarray
    target: int
    labels: tuple[str, ...]

    @property
    def target_label(self) -> str:
        """The class explained, by name."""
        return self.labels[self.target]

    def mask(self, numbers: ArrayLike) -> np.ndarray:
        """Return the share of components in each bin of the sound's frames, float32 (T, bins).

        The masks of all components sum to 1 wherever anything is active.
        """
        numbers = self._checked(numbers)
        part = self.activations[:, numbers] @ self.dictionary[:, numbers].T
        return part / (self.activations @ self.dictionary.T + _EPSILON)

    def _checked(self, numbers) -> np.ndarray:
        """Return numbers of components as an array of int, or say which one there is not."""
        found, count = np.asarray(numbers), self.activations.shape[1]
        if not found.size:
            return found.astype(int)
        if found.ndim != 1 or found.dtype.kind not in "iu":
            raise XaiAudioError(f"These are no numbers of components: {numbers!r}.")
        if found.min() < 0 or found.max() >= count:
            raise XaiAudioError(
                f"There is no component {found[(found < 0) | (found >= count)][0]}: their numbers "
                f"are 0 to {count - 1}."
            )
        return found.astype(int)

    def sound(self, numbers: ArrayLike, *, logarithmic: bool = False) -> np.ndarray:
        """Return what some components are of the sound, float32 (samples,).

        Parameters
        ----------
        numbers : array_like of int
            Which components; none gives silence.
        logarithmic : bool
            False lays the mask m over the complex transform, so that kept and removed sum to the
            sound. True is the authors' way, a mask on the logarithm ``log(1 + |X|)``: the magnitude
            becomes ``(1 + |X|)^m - 1``, and two sounds do not sum to a third.
        """
        spectrum = analyse(self.wave, self.frontend)
        rows = rows_of(len(self.wave), len(self.activations), self.frontend)
        mask = self.mask(numbers)[rows]
        if logarithmic:
            heights = np.abs(spectrum)
            mask = np.expm1(mask * np.log1p(heights)) / np.maximum(heights, 1e-12)
        return synthesise(spectrum * mask, len(self.wave), self.frontend).astype(np.float32)

    def parts(self, numbers: ArrayLike | None = None) -> Components:
        """Return components as parts of the sound, and all others as what always stays.

        Parameters
        ----------
        numbers : array_like of int, optional
            By default the relevant ones.

        Raises
        ------
        XaiAudioError
            If there are none.
        """
        numbers = self._checked(self.relevant if numbers is None else numbers)
        if not len(numbers):
            raise XaiAudioError(
                f"No component speaks for {self.target_label}: there is no part to play. Name "
                "some by their numbers."
            )
        sounds = np.stack([self.sound([number]) for number in numbers])
        return Components.of_sources(self.wave, sounds, [f"component {n}" for n in numbers])

    def explanation(
        self, model: AudioClassifier, numbers: ArrayLike | None = None, overlap: float | None = None
    ) -> PartsExplanation:
        """Return components as an explanation by parts, to be played, checked and mixed.

        Parameters
        ----------
        model : AudioClassifier
            The network, to be asked about the sounds.
        numbers : array_like of int, optional
            By default the relevant ones, see :meth:`parts`.
        overlap : float, optional
            Of the patches that the sounds are cut into.

        Returns
        -------
        PartsExplanation
            Its weights are the components' contributions to the linear layer's logit: it was not
            found by asking the network about mixtures.
        """
        parts = self.parts(numbers)
        chosen = np.asarray(self.relevant if numbers is None else numbers, int)
        voted = voting(model, self.wave, overlap)
        return PartsExplanation(
            components=parts,
            weights=self.contributions[chosen].astype(np.float64),
            target=self.target,
            scores=hear(model, self.wave[None], overlap=overlap, voted=voted)[0],
            labels=self.labels,
            method="l2i",
            options={},
            output="logits",
            sample_rate=self.frontend.sample_rate,
            errors=np.zeros(len(chosen)),  # nothing was drawn
            overlap=overlap,
            model=model,
        )


def removal(
    model: AudioClassifier, heard: Interpretation, numbers: ArrayLike, overlap: float = 0.5
) -> tuple[float, float]:
    """Return by how much the network's answer falls when components are taken out of the sound.

    Parameters
    ----------
    model : AudioClassifier
    heard : Interpretation
    numbers : array_like of int
        The components.
    overlap : float
        Of the patches that the sounds are cut into.

    Returns
    -------
    logit, probability : float
        Of the class explained: of the sound, minus of what is left of it.
    """
    waves = np.stack([heard.wave, heard.wave - heard.sound(numbers)])
    voted, falls = voting(model, heard.wave, overlap), []
    for output in ("logits", "scores"):
        before, after = hear(model, waves, output=output, overlap=overlap, voted=voted)
        falls.append(float(before[heard.target] - after[heard.target]))
    return falls[0], falls[1]


def atom(
    dictionary: np.ndarray,
    number: int,
    frontend: LogMel,
    *,
    seconds: float = 1.0,
    seed: int = 0,
) -> np.ndarray:
    """Return a sound of one spectrum of a dictionary: noise that has its shape.

    A spectrum says nothing of phases or of time: what is heard is its colour.

    Parameters
    ----------
    dictionary : ndarray of float, shape (bins, K)
        Of logarithms ``log(1 + |X|)``.
    number : int
        Which column.
    frontend : LogMel
    seconds : float
    seed : int
        Of the noise.

    Returns
    -------
    ndarray of float32, shape (samples,)
        Its largest magnitude is 0.5; zeros for an empty column.
    """
    samples = round(seconds * frontend.sample_rate)
    noise = np.random.default_rng(seed).normal(0, 0.1, samples)
    column = dictionary[:, number] / max(dictionary[:, number].max(), _EPSILON)
    # As loud as a spectrum whose strongest bin has the magnitude 10.
    shape = np.expm1(np.log1p(10) * column)
    wave = synthesise(analyse(noise, frontend) * shape, samples, frontend)
    largest = np.abs(wave).max()
    return (0.5 * wave / largest if largest > 0 else wave).astype(np.float32)


def interpret(
    explainer: Explainer,
    model: AudioClassifier,
    wave: ArrayLike,
    target: str | int | None = None,
    *,
    overlap: float = 0.5,
) -> Interpretation:
    """Say with which components of a dictionary a network is explained on a whole sound.

    Parameters
    ----------
    explainer : Explainer
        ``l2i``, trained for the model.
    model : AudioClassifier
    wave : array_like of float, shape (samples,)
        At the model's rate.
    target : str or int, optional
        By default the class that the network gives the sound.
    overlap : float
        Of the patches. Where they overlap, activations are averaged; patches that are silence
        beside the loudest say nothing of relevance.

    Returns
    -------
    Interpretation

    Raises
    ------
    XaiAudioError
        If the explainer is another method, not trained, or trained for another network.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> from xaiaudio.explainers.trained.concepts import interpret
    >>> book = xa.profile("mini")  # doctest: +SKIP
    >>> heard = interpret(book.interpreter("l2i"), book.classifier(), wave)  # doctest: +SKIP
    >>> heard.parts().names  # doctest: +SKIP
    ('component 31', 'component 4')
    """
    if explainer.name != "l2i":
        raise XaiAudioError(f"{explainer.name} has no dictionary: give a trained l2i.")
    weights, wave = explainer.learnt(), check_wave(wave)
    patches = model.frontend(wave, overlap=overlap, pad=True)
    active, pooled, _ = answers_of(model, patches.values, explainer.options, weights)
    voted = voting(model, wave, overlap)
    if target is None:
        index = int(hear(model, wave[None], overlap=overlap, voted=voted)[0].argmax())
    else:
        index = model.index(target)
    adds = pooled[voted].mean(axis=0) * weights["theta/classes/kernel"][:, index]
    share = relevance(adds, 1.0)
    kept = np.flatnonzero(chosen(share, explainer.options))
    return Interpretation(
        wave=wave.astype(np.float32),
        frontend=model.frontend,
        dictionary=weights["dictionary"],
        activations=_over_the_sound(active, patches),
        relevance=share,
        contributions=adds,
        relevant=kept[np.argsort(-share[kept], kind="stable")],
        target=index,
        labels=tuple(model.labels),
    )


def _over_the_sound(active, patches) -> np.ndarray:
    """Average the activations of patches over the frames of their sound, float32 (T, K)."""
    found = laid_over(active, patches.starts, patches.length)
    last = patches.starts.max() + active.shape[1] - 1
    found[last + 1 :] = found[last]  # frames behind the last whole patch go on as it ends
    return found
