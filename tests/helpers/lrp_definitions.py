"""Relevance propagation a second time: explicit matrices and loops over single values."""

import numpy as np

EPSILON = 1e-6


def relu(x):
    return np.maximum(x, 0)


def stable(z, epsilon=EPSILON):
    return z + epsilon * (1.0 if z >= 0 else -1.0)


def share(name, x, weights, bias, relevance, low=None, high=None):
    """Share the relevance of each output among the inputs, one number at a time.

    `weights` is (inputs, outputs). Return the relevance of the inputs and what the biases kept.
    """
    found, kept = np.zeros(len(x)), 0.0
    for k, amount in enumerate(relevance):
        w, b = weights[:, k], bias[k]
        if name == "alpha-beta":
            parts = [(2.0, *of_sign(x, w, b, 1)), (-1.0, *of_sign(x, w, b, -1))]
        else:
            parts = [(1.0, *contributions(name, x, w, b, low, high))]
        for factor, each, from_bias in parts:
            total = stable(each.sum() + from_bias, 0 if name == "0" else EPSILON)
            if total == 0:
                continue
            found += factor * each / total * amount
            kept += factor * from_bias / total * amount
    return found, kept


def of_sign(x, w, b, sign):
    """Return the contributions of one sign, and the bias if it has that sign."""
    each = np.zeros(len(x))
    for i in range(len(x)):
        if np.sign(x[i] * w[i]) == sign:
            each[i] = x[i] * w[i]
    return each, b if np.sign(b) == sign else 0.0


def contributions(name, x, w, b, low, high):
    """Return what each input contributes to one output by a rule, and what its bias does."""
    if name in ("0", "epsilon"):
        return x * w, b
    if name == "gamma":
        return x * (w + 0.25 * relu(w)), b + 0.25 * relu(b)
    if name == "z+":
        return of_sign(x, w, b, 1)
    if name == "flat":
        # An input that an output does not see has a weight of exactly zero.
        return (w != 0).astype(float), 0.0
    if name == "w2":
        return w**2, 0.0
    if name == "box":
        return x * w - low * relu(w) + high * relu(-w), 0.0
    raise KeyError(name)


def propagated(units, x, relevance, rules, low, high):
    """Carry relevance back through a chain of units, from the last to the first.

    Each unit is (name, matrix, bias) for a linear layer, followed by a ReLU unless it is the last,
    ("max", windows) for a maximum over the given inputs of each output, or ("average", matrix, 0).
    """
    values = [x]
    for kind, *unit in units:
        before = values[-1]
        if kind == "max":
            values.append(np.array([before[window].max() for window in unit[0]]))
        else:
            after = before @ unit[0] + unit[1]
            is_last = len(values) == len(units)
            values.append(after if is_last or kind == "average" else relu(after))
    for (kind, *unit), before in zip(units[::-1], values[-2::-1], strict=True):
        if kind == "max":
            found = np.zeros(len(before))
            for window, amount in zip(unit[0], relevance, strict=True):
                found[window[np.argmax(before[window])]] += amount
            relevance = found
        else:
            name = "epsilon" if kind == "average" else rules[kind]
            relevance, _ = share(name, before, *unit, relevance, low, high)
    return relevance


def shared(relevance, parts):
    """Share an amount in proportion to its parts."""
    total = sum(parts)
    total += 1e-6 if total >= 0 else -1e-6
    return np.array([part * relevance / total for part in parts])
