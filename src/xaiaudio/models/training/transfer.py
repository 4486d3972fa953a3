"""Transfer learning: a new last layer on a trained backbone, and all of it retrained."""

from __future__ import annotations

import dataclasses
import hashlib
from typing import TYPE_CHECKING

import keras
import numpy as np

from ...datasets.base import ClipSet
from ...errors import XaiAudioError
from .. import heads
from ..backbones import Backbone
from ..backbones import backbone as find_backbone
from ..classifier import AudioClassifier
from .checkpoint import Checkpoint
from .loop import Options, fit
from .remembered import outputs
from .tables import PatchTable, patch_table

if TYPE_CHECKING:
    from ...types import PathLike


def transfer(
    backbone: Backbone | str,
    train: ClipSet | PatchTable,
    validation: ClipSet | PatchTable | None = None,
    *,
    epochs: int | None = None,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    halve_every: int | None = None,
    overlap: float = 0.75,
    freeze: bool = False,
    validate_every: int = 50,
    seed: int = 0,
    resume: PathLike | None = None,
    progress: bool = True,
) -> AudioClassifier:
    """Teach a backbone new classes.

    A dense layer and a softmax are put on the backbone's embedding. Then the whole network is
    trained with Adam on the patches of the clips, shuffled anew in every epoch; patches that do
    not fill a batch sit this epoch out. The defaults are those of the MathWorks example
    *Investigate Audio Classifications Using Deep Learning Interpretability Techniques*.

    With validation clips the weights of the best validation are kept: the highest patch accuracy,
    a tie going to the lower loss. If they are also what one reports on, that choice flatters a
    little; the figures of the last validation are in the history as well. Without, the weights at
    the end are kept.

    Parameters
    ----------
    backbone : Backbone or str
        Its weights are copied, so that it can serve again. A name is given to
        :func:`xaiaudio.models.backbone`.
    train, validation : ClipSet or PatchTable
        The classes are the labels of `train`. A table holds patches already cut.
    epochs : int, optional
        5, or 20 with `freeze`.
    batch_size : int
    learning_rate : float
        Of the first epoch.
    halve_every : int, optional
        The learning rate is halved after so many epochs: 2, or 8 with `freeze`.
    overlap : float
        Of the patches, in training, in validation and in the classifier's front end.
    freeze : bool
        True keeps the backbone as it is. Its embeddings are computed once and only the new layer
        is trained: much faster, and with few clips often better.
    validate_every : int
        Iterations between validations; each epoch ends with one as well.
    seed : int
        Decides the new layer's first weights and the shuffling.
    resume : path-like, optional
        A folder for a checkpoint after each epoch. If it holds one of the same run, training goes
        on from there, to the same end as without the interruption.
    progress : bool
        Show a bar with loss and patch accuracy.

    Returns
    -------
    AudioClassifier
        Flat, with this ``history``: lists ``loss`` and ``accuracy`` per iteration;
        ``validation_iteration``, ``validation_loss``, ``validation_accuracy``; ``epoch_iteration``
        (the last of each epoch), ``epochs``, ``best_epoch`` and ``best_iteration`` of the weights
        that were kept, and dicts ``best`` and ``last`` with that validation's ``loss`` and
        ``accuracy``; ``options``; ``seconds`` of wall time.

    Raises
    ------
    XaiAudioError
        If an option makes no sense, a class has no clip to learn from, a clip cannot be used (the
        message names it), or the loss is no longer finite.

    Examples
    --------
    >>> import xaiaudio as xa
    >>> train, test = xa.datasets.load("synthetic").split(fold=5)  # doctest: +SKIP
    >>> model = xa.models.transfer("lite", train, test)  # doctest: +SKIP
    >>> model.history["best"]["accuracy"]  # doctest: +SKIP
    0.93
    """
    options = choose(
        freeze,
        epochs=epochs,
        batch_size=batch_size,
        learning_rate=learning_rate,
        halve_every=halve_every,
        validate_every=validate_every,
        seed=seed,
    )
    for what, clips in (("train", train), ("validation", validation)):
        _check_clips(what, clips)
    labels = _labels(train)
    backbone = find_backbone(backbone)
    frontend = backbone.frontend.with_overlap(overlap)
    learnt, tested = (_table(clips, frontend) for clips in (train, validation))
    told = {
        **dataclasses.asdict(options),
        "backbone": backbone.name,
        "freeze": bool(freeze),
        "overlap": float(overlap),
    }
    checkpoint = Checkpoint(
        resume, {**told, "labels": labels, "data": _digest(backbone.network, learnt, tested)}
    )
    network, logits_network = heads.attach(_copy(backbone), len(labels), options.seed)
    trained, network_before = logits_network, None
    if freeze:
        network_before = backbone.network
        trained = head_alone(logits_network.get_layer("logits"), network_before.output_shape[-1])
    data, checked = (_pair(table, labels, network_before) for table in (learnt, tested))
    history = fit(trained, data, checked, options, checkpoint, progress)
    return AudioClassifier(
        network,
        logits_network,
        labels,
        frontend,
        name=backbone.name,
        attribution=backbone.attribution,
        history={**history, "options": told},
    )


