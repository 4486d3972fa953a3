"""How fast the methods are, as ratios measured in one run: `make bench`.

The engine is compared with the bare forward pass of the same network, occlusion and LIME with
other people's implementations (`make peers`) for the same number of forward passes, and the ways
to draw LIME's coalitions with each other, by the error that they leave after as many passes. Every
method has a row with the passes it takes and their bare cost, see `methods.py`; the leaderboard of
all methods by all measures has its own, see `leaderboard.py`. What is compared takes turns, and the
median over the turns is taken.
"""

import argparse
import contextlib
import importlib.util
import io
import os
import statistics
import time

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import leaderboard
import methods
import numpy as np
import tensorflow as tf
from keras import layers
from rich.console import Console
from rich.table import Table

import xaiaudio as xa
from xaiaudio.explainers import lime
from xaiaudio.explainers.engines import designs
from xaiaudio.explainers.engines.perturbation import BATCH, Boxes, Coalitions, engine_of
from xaiaudio.explainers.engines.tiles import hidden
from xaiaudio.explainers.occlusion import Sweep

CLASSES = 10
TARGET = 3
MASK = (8 / 96, 8 / 64)  # 96 masks of 8 x 8 cells, which every implementation can do
# As large as the default mask, with its strides; the last positions of each row and column end at
# the edge, so that every implementation has the same 81.
SIDES, STRIDES = (16, 16), (10, 6)
SAMPLES = 500
BATCHES = 4
GRID = (7, 7)


