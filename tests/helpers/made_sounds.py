"""What is measured of sounds that were drawn, and a generator whose first draws are given."""

import numpy as np

RATE = 16_000


def centroid(wave):
    """Mean frequency, weighted by power."""
    power = np.abs(np.fft.rfft(wave)) ** 2
    return (power * np.fft.rfftfreq(len(wave), 1 / RATE)).sum() / power.sum()


def smooth(wave, size):
    return np.convolve(wave, np.ones(size) / size, mode="same")


class Fixed:
    """A random generator whose first draws are given."""

    def __init__(self, seed, **first):
        self.rng, self.first = np.random.default_rng(seed), {k: list(v) for k, v in first.items()}

    def __getattr__(self, name):
        def draw(*args, **options):
            waiting = self.first.get(name)
            return waiting.pop(0) if waiting else getattr(self.rng, name)(*args, **options)

        return draw