def choose(freeze: bool, *, epochs=None, halve_every=None, **others) -> Options:
    """Return the options, with the defaults that fit all layers or, with `freeze`, the last."""
    return Options(
        epochs=(20 if freeze else 5) if epochs is None else epochs,
        halve_every=(8 if freeze else 2) if halve_every is None else halve_every,
        **others,
    )


def head_alone(layer, width: int) -> keras.Model:
    """Return the network from embeddings (n, width) to logits that a dense layer is by itself."""
    embedding = keras.layers.Input((width,))
    return keras.Model(embedding, layer(embedding))


def embeddings(network, patches) -> np.ndarray:
    """Return a backbone's embeddings (n, width) of patches (n, frames, bands)."""
    return outputs(network, patches)


def _pair(table: PatchTable | None, labels, network):
    """Return inputs and class indices; the inputs are embeddings if there is a network."""
    if table is None:
        return None
    inputs = table.patches[..., None] if network is None else embeddings(network, table.patches)
    return inputs, table.targets(labels)


def _copy(backbone: Backbone) -> keras.Model:
    copy = keras.models.clone_model(backbone.network)
    copy.set_weights(backbone.network.get_weights())
    return copy


def _check_clips(what, clips) -> None:
    if clips is not None and not isinstance(clips, (ClipSet, PatchTable)):
        raise XaiAudioError(
            f"{what} is a {type(clips).__name__}: give a set of clips, such as xa.datasets.load "
            "returns, or a PatchTable of them. Labels are the names of classes, not one-hot rows."
        )


def _labels(train) -> tuple[str, ...]:
    truth = train.truth if isinstance(train, PatchTable) else [clip.label for clip in train]
    missing = [label for label in train.labels if label not in truth]
    if missing:
        raise XaiAudioError(
            f"There is no clip of {missing[0]!r} to learn from: add some, or take the label out of "
            "the set."
        )
    if len(train.labels) < 2:
        raise XaiAudioError(
            f"There is but one class, {', '.join(train.labels)}: two at least are needed."
        )
    return tuple(train.labels)


def _table(clips, frontend) -> PatchTable | None:
    if clips is None or isinstance(clips, PatchTable):
        return clips
    return patch_table(clips, frontend)


def _digest(network, *tables) -> str:
    """Tell one backbone and set of patches from another, quickly."""
    digest = hashlib.sha256()
    for weight in network.weights:
        digest.update(np.ascontiguousarray(weight.numpy().ravel()[::97]))
    for table in filter(None, tables):
        digest.update(repr((table.names, table.truth, table.patches.shape)).encode())
        digest.update(np.ascontiguousarray(table.patches[:, ::7, ::5]))
    return digest.hexdigest()
