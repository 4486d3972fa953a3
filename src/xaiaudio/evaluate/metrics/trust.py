"""The measures of the leaderboard that destroy the network, or add noise nobody hears.

Both explain anew, so they are taken on a few cases.
"""

from __future__ import annotations

import numpy as np

from . import randomisation, sensitivity, similarity
from .registry import register
from .standard import TRUST

# Noises that each sound is tried with.
DRAWS = 2

# A patch of the front end cut out of the same sound again: rounding apart, no other one is so near.
_SAME = 1e-3


@register(
    "destroyed",
    title="destroyed",
    family=TRUST,
    unit="rank correlation",
    better="lower",
    low=-1,
    high=1,
    summary="likeness of the magnitudes to those for a network whose weights were all shuffled",
    source="Adebayo et al., Sanity checks for saliency maps, NeurIPS 2018",
    floor="worst",
)
def destroyed(trial):
    """Return the rank correlation of the magnitudes before and after all weights were shuffled."""
    if _drawn(trial):
        return trial.unknown()
    with randomisation.forgetting(trial.model, seed=trial.seed):
        after = trial.again()
    alike = similarity.similarity(trial.first, after)["absolute"]
    # A map that is flat before and after has no ranks; it is the same all the same.
    same = (trial.first == after).all(axis=(1, 2))
    return trial.spread(np.where(same, 1.0, alike))


@register(
    "sensitivity",
    title="sensitivity",
    family=TRUST,
    unit="share",
    better="lower",
    low=0,
    high=np.inf,
    summary="largest relative change of the map under noise 40 dB below the sound",
    source="Yeh et al., On the (in)fidelity and sensitivity of explanations, NeurIPS 2019",
    floor="worst",
)
def largest_change(trial):
    """Return the largest relative change of each map under noise; NaN where no sound is known."""
    patches = trial.once("patches with noise", lambda: _with_noise(trial))
    if patches is None or _drawn(trial):
        return trial.unknown()
    maps = np.stack([trial.again(patches=row) for row in patches])
    return trial.spread(sensitivity.relative(maps, trial.first).max(axis=0))


def _drawn(trial) -> bool:
    """Tell whether the maps are random numbers, which hang on nothing that could be changed."""
    return trial.subject.reference and trial.subject.seeded


def _with_noise(trial) -> np.ndarray | None:
    """Return the few cases' patches with noise in their sounds, (draws, n, frames, bands)."""
    waves = _waves(trial)
    if waves is None:
        return None
    noisy = sensitivity.noisy(waves, draws=DRAWS, seed=trial.seed)
    return np.stack([[trial.model.frontend(wave)[0] for wave in row] for row in noisy])


def _waves(trial) -> np.ndarray | None:
    """Return the sounds that the few cases' patches were cut from, (n, samples)."""
    clips = trial.cases.clips
    if not clips:
        return None
    frontend = trial.model.frontend.with_overlap(0.75)
    waves = []
    for index in trial.chosen:
        wave = clips[index].load(frontend.sample_rate)
        apart = np.abs(frontend(wave) - trial.cases.patches[index]).max(axis=(1, 2))
        if apart.min() > _SAME:
            return None
        waves.append(sensitivity.stretch(wave, frontend, int(apart.argmin())))
    return np.stack(waves)
