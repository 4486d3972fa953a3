"""The one engine behind every method that changes an input and asks the network again.

A sweep is n inputs times m masks. The engine walks through the n * m combinations in batches of one
size, the last of which may be smaller. A mask returns the next input: picking the patch (or the
sound), hiding cells of it or mixing its parts happens inside the same compiled graph as the
network, so nothing is ever copied together in Python.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import numpy as np
import tensorflow as tf

from ...errors import XaiAudioError
from ...models.caching import PerModel
from ...models.precision import twin_of
from ...models.tracing import traced
from ...progress import bar
from .fills import filling as filling
from .fills import silence_of as silence_of
from .masks import Boxes as Boxes
from .masks import Coalitions as Coalitions
from .masks import Mixtures as Mixtures
from .masks import Ranks as Ranks
from .masks import Soft as Soft
from .masks import Stretched as Stretched

if TYPE_CHECKING:
    from typing import Any, TypeGuard

    import keras
    from numpy.typing import ArrayLike

    from ...models.classifier import AudioClassifier
    from ...models.waveform import WaveformClassifier
    from ...patches import Patches

# Large enough to keep the cores busy, small enough for a full-width VGGish in 1 GB.
BATCH = 64
# Parts of a batch that the last one of a sweep is filled up to: each new size costs a while.
PARTS = 4

OUTPUTS = ("scores", "logits")

_ENGINES = PerModel()


class Engine:
    """A network that answers for changed inputs, batch by batch.

    Parameters
    ----------
    forward : callable
        Takes a tensor (batch, ...) and returns (batch, classes). It is traced, once for each kind
        of mask and shape of input.
    batch : int
        Most inputs a forward pass. The last pass of a sweep is filled up to so many quarters of
        it, so that the graph sees few shapes.
    render : callable, optional
        For a network of sounds, whose cells can be hidden all the same: takes sounds
        (batch, samples), their patches and what these are to become, and returns the sounds that
        `forward` is given.
    compiled : bool
        False calls `forward` outside of the graph, and never with inputs that only fill up.

    Examples
    --------
    >>> import numpy as np, tensorflow as tf
    >>> engine = Engine(lambda x: tf.reduce_sum(x, axis=[1, 2])[:, None])
    >>> patches = np.ones((1, 2, 3), "float32")
    >>> engine(patches, np.zeros_like(patches), Boxes(np.array([[0, 2, 0, 1]]))).tolist()
    [[[4.0]]]
    """

    def __init__(self, forward, batch: int = BATCH, *, render=None, compiled: bool = True):
        self.forward = forward
        self.batch = batch
        self.render = render
        self.compiled = compiled
        self._steps: dict = {}

    def __call__(self, inputs, fill, masks, *, progress=None) -> np.ndarray:
        """Ask the network about every input under every mask.

        Parameters
        ----------
        inputs : array_like of float, shape (n, h, w, ...) or (n, samples)
            Patches or waveforms. Cells can only be hidden of patches; those of a network of sounds
            have to know their sounds (`Patches.waves`).
        fill : array_like of float, shape (n, h, w, ...), or None
            What stands in a cell that is hidden; None for mixtures and stretched maps, which need
            none.
        masks : Boxes, Coalitions, Ranks, Mixtures, Soft or Stretched
            m masks.
        progress : bool or None
            Show a progress bar on stderr; None shows one on a terminal only.

        Returns
        -------
        ndarray of float32, shape (n, m, classes)
        """
        arrays = [np.asarray(inputs, np.float32)]
        if fill is not None:
            arrays.append(np.broadcast_to(np.asarray(fill, np.float32), arrays[0].shape))
        arrays += masks.arrays
        if self._renders(masks):
            arrays.append(waves_of(inputs))
        step = self._step(type(masks), [array.shape[1:] for array in arrays])
        arguments = [tf.constant(array) for array in arrays]
        total, quarter = len(inputs) * len(masks), -(-self.batch // PARTS)
        answers = []
        with bar(-(-total // self.batch), progress) as advance:
            for start in range(0, total, self.batch):
                size = min(self.batch, quarter * -(-(total - start) // quarter))
                made = step(tf.constant([start, size, len(masks)]), *arguments)
                if not self.compiled:
                    made = self.forward(made[: total - start])
                answers.append(np.asarray(made))
                advance()
        return np.concatenate(answers)[:total].reshape(len(inputs), len(masks), -1)

    def ask(self, inputs: Patches | np.ndarray) -> np.ndarray:
        """Return the answers to patches (n, h, w) or sounds as they are, float32 (n, classes)."""
        inputs = np.asarray(inputs, np.float32)
        parts = [inputs[start : start + self.batch] for start in range(0, len(inputs), self.batch)]
        forward = self.forward
        if self.compiled:
            shape = inputs.shape[1:]
            if shape not in self._steps:
                spec = tf.TensorSpec((None, *shape), tf.float32)
                self._steps[shape] = traced(self.forward, [spec])
            forward = self._steps[shape]
        return np.concatenate([np.asarray(forward(tf.constant(part))) for part in parts])

    def _renders(self, masks) -> bool:
        return masks.of_cells and self.render is not None

    def _step(self, masks: Any, shapes):
        """One forward pass as a compiled function of any number of inputs and masks."""
        renders = self._renders(masks)
        key = (masks.kind, shapes[0], shapes[-1] if renders else None)
        if key not in self._steps:
            whole = tf.TensorSpec((None, *shapes[0]), tf.float32)
            cells = [whole] if masks.of_cells else []
            specs = [tf.TensorSpec(*spec) for spec in masks.specs]
            waves = [tf.TensorSpec((None, *shapes[-1]), tf.float32)] if renders else []
            render = self.render if renders else None
            forward = self.forward if self.compiled else None
            self._steps[key] = traced(
                partial(_pass, masks, render, forward),
                [tf.TensorSpec((3,), tf.int32), whole, *cells, *specs, *waves],
            )
        return self._steps[key]


def _pass(masks, render, forward, numbers, inputs, *arrays):
    """Run combinations start to start + size: number i is input i // count, mask i % count."""
    start, size, count = tf.unstack(numbers)
    last = tf.shape(inputs)[0] * count - 1
    index = tf.minimum(start + tf.range(size), last)
    which, mask = index // count, index % count
    if render is None:
        made = masks.inputs(which, mask, inputs, *arrays)
    else:
        *arrays, waves = arrays
        wanted = masks.inputs(which, mask, inputs, *arrays)
        made = render(tf.gather(waves, which), tf.gather(inputs, which), wanted)
    return made if forward is None else forward(made)