def network(width, dense):
    """VGGish's plan at a share of its width, with its dense layers or pooled to one vector."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((96, 64, 1))
    for group in ((64,), (128,), (256, 256), (512, 512)):
        for channels in group:
            channels = int(channels * width)
            x = layers.Conv2D(channels, 3, padding="same", activation="relu")(x)
        x = layers.MaxPooling2D(2, padding="same")(x)
    if dense:
        x = layers.Flatten()(x)
        for units in (4096, 4096):
            x = layers.Dense(int(units * width), activation="relu")(x)
        x = layers.Dense(128)(x)
    else:
        x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(x))


def classifier_of(model):
    labels = [f"class {number}" for number in range(CLASSES)]
    return xa.AudioClassifier.from_keras(model, labels)


def in_turns(tasks, repeats):
    """Run each task once unmeasured, then in turns.

    Returns
    -------
    dict of str to list of float
        Seconds of every turn. The same turn of two tasks met the same load of the machine.
    """
    seconds = {name: [] for name in tasks}
    for turn in range(repeats + 1):
        for name, task in tasks.items():
            started = time.perf_counter()
            with (
                contextlib.redirect_stdout(io.StringIO()),
                contextlib.redirect_stderr(io.StringIO()),
            ):
                task()
            if turn:
                seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(over, under):
    """Return the median of the ratios turn by turn."""
    return statistics.median(a / b for a, b in zip(over, under, strict=True))


def engine_rows(title, classifier, repeats):
    """Compare the engine with the bare forward pass over ready-made batches."""
    rng = np.random.default_rng(0)
    patches = rng.normal(size=(8, 96, 64)).astype("float32")
    masks = BATCHES * BATCH // len(patches)
    tops = rng.integers(0, 77, masks)
    lefts = rng.integers(0, 51, masks)
    boxes = Boxes(np.stack([tops, tops + 19, lefts, lefts + 13], axis=1))
    cells = np.arange(96)[:, None] * 7 // 96 * 7 + np.arange(64) * 7 // 64
    coalitions = Coalitions(cells[None], rng.random((1, masks, 49)) < 0.5)
    forward, engine = classifier.forward(), engine_of(classifier)
    batches = [tf.constant(np.resize(patches, (BATCH, 96, 64))) for _ in range(BATCHES)]
    seconds = in_turns(
        {
            "bare forward": lambda: np.concatenate([forward(batch) for batch in batches]),
            "engine, boxes": lambda: engine(patches, patches * 0, boxes),
            "engine, coalitions": lambda: engine(patches, patches * 0, coalitions),
        },
        3 * repeats,
    )
    bare = seconds["bare forward"]
    for name, values in seconds.items():
        speed = BATCHES * BATCH / statistics.median(values)
        yield title, name, f"{speed:.0f} inputs/s", f"{ratio(bare, values):.2f} of bare"


def occlusion_tasks(classifier, model, patches):
    yield (
        "xaiaudio",
        lambda: xa.explain(
            classifier, patches, TARGET, "occlusion", mask=MASK, stride=MASK, fill=0
        ),
    )
    images = patches[..., None]
    if installed("tf_explain"):
        from tf_explain.core.occlusion_sensitivity import OcclusionSensitivity

        sensitivity = OcclusionSensitivity(batch_size=BATCH)
        yield (
            "tf-explain",
            lambda: [sensitivity.get_sensitivity_map(model, one, TARGET, 8) for one in images],
        )
    if installed("xplique"):
        from xplique.attributions import Occlusion

        explainer = Occlusion(model, BATCH, patch_size=8, patch_stride=8)
        target = tf.one_hot([TARGET] * len(images), CLASSES)
        yield "xplique", lambda: explainer(images, target)


def tile_rows(title, classifier, repeats):
    """Compare occlusion by tiles, with the default mask and stride, with the whole sweep."""
    patches = np.random.default_rng(3).normal(size=(2, 96, 64)).astype("float32")
    boxes, fill = Sweep((96, 64), 0.2, 0.1).boxes, patches.mean(axis=(1, 2), keepdims=True)
    engine, found = engine_of(classifier, "logits"), {}

    def by_tiles():
        found["tiles"] = hidden(classifier, patches, fill, boxes, "logits")

    def whole():
        found["whole"] = engine(patches, fill, boxes)

    seconds = in_turns({"tiles": by_tiles, "whole": whole}, repeats)
    error = np.abs(found["tiles"] - found["whole"]).max() / np.abs(found["whole"]).max()
    speed = f"{len(patches) / statistics.median(seconds['tiles']):.2f} maps/s"
    gain = f"{ratio(seconds['whole'], seconds['tiles']):.2f} of the whole sweep's speed"
    yield title, "occlusion by tiles", speed, f"{gain}, error {error:.0e}"


def lime_tasks(classifier, model, patches):
    yield (
        "xaiaudio",
        lambda: xa.explain(
            classifier, patches, TARGET, "lime", samples=SAMPLES, grid=GRID, draws="independent"
        ),
    )
    from lime.lime_image import LimeImageExplainer

    from xaiaudio.explainers.engines.segments import grid

    cells = grid((96, 64), *GRID)

    def by_lime():
        for patch in patches:
            LimeImageExplainer(random_state=0).explain_instance(
                patch,
                lambda images: classifier.scores(images[..., 0]),
                labels=(TARGET,),
                top_labels=None,
                num_samples=SAMPLES,
                segmentation_fn=lambda _: cells,
            )

    yield "lime", by_lime
    if installed("xplique"):
        from xplique.attributions import Lime

        explainer = Lime(
            model,
            BATCH,
            nb_samples=SAMPLES,
            map_to_interpret_space=lambda _: tf.constant(cells, tf.int32),
        )
        target = tf.one_hot([TARGET] * len(patches), CLASSES)
        yield "xplique", lambda: explainer(patches[..., None], target)


def map_tasks(classifier, model, patch):
    """Yield who makes a map as good as that of the package lime with its 1000 samples."""
    from lime.lime_image import LimeImageExplainer

    from xaiaudio.explainers.engines.segments import grid

    cells = grid((96, 64), *GRID)

    def by_lime():
        LimeImageExplainer(random_state=0).explain_instance(
            patch,
            lambda images: classifier.scores(images[..., 0]),
            labels=(TARGET,),
            top_labels=None,
            num_samples=1000,
            segmentation_fn=lambda _: cells,
        )

    yield "LIME", "lime, 1000 samples", by_lime
    mask, stride = ((a / 96, b / 64) for a, b in (SIDES, STRIDES))
    share = {"mask": mask, "stride": stride}
    for title, method, options in (("LIME", "lime", {}), ("occlusion", "occlusion", share)):
        for numbers in ("float32", "bfloat16"):
            yield (
                title,
                f"xaiaudio, {numbers}",
                lambda method=method, options=options, numbers=numbers: xa.explain(
                    classifier, patch[None], TARGET, method, precision=numbers, **options
                ),
            )
    if installed("xplique"):
        from xplique.attributions import Occlusion

        explainer = Occlusion(model, BATCH, patch_size=SIDES, patch_stride=STRIDES)
        target = tf.one_hot([TARGET], CLASSES)
        yield "occlusion", "xplique", lambda: explainer(patch[None, ..., None], target)


def map_rows(title, classifier, model, repeats):
    """Compare the time of one map with what others take for one as good.

    How much worse LIME's default, 256 orthogonal draws, is than 1000 independent ones is what
    `design_rows` measures: that depends on how far from linear the network is.
    """
    patch = np.random.default_rng(4).normal(size=(96, 64)).astype("float32")
    tasks = {(what, who): task for what, who, task in map_tasks(classifier, model, patch)}
    seconds = in_turns(tasks, repeats)
    others = {"LIME": "lime, 1000 samples", "occlusion": "xplique"}
    for (what, who), values in seconds.items():
        name, median = f"{title}: a map of {what}", statistics.median(values)
        other = seconds.get((what, others[what]))
        by = f"1/{ratio(other, values):.1f} of {others[what]}'s time" if other else ""
        yield name, who, f"{median:.2f} s", by
    if ("occlusion", "xplique") not in seconds:
        yield f"{title}: a map of occlusion", "xplique", "not installed: make peers", ""


def design_rows(title, classifier, patches, seeds=3):
    """Compare the error of LIME's maps by how coalitions are drawn, and what evens it out."""
    counts, targets = (64, 128, 256, 512), np.full((len(patches), 1), TARGET)

    def maps(draws, seed, samples):
        options = lime.Options(grid=GRID, draws=draws, seed=seed)
        return lime.growing(classifier, patches, targets, options, samples)

    reference = maps("orthogonal", 1000, (4096,))
    errors = {}
    for draws in designs.DRAWS:
        off = np.stack([maps(draws, seed, counts) - reference for seed in range(seeds)], axis=1)
        sizes = np.linalg.norm(off, axis=(-2, -1)) / np.linalg.norm(reference, axis=(-2, -1))
        errors[draws] = np.median(sizes.reshape(len(counts), -1), axis=1)
    for draws, values in errors.items():
        said = ", ".join(f"{value:.3f}" for value in values)
        by = ratio(values[1:], errors["independent"][1:])
        yield title, draws, f"error {said}", f"{by:.2f} of independent"


