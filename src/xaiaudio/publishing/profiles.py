"""What differs between a small offline run of the book and the real thing.

Every chapter runs under each profile from the same source. A chapter asks its profile for the
clips, the split and the retrained network; whoever asks first trains, under a lock, and the rest
load what it left in the cache.
"""

from __future__ import annotations

import dataclasses
import functools
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from .. import cache
from ..datasets import ClipSet
from ..datasets import load as load_clips
from ..datasets.registry import SETS, place
from ..errors import XaiAudioError, meant
from ..models import backbones

if TYPE_CHECKING:
    from typing import Any

    import numpy as np

    from ..explainers.base import Explainer
    from ..models.classifier import AudioClassifier
    from ..models.designs.base import SelfExplaining
    from ..models.generative import Generator, Space
    from ..models.training.tables import PatchTable


@dataclass(frozen=True)
class Profile:
    """One way to run the book.

    Attributes
    ----------
    name, dataset, backbone : str
        `dataset` is what :func:`xaiaudio.datasets.load` takes, `backbone` what
        :func:`xaiaudio.models.backbone` takes.
    summary : str
        One line for people.
    overlap : float
        Share of a patch that the next one repeats.
    epochs, batch_size, learning_rate, halve_every, validate_every
        The options of the retraining, see :func:`xaiaudio.models.transfer`.
    frozen_epochs : int
        Epochs of the variant that keeps the backbone as it is.
    test_fold : int
        The fold that is held out.
    measured : int
        Clips that a measurement over many takes at most.
    taught : int, optional
        Clips to train on that an interpreter learns from at most; by default all.
    speech : {"digits", "fsdd"}
        The module of ``xaiaudio.datasets`` that chapters on speech take spoken digits from.
    quick_speech : bool
        Whether their model hears each string less often, see
        :func:`xaiaudio.models.speech.training.recipe`.
    seed : int
        Decides the shuffling, the new layer's first weights and what LIME draws.
    """

    name: str
    dataset: str
    backbone: str
    summary: str
    overlap: float = 0.75
    epochs: int = 5
    batch_size: int = 128
    learning_rate: float = 1e-3
    halve_every: int = 2
    validate_every: int = 50
    frozen_epochs: int = 20
    test_fold: int = 5
    measured: int = 20
    taught: int | None = None
    speech: str = "digits"
    quick_speech: bool = False
    seed: int = 0

    def clips(self, *, progress: bool = True) -> ClipSet:
        """Return all recordings of this profile, fetched or generated if need be."""
        return _clips(self.dataset, cache.home(), place(self.dataset), progress)

    def split(self, fold: int | None = None) -> tuple[ClipSet, ClipSet]:
        """Return the clips to train on and the held-out clips."""
        return self.clips(progress=False).split(self.test_fold if fold is None else fold)

    def classifier(self, *, freeze: bool = False, progress: bool = True) -> AudioClassifier:
        """Return the backbone retrained on this profile's clips.

        The first call trains it and keeps it in the cache; later calls, also from other
        processes, load it. Interrupted training goes on where its last epoch ended.

        Parameters
        ----------
        freeze : bool
            True keeps the backbone's weights and trains the new layer alone.
        progress : bool
            Show a progress bar while training.

        Returns
        -------
        AudioClassifier
            With the course of its training in ``history``.
        """
        from .. import models

        path = cache.home() / "models" / f"{self.name}-{self._key(freeze)}.keras"

        def build(file, checkpoints):
            self._train(freeze, checkpoints, progress).save(file)

        return cache.artifact(path, build, models.load_model, resume=True)

    def interpreter(
        self,
        name: str,
        *,
        model: AudioClassifier | None = None,
        **options: Any,
    ) -> Explainer:
        """Return a trained method that was fitted to this profile's clips and network.

        The first call trains it and keeps it in the cache; later calls, also from other chapters,
        load it. It learns from the clips to train on, as many of them as `taught` says, never from
        the held-out ones.

        Parameters
        ----------
        name : str
            A name from ``xaiaudio.methods(trained=True)``.
        model : AudioClassifier, optional
            The network to interpret; by default :meth:`classifier`.
        **options
            The method's own. Its seed is the profile's unless it is given.

        Returns
        -------
        Explainer

        Raises
        ------
        XaiAudioError
            For an unknown method or option, or a method that is not trained.
        """
        from ..explainers.base import Explainer
        from ..explainers.registry import find
        from ..explainers.trained.weights import fingerprint

        model = self.classifier() if model is None else model
        asked = Explainer(name, **options)
        if "seed" not in options:
            asked = asked.with_seed(self.seed)
        train, _ = self.split()
        if self.taught:  # every second of them, or every third
            train = train[:: -(-len(train) // self.taught)]
        about = [(clip.name, clip.label, clip.fold) for clip in train]
        key = cache.key(
            [name, asked.settings, about, fingerprint(model)],
            modules=(find(name).function.__module__.removeprefix("xaiaudio."),),
            files=[clip.path for clip in train],
        )
        return cache.artifact(
            cache.home() / "interpreters" / f"{self.name}-{name}-{key}.npz",
            lambda file: Explainer.fit(name, model, train, **asked.settings).save(file),
            Explainer.load,
        )

    def designed(
        self, name: str, *, fold: int | None = None, shuffled: bool = False, **options: Any
    ) -> SelfExplaining:
        """Return a network that explains itself, trained on this profile's clips.

        The first call trains it and keeps it in the cache; later calls, also from other chapters,
        load it. It learns from the clips to train on, never from the held-out ones.

        Parameters
        ----------
        name : str
            One of the designs, see :func:`xaiaudio.models.train_design`.
        fold : int, optional
            The fold to hold out; the profile's own by default.
        shuffled : bool
            True deals the labels out anew: a control.
        **options
            The design's own. Its seed is the profile's unless it is given.

        Raises
        ------
        XaiAudioError
            For an unknown design or option.
        """
        from .. import models
        from ..models.designs import registry

        design = registry.find(name)
        chosen = asdict(design.parse({"seed": self.seed, **options}))
        train, _ = self.split(fold)
        about = [(clip.name, clip.label, clip.fold) for clip in train]
        address, files = backbones.weights(self.backbone)
        key = cache.key(
            [name, chosen, shuffled, about, address],
            modules=(design.train.__module__.removeprefix("xaiaudio."), *self.modules),
            files=[*(clip.path for clip in train), *files],
        )

        def build(file):
            names = frozenset(clip.name for clip in train)
            if design.prepare is None:
                table = _all_patches(self.dataset, self.backbone, chosen["overlap"])
                table = table.part([clip in names for clip in table.names])
            else:
                table = _prepared(design, self.dataset, self.backbone, names, chosen["seed"])
            made = models.train_design(name, table, self.backbone, shuffled=shuffled, **chosen)
            made.save(file)

        path = cache.home() / "designs" / f"{self.name}-{name}-{key}.keras"
        return cache.artifact(path, build, models.load_model)

    def transformer(self, *, overlap: float = 0.5, **options: Any) -> AudioClassifier:
        """Return a small transformer over tiles of the spectrogram, trained from nothing.

        The first call trains it and keeps it in the cache; later calls, also from other chapters,
        load it. It learns from the clips to train on, never from the held-out ones.

        Parameters
        ----------
        overlap : float
            Of the patches that it learns from.
        **options
            See :class:`xaiaudio.models.networks.transformer.Options`. Its seed is the profile's
            unless it is given.

        Raises
        ------
        XaiAudioError
            If an option makes no sense.
        """
        from .. import models
        from ..models.designs.lessons import lessons
        from ..models.networks.transformer import Options, train

        chosen = Options(**{"seed": self.seed, **options})
        clips, _ = self.split()
        about = [(clip.name, clip.label, clip.fold) for clip in clips]
        key = cache.key(
            [asdict(chosen), overlap, about, self.backbone],
            modules=("models.networks.transformer", *self.modules),
            files=[clip.path for clip in clips],
        )

        def build(file):
            frontend = backbones.find(self.backbone).frontend().with_overlap(overlap)
            names = {clip.name for clip in clips}
            table = _all_patches(self.dataset, self.backbone, overlap)
            table = table.part([clip in names for clip in table.names])
            train(lessons(table, frontend, seed=chosen.seed), chosen).save(file)

        path = cache.home() / "transformers" / f"{self.name}-{key}.keras"
        return cache.artifact(path, build, models.load_model)

    def generator(
        self, space: Space, patches: np.ndarray, targets: np.ndarray, **options: Any
    ) -> Generator:
        """Return a generator of sounds that learnt from these patches, and from nothing else.

        The first call trains it and keeps it in the cache; later calls, also from other chapters,
        load it.

        Parameters
        ----------
        space : xaiaudio.models.generative.Space
            Where it works.
        patches : ndarray of float32, shape (n, frames, bands)
        targets : ndarray of int, shape (n,)
            Their classes, as indices into the labels of the profile's clips.
        **options
            See :class:`xaiaudio.models.generative.Options`. Its seed is the profile's unless it
            is given.

        Raises
        ------
        XaiAudioError
            If there is nothing to learn from, or an option makes no sense.
        """
        from ..models.generative import Generator, Options, train

        chosen = Options(**{"seed": self.seed, **options})
        labels = self.clips(progress=False).labels
        arrays = [space.mean, space.basis, patches, targets]
        key = cache.key(
            [asdict(chosen), labels, space.scale, space.frontend.to_config()],
            [cache.sum_of_arrays(arrays)],
            modules=("models.generative.flow",),
        )
        return cache.artifact(
            cache.home() / "generators" / f"{self.name}-{key}.npz",
            lambda file: train(space, patches, targets, labels, chosen).save(file),
            Generator.load,
        )

    def _train(self, freeze: bool, resume: Path, progress: bool):
        from .. import models

        train, test = self.split()
        return models.transfer(
            models.backbone(self.backbone),
            train,
            test,
            epochs=self.frozen_epochs if freeze else self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.learning_rate,
            # A new layer alone needs its 20 epochs: transfer() knows how fast to slow down.
            halve_every=None if freeze else self.halve_every,
            validate_every=self.validate_every,
            overlap=self.overlap,
            freeze=freeze,
            seed=self.seed,
            resume=resume,
            progress=progress,
        )

    def _key(self, freeze: bool) -> str:
        """Name a trained network after everything that shaped it."""
        clips = self.clips(progress=False)
        about = [(clip.name, clip.label, clip.fold) for clip in clips]
        # No network of this profile depends on them.
        apart = ("measured", "taught", "speech", "quick_speech")
        options = {name: value for name, value in asdict(self).items() if name not in apart}
        address, files = backbones.weights(self.backbone)
        return cache.key(
            [options, freeze, about, address],
            modules=("models.training.transfer", *self.modules),
            files=[*(clip.path for clip in clips), *files],
        )

    @property
    def modules(self) -> tuple[str, str]:
        """The modules of the package that the sounds and the backbone come from."""
        return (
            f"datasets.{SETS[self.dataset].module}",
            f"models.{backbones.find(self.backbone).module}",
        )


@functools.lru_cache(maxsize=4)
def _clips(dataset, home, local_copy, progress) -> ClipSet:
    """Load a set of clips once a process: that all its files are there takes a tenth of a second.

    Another cache folder, or another local copy, is another set.
    """
    return load_clips(dataset, progress=progress)


@functools.lru_cache(maxsize=1)
def _all_patches(dataset, backbone, overlap) -> PatchTable:
    """Cut all clips of a set once: each fold learns from most of them."""
    from ..models.training.tables import patch_table

    frontend = backbones.find(backbone).frontend().with_overlap(overlap)
    return patch_table(load_clips(dataset, progress=False), frontend)


@functools.lru_cache(maxsize=1)
def _prepared(design, dataset, backbone, names, seed) -> PatchTable:
    """Make what a design learns from instead of clips, and cut it: once for all its variants."""
    from ..models.training.tables import patch_table

    whole = load_clips(dataset, progress=False)
    train = dataclasses.replace(whole, clips=tuple(clip for clip in whole if clip.name in names))
    made, base = design.prepare(train, backbones.backbone(backbone), seed)
    # The waveforms are not needed any more, and are large.
    return dataclasses.replace(patch_table(made, base.frontend), clips=())


PROFILES = {
    entry.name: entry
    for entry in (
        Profile(
            "mini",
            "synthetic",
            "lite",
            "synthetic sounds and a small network: offline, minutes on two cores",
            epochs=4,
            measured=40,
            taught=160,
            quick_speech=True,
        ),
        Profile(
            "esc10-yamnet",
            "esc10",
            "yamnet",
            "the real recordings of ESC-10 and YAMNet: on a laptop",
            speech="fsdd",
        ),
        Profile(
            "esc10-vggish",
            "esc10",
            "vggish",
            "the real recordings of ESC-10 and VGGish: the MathWorks example, step by step",
        ),
    )
}


def profile(name: str = "mini", *, seed: int = 0) -> Profile:
    """Return a profile by its name.

    Parameters
    ----------
    name : {"mini", "esc10-yamnet", "esc10-vggish"}
    seed : int
        Another seed gives another training run, which is how the book measures its own spread.

    Raises
    ------
    XaiAudioError
        If there is no such profile.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> xa.profile("mini").backbone
    'lite'
    """
    if name not in PROFILES:
        near = meant(name, PROFILES)
        raise XaiAudioError(
            f"No profile is called {name!r}{near}: there are {', '.join(PROFILES)}."
        )
    return replace(PROFILES[name], seed=seed)