def engine_of(
    classifier: AudioClassifier, output: str | None = "scores", precision: str = "float32"
) -> Engine:
    """Return the classifier's engine; it is built once and goes when the classifier goes.

    Parameters
    ----------
    classifier : AudioClassifier
    output : {"scores", "logits"} or None
        What the engine answers with; None leaves it to :func:`output_of`.
    precision : {"float32", "bfloat16"}
        The numbers that the network is asked in, see :func:`.precision.precision_of`.
    """
    output = output_of(classifier, output)
    if precision == "bfloat16":
        network = asked(classifier, output, precision)

        def ask(alive, inputs):
            return tf.cast(network(alive().as_input(inputs), training=False), tf.float32)

        return _ENGINES(classifier, (output, precision), lambda alive: Engine(partial(ask, alive)))

    def make(alive):
        # Of a network of sounds, cells are hidden by filters on the sounds.
        about: dict[str, Any] = {"compiled": classifier.compiled}
        if takes_waves(classifier) or not classifier.compiled:
            about["batch"] = classifier.batch
        if takes_waves(classifier):
            about["render"] = lambda *arrays: alive().render(*arrays)
        return Engine(lambda inputs: alive().forward(output == "logits")(inputs), **about)

    return _ENGINES(classifier, output, make)


def asked(classifier: AudioClassifier, output: str, precision: str = "float32") -> keras.Model:
    """Return the Keras network that gives an output, or its twin with the weights of now.

    Parameters
    ----------
    classifier : AudioClassifier
        Of a Keras network of patches.
    output : {"scores", "logits"}
    precision : {"float32", "bfloat16"}

    Returns
    -------
    keras.Model
    """
    network = classifier.network if output == "scores" else classifier.logits_network
    return twin_of(network) if precision == "bfloat16" else network


def output_of(classifier: AudioClassifier, output: str | None = None) -> str:
    """Return what a method asks a classifier for: where it has a choice, the logits.

    A probability near 1 hardly falls as long as the class stays the winner, so that its maps are
    nearly empty. A logit has no such ceiling. Logits that were only computed from probabilities
    know no more than these do: then it is the probabilities.

    Parameters
    ----------
    classifier : AudioClassifier
    output : {"scores", "logits"} or None
        What the user wants; None has no wish.

    Returns
    -------
    {"scores", "logits"}

    Examples
    --------
    >>> import xaiaudio as xa
    >>> output_of(xa.load_model("lite"))
    'logits'
    """
    check_output(output)
    return output or ("logits" if classifier.has_logits else "scores")


def check_output(output: object) -> None:
    """Raise XaiAudioError unless an option `output` is one that there is."""
    if output is not None and output not in OUTPUTS:
        raise XaiAudioError(f"output is {output!r}: it must be one of {OUTPUTS}, or None.")


def takes_waves(classifier: AudioClassifier) -> TypeGuard[WaveformClassifier]:
    """Tell whether a classifier takes sounds, and not patches."""
    return hasattr(classifier, "render")


def waves_of(patches: Patches | ArrayLike) -> np.ndarray:
    """Return the sounds (n, samples) of the patches of a network of sounds."""
    waves = getattr(patches, "waves", None)
    if waves is None:
        raise XaiAudioError(
            "This network takes sounds, and these patches do not know theirs: give what "
            "model.frontend(wave) returned, or a slice of it."
        )
    return np.asarray(waves, np.float32)


def changed(
    classifier: AudioClassifier, inputs: Patches | np.ndarray, wanted: np.ndarray
) -> Patches | np.ndarray:
    """Return inputs whose cells are as wanted: of a network of sounds, the filtered sounds.

    Parameters
    ----------
    classifier : AudioClassifier
    inputs : ndarray or Patches, shape (n, frames, bands)
        Of a network of sounds with their sounds.
    wanted : ndarray of float, shape (n, frames, bands)

    Returns
    -------
    ndarray or Patches
        For `classifier.scores`.
    """
    return classifier.changed(inputs, wanted) if takes_waves(classifier) else wanted
