"""Audacity reads label tracks back by its own rules."""

from odd_rows import LABELS, audacity, rows_of_labels, shown, written

from xaiaudio.exports.audacity import encode


def test_audacity_reads_labels_in_the_order_of_time(tmp_path):
    found = audacity(written(tmp_path, "x.labels.txt", rows_of_labels()))
    starts = [place[0] for place in found]
    assert starts == sorted(starts) and len(found) == len(LABELS)
    by_start = {round(3 - number / 10, 6): number for number in range(len(LABELS))}
    for start, end, label, low, high in found:
        number = by_start[start]
        assert (end, low, high) == (4.0, 125.5, 1000 + number)
        assert label.split() == shown(LABELS[number]).replace("\u2028", " ").split()


def test_audacity_labels_without_a_band_have_one_line(tmp_path):
    rows = [{"class": "x", "start_s": 0, "end_s": 1, "share": 0.256, "part": "time 1"}]
    assert written(tmp_path, "x.labels.txt", rows) == b"0.000000\t1.000000\tx, time 1, 26%\n"


def test_a_score_stands_in_for_a_share_and_none_is_left_out():
    place = {"start_s": 1.0, "end_s": 2.0}
    rows = [
        {"class": "a", "score": 0.5, **place},
        {"class": "b", "score": 0.5, "share": 0.25, **place},
        {"class": "", "part": "low", **place},
    ]
    labels = [label for _, _, label in audacity(encode(rows))]
    assert labels == ["a, 50%", "b, 25%", "low"]
