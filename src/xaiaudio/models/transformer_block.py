"""One layer of a transformer, as the networks here are built of it."""

from __future__ import annotations

import keras


def block(tensor, options, name: str, seeds):
    """Let the tokens hear of each other, then let each think about it.

    `name` has a place for the part, such as ``"{}2"``. Of `options` the heads and the size count;
    three of the `seeds` are taken.
    """
    layers, first = keras.layers, keras.initializers.GlorotUniform
    normal = layers.LayerNormalization(name=name.format("before"))(tensor)
    heard = layers.MultiHeadAttention(
        options.heads,
        options.size // options.heads,
        kernel_initializer=first(next(seeds)),
        name=name.format("attention"),
    )(normal, normal)
    tensor = layers.Add(name=name.format("heard"))([tensor, heard])
    normal = layers.LayerNormalization(name=name.format("between"))(tensor)
    wide = layers.Dense(
        2 * options.size,
        activation="relu",
        kernel_initializer=first(next(seeds)),
        name=name.format("wide"),
    )(normal)
    back = layers.Dense(
        options.size, kernel_initializer=first(next(seeds)), name=name.format("back")
    )
    return layers.Add(name=name.format("out"))([tensor, back(wide)])