def peer_rows(title, tasks, forwards, repeats):
    """Compare with other people's implementations."""
    seconds = in_turns(dict(tasks), repeats)
    ours = seconds["xaiaudio"]
    for name, values in seconds.items():
        speed = forwards / statistics.median(values)
        yield title, name, f"{speed:.0f} forwards/s", f"{ratio(values, ours):.2f} x our time"
    for name in {"occlusion": ("tf-explain", "xplique"), "LIME": ("xplique",)}[title]:
        if name not in seconds:
            yield title, name, "not installed: make peers", ""


def installed(package):
    return importlib.util.find_spec(package) is not None


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--width", type=float, default=0.25, help="share of VGGish's width")
    parser.add_argument("--patches", type=int, default=4, help="patches to explain")
    parser.add_argument("--repeats", type=int, default=5, help="turns the median is taken over")
    parser.add_argument("--clips", type=int, default=8, help="clips of the leaderboard")
    given = parser.parse_args()
    table = Table("what", "by whom", "speed", "ratio", title="Medians; ratios within this run")
    table.caption = "method: forwards + backwards a map; bare is what as many cost, in full batches"
    model = network(given.width, dense=True)
    classifier = classifier_of(model)
    shaped = f"VGGish x {given.width:g}"
    plans = [(shaped, classifier)]
    plans.append(("lite plan", classifier_of(network(0.25, dense=False))))
    for title, one in plans:
        for row in engine_rows(title, one, given.repeats):
            table.add_row(*row)
    for title, one in (*plans, ("VGGish's plan", classifier_of(network(1, dense=True)))):
        for row in tile_rows(title, one, min(given.repeats, 3)):
            table.add_row(*row)
    patches = np.random.default_rng(1).normal(size=(given.patches, 96, 64)).astype("float32")
    for title, tasks, count in (
        ("occlusion", occlusion_tasks, 96),
        ("LIME", lime_tasks, SAMPLES),
    ):
        found = tasks(classifier, model, patches)
        for row in peer_rows(title, found, count * given.patches, given.repeats):
            table.add_row(*row)
    whole = network(1, dense=True)
    for row in map_rows("VGGish's plan", classifier_of(whole), whole, min(given.repeats, 3)):
        table.add_row(*row)
    for row in design_rows("LIME at 64 to 512", classifier, patches):
        table.add_row(*row)
    for row in methods.peer_rows(classifier, model, patches, in_turns, ratio, given.repeats):
        table.add_row(*row)
    small = network(0.25, dense=False)
    for row in methods.method_rows(
        "lite plan", classifier_of(small), small, in_turns, ratio, given.repeats
    ):
        table.add_row(*row)
    for row in leaderboard.rows(given.clips):
        table.add_row(*row)
    Console().print(table)


if __name__ == "__main__":
    main()
