"""Cross-validation: every fold held out once."""

from __future__ import annotations

import dataclasses

import keras
import numpy as np

from ...errors import XaiAudioError
from .. import heads
from ..backbones import backbone as find_backbone
from .loop import fit
from .steps import in_batches
from .tables import patch_table
from .testing import TestResult, judged, test
from .transfer import choose, embeddings, head_alone, transfer


def cross_validate(backbone, clips, *, freeze: bool = False, overlap: float = 0.75, **options):
    """Retrain and test once per fold.

    Each fold is predicted by a network that has seen nothing of it: the last epoch is taken, no
    epoch is chosen by the fold it is tested on.

    Parameters
    ----------
    backbone : Backbone or str
    clips : ClipSet
        With at least two folds.
    freeze : bool
        True trains the new layer alone; all embeddings are then computed once, not once per fold.
    overlap : float
        Of the patches.
    **options
        Those of :func:`xaiaudio.models.transfer`.

    Returns
    -------
    list of TestResult
        In the order of the folds.

    Examples
    --------
    >>> import numpy as np, xaiaudio as xa
    >>> clips = xa.datasets.load("esc10")  # doctest: +SKIP
    >>> tests = xa.models.cross_validate("lite", clips, freeze=True)  # doctest: +SKIP
    >>> np.mean([test.clip_accuracy for test in tests])  # doctest: +SKIP
    """
    folds = [clip.fold for clip in clips]
    if None in folds or len(set(folds)) < 2:
        raise XaiAudioError(
            f"{clips.name} is not divided into folds: cross-validation needs at least two, and a "
            "fold for each clip."
        )
    backbone = find_backbone(backbone)
    table = patch_table(clips, backbone.frontend.with_overlap(overlap))
    held_out = [np.array(folds) == fold for fold in sorted(set(folds))]
    if not freeze:
        return [_retrained(backbone, table, held, overlap, options) for held in held_out]
    table = dataclasses.replace(table, patches=embeddings(backbone.network, table.patches))
    return [_new_layer(table, held, choose(True, **options)) for held in held_out]


def _retrained(backbone, table, held, overlap, options) -> TestResult:
    model = transfer(backbone, table.part(~held), overlap=overlap, **options)
    return test(model, table.part(held))


def _new_layer(table, held, options) -> TestResult:
    """Train and test a layer on embeddings, which take the patches' place in `table`."""
    train, unheard = table.part(~held), table.part(held)
    head = head_alone(heads.last_layer(len(table.labels), options.seed), train.patches.shape[1])
    fit(head, (train.patches, train.targets(table.labels)), options=options)
    scores = keras.ops.softmax(in_batches(head)(unheard.patches)).numpy()
    return judged(unheard, scores, table.labels)
