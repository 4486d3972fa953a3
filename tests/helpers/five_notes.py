"""Five notes, an instrument, and how it plays them."""

import numpy as np

from xaiaudio.synthesis.ddsp.playing import Instrument, performed
from xaiaudio.synthesis.notes import Notes

NOTES = Notes(
    np.array([60, 64, 67, 65, 62]),
    np.array([0.0, 0.5, 1.0, 1.75, 2.25]),
    np.array([0.48, 0.98, 1.7, 2.23, 3.25]),
)
LEAD = Instrument.of("lead")
PLAYED = performed(NOTES, LEAD)
