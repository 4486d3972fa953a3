"""What the mouth does for each sound of the ten English digits.

Formants are the resonances of the tract between the vocal folds and the lips. Their frequencies for
a tract of 17.5 cm, an average man's, follow D. H. Klatt, "Software for a cascade/parallel formant
synthesizer", J. Acoust. Soc. Am. 67 (1980), table II, with small changes by ear.
"""

from __future__ import annotations

from dataclasses import dataclass

WORDS = {
    "zero": ("z", "ih", "r", "ow"),
    "one": ("w", "ah", "n"),
    "two": ("t", "uw"),
    "three": ("th", "r", "iy"),
    "four": ("f", "ao", "er"),
    "five": ("f", "ay", "v"),
    "six": ("s", "ih", "k", "s"),
    "seven": ("s", "eh", "v", "ax", "n"),
    "eight": ("ey", "t"),
    "nine": ("n", "ay", "n"),
}

#: Phone to the group that it belongs to.
GROUPS = {
    **dict.fromkeys(("ih", "ow", "ah", "uw", "iy", "ao", "er", "ay", "eh", "ax", "ey"), "vowel"),
    **dict.fromkeys(("r", "w"), "glide"),
    "n": "nasal",
    **dict.fromkeys(("z", "th", "f", "v", "s"), "fricative"),
    **dict.fromkeys(("t", "k"), "stop"),
}


@dataclass(frozen=True)
class Segment:
    """A stretch in which the mouth holds one position, or moves from one to another.

    Attributes
    ----------
    ms : float
        Usual duration in milliseconds.
    formants, end : tuple of float
        The first three formants in hertz at the beginning and, if they move, at the end.
    voice : float
        Strength of the vocal folds' pulses; 1 for a vowel.
    breath : float
        Loudness of the air that hisses through the open tract, relative to the loudest vowel.
    noise : float
        Loudness of the noise made at a narrow place or by a burst, relative to the loudest vowel.
    kind : str
        Whose spectrum that noise has, a key of `NOISES`.
    nasal : float
        1 if the nose is open and the mouth closed.
    """

    ms: float
    formants: tuple[float, float, float]
    end: tuple[float, float, float] | None = None
    voice: float = 0.0
    breath: float = 0.0
    noise: float = 0.0
    kind: str = "s"
    nasal: float = 0.0


def _vowel(ms, formants, end=None, voice=1.0):
    return (Segment(ms, formants, end, voice=voice),)


#: Phone to its segments. A stop is a closure and a burst with some breath after it.
PHONES = {
    "ih": _vowel(85, (400, 1800, 2570)),
    "ow": _vowel(190, (540, 1100, 2300), (430, 850, 2300)),
    "ah": _vowel(125, (640, 1200, 2550)),
    "uw": _vowel(200, (350, 1250, 2200), (320, 900, 2200)),
    "iy": _vowel(200, (310, 2020, 2960), (290, 2100, 3000)),
    "ao": _vowel(140, (600, 950, 2570)),
    "er": _vowel(120, (470, 1270, 1600), voice=0.85),
    "ay": _vowel(230, (700, 1200, 2550), (380, 1900, 2550)),
    "eh": _vowel(95, (540, 1700, 2500)),
    "ax": _vowel(50, (500, 1400, 2350), voice=0.7),
    "ey": _vowel(190, (480, 1750, 2520), (330, 2050, 2650)),
    "r": _vowel(70, (310, 1060, 1400), voice=0.6),
    "w": _vowel(75, (290, 610, 2150), voice=0.5),
    "n": (Segment(90, (480, 1340, 2470), voice=0.45, nasal=1.0),),
    "z": (Segment(85, (240, 1390, 2530), voice=0.25, noise=0.14, kind="s"),),
    "v": (Segment(65, (220, 1100, 2080), voice=0.3, noise=0.02, kind="f"),),
    "s": (Segment(120, (320, 1390, 2530), noise=0.25, kind="s"),),
    "f": (Segment(105, (340, 1100, 2080), noise=0.07, kind="f"),),
    "th": (Segment(95, (320, 1290, 2540), noise=0.06, kind="th"),),
    "t": (
        Segment(55, (400, 1600, 2600)),
        Segment(14, (400, 1600, 2600), noise=0.4, kind="t"),
        Segment(45, (400, 1600, 2600), breath=0.08, noise=0.03, kind="t"),
    ),
    "k": (
        Segment(55, (300, 1990, 2600)),
        Segment(18, (300, 1990, 2600), noise=0.3, kind="k"),
        Segment(15, (300, 1990, 2600), breath=0.05),
    ),
}

#: Spectra of noises as resonances: centres, widths and heights, and what there is between them.
NOISES = {
    "s": ((5000, 7000), (1600, 2200), (1.0, 0.8), 0.01),
    "f": ((3000, 7000), (4000, 4000), (0.4, 1.0), 0.1),
    "th": ((2500, 6000), (3000, 3000), (0.2, 1.0), 0.06),
    "t": ((3800, 6000), (2000, 3000), (1.0, 0.8), 0.05),
    "k": ((2000, 4800), (700, 2500), (1.0, 0.25), 0.03),
}
