"""Times as people write them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from xaiaudio.clock import clock, face, seconds_of
from xaiaudio.errors import XaiAudioError


@pytest.mark.parametrize(
    ("seconds", "digits", "shown"),
    [
        (0, 1, "0.0 s"),
        (59.94, 1, "59.9 s"),
        (59.95, 1, "1:00.0"),
        (119.96, 1, "2:00.0"),
        (3599.6, 0, "1:00:00"),
        (3661.25, 2, "1:01:01.25"),
        (360_000, 0, "100:00:00"),
    ],
)
def test_a_time_is_written(seconds, digits, shown):
    assert clock(seconds, digits) == shown


@pytest.mark.slow
@given(st.integers(0, 200_000), st.integers(0, 3))
def test_what_is_written_can_be_read(tenths, digits):
    seconds = round(tenths / 10, digits)
    assert seconds_of(face(seconds, digits)) == pytest.approx(seconds)


@pytest.mark.parametrize("text", ["", "x", "1:2:3:4", "1:75", "-3", "1e3", "1:60:00", "nan"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(XaiAudioError, match="is no time: write seconds"):
        seconds_of(text)
