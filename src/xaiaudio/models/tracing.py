"""Compile a function of tensors once, here and now."""

from __future__ import annotations

import tensorflow as tf


def traced(function, signature):
    """Compile a function for inputs of one signature.

    Left to the first call, TensorFlow would take the functions of several networks for one that
    changes all the time, and warn that it traces it anew.

    Parameters
    ----------
    function : callable
        Of tensors, without control flow of Python that depends on their values.
    signature : sequence of tf.TensorSpec

    Returns
    -------
    callable
        Takes tensors of exactly these types. While `tf.config.run_functions_eagerly` is on, it
        runs step by step instead.

    Examples
    --------
    >>> import tensorflow as tf
    >>> double = traced(lambda x: 2 * x, [tf.TensorSpec((None,), tf.float32)])
    >>> double(tf.constant([1.0, 2.0])).numpy().tolist()
    [2.0, 4.0]
    """
    compiled = tf.function(function, input_signature=signature, autograph=False)
    return compiled if tf.config.functions_run_eagerly() else compiled.get_concrete_function()
