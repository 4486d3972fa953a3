"""Every registered method: maps per second, the passes it takes, and what they cost it.

The bare cost is that of as many compiled passes in full batches. `explain` asks for the scores of
each patch besides, which come with the result: one more forward pass, counted like the others.
Integrated gradients ask for more points until each map adds up: 16 at first, then 48, 144...
"""

import contextlib
import statistics

import keras
import numpy as np
import tensorflow as tf

import xaiaudio as xa
from xaiaudio.explainers.engines import backward

# So that a map of each takes about as long as a reader would wait for it.
OPTIONS = {"smoothgrad": {"samples": 20}}
# Relevance propagation walks the layers itself, where the counter sees one pass only: each layer
# runs again with the weights of its rule, and once back. The scores are one forward pass more.
# Occlusion computes only what a mask can have changed; here it is compared with the whole sweep.
UNSEEN = {"lrp": (3, 1), "occlusion": (92, 0)}
PATCHES = 8
TARGET = 3


class Counter:
    """Counts the inputs that pass a layer forwards, and the gradients that pass it backwards."""

    def __init__(self):
        self.forwards = tf.Variable(0, dtype=tf.int32, trainable=False)
        self.backwards = tf.Variable(0, dtype=tf.int32, trainable=False)

    def watch(self, layer) -> None:
        """Put the counter behind what the layer does."""
        original = layer.call

        @tf.custom_gradient
        def mark(outputs):
            def back(gradient):
                self.backwards.assign_add(tf.shape(gradient)[0])
                return gradient

            return tf.identity(outputs), back

        def call(*arguments, **options):
            outputs = original(*arguments, **options)
            self.forwards.assign_add(tf.shape(outputs)[0])
            return mark(outputs)

        layer.call = call

    def take(self) -> tuple[int, int]:
        """Return both counts and begin anew."""
        found = int(self.forwards), int(self.backwards)
        self.forwards.assign(0)
        self.backwards.assign(0)
        return found


def passes(model, labels, patches) -> dict[str, tuple[float, float]]:
    """Return method to forward and backward passes per map; (0, 0) where none could be seen."""
    counter = Counter()
    counted = keras.models.clone_model(model)
    first = next(layer for layer in counted.layers if isinstance(layer, keras.layers.Conv2D))
    counter.watch(first)
    classifier = xa.AudioClassifier.from_keras(counted, labels)
    found = {}
    for name in xa.methods(sounds=False):
        with contextlib.suppress(xa.XaiAudioError):
            for _ in range(2):  # the first call also builds and checks what the next ones use
                counter.take()
                xa.explain(classifier, patches, TARGET, name, **OPTIONS.get(name, {}))
        found[name] = tuple(count / len(patches) for count in counter.take())
    return found | UNSEEN


def method_rows(title, classifier, model, in_turns, ratio, repeats):
    """Compare each method with the bare cost of its forward and backward passes."""
    patches = np.random.default_rng(2).normal(size=(PATCHES, 96, 64)).astype("float32")
    counts = passes(model, classifier.labels, patches)
    batch = np.resize(patches, (backward.BATCH, 96, 64))
    forward, engine = classifier.forward(), backward.engine_of(classifier.logits_network)
    inputs, targets = classifier.as_input(batch), np.full(len(batch), TARGET)
    tasks = {
        "forward": lambda: forward(tf.constant(batch)).numpy(),
        "both": lambda: engine(inputs, targets),
    }
    for name in counts:
        tasks[name] = lambda name=name: xa.explain(
            classifier, patches, TARGET, name, **OPTIONS.get(name, {})
        )
    seconds = in_turns(tasks, repeats)
    ways, both = (np.array(seconds.pop(name)) / len(batch) for name in ("forward", "both"))
    for name, values in seconds.items():
        forwards, backwards = counts[name]
        bare = PATCHES * (forwards * ways + backwards * np.maximum(both - ways, 0))
        speed = f"{PATCHES / statistics.median(values):.1f} maps/s"
        what = f"{name}: {forwards:.4g} + {backwards:.4g}"
        cost = f"{ratio(values, bare):.2f} x bare" if forwards else "passes not seen"
        yield title, what, speed, cost


def peer_tasks(classifier, model, patches):
    """Yield title, tasks and passes of the gradient methods that others have too."""
    from tf_keras_vis.saliency import Saliency
    from tf_keras_vis.utils.scores import CategoricalScore

    saliency = Saliency(classifier.logits_network, clone=False)
    images, score = patches[..., None], CategoricalScore([TARGET] * len(patches))

    def explained(method, **options):
        return lambda: xa.explain(classifier, patches, TARGET, method, **options)

    def by_vis(**options):
        return lambda: saliency(score, images, normalize_map=False, **options)

    found = {
        "saliency": {"xaiaudio": explained("saliency"), "tf-keras-vis": by_vis()},
        "smoothgrad": {
            "xaiaudio": explained("smoothgrad", samples=20),
            "tf-keras-vis": by_vis(smooth_samples=20, smooth_noise=0.05),
        },
        "integrated-gradients": {"xaiaudio": explained("integrated-gradients", tolerance=1e9)},
        "guided-backprop": {"xaiaudio": explained("guided-backprop")},
    }
    try:
        from xplique.attributions import GuidedBackprop, IntegratedGradients
    except ImportError:
        return found
    target = tf.one_hot([TARGET] * len(patches), classifier.logits(patches[:1]).shape[1])
    network = classifier.logits_network
    paths = IntegratedGradients(network, batch_size=backward.BATCH, steps=16)
    found["integrated-gradients"]["xplique"] = lambda: paths(images, target)
    guided = GuidedBackprop(network, batch_size=backward.BATCH)
    found["guided-backprop"]["xplique"] = lambda: guided(images, target)
    return found


def peer_rows(classifier, model, patches, in_turns, ratio, repeats):
    """Compare with other people's implementations of the same."""
    for title, tasks in peer_tasks(classifier, model, patches).items():
        seconds = in_turns(tasks, repeats)
        for name, values in seconds.items():
            speed = f"{len(patches) / statistics.median(values):.1f} maps/s"
            yield title, name, speed, f"{ratio(values, seconds['xaiaudio']):.2f} x our time"
        if title in ("integrated-gradients", "guided-backprop") and "xplique" not in seconds:
            yield title, "xplique", "not installed: make peers", ""
